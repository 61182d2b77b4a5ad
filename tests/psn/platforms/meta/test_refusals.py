"""Meta's error table, row by row, and what is no answer of Meta's at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from psn.errors import (
    NeedsReconnect,
    PlatformError,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from psn.http import Reply
from psn.platforms.meta.refusals import check_reply, read_usage

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def make_reply(error: dict[str, Any] | None = None, *, status: int = 400, body: bytes = b"", **headers: str) -> Reply:
    content = json.dumps({"error": error}).encode() if error is not None else body
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def refuse(reply: Reply, *, commit: bool = False) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        check_reply(reply, title="Instagram", name="instagram", now=NOW, commit=commit)
    return caught.value


# code, subcode, what it is when reading or preparing, its code, and what it is on the call that publishes
ROWS: list[tuple[int, int | None, type[PlatformError], str, type[PlatformError]]] = [
    (190, None, NeedsReconnect, "account.needs_reconnect", NeedsReconnect),
    (190, 458, NeedsReconnect, "account.needs_reconnect", NeedsReconnect),
    (190, 460, NeedsReconnect, "account.needs_reconnect", NeedsReconnect),
    (190, 463, NeedsReconnect, "account.needs_reconnect", NeedsReconnect),
    (190, 467, NeedsReconnect, "account.needs_reconnect", NeedsReconnect),
    (10, None, Rejected, "instagram.permission", Rejected),
    (200, None, Rejected, "instagram.permission", Rejected),
    (100, 33, Rejected, "instagram.not_found", Rejected),
    (4, None, RateLimited, "platform.rate_limited", RateLimited),
    (17, None, RateLimited, "platform.rate_limited", RateLimited),
    (32, None, RateLimited, "platform.rate_limited", RateLimited),
    (613, None, RateLimited, "platform.rate_limited", RateLimited),
    (80002, None, RateLimited, "platform.rate_limited", RateLimited),
    (9, 2207042, RateLimited, "platform.rate_limited", RateLimited),
    (4, 2207051, Rejected, "instagram.suspected_spam", Rejected),
    (25, 2207050, Rejected, "instagram.account_restricted", Rejected),
    (9007, 2207027, Unavailable, "instagram.media_not_ready", Unavailable),
    (24, 2207008, Unavailable, "instagram.container_gone", Unavailable),
    (24, 2207006, Unavailable, "instagram.container_gone", Unavailable),
    (-2, 2207003, Unavailable, "instagram.media_fetch", Unavailable),
    (9004, 2207052, Unavailable, "instagram.media_fetch", Unavailable),
    (-2, 2207020, Unavailable, "instagram.container_gone", Unavailable),
    (-1, 2207032, Unavailable, "instagram.media_again", Unavailable),
    (-1, 2207053, Unavailable, "instagram.media_again", Unavailable),
    (-1, 2207001, Unavailable, "instagram.server", UnknownOutcome),
    (1, None, Unavailable, "instagram.server", UnknownOutcome),
    (2, None, Unavailable, "instagram.server", UnknownOutcome),
    (36000, 2207004, Rejected, "instagram.media_size", Rejected),
    (36001, 2207005, Rejected, "instagram.media_format", Rejected),
    (36003, 2207009, Rejected, "instagram.media_ratio", Rejected),
    (36004, 2207010, Rejected, "instagram.caption", Rejected),
    (352, 2207026, Rejected, "instagram.video_format", Rejected),
    (100, 2207028, Rejected, "instagram.carousel_count", Rejected),
    (100, 2207023, Rejected, "instagram.media_kind", Rejected),
    (1, 2207057, Rejected, "instagram.cover", Rejected),
    (100, 2207040, Rejected, "instagram.tags", Rejected),
    (100, 4279013, Rejected, "instagram.account_restricted", Rejected),
    (100, None, Rejected, "instagram.invalid", Rejected),
    (987654, None, Rejected, "instagram.invalid", Rejected),
]


class TestErrorTable:
    @pytest.mark.parametrize(
        ("code", "subcode", "kind", "our_code", "on_commit"), ROWS, ids=[f"{row[0]}-{row[1]}" for row in ROWS]
    )
    def test_has_a_meaning_for_each_row(
        self,
        code: int,
        subcode: int | None,
        kind: type[PlatformError],
        our_code: str,
        on_commit: type[PlatformError],
    ) -> None:
        error = {"message": "Meta's words", "type": "OAuthException", "code": code, "fbtrace_id": "Abc"}
        reply = make_reply(error if subcode is None else {**error, "error_subcode": subcode})
        refusal = refuse(reply)
        assert (type(refusal), refusal.error_code) == (kind, our_code)
        assert (refusal.request_id, refusal.http_status) == ("Abc", 400)
        assert "Meta's words" in refusal.message
        assert "{" not in refusal.message
        assert type(refuse(reply, commit=True)) is on_commit

    def test_never_takes_the_type_for_a_dead_token(self) -> None:
        assert not isinstance(
            refuse(make_reply({"type": "OAuthException", "code": 100, "message": "x"})), NeedsReconnect
        )

    def test_prefers_what_meta_says_to_people(self) -> None:
        error = {"code": 36000, "error_subcode": 2207004, "message": "technical", "error_user_msg": "It is too large."}
        message = refuse(make_reply(error)).message
        assert "It is too large." in message
        assert "technical" not in message

    def test_cuts_long_words_off(self) -> None:
        assert len(refuse(make_reply({"code": 100, "message": "a" * 5000})).message) < 500

    def test_never_quotes_what_opens_a_file(self) -> None:
        words = 'could not fetch "https://media.example.com/a.jpg?X-Amz-Signature=secret&x=1": try again'
        message = refuse(make_reply({"code": 9004, "error_subcode": 2207052, "message": words})).message
        assert "https://media.example.com/a.jpg?…" in message
        assert "secret" not in message

    def test_is_a_refusal_with_a_success_around_it(self) -> None:
        reply = make_reply({"code": 190, "message": "x"}, status=200)
        assert isinstance(refuse(reply, commit=True), NeedsReconnect)

    @pytest.mark.parametrize(
        "error", [{}, {"code": None}, {"code": [1], "message": {}}, {"code": "abc", "error_subcode": "x"}]
    )
    def test_survives_an_envelope_without_sense(self, error: dict[str, Any]) -> None:
        assert isinstance(refuse(make_reply(error)), Rejected)

    def test_reads_numbers_written_as_words(self) -> None:
        assert isinstance(refuse(make_reply({"code": "190", "message": "x"})), NeedsReconnect)


class TestBareAnswer:
    @pytest.mark.parametrize(
        ("status", "kind", "on_commit"),
        [
            (401, NeedsReconnect, NeedsReconnect),
            (429, RateLimited, RateLimited),
            (400, Rejected, UnknownOutcome),
            (403, Rejected, UnknownOutcome),
            (404, Rejected, UnknownOutcome),
            (302, Unavailable, UnknownOutcome),
            (304, Unavailable, UnknownOutcome),
        ],
    )
    def test_of_a_proxy_proves_nothing_about_a_publication(
        self, status: int, kind: type[PlatformError], on_commit: type[PlatformError]
    ) -> None:
        reply = make_reply(status=status, body=b"<html>Gateway</html>", x_fb_trace_id="T1")
        assert type(refuse(reply)) is kind
        assert type(refuse(reply, commit=True)) is on_commit

    @pytest.mark.parametrize("body", [b"", b"[]", b'"error"', b'{"error": "text"}', b"[" * 100_000])
    def test_is_no_envelope(self, body: bytes) -> None:
        assert isinstance(refuse(make_reply(status=400, body=body)), Rejected)

    def test_of_success_is_given_back(self) -> None:
        reply = make_reply(status=200, body=b'{"id": "1", "text": "an \\"error\\" inside"}')
        assert check_reply(reply, title="Threads", name="threads", now=NOW) is reply


class TestWait:
    def wait(self, **headers: str) -> timedelta:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        refusal = refuse(Reply(400, named, b'{"error": {"code": 4, "message": "x"}}'))
        assert isinstance(refusal, RateLimited)
        return refusal.retry_at - NOW

    def test_is_an_hour_when_nobody_says(self) -> None:
        assert self.wait() == timedelta(hours=1)

    def test_is_what_the_usage_header_says(self) -> None:
        usage = json.dumps({"1784": [{"call_count": 100, "estimated_time_to_regain_access": 7}]})
        assert self.wait(x_business_use_case_usage=usage) == timedelta(minutes=7)

    def test_is_what_a_proxy_says(self) -> None:
        assert self.wait(retry_after="31") == timedelta(seconds=31)

    @pytest.mark.parametrize("usage", ["", "[]", "no json", '{"1": [7, {"estimated_time_to_regain_access": "soon"}]}'])
    def test_survives_nonsense(self, usage: str) -> None:
        assert self.wait(x_business_use_case_usage=usage, retry_after="-5") == timedelta(hours=1)


class TestUsage:
    def test_is_the_largest_share(self) -> None:
        usage = json.dumps({"call_count": 28, "total_time": 41, "total_cputime": 12})
        limit = read_usage({"x-app-usage": usage}, now=NOW)
        assert limit is not None
        assert (limit.limit, limit.remaining, limit.resets_at) == (100, 59, NOW + timedelta(hours=1))

    def test_is_never_below_nothing(self) -> None:
        limit = read_usage({"x-app-usage": '{"call_count": 130}'}, now=NOW)
        assert limit is not None
        assert limit.remaining == 0

    def test_is_unknown_without_a_header(self) -> None:
        assert read_usage({}, now=NOW) is None
