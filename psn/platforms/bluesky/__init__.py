"""Bluesky, over the AT Protocol."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from psn.platforms.base import Platform, Witness
from psn.platforms.bluesky.addresses import API_BASE_URL, HANDLE, VIEW_BASE_URL, WEB_BASE_URL, read_post_url
from psn.platforms.bluesky.oauth import PASSWORD
from psn.platforms.bluesky.rules import OPTIONS, check_parts, count_text, pick_target

if TYPE_CHECKING:
    from psn.platforms.bluesky.adapter import BlueskyAdapter

WITNESS = Witness(
    # A record is in its repository when the call returns, so one look is enough; it comes late enough for a call that is still
    # under way to have ended.
    looks=(timedelta(seconds=5),),
    # The same record under the same key, written only if the key is free, stays one post however often it is sent. There is
    # no end to that; thirty days is longer than anybody tries.
    repeat_within=timedelta(days=30),
)


def connect(
    api_base_url: str,
    token: str,
    timeout_seconds: float | None = None,
    account_id: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> BlueskyAdapter:
    """Make the adapter of one account.

    Args:
        api_base_url: of the account's own server (PDS), or of bsky.social, from where its own server is found by the token.
        account_id: its DID, where it is known.
        timeout_seconds: for a whole call; `psn.http.TIMEOUT_SECONDS` when left out.

    Raises:
        InvalidInput: the address is unsafe, or the token could not stand in a header.
    """
    # Imported here because it brings the HTTP library and pydantic (over 100 ms), and whoever only checks a post needs neither.
    from urllib.parse import urlsplit

    from psn.http import TIMEOUT_SECONDS, is_loopback
    from psn.platforms.bluesky.adapter import BlueskyAdapter

    base_url = api_base_url.rstrip("/")
    return BlueskyAdapter(
        base_url,
        token=token,
        # People look at posts of every server at bsky.app; only a stand-in on this machine shows its own.
        web_base_url=base_url if is_loopback(urlsplit(base_url)) else WEB_BASE_URL,
        view_base_url=VIEW_BASE_URL if base_url == API_BASE_URL else None,
        account_id=account_id,
        timeout_seconds=TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds,
    )


PLATFORM = Platform(
    name="bluesky",
    title="Bluesky",
    api_base_url=API_BASE_URL,
    web_base_url=WEB_BASE_URL,
    sign_in=PASSWORD,
    abilities=frozenset(
        {
            "text",
            "thread",
            "comment",
            "image",
            "images",
            "video",
            "article",
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
    handle_pattern=rf"(?:{HANDLE}|[A-Za-z0-9](?:[A-Za-z0-9-]{{0,16}}[A-Za-z0-9])?)",  # a name alone is completed
)
