"""What Bluesky means by a refusal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import NeedsReconnect, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.bluesky.refusals import (
    WINDOW,
    check_reply,
    is_handle_unknown,
    is_record_absent,
    is_swap_refused,
    read_rate_limit,
)

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
UNIX = int(NOW.timestamp())
URI = "at://did:plc:abc/app.bsky.feed.post/3n2qumhip5rpg"


def make_reply(status: int, error: str = "", message: str = "", headers: dict[str, str] | None = None) -> Reply:
    body = {name: value for name, value in (("error", error), ("message", message)) if value}
    return Reply(status, headers or {}, json.dumps(body).encode())


def refusal(reply: Reply, *, commit: bool = True) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        check_reply(reply, now=NOW, commit=commit)
    return caught.value


TABLE: dict[str, tuple[int, str, type[PlatformError], str]] = {
    "token-over": (400, "ExpiredToken", NeedsReconnect, "account.needs_reconnect"),
    "token-unusable": (400, "InvalidToken", NeedsReconnect, "account.needs_reconnect"),
    "no-token": (401, "AuthMissing", NeedsReconnect, "account.needs_reconnect"),
    "wrong-password": (401, "AuthenticationRequired", NeedsReconnect, "account.needs_reconnect"),
    "unknown-401": (401, "SomethingElse", NeedsReconnect, "account.needs_reconnect"),
    "taken-down": (401, "AccountTakedown", Rejected, "bluesky.account_restricted"),
    "deactivated": (401, "AccountDeactivated", Rejected, "bluesky.account_restricted"),
    "suspended": (400, "RepoSuspended", Rejected, "bluesky.account_restricted"),
    "our-bug": (400, "InvalidRequest", Rejected, "bluesky.invalid_request"),
    "key-taken": (400, "InvalidSwap", Rejected, "bluesky.key_taken"),
    "blob-dropped": (400, "BlobNotFound", Unavailable, "bluesky.blob_gone"),
    "wrong-type": (400, "InvalidMimeType", Rejected, "media.type"),
    "blob-too-large": (400, "BlobTooLarge", Rejected, "media.too_large"),
    "too-large": (413, "PayloadTooLarge", Rejected, "media.too_large"),
    "forbidden": (403, "Forbidden", Rejected, "bluesky.forbidden"),
    "no-record": (400, "RecordNotFound", Rejected, "bluesky.not_found"),
    "no-repo": (400, "RepoNotFound", Rejected, "bluesky.not_found"),
    "no-server": (404, "XRPCNotSupported", Rejected, "bluesky.not_a_server"),
    "new-name": (400, "SomethingNew", Rejected, "bluesky.refused"),
}


class TestCheckReply:
    @pytest.mark.parametrize(("status", "error", "kind", "code"), TABLE.values(), ids=TABLE)
    def test_tells_what_to_do_by_the_name(self, status: int, error: str, kind: type[PlatformError], code: str) -> None:
        problem = refusal(make_reply(status, error, "Some words"))
        assert type(problem) is kind
        assert (problem.error_code, problem.http_status) == (code, status)
        assert "Some words" in problem.message

    @pytest.mark.parametrize("status", [200, 201])
    def test_gives_a_yes_back(self, status: int) -> None:
        assert check_reply(make_reply(status), now=NOW).status == status

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(302, {"location": "http://10.0.0.1/"}, b""),
            Reply(304, {}, b""),
            Reply(403, {}, b"<html>Blocked by a proxy</html>"),
            Reply(400, {}, b""),
            Reply(400, {}, b'{"error": 7}'),
            Reply(404, {}, b"[1, 2]"),
            Reply(400, {}, b"[" * 100_000),
            Reply(418, {}, b"\xff\xfe"),
        ],
        ids=["redirect", "not-modified", "html", "empty", "wrong-type", "list", "deep", "bytes"],
    )
    def test_never_takes_a_stranger_s_words_for_bluesky_s(self, reply: Reply) -> None:
        assert type(refusal(reply, commit=True)) is UnknownOutcome
        assert type(refusal(reply, commit=False)) is Unavailable

    def test_never_quotes_without_end(self) -> None:
        assert len(refusal(make_reply(400, "InvalidRequest", "x" * 100_000)).message) < 600

    @given(st.integers(100, 599), st.binary(max_size=200), st.booleans())
    def test_always_has_an_answer(self, status: int, body: bytes, commit: bool) -> None:
        if 200 <= status < 300:
            return
        assert refusal(Reply(status, {}, body), commit=commit).message


class TestWaiting:
    def refused(self, **headers: str) -> RateLimited:
        problem = refusal(make_reply(429, "RateLimitExceeded", headers=headers))
        assert isinstance(problem, RateLimited)
        return problem

    def limits(self, reset: int) -> dict[str, Any]:
        return {"ratelimit-limit": "30", "ratelimit-remaining": "0", "ratelimit-reset": str(reset)}

    def test_lasts_until_the_window_ends(self) -> None:
        assert self.refused(**self.limits(UNIX + 100)).retry_at == NOW + timedelta(seconds=100)

    def test_is_reckoned_by_the_server_s_clock(self) -> None:
        date = {"date": "Fri, 20 Nov 2026 09:00:00 GMT"}  # an hour ahead of ours
        assert self.refused(**self.limits(UNIX + 3700), **date).retry_at == NOW + timedelta(seconds=100)

    def test_never_ends_in_the_past(self) -> None:
        assert self.refused(**self.limits(UNIX - 100)).retry_at == NOW + timedelta(seconds=1)

    def test_lasts_as_long_as_the_server_says_otherwise(self) -> None:
        assert self.refused(**{"retry-after": "7"}).retry_at == NOW + timedelta(seconds=7)

    @pytest.mark.parametrize("headers", [{}, {"retry-after": "soon"}, {"ratelimit-reset": "9" * 30}])
    def test_lasts_a_window_when_nothing_readable_is_said(self, headers: dict[str, str]) -> None:
        assert self.refused(**headers).retry_at == NOW + WINDOW


class TestReadRateLimit:
    def test_reads_what_is_left(self) -> None:
        limit = read_rate_limit(
            {"ratelimit-limit": "3000", "ratelimit-remaining": "2999", "ratelimit-reset": str(UNIX)}
        )
        assert limit is not None
        assert (limit.limit, limit.remaining, limit.resets_at) == (3000, 2999, NOW)

    @pytest.mark.parametrize(
        "headers", [{}, {"ratelimit-limit": "a", "ratelimit-remaining": "1", "ratelimit-reset": "1"}]
    )
    def test_says_nothing_when_the_headers_do_not(self, headers: dict[str, str]) -> None:
        assert read_rate_limit(headers) is None


class TestAnswersInARefusal:
    @pytest.mark.parametrize(
        ("reply", "absent"),
        [
            (make_reply(400, "RecordNotFound", "Could not locate record"), True),
            (make_reply(400, "InvalidRequest", f"Could not locate record: {URI}"), True),
            (make_reply(400, "InvalidRequest", "Error: Params must have the property"), False),
            (make_reply(400, "RepoNotFound", "Could not find repo"), False),
            (make_reply(404, "", ""), False),
            (make_reply(429, "RecordNotFound"), False),
        ],
    )
    def test_a_record_is_absent_only_when_the_server_looked(self, reply: Reply, absent: bool) -> None:
        assert is_record_absent(reply) is absent

    def test_a_handle_is_unknown_only_when_the_server_looked(self) -> None:
        assert is_handle_unknown(make_reply(400, "InvalidRequest", "Unable to resolve handle"))
        assert is_handle_unknown(make_reply(400, "HandleNotFound"))
        assert not is_handle_unknown(make_reply(400, "ExpiredToken"))
        assert not is_handle_unknown(make_reply(429, "RateLimitExceeded"))

    def test_a_swap_is_refused_by_name(self) -> None:
        assert is_swap_refused(make_reply(400, "InvalidSwap", "Record was at bafy"))
        assert not is_swap_refused(make_reply(400, "InvalidRequest"))
        assert not is_swap_refused(make_reply(500, "InvalidSwap"))
