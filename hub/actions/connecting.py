"""Connecting and disconnecting accounts (SPEC AUTH)."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from hub.actions.accounts import find_account, token_of
from hub.actions.people import get_me
from hub.actions.sandbox import follow_sandbox
from hub.models import Account, AuditEntry, OAuthToken, Post, Status
from hub.publishing.grants import read_grant, store_grant
from psn.errors import Conflict, InvalidInput, PlatformError
from psn.http import check_base_url
from psn.oauth.flow import exchange_code, read_redirect, revoke_token, start_authorization
from psn.oauth.spec import Token
from psn.oauth.unattended import approve_unattended
from psn.platforms.base import Platform
from psn.platforms.registry import get_platform

SANDBOX_CLIENT_ID = "psn-sandbox"
SANDBOX_HANDLE = "sandbox"
HANDLE = re.compile(r"@?[A-Za-z0-9_]{1,15}", re.ASCII)  # help.x.com/en/managing-your-account/x-username-rules (2026-11)


def connect_sandbox(*, platform: str, sandbox_url: str, handle: str = SANDBOX_HANDLE, now: datetime) -> Account:
    """Connect an account at the sandbox through the platform's own OAuth; the consent is given in the person's place.

    Args:
        sandbox_url: where the sandbox runs, `http://127.0.0.1:8766`.

    Raises:
        InvalidInput: no platform gives such a handle.
        Unavailable: the sandbox does not answer.
    """
    if not HANDLE.fullmatch(handle):
        raise InvalidInput(
            f"{handle!r} is no handle: it has 1 to 15 letters, digits or underscores.", code="account.handle"
        )
    found = get_platform(platform)
    base_url = f"{sandbox_url.rstrip('/')}/{found.name}"
    authorization = start_authorization(found.oauth, web_base_url=base_url, client_id=SANDBOX_CLIENT_ID)
    redirected = approve_unattended(authorization, handle=handle)
    code = read_redirect(redirected, state=authorization.state)
    token = exchange_code(
        found.oauth,
        api_base_url=base_url,
        client_id=SANDBOX_CLIENT_ID,
        code=code,
        code_verifier=authorization.code_verifier,
        now=now,
    )
    follow_sandbox(sandbox_url)  # a profile that is known from another port is known here too, and connected anew
    return _connect(found, base_url=base_url, token=token, client_id=SANDBOX_CLIENT_ID, is_sandbox=True)


def connect_with_token(*, platform: str, base_url: str, token: Token, client_id: str, dry_run: bool = False) -> Account:
    """Connect an account with a token the person made in the platform's portal.

    Args:
        base_url: empty for the platform itself.
        dry_run: ask the platform whose token it is, and store nothing.

    Raises:
        NeedsReconnect: the platform does not accept the token.
        InvalidInput: the base URL is no safe address.
    """
    found = get_platform(platform)
    checked = check_base_url(base_url) if base_url else ""
    return _connect(found, base_url=checked, token=token, client_id=client_id, is_sandbox=False, dry_run=dry_run)


def disconnect_account(account: str, *, now: datetime, dry_run: bool = False) -> tuple[Account, bool]:
    """Forget an account's grant and give it back to the platform.

    Returns:
        the account, and whether the platform confirmed that the grant is gone.

    Raises:
        Conflict: posts are going out, or are scheduled for it: they would silently not go out.
    """
    found = find_account(account)
    if found.status == Account.Status.DISCONNECTED:
        return found, True
    _refuse_while_posts_wait(found)
    if dry_run:
        return found, False
    revoked = _give_back(found, now=now)
    with transaction.atomic():
        OAuthToken.objects.filter(account_id=found.id).delete()
        Account.objects.filter(id=found.id).update(
            status=Account.Status.DISCONNECTED, status_reason="disconnected by you"
        )
        _audit(found, action="account.disconnected", before=found.status, after=Account.Status.DISCONNECTED)
    found.refresh_from_db()
    return found, revoked


def _refuse_while_posts_wait(account: Account) -> None:
    going = Post.objects.filter(account=account, status=Status.PUBLISHING).first()
    if going is not None:
        raise Conflict(
            f"Post {going.id} of {account} is being published just now. Wait for its end.",
            code="account.has_posts",
            next_command=f"psn_post why {going.id}",
        )
    waiting = Post.objects.filter(account=account, status=Status.SCHEDULED).count()
    if waiting:
        raise Conflict(
            f"{waiting} scheduled post{'s' if waiting != 1 else ''} of {account} would not go out. Cancel them first.",
            code="account.has_posts",
            next_command=f"psn_post list --status scheduled --account {account.id}",
        )


def _connect(
    platform: Platform, *, base_url: str, token: Token, client_id: str, is_sandbox: bool, dry_run: bool = False
) -> Account:
    """Ask whom the token belongs to, then store account and grant together. A known profile is connected anew."""
    adapter = platform.connect(base_url or platform.api_base_url, token.access_token)
    try:
        profile = adapter.fetch_profile()
    finally:
        adapter.close()
    me = get_me()
    if dry_run:
        return Account(
            user=me,
            platform=platform.name,
            base_url=base_url,
            platform_account_id=profile.platform_account_id,
            handle=profile.handle,
            name=profile.name,
            is_sandbox=is_sandbox,
        )
    with transaction.atomic():
        account, created = Account.objects.update_or_create(
            user=me,
            platform=platform.name,
            base_url=base_url,
            platform_account_id=profile.platform_account_id,
            defaults={
                "handle": profile.handle,
                "name": profile.name,
                "is_sandbox": is_sandbox,
                "status": Account.Status.ACTIVE,
                "status_reason": "",
                "connected_at": Now(),
            },
        )
        store_grant(account, token, client_id=client_id)
        _audit(account, action="account.connected", before="" if created else "known", after=Account.Status.ACTIVE)
    account.refresh_from_db()
    return account


def _give_back(account: Account, *, now: datetime) -> bool:
    """Tell the platform that the grant is no longer wanted; the account is forgotten here either way."""
    row = token_of(account)
    if row is None:
        return False
    platform = get_platform(account.platform)
    try:
        revoke_token(
            platform.oauth,
            api_base_url=account.base_url or platform.api_base_url,
            client_id=row.client_id,
            token=read_grant(row),
            now=now,
        )
    except PlatformError:
        return False
    return True


def _audit(account: Account, *, action: str, before: str, after: str) -> None:
    AuditEntry.objects.record(account, action=action, actor="person", from_state=before, to_state=after)
