"""LinkedIn, as a member or as a page, over the versioned Posts API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from psn.platforms.base import Ability, Platform, Witness
from psn.platforms.linkedin.addresses import read_post_url
from psn.platforms.linkedin.oauth import OAUTH
from psn.platforms.linkedin.rules import OPTIONS, check_parts, count_text, pick_target
from psn.platforms.linkedin.versions import DEFAULT_VERSION, SETTING, warn_about_version

if TYPE_CHECKING:
    from psn.platforms.linkedin.adapter import LinkedInAdapter

__all__ = ["PLATFORM", "connect", "warn_about_version"]

API_BASE_URL = "https://api.linkedin.com"
WEB_BASE_URL = "https://www.linkedin.com"

# The same body again is refused with the name of the post that is there, for ten minutes as documented; the margin is for the
# way to LinkedIn. A page's posts can be read, too; a member's cannot, and their look says so.
WITNESS = Witness(
    looks=(timedelta(seconds=20),),
    repeat_within=timedelta(minutes=9),
    duplicate_codes=frozenset({"linkedin.duplicate"}),
)

# Not `recent`: only a page's posts can be read back, and a page is one kind of account among two.
ABILITIES: frozenset[Ability] = frozenset(
    {
        *("text", "comment", "image", "images", "gif", "video", "document", "article"),
        *("metrics", "account_metrics", "delete", "organization"),
    }
)


def connect(
    api_base_url: str,
    token: str,
    timeout_seconds: float | None = None,
    account_id: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> LinkedInAdapter:
    """Make the adapter of one account.

    Args:
        account_id: `urn:li:person:…` or `urn:li:organization:…`; the member whose token it is when left out.
        timeout_seconds: for a whole call; `psn.http.TIMEOUT_SECONDS` when left out.
        settings: `version`: of the API.

    Raises:
        InvalidInput: the address is unsafe, the token could not stand in a header, or the account is neither.
    """
    # Imported here because it brings the HTTP library and pydantic (over 100 ms), and whoever only checks a post needs neither.
    from psn.http import TIMEOUT_SECONDS
    from psn.platforms.linkedin.adapter import LinkedInAdapter

    return LinkedInAdapter(
        api_base_url,
        token=token,
        web_base_url=WEB_BASE_URL if api_base_url.rstrip("/") == API_BASE_URL else api_base_url,
        account_id=account_id,
        version=(settings or {}).get(SETTING) or DEFAULT_VERSION,
        timeout_seconds=TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds,
    )


PLATFORM = Platform(
    name="linkedin",
    title="LinkedIn",
    api_base_url=API_BASE_URL,
    web_base_url=WEB_BASE_URL,
    sign_in=OAUTH,
    abilities=ABILITIES,
    options=OPTIONS,
    check_parts=check_parts,
    count_text=count_text,
    pick_target=pick_target,
    connect=connect,
    read_post_url=read_post_url,
    witness=WITNESS,
    prepares=False,
    posts_per_day=150,  # calls of a member to this product. learn.microsoft.com/linkedin/shared/api-guide/concepts/rate-limits
    settings={SETTING: DEFAULT_VERSION},
    check_settings=lambda chosen, today: warn_about_version(chosen[SETTING], today=today),
    handle_pattern=r"(?!.*-works$)[a-z0-9]{1,60}(?:-[a-z0-9]{1,30}){0,4}",  # the sandbox keeps names in -works for pages
)
