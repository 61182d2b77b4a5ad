"""Mastodon, and servers that speak its API. Every account names its instance by its base URL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from psn.errors import InvalidInput
from psn.platforms.base import Platform, Witness
from psn.platforms.mastodon.addresses import read_post_url
from psn.platforms.mastodon.oauth import OAUTH
from psn.platforms.mastodon.rules import OPTIONS, check_parts, count_text, pick_target

if TYPE_CHECKING:
    from psn.platforms.mastodon.adapter import MastodonAdapter

WITNESS = Witness(
    # A status is in its author's list as soon as it is stored; the second look is for an instance that is behind with its work.
    looks=(timedelta(seconds=10), timedelta(seconds=60)),
    # An instance keeps an idempotency key for an hour from when it is done with the call (methods/statuses#create); a margin
    # is left for clocks and for the way there. Where a server keeps none, an attempt has no reference.
    repeat_within=timedelta(minutes=50),
)


def connect(
    api_base_url: str,
    token: str,
    timeout_seconds: float | None = None,
    account_id: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> MastodonAdapter:
    """Make the adapter of one account.

    Args:
        api_base_url: the instance's.
        account_id: the instance's own of the profile, where it is known.
        timeout_seconds: for a whole call; `psn.http.TIMEOUT_SECONDS` when left out.

    Raises:
        InvalidInput: no instance is named, its address is unsafe, or the token could not stand in a header.
    """
    if not api_base_url:
        raise InvalidInput(
            "Mastodon is many servers: name yours, like --base-url https://mastodon.example.", code="account.base_url"
        )
    # Imported here because it brings the HTTP library and pydantic (over 100 ms), and whoever only checks a post needs neither.
    from psn.http import TIMEOUT_SECONDS
    from psn.platforms.mastodon.adapter import MastodonAdapter

    return MastodonAdapter(
        api_base_url,
        token=token,
        account_id=account_id,
        timeout_seconds=TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds,
    )


PLATFORM = Platform(
    name="mastodon",
    title="Mastodon",
    api_base_url="",
    web_base_url="",
    sign_in=OAUTH,
    abilities=frozenset(
        {
            "text",
            "thread",
            "comment",
            "image",
            "images",
            "gif",
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
    handle_pattern=r"[A-Za-z0-9_]{1,30}",
)
