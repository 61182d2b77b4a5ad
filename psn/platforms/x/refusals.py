"""What X means by a refusal, as an error of our own tree; pure.

From docs.x.com/x-api/fundamentals/response-codes-and-errors and X API v2.167 (both read 2026-11-20), and from answers that
other clients of the API have published. The last segment of a problem's `type` decides, because its host differs between
the document (`api.x.com`) and real answers (`api.twitter.com`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from psn.errors import (
    NeedsReconnect,
    PlatformError,
    QuotaSpent,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from psn.http import Reply
from psn.platforms.base import RateLimit
from psn.platforms.values import wait_until

WINDOW = timedelta(minutes=15)  # most of X's limits begin anew after it. docs.x.com/x-api/fundamentals/rate-limits
MAX_QUOTED_CHARACTERS = 300  # of X's own words in our message

_E = TypeVar("_E", bound=PlatformError)
_WINDOWS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")

# 403 by the last segment of `type`, or by a phrase in lower case: (code, what to do)
_FORBIDDEN = (
    (
        "duplicate content",
        "x.duplicate",
        "X has seen this text from this account lately: look whether it is already out.",
    ),
    (
        "reply to this conversation is not allowed",
        "x.reply_not_allowed",
        "Reply by hand in X: its API does not allow this one.",
    ),
    ("client-forbidden", "x.app_setup", "Check the app's access and project in X's developer console."),
    ("client-not-enrolled", "x.app_setup", "Check the app's access and project in X's developer console."),
    ("unsupported-authentication", "x.app_setup", "Connect the account again with OAuth 2.0."),
    ("unsupported authentication", "x.app_setup", "Connect the account again with OAuth 2.0."),
    ("oauth1-permissions", "x.app_setup", "Give the app read and write permission in X's developer console."),
)


def check_reply(reply: Reply, *, now: datetime, commit: bool = False) -> Reply:
    """Give an answer of 2xx back.

    Args:
        commit: it answers the call that cannot be taken back, so what nobody can explain may be live.

    Raises:
        PlatformError: the one of its tree that says what to do.
    """
    if 200 <= reply.status < 300:
        return reply
    raise _read_refusal(reply, now=now, commit=commit)


def read_rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """Read the limit of the endpoint just called, or None when the headers do not tell."""
    try:
        return RateLimit(
            limit=int(headers["x-rate-limit-limit"]),
            remaining=int(headers["x-rate-limit-remaining"]),
            resets_at=datetime.fromtimestamp(int(headers["x-rate-limit-reset"]), tz=UTC),
        )
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _read_refusal(reply: Reply, *, now: datetime, commit: bool) -> PlatformError:
    about = _read_problem(reply)
    if reply.status == 401:
        return about.error(NeedsReconnect, "X no longer accepts this account's token", "account.needs_reconnect")
    if reply.status == 402:
        return about.error(
            QuotaSpent,
            "X wants credit: top it up, or raise its spending limit, in the developer console",
            "x.no_credit",
        )
    if reply.status in (403, 429) and about.kind == "usage-capped":
        return about.error(QuotaSpent, "The app's monthly allowance at X is used up", "x.usage_capped")
    if reply.status == 429:
        return RateLimited(
            about.say("X asks to wait"),
            retry_at=_read_reset(reply, now=now),
            http_status=reply.status,
            request_id=reply.request_id,
        )
    if reply.status == 403:
        return _read_forbidden(about)
    if 400 <= reply.status < 500:
        code = {400: "x.invalid_request", 404: "x.not_found", 413: "x.too_large"}.get(reply.status, "x.refused")
        return about.error(Rejected, "X refuses this request", code)
    return about.error(UnknownOutcome if commit else Unavailable, "X gave an answer that it never promised", None)


def _read_forbidden(about: _Refusal) -> Rejected:
    for marker, code, advice in _FORBIDDEN:
        if marker in about.haystack:
            return about.error(Rejected, "X refuses this", code, advice)
    advice = "Check length, media and the account's standing on x.com."
    return about.error(Rejected, "X does not permit this to the account", "x.forbidden", advice)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A refusal, taken apart.

    Args:
        kind: last segment of the problem's type; empty when it has none that says anything.
        words: X's own sentence that says most.
        haystack: everything X said, in lower case.
    """

    reply: Reply
    kind: str
    words: str
    haystack: str

    def say(self, sentence: str, advice: str = "") -> str:
        quoted = f': "{self.words}"' if self.words else ""
        return f"{sentence} ({self.reply.status}){quoted}. {advice}".strip()

    def error(self, kind: type[_E], sentence: str, code: str | None, advice: str = "") -> _E:
        return kind(
            self.say(sentence, advice), code=code, http_status=self.reply.status, request_id=self.reply.request_id
        )


def _read_problem(reply: Reply) -> _Refusal:
    """Take a problem apart, in any of its three shapes; what stands in `errors` is more precise than what is above it."""
    try:
        body = reply.json()
    except ValueError:
        body = None
    problems = [*_list(body, "errors"), body] if isinstance(body, dict) else []
    kinds = [problem["type"].rpartition("/")[2] for problem in problems if _has(problem, "type")]
    words = [problem[key] for key in ("message", "detail", "title") for problem in problems if _has(problem, key)]
    return _Refusal(
        reply,
        kind=next((kind for kind in kinds if kind != "about:blank"), ""),
        words=words[0][:MAX_QUOTED_CHARACTERS] if words else "",
        haystack=" ".join([*kinds, *words]).lower(),
    )


def _list(body: dict[str, Any], key: str) -> list[Any]:
    value = body.get(key)
    return value if isinstance(value, list) else []


def _has(problem: Any, key: str) -> bool:
    return isinstance(problem, dict) and isinstance(problem.get(key), str) and bool(problem[key])


def _read_reset(reply: Reply, *, now: datetime) -> datetime:
    """Say when to try again: when the last of the spent windows ends, never in the past.

    X tells the end by its own clock. What counts is how long that is from X's present, not from this computer's.
    """
    spent = [window for window in _WINDOWS if reply.headers.get(f"{window}-remaining") == "0"] or [_WINDOWS[0]]
    resets = [reset for window in spent if (reset := _read_instant(reply.headers.get(f"{window}-reset", "")))]
    if not resets:
        return now + WINDOW
    return wait_until(max(resets), sent_at=reply.date or now, now=now)


def _read_instant(unix_seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(unix_seconds), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
