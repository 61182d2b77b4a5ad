"""X, over API v2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psn.platforms.base import Platform
from psn.platforms.x.oauth import OAUTH
from psn.platforms.x.rules import check_parts

if TYPE_CHECKING:
    from psn.platforms.x.adapter import XAdapter

API_BASE_URL = "https://api.x.com"
WEB_BASE_URL = "https://x.com"


def connect(api_base_url: str, token: str) -> XAdapter:
    """Make the adapter of one account.

    Raises:
        InvalidInput: the address is unsafe, or the token could not stand in a header.
    """
    # Imported here because it brings the HTTP library and pydantic (over 100 ms), and whoever only checks a post needs neither.
    from psn.platforms.x.adapter import XAdapter

    return XAdapter(
        api_base_url,
        token=token,
        web_base_url=WEB_BASE_URL if api_base_url.rstrip("/") == API_BASE_URL else api_base_url,
    )


PLATFORM = Platform(
    name="x",
    title="X",
    api_base_url=API_BASE_URL,
    web_base_url=WEB_BASE_URL,
    oauth=OAUTH,
    check_parts=check_parts,
    connect=connect,
)
