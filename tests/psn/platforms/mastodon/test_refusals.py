"""What an instance means by a refusal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import NeedsReconnect, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.mastodon.refusals import WINDOW, check_reply, read_rate_limit

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
DATE = "Fri, 20 Nov 2026 08:00:00 GMT"


def refusal(
    status: int, body: bytes | dict[str, Any] = b"", *, commit: bool = True, headers: dict[str, str] | None = None
) -> PlatformError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(PlatformError) as caught:
        check_reply(Reply(status, {"x-request-id": "abc", **(headers or {})}, content), now=NOW, commit=commit)
    return caught.value


def error(words: str) -> dict[str, str]:
    return {"error": words}


PAGE = b"<html><title>403 Forbidden</title>nginx</html>"
TABLE: dict[str, tuple[int, Any, type[PlatformError], str]] = {
    "bad-request": (400, error("Bad request"), Rejected, "mastodon.invalid_request"),
    "dead-token": (401, error("The access token is invalid"), NeedsReconnect, "account.needs_reconnect"),
    "revoked-token": (401, error("The access token was revoked"), NeedsReconnect, "account.needs_reconnect"),
    "no-user": (401, error("This method requires an authenticated user"), NeedsReconnect, "account.needs_reconnect"),
    "scope": (403, error("This action is outside the authorized scopes"), NeedsReconnect, "account.needs_reconnect"),
    "forbidden": (403, error("This action is not allowed"), Rejected, "mastodon.forbidden"),
    "disabled": (403, error("Your login is currently disabled"), Rejected, "mastodon.forbidden"),
    "gone": (404, error("Record not found"), Rejected, "mastodon.not_found"),
    "no-parent": (
        404,
        error("The post you are trying to reply to does not appear to exist."),
        Rejected,
        "mastodon.not_found",
    ),
    "gone-for-good": (410, error("Gone"), Rejected, "mastodon.not_found"),
    "too-long": (422, error("Validation failed: Text is too long (maximum is 500)"), Rejected, "mastodon.invalid"),
    "blank": (422, error("Validation failed: Text can't be blank"), Rejected, "mastodon.invalid"),
    "bad-type": (422, error("Validation failed: File content type is invalid"), Rejected, "mastodon.invalid"),
    "not-ready": (
        422,
        error("Cannot attach files that have not finished processing. Try again in a moment!"),
        Unavailable,
        "mastodon.media_not_ready",
    ),
    "teapot": (418, error("I'm a teapot"), Rejected, "mastodon.refused"),
    "too-large-page": (413, PAGE, Rejected, "mastodon.too_large"),
    "limited": (429, error("Too many requests"), RateLimited, "platform.rate_limited"),
    "limited-page": (429, PAGE, RateLimited, "platform.rate_limited"),
    "wall": (403, PAGE, Unavailable, "mastodon.not_mastodon"),
    "other-page": (404, PAGE, Unavailable, "mastodon.not_mastodon"),
    "wall-401": (401, b"", Unavailable, "mastodon.not_mastodon"),
    "other-json": (422, {"errors": ["x"]}, Unavailable, "mastodon.not_mastodon"),
    "list": (400, b"[]", Unavailable, "mastodon.not_mastodon"),
}


class TestCheckReply:
    @pytest.mark.parametrize(("status", "body", "kind", "code"), TABLE.values(), ids=TABLE.keys())
    def test_knows_what_a_refusal_asks_for(self, status: int, body: Any, kind: type[PlatformError], code: str) -> None:
        for commit in (True, False):
            found = refusal(status, body, commit=commit)
            assert (type(found), found.error_code) == (kind, code)
            assert (found.http_status, found.request_id) == (status, "abc")

    def test_quotes_the_instance(self) -> None:
        message = refusal(422, error("Validation failed: Text can't be blank")).message
        assert '"Validation failed: Text can\'t be blank"' in message
        assert "Change the post" in message

    def test_quotes_no_novel(self) -> None:
        assert len(refusal(422, error("x" * 10_000)).message) < 500

    @pytest.mark.parametrize("status", [101, 302, 308, 500, 503])
    def test_calls_what_nobody_can_explain_unknown_after_a_commit_only(self, status: int) -> None:
        assert type(refusal(status, commit=True)) is UnknownOutcome
        assert type(refusal(status, commit=False)) is Unavailable

    @pytest.mark.parametrize("status", [200, 202, 206])
    def test_lets_success_pass(self, status: int) -> None:
        reply = Reply(status, {}, b"")
        assert check_reply(reply, now=NOW) is reply

    @given(st.integers(100, 599), st.binary(max_size=40), st.booleans())
    def test_never_breaks(self, status: int, body: bytes, commit: bool) -> None:
        if 200 <= status < 300:
            return
        assert isinstance(refusal(status, body, commit=commit), PlatformError)


class TestRetryAt:
    def wait(self, headers: dict[str, str]) -> timedelta:
        found = refusal(429, error("Too many requests"), headers=headers)
        assert isinstance(found, RateLimited)
        return found.retry_at - NOW

    def test_is_as_far_from_now_as_the_reset_is_from_the_answer(self) -> None:
        """The instance's clock is two hours ahead of ours."""
        headers = {"date": "Fri, 20 Nov 2026 10:00:00 GMT", "x-ratelimit-reset": "2026-11-20T10:03:00.123456Z"}
        assert self.wait(headers) == timedelta(seconds=180, microseconds=123456)

    @pytest.mark.parametrize(
        ("reset", "seconds"),
        [("2026-11-20T08:05:00Z", 300), ("1795161900", 300), ("2026-11-20T07:00:00Z", 1), ("2026-11-20T08:01:00", 60)],
        ids=["iso", "unix", "past", "naive"],
    )
    def test_reads_every_way_of_writing_it(self, reset: str, seconds: int) -> None:
        assert self.wait({"date": DATE, "x-ratelimit-reset": reset}) == timedelta(seconds=seconds)

    @pytest.mark.parametrize(
        ("headers", "wait"),
        [
            ({}, WINDOW),
            ({"x-ratelimit-reset": "soon"}, WINDOW),
            ({"x-ratelimit-reset": "9" * 40}, WINDOW),
            ({"retry-after": "17"}, timedelta(seconds=17)),
            ({"retry-after": "0"}, timedelta(seconds=1)),
            ({"retry-after": "-5"}, WINDOW),
            ({"retry-after": "9" * 40}, WINDOW),
        ],
    )
    def test_has_a_way_out_without_it(self, headers: dict[str, str], wait: timedelta) -> None:
        assert self.wait(headers) == wait


class TestReadRateLimit:
    def test_reads_the_headers(self) -> None:
        headers = {
            "x-ratelimit-limit": "300",
            "x-ratelimit-remaining": "299",
            "x-ratelimit-reset": "2026-11-20T08:05:00.000000Z",
        }
        limit = read_rate_limit(Reply(200, headers, b""))
        assert limit is not None
        assert (limit.limit, limit.remaining, limit.resets_at) == (300, 299, NOW + timedelta(minutes=5))

    @pytest.mark.parametrize("reset", ["", "x", "99999999999999999999"])
    def test_knows_nothing_where_they_say_nothing(self, reset: str) -> None:
        headers = {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "1", "x-ratelimit-reset": reset}
        assert read_rate_limit(Reply(200, headers, b"")) is None
        assert read_rate_limit(Reply(200, {"x-ratelimit-reset": "1795161900"}, b"")) is None
