"""Sessions: opened with an app password, renewed, ended. com.atproto.server.* and the reference server (2026-11).

Tokens are JWTs. A refresh token that was traded goes on for two hours and always gives the same successor: so that a lost answer is
no lost session. The successor is made of the old token itself and of when it was first traded, so it need not be kept.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from sandbox import access, accounts, clock, journal
from sandbox.models import Account, Grant
from sandbox.platforms.bluesky import problems
from sandbox.platforms.bluesky.endpoint import (
    PLATFORM,
    SIGN_INS,
    Body,
    answer,
    open_to_all,
    read_body,
    signed_in,
    spend,
)
from sandbox.platforms.bluesky.names import is_handle, make_did
from sandbox.tokens import hash_secret

APP_PASSWORD = "psn-sandbox-secret"  # of every account
MAIN_PASSWORD = "psn-sandbox-main-password"  # likewise: opens a session that may do everything
APP_SCOPE = "com.atproto.appPass"
FULL_SCOPE = "com.atproto.access"
REFRESH_SCOPE = "com.atproto.refresh"
ACCESS_LIFE = timedelta(minutes=120)
REFRESH_LIFE = timedelta(days=90)
GRACE = timedelta(hours=2)  # of a refresh token that was traded

_SCOPES = {APP_PASSWORD: APP_SCOPE, MAIN_PASSWORD: FULL_SCOPE}
_TRADED = "traded_at"


class SignInBody(Body):
    """Name and password."""

    identifier: str
    password: str


@dataclass(frozen=True, slots=True)
class _Pair:
    access: str
    refresh: str


@open_to_all(method="POST")
def create_session(request: HttpRequest) -> HttpResponse:
    """Open a session; an account is made the first time its handle is used."""
    body = read_body(request, SignInBody)
    scope = _SCOPES.get(body.password)
    account = _find_account(body.identifier.lower(), make=scope is not None)
    if account is None or scope is None:
        raise problems.refuse_sign_in("Invalid identifier or password")
    journal.note(request, handle=account.handle)
    return spend(account, SIGN_INS, lambda: answer(_open(request, account, scope=scope)))


@open_to_all(method="POST")
def refresh_session(request: HttpRequest) -> HttpResponse:
    """Trade a refresh token."""
    with transaction.atomic():
        old, now = _get_refresh(request), clock.now()
        journal.note(request, handle=old.account.handle)
        pair = _trade(request, old, token=access.read_token(request), now=now)
        return answer(_describe(old.account, pair))


@open_to_all(method="POST")
def delete_session(request: HttpRequest) -> HttpResponse:
    """End a session: its refresh token; access tokens end by themselves."""
    old = _get_refresh(request)
    Grant.objects.filter(id=old.pk).update(refresh_sha256=None)
    return HttpResponse(b"", content_type="application/json")


@signed_in(method="GET")
def get_session(_request: HttpRequest, account: Account) -> HttpResponse:
    """Say whose session it is."""
    return answer({"handle": account.handle, "did": account.platform_account_id, "active": True})


def _find_account(identifier: str, *, make: bool) -> Account | None:
    if identifier.startswith("did:"):
        return accounts.find_account(PLATFORM, account_id=identifier)
    if not is_handle(identifier):
        return None
    known = accounts.find_account(PLATFORM, handle=identifier)
    if known or not make:
        return known
    return accounts.get_account(PLATFORM, identifier, account_id=make_did(identifier))


def _open(request: HttpRequest, account: Account, *, scope: str) -> dict[str, Any]:
    now = clock.now()
    refresh = _write_refresh(request, account, jti=secrets.token_hex(24), key=secrets.token_bytes(32), now=now)
    pair = _Pair(_write_access(request, account, scope=scope, now=now), refresh)
    _keep(account, pair, scope=scope, now=now)
    return _describe(account, pair)


def _trade(request: HttpRequest, old: Grant, *, token: str, now: datetime) -> _Pair:
    first = datetime.fromisoformat(old.data[_TRADED]) if _TRADED in old.data else now
    successor = _write_refresh(
        request,
        old.account,
        jti=hmac.new(token.encode(), b"jti", hashlib.sha256).hexdigest()[:48],
        key=hmac.new(token.encode(), b"key", hashlib.sha256).digest(),
        now=first,
    )
    pair = _Pair(_write_access(request, old.account, scope=old.scope, now=now), successor)
    if _TRADED in old.data:
        if not Grant.objects.filter(refresh_sha256=hash_secret(successor)).exists():
            raise problems.refuse("Token has been revoked", "ExpiredToken")
        _keep(old.account, _Pair(pair.access, ""), scope=old.scope, now=now)
        return pair
    ends_at = min(old.refresh_expires_at or now + GRACE, now + GRACE)
    Grant.objects.filter(id=old.pk).update(
        refresh_expires_at=ends_at, data={**old.data, _TRADED: now.astimezone(UTC).isoformat()}
    )
    _keep(old.account, pair, scope=old.scope, now=now)
    return pair


def _get_refresh(request: HttpRequest) -> Grant:
    """Give the grant of the refresh token that a call is made with.

    Raises:
        Refusal: it is none that lives.
    """
    token = access.read_token(request)
    if not token:
        raise problems.refuse_sign_in("Authentication Required", "AuthMissing")
    grant = Grant.objects.select_related("account").filter(
        refresh_sha256=hash_secret(token), account__platform=PLATFORM
    ).first()  # fmt: skip
    if grant is None:
        if access.find_grant(token, platform=PLATFORM):
            raise problems.refuse("Bad token scope", "InvalidToken")
        if token.count(".") == 2:
            raise problems.refuse("Token has been revoked", "ExpiredToken")
        raise problems.refuse("Token could not be verified", "InvalidToken")
    if grant.refresh_expires_at is not None and grant.refresh_expires_at <= clock.now():
        raise problems.refuse("Token has expired", "ExpiredToken")
    return grant


def _keep(account: Account, pair: _Pair, *, scope: str, now: datetime) -> None:
    Grant.objects.create(
        account=account,
        client_id="",
        scope=scope,
        access_sha256=hash_secret(pair.access),
        access_expires_at=now + ACCESS_LIFE,
        refresh_sha256=hash_secret(pair.refresh) if pair.refresh else None,
        refresh_expires_at=now + REFRESH_LIFE if pair.refresh else None,
        issued_at=now,
    )


def _describe(account: Account, pair: _Pair) -> dict[str, Any]:
    return {
        "did": account.platform_account_id,
        "handle": account.handle,
        "accessJwt": pair.access,
        "refreshJwt": pair.refresh,
        "active": True,
    }


def _write_access(request: HttpRequest, account: Account, *, scope: str, now: datetime) -> str:
    claims = _claims(request, account, scope=scope, now=now, life=ACCESS_LIFE)
    return _write_jwt("at+jwt", claims, key=secrets.token_bytes(32))


def _write_refresh(request: HttpRequest, account: Account, *, jti: str, key: bytes, now: datetime) -> str:
    claims = _claims(request, account, scope=REFRESH_SCOPE, now=now, life=REFRESH_LIFE)
    return _write_jwt("refresh+jwt", {**claims, "jti": jti}, key=key)


def _claims(request: HttpRequest, account: Account, *, scope: str, now: datetime, life: timedelta) -> dict[str, Any]:
    made = int(now.timestamp())
    return {
        "scope": scope,
        "sub": account.platform_account_id,
        "aud": f"did:web:{quote(request.get_host(), safe='')}",
        "iat": made,
        "exp": made + int(life.total_seconds()),
    }


def _write_jwt(kind: str, claims: dict[str, Any], *, key: bytes) -> str:
    head = {"typ": kind, "alg": "HS256"}
    signed = ".".join(_base64(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    return f"{signed}.{_base64(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
