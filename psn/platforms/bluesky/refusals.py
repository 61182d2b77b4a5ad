"""What the AT Protocol's servers mean by a refusal, as an error of our own tree; pure.

A refusal is `{"error": "Name", "message": "…"}` (atproto.com/specs/xrpc, read 2026-11-20); its name decides, because servers use
400 for nearly everything, an expired token included. Names are from the lexicons and from the reference server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pydantic import ValidationError

from psn.errors import NeedsReconnect, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.base import RateLimit
from psn.platforms.replies import Tolerant
from psn.platforms.values import wait_until

WINDOW = timedelta(minutes=5)  # most of its limits begin anew after it. docs.bsky.app/docs/advanced-guides/rate-limits
MAX_QUOTED_CHARACTERS = 300  # of the server's own words in our message
SWAP_REFUSED = "InvalidSwap"

_E = TypeVar("_E", bound=PlatformError)

_GRANT_GONE = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired", "BadJwt"})
_ACCOUNT_SHUT = frozenset(
    {"AccountTakedown", "AccountSuspended", "AccountDeactivated", "RepoTakendown", "RepoSuspended", "RepoDeactivated"}
)
_NO_RECORD = "RecordNotFound"
_NO_RECORD_WORDS = "Could not locate record"  # older servers say it under the name InvalidRequest

# by name: (code, what to do)
_REFUSED = {
    SWAP_REFUSED: ("bluesky.key_taken", "Look on bsky.app what is there."),
    "InvalidMimeType": ("media.type", "Attach the file again, or another one."),
    "BlobTooLarge": ("media.too_large", "Make the file smaller."),
    "PayloadTooLarge": ("media.too_large", "Make the file smaller, or have your server's owner raise its limit."),
    "InvalidRecord": ("bluesky.invalid_record", "Check text, options and media."),
    "InvalidRequest": ("bluesky.invalid_request", "Check text, options and media."),
    "Forbidden": ("bluesky.forbidden", "Connect the account again with an app password."),
    "HandleNotFound": ("bluesky.not_found", "Check the handle."),
    "RepoNotFound": ("bluesky.not_found", "Check the account's server: it may have moved."),
    _NO_RECORD: ("bluesky.not_found", "It may have been deleted."),
    "MethodNotImplemented": ("bluesky.not_a_server", "Check the account's base URL."),
    "XRPCNotSupported": ("bluesky.not_a_server", "Check the account's base URL."),
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


def is_swap_refused(reply: Reply) -> bool:
    """Say whether the key holds something else than what was to be written."""
    return reply.status == 400 and _read_words(reply).error == SWAP_REFUSED


def is_record_absent(reply: Reply) -> bool:
    """Say whether the server was asked for a record and does not have it."""
    words = _read_words(reply)
    return reply.status in (400, 404) and (
        words.error == _NO_RECORD or (words.error == "InvalidRequest" and words.message.startswith(_NO_RECORD_WORDS))
    )


def is_handle_unknown(reply: Reply) -> bool:
    """Say whether the server was asked for a handle and there is nobody of that name."""
    words = _read_words(reply)
    return reply.status == 400 and words.error in ("HandleNotFound", "InvalidRequest")


def read_error(reply: Reply) -> str:
    """Give the name of a refusal; empty when it has none."""
    return _read_words(reply).error


def read_rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """Read the limit that the call counted towards, or None when the headers do not tell."""
    try:
        return RateLimit(
            limit=int(headers["ratelimit-limit"]),
            remaining=int(headers["ratelimit-remaining"]),
            resets_at=datetime.fromtimestamp(int(headers["ratelimit-reset"]), tz=UTC),
        )
    except (KeyError, ValueError, OverflowError, OSError):
        return None


class _Words(Tolerant):
    error: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A refusal, with what the server said."""

    reply: Reply
    words: _Words

    def say(self, sentence: str, advice: str = "") -> str:
        said = (self.words.message or self.words.error)[:MAX_QUOTED_CHARACTERS]
        quoted = f': "{said}"' if said else ""
        return f"{sentence} ({self.reply.status}){quoted}. {advice}".strip()

    def error(self, kind: type[_E], sentence: str, code: str | None = None, advice: str = "") -> _E:
        return kind(
            self.say(sentence, advice), code=code, http_status=self.reply.status, request_id=self.reply.request_id
        )


def _read_refusal(reply: Reply, *, now: datetime, commit: bool) -> PlatformError:
    about = _Refusal(reply, _read_words(reply))
    name = about.words.error
    if reply.status == 429:
        return RateLimited(
            about.say("Bluesky asks to wait"),
            retry_at=_read_reset(reply, now=now),
            http_status=reply.status,
            request_id=reply.request_id,
        )
    if not 400 <= reply.status < 500 or not (name or reply.status in (401, 413)):
        # A redirect, or a refusal in words that are not the protocol's: somebody in between speaks.
        return about.error(UnknownOutcome if commit else Unavailable, "Bluesky gave an answer that it never promised")
    if name in _ACCOUNT_SHUT:
        advice = "Look on bsky.app what the matter is."
        return about.error(Rejected, "Bluesky has shut this account", "bluesky.account_restricted", advice)
    if reply.status == 401 or name in _GRANT_GONE:
        return about.error(NeedsReconnect, "Bluesky no longer accepts this account's session")
    if name == "BlobNotFound":
        return about.error(Unavailable, "Bluesky has dropped a file that was uploaded", "bluesky.blob_gone")
    if reply.status == 413:
        name = "PayloadTooLarge"
    code, advice = _REFUSED.get(name, ("bluesky.refused", "Check text, options and media."))
    return about.error(Rejected, "Bluesky refuses this request", code, advice)


def _read_words(reply: Reply) -> _Words:
    try:
        return _Words.model_validate(reply.json())
    except (ValidationError, ValueError):
        return _Words()


def _read_reset(reply: Reply, *, now: datetime) -> datetime:
    """Say when to try again, never in the past: the server tells by its own clock, so what counts is how long that is from its present."""
    limit = read_rate_limit(reply.headers)
    if limit is not None:
        return wait_until(limit.resets_at, sent_at=reply.date or now, now=now)
    seconds = reply.headers.get("retry-after", "")
    is_sane = seconds.isascii() and seconds.isdigit() and len(seconds) < 9
    return now + (timedelta(seconds=max(int(seconds), 1)) if is_sane else WINDOW)
