"""Threads, over its own API (PLAT-2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from psn.platforms.base import Platform, Witness
from psn.platforms.threads.addresses import read_post_url
from psn.platforms.threads.oauth import OAUTH
from psn.platforms.threads.rules import NAME, OPTIONS, TITLE, check_parts, count_text, pick_target

if TYPE_CHECKING:
    from psn.platforms.threads.adapter import ThreadsAdapter

API_BASE_URL = "https://graph.threads.net"  # without the version, which the token calls have not
WEB_BASE_URL = "https://www.threads.net"
SETTINGS = {"version": "v1.0"}

# The container tells whether it was published; only its post's id must be looked for, and that may take a while to show.
WITNESS = Witness(looks=(timedelta(seconds=15), timedelta(seconds=60)))


def connect(
    api_base_url: str,
    token: str,
    timeout_seconds: float | None = None,
    account_id: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> ThreadsAdapter:
    """Make the adapter of one account.

    Args:
        account_id: Threads' own of the profile, where it is known.
        timeout_seconds: for a whole call; `psn.http.TIMEOUT_SECONDS` when left out.
        settings: `version`.

    Raises:
        InvalidInput: the address is unsafe, or the token could not stand in a header.
    """
    # Imported here because it brings the HTTP library and pydantic (over 100 ms), and whoever only checks a post needs neither.
    from psn.http import TIMEOUT_SECONDS
    from psn.platforms.threads.adapter import ThreadsAdapter

    return ThreadsAdapter(
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
    abilities=frozenset(
        {
            "text",
            "thread",
            "comment",
            "image",
            "images",
            "video",
            "metrics",
            "account_metrics",
            "recent",
            "delete",
        }
    ),
    options=OPTIONS,
    check_parts=check_parts,
    count_text=count_text,
    pick_target=pick_target,
    connect=connect,
    read_post_url=read_post_url,
    witness=WITNESS,
    fetches=frozenset({"image", "video"}),
    posts_per_day=250,
    settings=SETTINGS,
    handle_pattern=r"[A-Za-z0-9_.]{1,30}",
)
