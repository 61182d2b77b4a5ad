"""Who calls: bearer tokens, the grants behind them, and their renewal."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest

from sandbox import clock, journal
from sandbox.models import Account, Grant
from sandbox.platforms.x import problems

ACCESS_LIFE = timedelta(seconds=7200)  # docs.x.com OAuth 2.0: two hours (2026-11)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A fresh pair, on its way to the app; only hashes stay here. `refresh` is empty without `offline.access`."""

    access: str
    refresh: str
    scope: str


def hash_secret(secret: str) -> str:
    """Give the SHA-256 under which a token or code is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def get_account(request: HttpRequest, *, scopes: tuple[str, ...]) -> Account:
    """Say who calls.

    Raises:
        Refusal: 401 without a living token, 403 when the grant lacks a scope.
    """
    grant = _find_grant(request)
    if grant is None or grant.access_expires_at <= clock.now():
        raise problems.unauthorized()
    journal.note(request, handle=grant.account.handle)
    absent = [scope for scope in scopes if scope not in grant.scope.split()]
    if absent:
        raise problems.forbidden(
            f"Your grant lacks the scope {absent[0]}. You are not permitted to perform this action."
        )
    return grant.account


def expire_token(request: HttpRequest) -> None:
    """End the call's access token now, as if its two hours were over."""
    grant = _find_grant(request)
    if grant:
        Grant.objects.filter(id=grant.pk).update(access_expires_at=clock.now())


def issue_tokens(account: Account, *, client_id: str, scope: str, now: datetime) -> Tokens:
    """Make a new grant; an account may have several for one app."""
    tokens = _make_tokens(scope)
    Grant.objects.create(account=account, client_id=client_id, scope=scope, **_columns(tokens, now=now))
    return tokens


def rotate_tokens(refresh_token: str, *, client_id: str, now: datetime) -> Tokens | None:
    """Trade a refresh token for a new pair; None when it was traded before, by whoever was faster."""
    spent = Grant.objects.filter(refresh_sha256=hash_secret(refresh_token), client_id=client_id)
    grant = spent.first()
    if grant is None:
        return None
    tokens = _make_tokens(grant.scope)
    return tokens if spent.update(**_columns(tokens, now=now)) else None


def revoke_token(token: str, *, client_id: str) -> None:
    """End the grant that an access or refresh token belongs to; an unknown token is no error (RFC 7009)."""
    hashed = hash_secret(token)
    grants = Grant.objects.filter(client_id=client_id)
    (grants.filter(access_sha256=hashed) | grants.filter(refresh_sha256=hashed)).delete()


def _find_grant(request: HttpRequest) -> Grant | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    return Grant.objects.select_related("account").filter(access_sha256=hash_secret(token.strip())).first()


def _make_tokens(scope: str) -> Tokens:
    refresh = secrets.token_urlsafe(48) if "offline.access" in scope.split() else ""
    return Tokens(access=secrets.token_urlsafe(48), refresh=refresh, scope=scope)


def _columns(tokens: Tokens, *, now: datetime) -> dict[str, str | datetime | None]:
    return {
        "access_sha256": hash_secret(tokens.access),
        "access_expires_at": now + ACCESS_LIFE,
        "refresh_sha256": hash_secret(tokens.refresh) if tokens.refresh else None,
    }
