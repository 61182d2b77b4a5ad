"""The account's tokens: sealed in the hub, refreshed by one process at a time (AUTH-2, AUTH-3)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from hub.models import Account, OAuthToken
from hub.sealing import context_of, opening, sealing
from psn.errors import NeedsReconnect, Unavailable, UnknownOutcome
from psn.oauth.spec import Token
from psn.platforms.base import Adapter
from psn.platforms.registry import get_platform

SHARE_LEFT = 0.1  # refresh when less than this share of the token's life is left
AT_LEAST = timedelta(seconds=90)  # …or less than a publish may take


def open_adapter(account: Account, *, now: datetime, grant: OAuthToken | None = None) -> Adapter:
    """Connect to the platform as this account, with a token that is good for the next minute.

    Args:
        grant: the account's, where it was just read.

    Raises:
        NeedsReconnect: the grant is gone; the account says so from now on.
        Unavailable: the token must be refreshed and the platform cannot be reached.
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
    )


def store_grant(account: Account, token: Token, *, client_id: str) -> None:
    """Seal and store a grant in the place of the account's former one."""
    with sealing() as keyring:
        row = OAuthToken.objects.select_for_update().filter(account_id=account.id).first()
        row = row or OAuthToken(user_id=account.user_id, account_id=account.id, version=0)
        row.access_token_sealed = keyring.seal(token.access_token, context=context_of(row, "access_token_sealed"))
        row.refresh_token_sealed = ""
        if token.refresh_token:
            row.refresh_token_sealed = keyring.seal(
                token.refresh_token, context=context_of(row, "refresh_token_sealed")
            )
        row.access_expires_at, row.obtained_at = token.access_expires_at, token.obtained_at
        row.scopes, row.client_id = list(token.scopes), client_id
        row.version += 1
        row.save()


def fresh_access_token(account: Account, *, now: datetime, grant: OAuthToken | None = None) -> str:
    """Give an access token, refreshed first when its life is nearly over.

    The row is locked while the platform answers, so that no two processes spend the same refresh token.

    Raises:
        NeedsReconnect: the grant is gone; the account says so from now on.
        Unavailable: not refreshed, or nobody knows.
    """
    row = grant or OAuthToken.objects.filter(account_id=account.id).first()
    if row is None:
        raise NeedsReconnect(
            f"There is no grant for {account}. Connect it again.", next_command=account.connect_command
        )
    if not _is_ageing(row, now=now):
        return opening().open(row.access_token_sealed, context=context_of(row, "access_token_sealed"))
    try:
        with transaction.atomic():
            return _refresh(account, now=now)
    except UnknownOutcome as error:  # whether the refresh token was spent shows at the next try (AUTH-3)
        raise Unavailable(error.message, code=error.error_code, http_status=error.http_status) from error
    except NeedsReconnect as error:
        lose_grant(account, reason=error.message)
        raise NeedsReconnect(
            f"{account} must be connected again: {error.message}",
            http_status=error.http_status,
            next_command=account.connect_command,
        ) from error


def read_grant(row: OAuthToken) -> Token:
    """Open a stored grant."""
    keyring = opening()
    return Token(
        access_token=keyring.open(row.access_token_sealed, context=context_of(row, "access_token_sealed")),
        refresh_token=keyring.open(row.refresh_token_sealed, context=context_of(row, "refresh_token_sealed"))
        if row.refresh_token_sealed
        else "",
        access_expires_at=row.access_expires_at,
        scopes=tuple(row.scopes),
        obtained_at=row.obtained_at,
    )


def lose_grant(account: Account, *, reason: str) -> None:
    """Mark an account whose grant is gone; only a person can bring it back."""
    Account.objects.filter(id=account.id, status=Account.Status.ACTIVE).update(
        status=Account.Status.NEEDS_RECONNECT, status_reason=reason
    )


def doubt_access_token(account: Account) -> bool:
    """Have the access token refreshed before it is used again, because the platform refused it; False when it cannot be."""
    active = Account.objects.filter(id=account.id, status=Account.Status.ACTIVE)
    good = Q(access_expires_at__isnull=True) | Q(access_expires_at__gt=Now())
    rows = OAuthToken.objects.filter(good, account_id__in=active.values("id")).exclude(refresh_token_sealed="")
    return bool(rows.update(access_expires_at=Now()))


def _refresh(account: Account, *, now: datetime) -> str:
    # Imported here because it brings the HTTP library and pydantic (over 100 ms), and most commands that know the engine talk to nobody.
    from psn.oauth.flow import refresh_token

    row = OAuthToken.objects.select_for_update().get(account_id=account.id)
    token = read_grant(row)
    if not _is_ageing(row, now=now):  # another process was faster
        return token.access_token
    platform = get_platform(account.platform)
    renewed = refresh_token(
        platform.oauth,
        api_base_url=account.base_url or platform.api_base_url,
        client_id=row.client_id,
        token=token,
        now=now,
    )
    store_grant(account, renewed, client_id=row.client_id)
    return renewed.access_token


def _is_ageing(row: OAuthToken, *, now: datetime) -> bool:
    if row.access_expires_at is None or not row.refresh_token_sealed:
        return False
    life = row.access_expires_at - row.obtained_at
    return row.access_expires_at - now < max(life * SHARE_LEFT, min(AT_LEAST, life / 2))
