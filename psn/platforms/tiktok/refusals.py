"""What TikTok means by a refusal, as an error of our own tree; pure.

developers.tiktok.com (read 2026-11-20): tiktok-api-v2-error-handling, content-posting-api-reference-direct-post, -photo-post and
-get-video-status. What decides is `error.code`, not the status of HTTP: TikTok refuses with 200, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from psn.errors import (
    CameToNothing,
    NeedsReconnect,
    PlatformError,
    QuotaSpent,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from psn.http import Reply

WAIT = timedelta(seconds=60)  # TikTok counts calls a minute and says nothing of how many are left
MAX_QUOTED_CHARACTERS = 300  # of TikTok's own words in our message
NO_SCOPE = "tiktok.no_scope"
UNKNOWN_ID = "tiktok.unknown_publish_id"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one of TikTok's words comes to.

    Args:
        sentence: what happened.
        advice: what the person does now.
    """

    kind: type[PlatformError]
    code: str
    sentence: str
    advice: str = ""


_RECONNECT = "Connect the account again and say yes to everything that is asked."
_TOMORROW = "TikTok counts over 24 hours: schedule it again for tomorrow."
_OUR_FAULT = Meaning(Rejected, "tiktok.invalid_request", "TikTok does not understand this request")

REFUSALS = {
    "access_token_invalid": Meaning(
        NeedsReconnect, "account.needs_reconnect", "TikTok no longer accepts this account's token", "Connect it again."
    ),
    "scope_not_authorized": Meaning(NeedsReconnect, NO_SCOPE, "The account did not allow this to the app", _RECONNECT),
    "scope_permission_missed": Meaning(
        NeedsReconnect, NO_SCOPE, "The app lacks a scope for this", f"Add it in TikTok's developer portal. {_RECONNECT}"
    ),
    "invalid_param": _OUR_FAULT,
    "invalid_params": _OUR_FAULT,
    "app_version_check_failed": Meaning(
        Rejected,
        "tiktok.app_too_old",
        "The TikTok app of this account is too old for it",
        "Update the app on the phone.",
    ),
    "invalid_file_upload": Meaning(
        Rejected, "tiktok.file_refused", "TikTok does not take this file", "Use another file: MP4 with H.264 is safest."
    ),
    "spam_risk_too_many_posts": Meaning(
        QuotaSpent, "tiktok.too_many_posts", "This account has posted as often as TikTok lets it in a day", _TOMORROW
    ),
    "spam_risk_user_banned_from_posting": Meaning(
        Rejected,
        "tiktok.banned",
        "TikTok has barred this account from posting",
        "Look into the app to see why and for how long.",
    ),
    "spam_risk_too_many_pending_share": Meaning(
        QuotaSpent,
        "tiktok.too_many_drafts",
        "Five drafts wait in the app already, and TikTok takes no more in a day",
        "Finish or discard some in the app, then schedule it again.",
    ),
    "spam_risk_text": Meaning(Rejected, "tiktok.spam", "TikTok takes the text for spam", "Write it differently."),
    "spam_risk": Meaning(Rejected, "tiktok.spam", "TikTok takes this for spam", "Look into the app for a warning."),
    "reached_active_user_cap": Meaning(
        QuotaSpent,
        "tiktok.user_cap",
        "The app has as many users today as TikTok lets an app have that it has not audited",
        "Schedule it again for tomorrow, choose format=inbox, or have the app audited.",
    ),
    "unaudited_client_can_only_post_to_private_accounts": Meaning(
        Rejected,
        "tiktok.unaudited",
        "TikTok has not audited the app, so it posts only to private accounts and only for their owner",
        "Choose format=inbox, or make the account private and choose visibility=SELF_ONLY.",
    ),
    "url_ownership_unverified": Meaning(
        Rejected,
        "tiktok.url_unverified",
        "TikTok does not know that the address of the files is yours",
        "Verify its prefix under URL properties in TikTok's developer portal.",
    ),
    "privacy_level_option_mismatch": Meaning(
        Rejected, "tiktok.visibility", "TikTok does not offer this visibility to the account", "Choose another one."
    ),
    "invalid_publish_id": Meaning(Rejected, UNKNOWN_ID, "TikTok does not know this publish id"),
    "token_not_authorized_for_specified_publish_id": Meaning(
        Rejected, UNKNOWN_ID, "This publish id belongs to another account or app"
    ),
    "internal_error": Meaning(Unavailable, "platform.unavailable", "TikTok has trouble of its own"),
}

# `fail_reason` of a post that TikTok had taken and then gave up: it is surely not out. What is Unavailable may go well another time.
FAILURES = {
    "file_format_check_failed": Meaning(
        Rejected, "tiktok.file_format", "TikTok cannot read the file", "Use MP4 with H.264, or JPEG for photos."
    ),
    "duration_check_failed": Meaning(
        Rejected,
        "tiktok.duration",
        "The video is too short or too long for this account",
        "Cut it, or use a longer one.",
    ),
    "frame_rate_check_failed": Meaning(
        Rejected, "tiktok.frame_rate", "TikTok does not take the video's frame rate", "Use 23 to 60 frames a second."
    ),
    "picture_size_check_failed": Meaning(
        Rejected,
        "tiktok.picture_size",
        "TikTok does not take the picture's size",
        "Use 360 to 4096 pixels, photos up to 1080p.",
    ),
    "video_pull_failed": Meaning(
        Unavailable, "tiktok.pull_failed", "TikTok could not fetch the video from its address"
    ),
    "photo_pull_failed": Meaning(
        Unavailable, "tiktok.pull_failed", "TikTok could not fetch the photos from their address"
    ),
    "publish_cancelled": Meaning(
        Rejected, "tiktok.cancelled", "The post was cancelled at TikTok", "Schedule it again if that was a mistake."
    ),
    "auth_removed": Meaning(
        Rejected, "tiktok.auth_removed", "The account took its permission back while TikTok worked on it", _RECONNECT
    ),
    "spam_risk_too_many_posts": Meaning(
        Rejected, "tiktok.too_many_posts", "This account has posted as often as TikTok lets it in a day", _TOMORROW
    ),
    "spam_risk_user_banned_from_posting": REFUSALS["spam_risk_user_banned_from_posting"],
    "spam_risk_text": REFUSALS["spam_risk_text"],
    "spam_risk": REFUSALS["spam_risk"],
    "internal": Meaning(Unavailable, "tiktok.internal", "TikTok had trouble of its own with the post"),
}
_FAILED = Meaning(Rejected, "tiktok.failed", "TikTok gave the post up", "Look into the app for a reason.")


def check_reply(reply: Reply, *, now: datetime, commit: bool = False) -> Reply:
    """Give an answer back in which TikTok says that all is well.

    Args:
        commit: it answers the call that cannot be taken back, so what nobody can explain may be live.

    Raises:
        PlatformError: the one of its tree that says what to do.
    """
    said = _read_error(reply)
    if 200 <= reply.status < 300 and said.code == "ok":
        return reply
    meaning = REFUSALS.get(said.code) or _guess(reply.status, said)
    if meaning is None or meaning.kind is Unavailable:
        lost = UnknownOutcome if commit else Unavailable
        sentence = meaning.sentence if meaning else "TikTok gave an answer that it never promised"
        raise lost(_say(sentence, said, reply), http_status=reply.status, request_id=said.log_id or reply.request_id)
    if meaning.kind is RateLimited:
        retry_at = now + (_read_span(reply) or WAIT)
        raise RateLimited(
            _say(meaning.sentence, said, reply), retry_at=retry_at, http_status=reply.status, request_id=said.log_id
        )
    raise meaning.kind(
        f"{_say(meaning.sentence, said, reply)} {meaning.advice}".strip(),
        code=meaning.code,
        http_status=reply.status,
        request_id=said.log_id or reply.request_id,
    )


def read_log_id(reply: Reply) -> str:
    """Give TikTok's id of the call, for its support; empty when the answer has none."""
    return _read_error(reply).log_id or reply.request_id or ""


def build_failure(reason: str) -> PlatformError:
    """Build the error for a post that TikTok took and gave up: `CameToNothing`, or `Unavailable` where another try may go well.

    Args:
        reason: `fail_reason`, as TikTok wrote it.
    """
    meaning = FAILURES.get(reason, _FAILED)
    words = f": {reason[:MAX_QUOTED_CHARACTERS]}" if reason else ""
    kind = Unavailable if meaning.kind is Unavailable else CameToNothing
    return kind(f"{meaning.sentence} (failed{words}). {meaning.advice}".strip(), code=meaning.code)


def check_piece(reply: Reply, *, now: datetime, last: bool = False) -> None:
    """Check TikTok's answer to a piece of a video. media-transfer-guide

    Args:
        last: the piece that completes the upload, and so the post.

    Raises:
        Rejected: TikTok does not take it.
        RateLimited: too many pieces at once.
        Unavailable: it did not arrive, or the upload's address is not good any more: it lives an hour.
        UnknownOutcome: the last piece, and TikTok may have had it already.
    """
    status, said = reply.status, _read_error(reply)
    request_id = said.log_id or reply.request_id
    if 200 <= status < 300:
        return
    if status == 429:
        retry_at = now + (_read_span(reply) or WAIT)
        message = _say("TikTok asks to wait", said, reply)
        raise RateLimited(message, retry_at=retry_at, http_status=status, request_id=request_id)
    if status in (400, 405, 411, 413, 415):
        message = _say("TikTok's upload refuses the video", said, reply)
        raise Rejected(message, code="tiktok.upload_refused", http_status=status, request_id=request_id)
    if status in (401, 403, 410) or not last:
        message = _say("TikTok's upload address takes nothing", said, reply)
        raise Unavailable(message, code="tiktok.upload_closed", http_status=status, request_id=request_id)
    # An upload that is complete is closed as well, and its bytes are out of range: a proxy may have sent the piece twice.
    message = _say("TikTok did not say that it has the last piece", said, reply)
    raise UnknownOutcome(message, http_status=status, request_id=request_id)


@dataclass(frozen=True, slots=True)
class _Said:
    """TikTok's own words, as far as there are any."""

    code: str = ""
    message: str = ""
    log_id: str = ""


def _read_error(reply: Reply) -> _Said:
    try:
        body = reply.json()
    except ValueError:
        return _Said()
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return _Said()
    words = {name: error.get(name) for name in ("code", "message", "log_id")}
    return _Said(**{name: word[:MAX_QUOTED_CHARACTERS] for name, word in words.items() if isinstance(word, str)})


def _guess(status: int, said: _Said) -> Meaning | None:
    """Say what an unknown code means, by its status; None when nobody can tell."""
    if status == 429 or said.code == "rate_limit_exceeded":
        return Meaning(RateLimited, RateLimited.code, "TikTok asks to wait")
    if status == 401:
        return REFUSALS["access_token_invalid"]
    if said.code.startswith("spam_risk"):
        return REFUSALS["spam_risk"]
    if 400 <= status < 500 or (said.code not in ("", "ok") and status < 300):
        return Meaning(Rejected, "tiktok.refused", "TikTok refuses this", "Look into the app, or try another way.")
    return None


def _say(sentence: str, said: _Said, reply: Reply) -> str:
    words = (said.message or said.code)[:MAX_QUOTED_CHARACTERS]
    return f'{sentence} ({reply.status}): "{words}".' if words and words != "ok" else f"{sentence} ({reply.status})."


def _read_span(reply: Reply) -> timedelta | None:
    text = reply.headers.get("retry-after", "")
    return timedelta(seconds=min(int(text[:9]), 86400)) if text.isascii() and text.isdigit() else None
