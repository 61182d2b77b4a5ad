"""X, over API v2."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from psn.platforms.base import Platform, Witness
from psn.platforms.x.addresses import read_post_url
from psn.platforms.x.oauth import OAUTH
from psn.platforms.x.rules import OPTIONS, check_parts, count_text, estimate_price, pick_target

if TYPE_CHECKING:
    from psn.platforms.x.adapter import XAdapter

API_BASE_URL = "https://api.x.com"
WEB_BASE_URL = "https://x.com"

# X knows no idempotency key and names no id when it refuses a duplicate, so only the account's own posts can tell.
WITNESS = Witness(
    # A post usually shows in its author's timeline within seconds, so the first look comes after ten: most answers are
    # known then. A timeline may lag behind, and a look costs money ($0.001 to $0.005 a post), so there is one more look,
    # not many, and it comes when a lag must be over: 80 s later. What neither of them shows is not there.
    looks=(timedelta(seconds=10), timedelta(seconds=90)),
    duplicate_codes=frozenset({"x.duplicate"}),
)


def connect(
    api_base_url: str,
    token: str,
    timeout_seconds: float | None = None,
    account_id: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> XAdapter:
    """Make the adapter of one account.

    Args:
        account_id: X's own of the profile, where it is known.
        timeout_seconds: for a whole call; `psn.http.TIMEOUT_SECONDS` when left out.

    Raises:
        InvalidInput: the address is unsafe, or the token could not stand in a header.
    """
    # Imported here because it brings the HTTP library and pydantic (over 100 ms), and whoever only checks a post needs neither.
    from psn.http import TIMEOUT_SECONDS
    from psn.platforms.x.adapter import XAdapter

    return XAdapter(
        api_base_url,
        token=token,
        web_base_url=WEB_BASE_URL if api_base_url.rstrip("/") == API_BASE_URL else api_base_url,
        account_id=account_id,
        timeout_seconds=TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds,
    )


PLATFORM = Platform(
    name="x",
    title="X",
    api_base_url=API_BASE_URL,
    web_base_url=WEB_BASE_URL,
    sign_in=OAUTH,
    abilities=frozenset(
        {"text", "thread", "image", "images", "gif", "video", "metrics", "account_metrics", "recent", "delete"}
    ),
    options=OPTIONS,
    check_parts=check_parts,
    count_text=count_text,
    pick_target=pick_target,
    connect=connect,
    read_post_url=read_post_url,
    witness=WITNESS,
    prepares=False,
    price_usd=estimate_price,
)
