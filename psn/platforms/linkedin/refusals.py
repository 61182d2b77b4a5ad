"""What LinkedIn means by a refusal, as an error of our own tree; pure.

From learn.microsoft.com/linkedin/shared/api-guide/concepts (error-handling, rate-limits) and
linkedin/marketing/community-management/shares (posts-api, images-api), read 2026-11-20, and from answers that other clients of the
API have published. The code decides, wherever LinkedIn put it: beside the message, in `errorDetails`, or in the message itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from psn.errors import Duplicate, NeedsReconnect, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.linkedin.addresses import build_post_url, find_post_urn
from psn.platforms.linkedin.versions import SETTING

MAX_QUOTED_CHARACTERS = 300  # of LinkedIn's own words in our message

_E = TypeVar("_E", bound=PlatformError)

# Refused for good: (LinkedIn's code, ours, what to do)
_REJECTED = (
    ("FIELD_LENGTH_TOO_LONG", "linkedin.too_long", "Shorten the text, the title or the alt text."),
    ("INVALID_URN_ID", "linkedin.invalid_reference", "Connect the account again; the post names something LinkedIn does not know."),
    ("INVALID_VALUE_FOR_FIELD", "linkedin.invalid_value", "Change what LinkedIn names."),
    ("MEDIA_ASSET_PROCESSING_FAILED", "linkedin.media_failed", "Convert the file (images to JPEG, video to MP4) and try again."),
    ("VERSION_MISSING", "linkedin.version_missing", f"Set LinkedIn's setting `{SETTING}` to a year and month."),
)  # fmt: skip
# Without effect, and may work next time: (LinkedIn's code, ours)
_PASSING = (
    ("MEDIA_ASSET_WAITING_UPLOAD", "linkedin.media_not_ready"),
    ("EXPIRED_UPLOAD_URL", "linkedin.upload_expired"),
)
_BY_STATUS = {
    400: "linkedin.invalid_request",
    404: "linkedin.not_found",
    405: "linkedin.invalid_request",
    413: "linkedin.too_large",
    415: "linkedin.invalid_request",
    422: "linkedin.invalid_request",
}


def check_reply(reply: Reply, *, now: datetime, web_base_url: str, commit: bool = False) -> Reply:
    """Give an answer of 2xx back, unless what it says inside is a refusal.

    Args:
        web_base_url: where people look at posts.
        commit: it answers the call that cannot be taken back, so what nobody can explain may be live.

    Raises:
        PlatformError: the one of its tree that says what to do.
    """
    about = _read_refusal(reply)
    if 200 <= about.status < 300:
        return reply
    raise _explain(about, now=now, web_base_url=web_base_url, commit=commit)


def _explain(about: _Refusal, *, now: datetime, web_base_url: str, commit: bool) -> PlatformError:
    if about.status == 401:
        return about.error(NeedsReconnect, "LinkedIn no longer accepts this account's token", "account.needs_reconnect")
    if about.status == 429:
        return RateLimited(
            about.say("LinkedIn's limit for today is reached"),
            retry_at=_read_reset(about.reply, now=now),
            http_status=about.status,
            request_id=about.reply.request_id,
        )
    if "DUPLICATE_POST" in about.codes or (about.status == 422 and "duplicate of urn:" in about.words.lower()):
        return _read_duplicate(about, web_base_url=web_base_url)
    if about.status == 426 or "NONEXISTENT_VERSION" in about.codes:
        advice = f"Set LinkedIn's setting `{SETTING}` to last month, as year and month."
        return about.error(Rejected, "LinkedIn has ended this version of its API", "linkedin.version_sunset", advice)
    return _explain_refusal(about) or about.error(
        UnknownOutcome if commit else Unavailable, "LinkedIn gave an answer that it never promised", None
    )


def _explain_refusal(about: _Refusal) -> PlatformError | None:
    """Read an answer of 4xx; None for any other."""
    if not 400 <= about.status < 500:
        return None
    for theirs, ours in _PASSING:
        if theirs in about.codes:
            return about.error(Unavailable, "LinkedIn is not ready for this yet", ours)
    for theirs, ours, advice in _REJECTED:
        if theirs in about.codes:
            return about.error(Rejected, "LinkedIn refuses this request", ours, advice)
    if about.status == 403:
        advice = "Check the app's products and the account's role on the page, and connect it again with the scopes it needs."
        return about.error(Rejected, "LinkedIn does not permit this to the account", "linkedin.access_denied", advice)
    if about.status == 409:
        return about.error(Unavailable, "LinkedIn was changing the same thing at this moment", "linkedin.conflict")
    code = _BY_STATUS.get(about.status, "linkedin.refused")
    return about.error(Rejected, "LinkedIn refuses this request", code, "Change the post and try again.")


def _read_duplicate(about: _Refusal, *, web_base_url: str) -> Rejected:
    urn = find_post_urn(about.words)
    if urn is None:
        advice = "Look on LinkedIn whether it is out."
        return about.error(Rejected, "LinkedIn has this post already", "linkedin.duplicate", advice)
    return Duplicate(
        about.say("LinkedIn has this post already", "Change the text to post it again."),
        platform_post_id=urn,
        url=build_post_url(urn, web_base_url=web_base_url),
        http_status=about.status,
        request_id=about.reply.request_id,
    )


@dataclass(frozen=True, slots=True)
class _Refusal:
    """An answer, taken apart.

    Args:
        status: of the answer, or the one that a 2xx names inside.
        words: LinkedIn's own sentence.
        codes: everything LinkedIn said, in one text: its codes stand out.
    """

    reply: Reply
    status: int
    words: str
    codes: str

    def say(self, sentence: str, advice: str = "") -> str:
        quoted = f': "{self.words[:MAX_QUOTED_CHARACTERS]}"' if self.words else ""
        return f"{sentence} ({self.status}){quoted}. {advice}".strip()

    def error(self, kind: type[_E], sentence: str, code: str | None, advice: str = "") -> _E:
        return kind(self.say(sentence, advice), code=code, http_status=self.status, request_id=self.reply.request_id)


def _read_refusal(reply: Reply) -> _Refusal:
    try:
        body = reply.json()
    except ValueError:
        body = None
    said = body if isinstance(body, dict) else {}
    words = next((said[key] for key in ("message", "error_description", "error") if _is_text(said.get(key))), "")
    return _Refusal(reply, status=_read_status(reply, said), words=words, codes=" ".join((*_read_codes(said), words)))


def _read_status(reply: Reply, said: dict[str, Any]) -> int:
    """Give the status; a 200 that names another one inside, and has made nothing, is what it says inside."""
    inside = said.get("status")
    is_refusal = isinstance(inside, int) and 400 <= inside < 600 and "message" in said
    return inside if reply.status < 300 and is_refusal and "x-restli-id" not in reply.headers else reply.status  # type: ignore[return-value]


def _read_codes(said: dict[str, Any]) -> Iterator[str]:
    """Give LinkedIn's codes, from all places where they stand."""
    if _is_text(said.get("code")):
        yield said["code"]
    details = said.get("errorDetails")
    faults = details.get("inputErrors") if isinstance(details, dict) else None
    for fault in faults if isinstance(faults, list) else []:
        if isinstance(fault, dict) and _is_text(fault.get("code")):
            yield fault["code"]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _read_reset(reply: Reply, *, now: datetime) -> datetime:
    """Say when to try again: all of LinkedIn's limits begin anew at 00:00 UTC, unless the answer itself names a span.

    What counts is how long that is from LinkedIn's present, not from this computer's.
    """
    named = reply.headers.get("retry-after", "")
    if named.isascii() and named.isdigit() and 0 < int(named[:9]) <= 7 * 86400:
        return now + timedelta(seconds=int(named[:9]))
    theirs = (reply.date or now).astimezone(UTC)
    midnight = theirs.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return now + (midnight - theirs)
