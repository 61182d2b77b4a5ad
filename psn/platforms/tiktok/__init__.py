"""TikTok, over the Content Posting API and the Display API, v2."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from psn.platforms.base import Platform, Witness
from psn.platforms.tiktok.addresses import read_post_url
from psn.platforms.tiktok.oauth import OAUTH
from psn.platforms.tiktok.rules import OPTIONS, POSTS_PER_DAY, check_parts, count_text, pick_target

if TYPE_CHECKING:
    from psn.platforms.tiktok.adapter import TikTokAdapter

API_BASE_URL = "https://open.tiktokapis.com"
WEB_BASE_URL = "https://www.tiktok.com"

# TikTok names the publish id before the last piece of a video is sent, and says afterwards what became of it. The first look
# comes when most videos are through; the second when even a large one is (get-video-status: 4 GB take two minutes).
WITNESS = Witness(looks=(timedelta(seconds=20), timedelta(seconds=90)))


def connect(
    api_base_url: str,
    token: str,
    timeout_seconds: float | None = None,
    account_id: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> TikTokAdapter:
    """Make the adapter of one account.

    Args:
        timeout_seconds: for a whole call; `psn.http.TIMEOUT_SECONDS` when left out.

    Raises:
        InvalidInput: the address is unsafe, or the token could not stand in a header.
    """
    # Imported here because it brings the HTTP library and pydantic (over 100 ms), and whoever only checks a post needs neither.
    from psn.http import TIMEOUT_SECONDS
    from psn.platforms.tiktok.adapter import TikTokAdapter

    return TikTokAdapter(
        api_base_url,
        token=token,
        web_base_url=WEB_BASE_URL if api_base_url.rstrip("/") == API_BASE_URL else api_base_url,
        timeout_seconds=TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds,
    )


PLATFORM = Platform(
    name="tiktok",
    title="TikTok",
    api_base_url=API_BASE_URL,
    web_base_url=WEB_BASE_URL,
    sign_in=OAUTH,
    abilities=frozenset({"image", "images", "video", "inbox", "metrics", "account_metrics", "recent"}),
    options=OPTIONS,
    check_parts=check_parts,
    count_text=count_text,
    pick_target=pick_target,
    connect=connect,
    read_post_url=read_post_url,
    witness=WITNESS,
    fetches=frozenset({"image"}),
    posts_per_day=POSTS_PER_DAY,
    handle_pattern=r"[A-Za-z0-9_.]{2,24}",
)
