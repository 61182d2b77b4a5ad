"""What an instance means by a refusal, as an error of our own tree; pure.

docs.joinmastodon.org/entities/Error, /api/rate-limits, /methods/statuses and /methods/media (read 2026-11-20). Every refusal of
the API is `{"error": "…"}`. What refuses without that is not Mastodon but something in front of it, and nothing was done.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from psn.errors import NeedsReconnect, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.base import RateLimit
from psn.platforms.values import read_unix, to_utc, wait_until

WINDOW = timedelta(minutes=5)  # most limits begin anew after it. api/rate-limits
MAX_QUOTED_CHARACTERS = 300  # of the instance's own words in our message

# By a phrase in lower case: an upload that was attached too early is tried again.
_NOT_READY = "have not finished processing"
_OUT_OF_SCOPE = "outside the authorized scopes"
_CODES = {
    400: "mastodon.invalid_request",
    403: "mastodon.forbidden",
    404: "mastodon.not_found",
    410: "mastodon.not_found",
    422: "mastodon.invalid",
}
_ADVICE = {
    403: "Look at the account on its instance: it may be limited, or wait for a confirmation.",
    404: "What it is about is gone, or was never visible to the account.",
    422: "Change the post: the instance says what is wrong with it.",
}


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


def read_rate_limit(reply: Reply) -> RateLimit | None:
    """Read the limit that the call counted against, or None when the headers do not tell."""
    resets_at = _read_instant(reply.headers.get("x-ratelimit-reset", ""))
    try:
        limit, remaining = (int(reply.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining"))
    except (KeyError, ValueError):
        return None
    return RateLimit(limit=limit, remaining=remaining, resets_at=resets_at) if resets_at else None


def _read_refusal(reply: Reply, *, now: datetime, commit: bool) -> PlatformError:
    words = _read_words(reply)
    if reply.status == 429:
        return RateLimited(
            _say("The instance asks to wait", reply, words),
            retry_at=_read_retry_at(reply.headers, sent_at=reply.date or now, now=now),
            http_status=429,
            request_id=reply.request_id,
        )
    if reply.status == 413:
        return _make(Rejected, reply, "The instance refuses a file of this size", words, code="mastodon.too_large")
    if not 400 <= reply.status < 500:
        kind = UnknownOutcome if commit else Unavailable
        return _make(kind, reply, "The instance gave an answer that Mastodon never promised", words)
    if not words:
        return _make(
            Unavailable, reply, "Something in front of the instance refused", words, code="mastodon.not_mastodon"
        )
    return _read_api_refusal(reply, words)


def _read_api_refusal(reply: Reply, words: str) -> PlatformError:
    if reply.status == 401:
        return _make(NeedsReconnect, reply, "The instance no longer accepts this account's token", words)
    if reply.status == 403 and _OUT_OF_SCOPE in words.lower():
        return _make(NeedsReconnect, reply, "The grant does not cover this: connect the account again", words)
    if reply.status == 422 and _NOT_READY in words.lower():
        return _make(
            Unavailable, reply, "The instance has not got the files ready", words, code="mastodon.media_not_ready"
        )
    code = _CODES.get(reply.status, "mastodon.refused")
    return _make(Rejected, reply, "The instance refuses this", words, code=code, advice=_ADVICE.get(reply.status, ""))


def _make(
    kind: type[PlatformError], reply: Reply, sentence: str, words: str, *, code: str | None = None, advice: str = ""
) -> PlatformError:
    return kind(_say(sentence, reply, words, advice), code=code, http_status=reply.status, request_id=reply.request_id)


def _say(sentence: str, reply: Reply, words: str, advice: str = "") -> str:
    quoted = f': "{words}"' if words else ""
    return f"{sentence} ({reply.status}){quoted}. {advice}".strip()


def _read_words(reply: Reply) -> str:
    """Take the instance's own sentence; empty when it is none of Mastodon's refusals."""
    try:
        body = reply.json()
    except ValueError:
        return ""
    error = body.get("error") if isinstance(body, dict) else None
    return error[:MAX_QUOTED_CHARACTERS] if isinstance(error, str) else ""


def _read_retry_at(headers: Mapping[str, str], *, sent_at: datetime, now: datetime) -> datetime:
    """Say when to try again, never in the past.

    The instance tells the end by its own clock. What counts is how long that is from its present, not from this computer's.
    """
    resets_at = _read_instant(headers.get("x-ratelimit-reset", ""))
    if resets_at is not None:
        return wait_until(resets_at, sent_at=sent_at, now=now)
    seconds = headers.get("retry-after", "")
    is_sane = seconds.isascii() and seconds.isdigit() and len(seconds) < 7
    return now + (timedelta(seconds=max(int(seconds), 1)) if is_sane else WINDOW)


def _read_instant(text: str) -> datetime | None:
    """Read ISO 8601, as Mastodon writes it, or Unix seconds, as some servers of its API do."""
    try:
        return read_unix(int(text)) if text.isdigit() else to_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None
