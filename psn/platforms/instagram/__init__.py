"""Instagram, over the content publishing API with Instagram's own login (PLAT-2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from psn.platforms.base import Platform, Witness
from psn.platforms.instagram.addresses import read_post_url
from psn.platforms.instagram.oauth import OAUTH
from psn.platforms.instagram.rules import NAME, OPTIONS, TITLE, check_parts, count_text, pick_target

if TYPE_CHECKING:
    from psn.platforms.instagram.adapter import InstagramAdapter

API_BASE_URL = "https://graph.instagram.com"  # without the version, which the token calls have not
WEB_BASE_URL = "https://www.instagram.com"
SETTINGS = {"version": "v25.0"}  # v26.0 since 2026-07-29; v23.0 ends 2027-10-08

# The container tells whether it was published; only its post's id must be looked for, and that may take a while to show.
WITNESS = Witness(looks=(timedelta(seconds=15), timedelta(seconds=60)))


def connect(
    api_base_url: str,
    token: str,
    timeout_seconds: float | None = None,
    account_id: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> InstagramAdapter:
    """Make the adapter of one account.

    Args:
        account_id: Instagram's own of the profile, where it is known.
        timeout_seconds: for a whole call; `psn.http.TIMEOUT_SECONDS` when left out.
        settings: `version`.

    Raises:
        InvalidInput: the address is unsafe, or the token could not stand in a header.
    """
    # Imported here because it brings the HTTP library and pydantic (over 100 ms), and whoever only checks a post needs neither.
    from psn.http import TIMEOUT_SECONDS
    from psn.platforms.instagram.adapter import InstagramAdapter

    return InstagramAdapter(
        api_base_url,
        token=token,
        web_base_url=WEB_BASE_URL if api_base_url.rstrip("/") == API_BASE_URL else api_base_url,
        version={**SETTINGS, **(settings or {})}["version"],
        account_id=account_id,
        timeout_seconds=TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds,
    )


PLATFORM = Platform(
    name=NAME,
    title=TITLE,
    api_base_url=API_BASE_URL,
    web_base_url=WEB_BASE_URL,
    sign_in=OAUTH,
    # No "delete": that needs an app with Facebook Login.
    abilities=frozenset(
        {"comment", "image", "images", "video", "reel", "story", "metrics", "account_metrics", "recent"}
    ),
    options=OPTIONS,
    check_parts=check_parts,
    count_text=count_text,
    pick_target=pick_target,
    connect=connect,
    read_post_url=read_post_url,
    witness=WITNESS,
    fetches=frozenset({"image"}),
    posts_per_day=100,  # 50 in the reference; the account's own is asked for before each post
    settings=SETTINGS,
    handle_pattern=r"[A-Za-z0-9_.]{1,30}",
)
