"""What becomes of a post that TikTok has taken: it works on it for seconds or minutes, and says how that ended."""

from __future__ import annotations

import time
from collections.abc import Callable

from psn.errors import PlatformError, RateLimited, Unavailable, UnknownOutcome
from psn.platforms.base import Published
from psn.platforms.tiktok import refusals
from psn.platforms.tiktok.wire import Status

PROCESSING_SECONDS = (
    20.0  # most videos are through by then (get-video-status: half a minute for 512 MB); later the engine looks
)
POLL_SECONDS = 2.0  # 30 questions a minute are allowed

Ask = Callable[[str], Status]
FindUrl = Callable[[str], str]


def follow(publish_id: str, *, ask: Ask, find_url: FindUrl, seconds: float, poll_seconds: float) -> Published:
    """Wait a while for the end of a post that TikTok has already.

    Args:
        ask: for the status of a publish id.
        find_url: gives a public post's address; empty when it cannot be had.
        seconds: how long to wait.

    Raises:
        UnknownOutcome: it is not over yet, or TikTok cannot be asked (`tiktok.processing`).
        CameToNothing: it failed for good.
        Unavailable: it failed, and may go well another time.
    """
    ends_at = time.monotonic() + seconds
    while True:
        status, trouble = _try(ask, publish_id)
        if status is not None and (published := read_end(publish_id, status, find_url=find_url)) is not None:
            return published
        if time.monotonic() + poll_seconds > ends_at:
            break
        time.sleep(poll_seconds)
    reason = trouble or "TikTok is still working on it."
    raise UnknownOutcome(
        f"TikTok has the post, and how it ends is not known yet. {reason}",
        code="tiktok.processing",
        reference=publish_id,
    )


def read_end(publish_id: str, status: Status, *, find_url: FindUrl) -> Published | None:
    """Give the post when it is out or in the app's inbox; None when TikTok still works on it.

    Raises:
        CameToNothing: it failed for good.
        Unavailable: it failed, and may go well another time.
    """
    if status.state == "failed":
        raise refusals.build_failure(status.reason)
    if status.state not in ("delivered", "published"):
        return None
    return Published(
        platform_post_id=status.post_id or publish_id,
        url=find_url(status.post_id) if status.post_id else "",
        request_id=status.request_id,
        http_status=status.http_status,
        delivered=status.state == "delivered",
    )


def _try(ask: Ask, publish_id: str) -> tuple[Status | None, str]:
    """Ask; no refusal of the question says anything about the post."""
    try:
        return ask(publish_id), ""
    except (RateLimited, Unavailable):
        return None, "It did not answer when it was asked."
    except PlatformError as error:
        return None, error.message
