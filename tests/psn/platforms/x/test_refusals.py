"""What X means by a refusal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import NeedsReconnect, PlatformError, QuotaSpent, RateLimited, Rejected, Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.x.refusals import WINDOW, check_reply, read_rate_limit

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
UNIX = int(NOW.timestamp())


def refusal(
    status: int, body: bytes | dict[str, Any] = b"", *, commit: bool = True, headers: dict[str, str] | None = None
) -> PlatformError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(PlatformError) as caught:
        check_reply(Reply(status, {"x-transaction-id": "abc", **(headers or {})}, content), now=NOW, commit=commit)
    return caught.value


def problem(status: int, detail: str = "", kind: str = "about:blank") -> dict[str, Any]:
    return {"title": "Nope", "detail": detail, "type": kind, "status": status}


DUPLICATE = problem(403, "You are not allowed to create a Tweet with duplicate content.")
NOT_MENTIONED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author."
)
TABLE: dict[str, tuple[int, Any, type[PlatformError], str]] = {
    "bad-request": (
        400,
        problem(400, kind="https://api.x.com/2/problems/invalid-request"),
        Rejected,
        "x.invalid_request",
    ),
    "no-token": (401, problem(401), NeedsReconnect, "account.needs_reconnect"),
    "no-credit": (402, problem(402, kind="https://api.twitter.com/2/problems/credits"), QuotaSpent, "x.no_credit"),
    "duplicate": (403, DUPLICATE, Rejected, "x.duplicate"),
    "duplicate-in-errors": (403, {"errors": [{"detail": DUPLICATE["detail"]}]}, Rejected, "x.duplicate"),
    "duplicate-under-a-title": (
        403,
        {"title": "Forbidden", "errors": [{"detail": DUPLICATE["detail"]}]},
        Rejected,
        "x.duplicate",
    ),
    "capped-inside": (
        403,
        {"type": "about:blank", "errors": [{"type": "https://a/usage-capped"}]},
        QuotaSpent,
        "x.usage_capped",
    ),
    "duplicate-of-a-post": (
        403,
        problem(403, "You are not allowed to create a Post with duplicate content."),
        Rejected,
        "x.duplicate",
    ),
    "reply": (403, problem(403, NOT_MENTIONED), Rejected, "x.reply_not_allowed"),
    "app-x": (403, problem(403, kind="https://api.x.com/2/problems/client-forbidden"), Rejected, "x.app_setup"),
    "app-twitter": (
        403,
        problem(403, kind="https://api.twitter.com/2/problems/client-forbidden"),
        Rejected,
        "x.app_setup",
    ),
    "app-auth": (403, {"title": "Unsupported Authentication", "type": "about:blank"}, Rejected, "x.app_setup"),
    "oauth1": (
        403,
        problem(403, kind="https://api.twitter.com/2/problems/oauth1-permissions"),
        Rejected,
        "x.app_setup",
    ),
    "capped": (403, problem(403, kind="https://api.twitter.com/2/problems/usage-capped"), QuotaSpent, "x.usage_capped"),
    "capped-429": (
        429,
        problem(429, kind="https://api.twitter.com/2/problems/usage-capped"),
        QuotaSpent,
        "x.usage_capped",
    ),
    "forbidden": (403, problem(403, "You are not permitted to perform this action."), Rejected, "x.forbidden"),
    "forbidden-page": (403, b"<html>", Rejected, "x.forbidden"),
    "gone": (404, problem(404), Rejected, "x.not_found"),
    "too-large": (413, b"", Rejected, "x.too_large"),
    "teapot": (418, b"[]", Rejected, "x.refused"),
    "limited": (
        429,
        {"errors": [{"code": 88, "message": "Rate limit exceeded"}]},
        RateLimited,
        "platform.rate_limited",
    ),
    "limited-page": (429, b"<html>", RateLimited, "platform.rate_limited"),
}


class TestCheckReply:
    @pytest.mark.parametrize(("status", "body", "kind", "code"), TABLE.values(), ids=TABLE.keys())
    def test_knows_what_a_refusal_asks_for(self, status: int, body: Any, kind: type[PlatformError], code: str) -> None:
        for commit in (True, False):
            error = refusal(status, body, commit=commit)
            assert (type(error), error.error_code) == (kind, code)
            assert (error.http_status, error.request_id) == (status, "abc")

    @pytest.mark.parametrize("status", [101, 302, 308, 500, 503])
    def test_calls_what_nobody_can_explain_unknown_after_a_commit_only(self, status: int) -> None:
        assert type(refusal(status, commit=True)) is UnknownOutcome
        assert type(refusal(status, commit=False)) is Unavailable

    @pytest.mark.parametrize("status", [200, 201, 204])
    def test_lets_success_pass(self, status: int) -> None:
        reply = Reply(status, {}, b"")
        assert check_reply(reply, now=NOW) is reply

    def test_quotes_what_says_most(self) -> None:
        body = {"title": "Invalid Request", "detail": "One or more.", "errors": [{"message": "text is too long"}]}
        assert '"text is too long"' in refusal(400, body).message

    def test_quotes_x_but_not_at_length(self) -> None:
        assert "not permitted" in refusal(403, problem(403, "You are not permitted to perform this action.")).message
        assert len(refusal(403, problem(403, "x" * 10_000)).message) < 500

    @given(
        st.integers(100, 599).filter(lambda status: not 200 <= status < 300),
        st.binary()
        | st.recursive(
            st.none() | st.text() | st.integers(),
            lambda v: st.lists(v) | st.dictionaries(st.sampled_from(["errors", "type", "detail", "title"]), v),
        ).map(lambda v: json.dumps(v).encode()),
    )
    def test_finds_a_class_for_anything(self, status: int, body: bytes) -> None:
        error = refusal(status, body, commit=True)
        assert not isinstance(error, Unavailable), "a commit that was answered was sent"


class TestRetryAt:
    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({"x-rate-limit-reset": str(UNIX + 90)}, 90),
            ({"x-rate-limit-reset": str(UNIX - 90)}, 1),
            ({"x-rate-limit-reset": "soon"}, WINDOW.total_seconds()),
            ({"x-rate-limit-reset": "9" * 30}, WINDOW.total_seconds()),
            ({}, WINDOW.total_seconds()),
            (
                {
                    "x-rate-limit-remaining": "42",
                    "x-rate-limit-reset": str(UNIX + 90),
                    "x-user-limit-24hour-remaining": "0",
                    "x-user-limit-24hour-reset": str(UNIX + 7200),
                },
                7200,
            ),
            (
                {
                    "x-rate-limit-remaining": "0",
                    "x-rate-limit-reset": str(UNIX + 90),
                    "x-app-limit-24hour-remaining": "7",
                    "x-app-limit-24hour-reset": str(UNIX + 7200),
                },
                90,
            ),
        ],
        ids=["header", "past", "word", "huge", "none", "day-spent", "day-not-spent"],
    )
    def test_is_when_the_spent_window_ends(self, headers: dict[str, str], seconds: float) -> None:
        error = refusal(429, headers=headers)
        assert isinstance(error, RateLimited)
        assert error.retry_at == NOW + timedelta(seconds=seconds)


class TestReadRateLimit:
    def test_reads_the_three_headers(self) -> None:
        limit = read_rate_limit(
            {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "99", "x-rate-limit-reset": str(UNIX)}
        )
        assert limit is not None
        assert (limit.limit, limit.remaining, limit.resets_at) == (100, 99, NOW)

    @pytest.mark.parametrize("value", ["", "x", "9" * 30])
    def test_is_none_when_they_do_not_tell(self, value: str) -> None:
        assert (
            read_rate_limit({"x-rate-limit-limit": "1", "x-rate-limit-remaining": "1", "x-rate-limit-reset": value})
            is None
        )
        assert read_rate_limit({}) is None


class TestAComputerWhoseClockIsWrong:
    @pytest.mark.parametrize("hours", [-2, 2], ids=["slow", "fast"])
    def test_waits_as_long_as_x_means(self, hours: int) -> None:
        real = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
        headers = {"x-rate-limit-reset": str(int(real.timestamp()) + 90), "date": "Fri, 20 Nov 2026 08:00:00 GMT"}
        here = real + timedelta(hours=hours)
        with pytest.raises(RateLimited) as limited:
            check_reply(Reply(429, headers, b"{}"), now=here, commit=True)
        assert limited.value.retry_at - here == timedelta(seconds=90)

    @pytest.mark.parametrize("date", ["", "yesterday", "Fri, 99 Nov 2026 08:00:00 GMT"])
    def test_is_believed_when_x_does_not_say_what_time_it_is(self, date: str) -> None:
        here = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
        headers = {"x-rate-limit-reset": str(int(here.timestamp()) + 90), "date": date}
        with pytest.raises(RateLimited) as limited:
            check_reply(Reply(429, headers, b"{}"), now=here, commit=True)
        assert limited.value.retry_at == here + timedelta(seconds=90)
