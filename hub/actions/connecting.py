"""Connecting and disconnecting accounts (SPEC AUTH). What needs a browser is in `authorizing`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from hub.actions.accounts import check_connected, find_account, token_of
from hub.actions.apps import oauth_of, sandbox_app
from hub.actions.config.configuration import default_grace
from hub.actions.people import actor, get_owner
from hub.actions.sandbox import follow_sandbox
from hub.models import Account, AuditEntry, Notice, OAuthToken, Post, Status
from hub.publishing import renewing
from hub.publishing.ageing import EXPIRES_SOON
from hub.publishing.grants import open_adapter, read_grant, store_grant
from hub.publishing.keeping import get_row, life_of, open_column
from psn.errors import Conflict, InvalidInput, NeedsReconnect, PlatformError, Unavailable, UnknownOutcome
from psn.http import check_base_url
from psn.oauth.apps import AppKeys
from psn.oauth.flow import exchange_code, read_redirect, revoke_token, start_authorization
from psn.oauth.renewal import can_renew
from psn.oauth.spec import OAuthSpec, PasswordSpec, Token
from psn.oauth.unattended import approve_unattended
from psn.platforms.base import Platform, Profile
from psn.platforms.registry import get_platform

SANDBOX_HANDLE = "sandbox"
SANDBOX_PASSWORD = "psn-sandbox-secret"
ORGANIZATION = re.compile(r"urn:[a-z]{2,10}:organization:[0-9]{1,20}")
NO_APP = AppKeys("")


@dataclass(frozen=True, slots=True)
class Where:
    """Which profile, and where it is.

    Args:
        base_url: its own; empty for the platform itself.
        organization: the page that the person acts for; empty for the person.
        former: the account that is connected again; None for whatever profile says yes.
    """

    platform: Platform
    base_url: str = ""
    organization: str = ""
    former: Account | None = None
    is_sandbox: bool = False


def connect_sandbox(
    *,
    platform: str,
    sandbox_url: str,
    handle: str = SANDBOX_HANDLE,
    organization: str = "",
    former: Account | None = None,
    now: datetime,
) -> Account:
    """Connect an account at the sandbox through the platform's own way to sign in; the consent is given in the person's place.

    Args:
        sandbox_url: where the sandbox runs, `http://127.0.0.1:8766`.

    Raises:
        InvalidInput: no platform gives such a handle.
        Unavailable: the sandbox does not answer.
    """
    found = get_platform(platform)
    handle = _fitting_handle(found, handle)
    where = Where(found, f"{sandbox_url.rstrip('/')}/{found.name}", organization, former, is_sandbox=True)
    check_organization(where)
    if isinstance(found.sign_in, PasswordSpec):
        app = NO_APP
        token = found.sign_in.open_session(where.base_url, identifier=handle, password=SANDBOX_PASSWORD, now=now)
    else:
        app = sandbox_app(found, base_url=where.base_url, now=now)
        token = _consent_unattended(where, app, handle=handle, now=now)
    follow_sandbox(sandbox_url)  # a profile that is known from another port is known here too, and connected anew
    return connect(where, token=token, app=app)


def connect_with_token(
    *, platform: str, base_url: str, token: Token, app: AppKeys = NO_APP, organization: str = "",
    former: Account | None = None, dry_run: bool = False,
) -> Account:  # fmt: skip
    """Connect an account with a token the person made in the platform's portal.

    Args:
        base_url: empty for the platform itself.
        app: that the token was made for, so that it can be renewed.
        dry_run: ask the platform whose token it is, and store nothing.

    Raises:
        NeedsReconnect: the platform does not accept the token.
        InvalidInput: the base URL is no safe address.
    """
    where = locate(platform, base_url=base_url, organization=organization, former=former)
    return connect(where, token=token, app=app, dry_run=dry_run)


def connect_with_password(
    *, platform: str, base_url: str, identifier: str, password: str, former: Account | None = None, now: datetime,
    dry_run: bool = False,
) -> Account:  # fmt: skip
    """Connect an account with its name and a password that the person made for apps.

    Args:
        identifier: handle, with or without @.
        dry_run: sign in, look, sign out, and store nothing.

    Raises:
        InvalidInput: the platform knows no app passwords, or there is no handle.
        NeedsReconnect: wrong name or password.
    """
    where = locate(platform, base_url=base_url, former=former)
    spec = where.platform.sign_in
    if not isinstance(spec, PasswordSpec):
        raise InvalidInput(
            f"{where.platform.title} knows no app passwords.",
            code="connect.no_password",
            next_command=f"psn_account connect {platform}",
        )
    identifier = identifier.strip().removeprefix("@")
    if not identifier:
        raise InvalidInput("Say whose password it is: --handle ana.example.com", code="account.handle")
    base = where.base_url or where.platform.api_base_url
    try:
        token = spec.open_session(base, identifier=identifier, password=password.strip(), now=now)
    except NeedsReconnect as refusal:
        raise NeedsReconnect(
            f"{where.platform.title} does not accept this handle and app password. Make a new one at {spec.portal_url} "
            "(the account's own password is not what is wanted here), and connect again.",
            code="account.password",
            http_status=refusal.http_status,
            request_id=refusal.request_id,
            ask=f"Make a new app password at {spec.portal_url} and pass it on stdin.",
        ) from None
    account = connect(where, token=token, app=NO_APP, dry_run=dry_run)
    if dry_run:
        _forgive(lambda: spec.close_session(base, token=token, now=now))
    return account


def locate(platform: str, *, base_url: str, organization: str = "", former: Account | None = None) -> Where:
    """Check where an account is to be connected.

    Args:
        base_url: as a person writes it; the scheme may be missing.

    Raises:
        InvalidInput: no such platform, no safe address, or none where there must be one.
    """
    found = get_platform(platform)
    base_url = base_url.strip()
    if base_url and "://" not in base_url:
        base_url = f"https://{base_url}"
    if not base_url and not found.api_base_url:
        raise InvalidInput(
            f"{found.title} is many servers. Say which one the account is on: --base-url https://example.social",
            code="account.base_url",
        )
    where = Where(found, check_base_url(base_url) if base_url else "", organization, former)
    check_organization(where)
    return where


def check_organization(where: Where) -> None:
    """Refuse an organization where there is no such thing (AUTH-4: its scopes are asked for only when it is chosen).

    Raises:
        InvalidInput: the platform has none, or this is no name of one.
    """
    if not where.organization:
        return
    spec = where.platform.sign_in
    if not (isinstance(spec, OAuthSpec) and spec.organization_scopes):
        raise InvalidInput(f"{where.platform.title} knows no organizations here.", code="account.organization")
    if not ORGANIZATION.fullmatch(where.organization):
        raise InvalidInput(
            "An organization is written like urn:li:organization:1234; the number stands in the address of its page's admin view.",
            code="account.organization",
        )


def connect(where: Where, *, token: Token, app: AppKeys, dry_run: bool = False) -> Account:
    """Ask whom the token belongs to and what that account may do, then store account and grant together.

    A known profile is connected anew. Notices that asked for it are seen to by it.

    Raises:
        NeedsReconnect: the platform does not accept the token.
        Conflict: another profile than the one that was to be connected again.
    """
    profile, capabilities = _introduce(where, token)
    _check_same(where, profile)
    key: dict[str, Any] = {
        "user": get_owner(),
        "platform": where.platform.name,
        "base_url": where.base_url,
        "platform_account_id": profile.platform_account_id,
    }
    shown: dict[str, Any] = {
        "handle": profile.handle,
        "name": profile.name,
        "profile_url": profile.url,
        "is_sandbox": where.is_sandbox,
    }
    if dry_run:
        return Account(**key, **shown)
    anew = {"status": Account.Status.ACTIVE, "status_reason": "", "connected_at": Now()}
    learned = {} if capabilities is None else {"capabilities": capabilities}
    with transaction.atomic():
        values = {**shown, **anew, **learned}
        account, created = Account.objects.update_or_create(
            **key, defaults=values, create_defaults=values | {"grace": default_grace()}
        )
        store_grant(account, token, client_id=app.client_id, client_secret=app.client_secret)
        asked = Notice.objects.filter(account_id=account.id, code__in=[NeedsReconnect.code, EXPIRES_SOON])
        asked.filter(seen_at__isnull=True).update(seen_at=Now())
        _audit(account, action="account.connected", before="" if created else "known", after=Account.Status.ACTIVE)
    account.refresh_from_db()
    return account


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of a grant that was to be renewed.

    Args:
        reason: why it was not, in words; empty when it was.
    """

    account: Account
    renewed: bool
    reason: str = ""


def refresh_account(account: str, *, now: datetime, dry_run: bool = False) -> Refreshed:
    """Renew an account's grant now, and ask again what the account may do.

    Raises:
        NeedsReconnect: the account is not connected, or the platform refuses.
        Unavailable: the platform does not answer; nothing is lost.
    """
    found = find_account(account)
    check_connected(found)
    row = get_row(found)
    reason = _why_not_renewed(found, row, now=now)
    if dry_run:
        return Refreshed(found, renewed=False, reason=reason)
    if not reason:
        row = _renew(found, row, now=now)
    adapter = open_adapter(found, grant=row, now=now)
    try:
        capabilities = adapter.fetch_capabilities()
    finally:
        adapter.close()
    Account.objects.filter(id=found.id).update(capabilities=capabilities)
    found.refresh_from_db()
    return Refreshed(found, renewed=not reason, reason=reason)


def _renew(account: Account, row: OAuthToken, *, now: datetime) -> OAuthToken:
    try:
        return renewing.renew(account, row, now=now)
    except UnknownOutcome as lost:  # here a repeat is what shows how it stands (AUTH-3)
        raise Unavailable(
            f"{lost.message} Try again.",
            code=lost.error_code,
            http_status=lost.http_status,
            next_command=f"psn_account refresh {account.id}",
        ) from lost


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


def _consent_unattended(where: Where, app: AppKeys, *, handle: str, now: datetime) -> Token:
    spec = oauth_of(where.platform)
    scopes = scopes_of(where)
    authorization = start_authorization(spec, web_base_url=where.base_url, client_id=app.client_id, scopes=scopes)
    redirected = approve_unattended(authorization, handle=handle)
    return exchange_code(
        spec,
        api_base_url=where.base_url,
        client_id=app.client_id,
        client_secret=app.client_secret,
        code=read_redirect(redirected, state=authorization.state),
        code_verifier=authorization.code_verifier,
        redirect_uri=authorization.redirect_uri,
        scopes=scopes,
        now=now,
    )


def scopes_of(where: Where) -> tuple[str, ...]:
    """Name the scopes to ask for: the least, and an organization's only where one is to be connected (AUTH-4)."""
    spec = oauth_of(where.platform)
    return spec.scopes + (spec.organization_scopes if where.organization else ())


def _fitting_handle(platform: Platform, handle: str) -> str:
    """Check a handle for the sandbox; where handles are names of hosts, a plain word may stand for one of them.

    Raises:
        InvalidInput: no handle of this platform looks like this.
    """
    plain = handle.removeprefix("@")
    if any(re.fullmatch(platform.handle_pattern, one, re.ASCII) for one in (plain, f"{plain}.test")):
        return plain
    raise InvalidInput(f"{handle!r} is no handle at {platform.title}.", code="account.handle")


def _introduce(where: Where, token: Token) -> tuple[Profile, dict[str, Any] | None]:
    """Ask whose token it is, and what that account may do; None when only the latter got no answer."""
    base_url = where.base_url or where.platform.api_base_url
    own = settings.PLATFORM_SETTINGS.get(where.platform.name, {})
    adapter = where.platform.connect(base_url, token.access_token, None, where.organization or None, own)
    try:
        profile = adapter.fetch_profile()
        try:
            return profile, adapter.fetch_capabilities()
        except PlatformError:  # it is asked again with the next refresh; the defaults hold until then
            return profile, None
    finally:
        adapter.close()


def _check_same(where: Where, profile: Profile) -> None:
    if where.former is None or where.former.platform_account_id == profile.platform_account_id:
        return
    raise Conflict(
        f"You signed in as @{profile.handle}, but {where.former} was to be connected again. "
        f"Sign out of {where.platform.title} in the browser first, or connect @{profile.handle} as an account of its own.",
        code="account.other_profile",
        next_command=where.former.connect_command,
    )


def _why_not_renewed(account: Account, row: OAuthToken, *, now: datetime) -> str:
    sign_in, life = get_platform(account.platform).sign_in, life_of(row)
    if can_renew(sign_in, life, now=now):
        return ""
    if isinstance(sign_in, OAuthSpec) and sign_in.renewal == "access_token":
        is_over = life.access_expires_at is not None and now >= life.access_expires_at
        return (
            "the token is over: connect the account again"
            if is_over
            else "the platform renews no token that is younger than a day"
        )
    if life.access_expires_at is None:
        return "the token does not end by itself"
    return "the platform gave nothing to renew it with: connect the account again before it ends"


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


def _give_back(account: Account, *, now: datetime) -> bool:
    """Tell the platform that the grant is no longer wanted; the account is forgotten here either way."""
    row = token_of(account)
    if row is None:
        return False
    platform, token = get_platform(account.platform), read_grant(row)
    spec, base_url = platform.sign_in, account.base_url or platform.api_base_url
    if isinstance(spec, PasswordSpec):
        return _forgive(lambda: spec.close_session(base_url, token=token, now=now))
    return _forgive(
        lambda: revoke_token(
            spec,
            api_base_url=base_url,
            token_base_url="" if account.base_url else spec.token_base_url,
            client_id=row.client_id,
            client_secret=open_column(row, "client_secret_sealed"),
            token=token,
            now=now,
        )
    )


def _forgive(call: Callable[[], None]) -> bool:
    """Make a call whose failure changes nothing here; say whether it was heard."""
    try:
        call()
    except (PlatformError, InvalidInput):
        return False
    return True


def _audit(account: Account, *, action: str, before: str, after: str) -> None:
    AuditEntry.objects.record(account, action=action, actor=actor(), from_state=before, to_state=after)
