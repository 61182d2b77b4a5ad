"""Pairs of tokens: made, replaced, revoked. Only their hashes stay here."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from sandbox.models import Account, Grant

NO_REFRESH = timedelta(0)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A fresh pair, on its way to the app. `refresh` is empty where there is none."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    scope: str
    grant: Grant


def hash_secret(secret: str) -> str:
    """Give the SHA-256 under which a token or code is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def issue_tokens(
    account: Account,
    *,
    client_id: str,
    scope: str,
    now: datetime,
    life: timedelta | None,
    refresh_life: timedelta | None = None,
    data: Mapping[str, Any] | None = None,
) -> Tokens:
    """Make a new grant; an account may have several for one app.

    Args:
        scope: blanks between.
        life: of the access token; None for one that never ends.
        refresh_life: None for a refresh token whose end nobody tells, `NO_REFRESH` for none at all.
    """
    access, refresh = _make_secret(), _make_secret() if refresh_life != NO_REFRESH else ""
    grant = Grant.objects.create(
        account=account,
        client_id=client_id,
        scope=scope,
        data=dict(data or {}),
        **_columns(access, refresh, now=now, life=life, refresh_life=refresh_life),
    )
    return Tokens(access=access, refresh=refresh, scope=scope, grant=grant)


def find_refresh(refresh: str, *, platform: str, client_id: str, now: datetime) -> Grant | None:
    """Give the grant of a refresh token that may still be used."""
    if not refresh:
        return None
    grants = Grant.objects.filter(
        refresh_sha256=hash_secret(refresh), client_id=client_id, account__platform=platform
    ).select_related("account")
    return grants.filter(Q(refresh_expires_at=None) | Q(refresh_expires_at__gt=now)).first()


def rotate_tokens(
    refresh: str,
    *,
    platform: str,
    client_id: str,
    now: datetime,
    life: timedelta | None,
    refresh_life: timedelta | None = None,
    keep_refresh: bool = False,
) -> Tokens | None:
    """Trade a refresh token for a new pair, in one step; None when it was traded before, by whoever was faster.

    Args:
        refresh_life: of the new refresh token, from now on.
        keep_refresh: only the access token is replaced; the refresh token goes on, and ends when it would have.
    """
    grant = find_refresh(refresh, platform=platform, client_id=client_id, now=now)
    if grant is None:
        return None
    access, successor = _make_secret(), refresh if keep_refresh else _make_secret()
    columns = _columns(access, successor, now=now, life=life, refresh_life=refresh_life)
    if keep_refresh:
        columns["refresh_expires_at"] = grant.refresh_expires_at
    same = Grant.objects.filter(id=grant.pk, refresh_sha256=grant.refresh_sha256, access_sha256=grant.access_sha256)
    if not same.update(**columns):
        return None
    grant.refresh_from_db()
    return Tokens(access=access, refresh=successor, scope=grant.scope, grant=grant)


def revoke_token(token: str, *, platform: str, client_id: str = "") -> bool:
    """End the grant that an access or refresh token belongs to, and say whether there was one."""
    hashed = hash_secret(token)
    grants = Grant.objects.filter(Q(access_sha256=hashed) | Q(refresh_sha256=hashed), account__platform=platform)
    deleted, _ = (grants.filter(client_id=client_id) if client_id else grants).delete()
    return bool(deleted)


def _make_secret() -> str:
    return secrets.token_urlsafe(48)


def _columns(
    access: str, refresh: str, *, now: datetime, life: timedelta | None, refresh_life: timedelta | None
) -> dict[str, str | datetime | None]:
    return {
        "access_sha256": hash_secret(access),
        "access_expires_at": now + life if life is not None else None,
        "refresh_sha256": hash_secret(refresh) if refresh else None,
        "refresh_expires_at": now + refresh_life if refresh and refresh_life else None,
        "issued_at": now,
    }
