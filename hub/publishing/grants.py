"""The account's tokens, for whoever publishes with them: renewed in time, by one process at a time (AUTH-2, AUTH-3).

The row is `keeping`'s matter, asking the platform `renewing`'s, what nobody needs just now `ageing`'s.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from hub.models import Account, OAuthToken
from hub.publishing import renewing
from hub.publishing.keeping import (
    doubt_access_token,
    get_row,
    life_of,
    lose_grant,
    open_column,
    read_grant,
    store_grant,
)
from psn.errors import NeedsReconnect, RateLimited, Unavailable, UnknownOutcome
from psn.oauth.renewal import is_due, is_good
from psn.platforms.base import Adapter
from psn.platforms.registry import get_platform

__all__ = ["doubt_access_token", "fresh_access_token", "lose_grant", "open_adapter", "read_grant", "store_grant"]


def open_adapter(account: Account, *, now: datetime, grant: OAuthToken | None = None) -> Adapter:
    """Connect to the platform as this account, with a token that is good for the next minute.

    Args:
        grant: the account's, where it was just read.

    Raises:
        NeedsReconnect: the grant is gone; the account says so from now on.
        Unavailable: the token must be renewed and the platform cannot be reached.
    """
    if account.status != Account.Status.ACTIVE:
        raise NeedsReconnect(
            f"{account} is not connected. Connect it, then schedule the post again.",
            next_command=account.connect_command,
        )
    platform = get_platform(account.platform)
    return platform.connect(
        account.base_url or platform.api_base_url,
        fresh_access_token(account, grant=grant, now=now),
        settings.CALL_TIMEOUT_SECONDS,
        account.platform_account_id,
        settings.PLATFORM_SETTINGS.get(account.platform, {}),
    )


def fresh_access_token(account: Account, *, now: datetime, grant: OAuthToken | None = None) -> str:
    """Give an access token, renewed first when its life is nearly over.

    Where renewing is not possible just now, the old one serves while it lasts. One that cannot be renewed at all is given as it is:
    the platform decides what it is worth.

    Raises:
        NeedsReconnect: the grant is gone; the account says so from now on.
        Unavailable, RateLimited: it is over, and not renewed, or nobody knows.
    """
    row = grant or get_row(account)
    if is_due(get_platform(account.platform).sign_in, life_of(row), now=now):
        row = _renewed(account, row, now=now)
    return open_column(row, "access_token_sealed")


def _renewed(account: Account, row: OAuthToken, *, now: datetime) -> OAuthToken:
    try:
        return renewing.renew(account, row, now=now)
    except (Unavailable, RateLimited, UnknownOutcome) as error:
        if is_good(life_of(row), now=now):
            return row
        if isinstance(error, UnknownOutcome):  # whether the refresh token was spent shows at the next try (AUTH-3)
            raise Unavailable(error.message, code=error.error_code, http_status=error.http_status) from error
        raise
