"""Connecting an account through the person's browser (AUTH-1): begun here, ended by whoever brings the answer."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime

from hub.actions import pending as waiting
from hub.actions.apps import find_app, oauth_of
from hub.actions.connecting import Where, connect, scopes_of
from hub.actions.pending import LIFE, Pending
from hub.models import Account
from psn.config.hub import HubConfig
from psn.config.workspace import Workspace
from psn.errors import InvalidInput, NeedsReconnect, NotAllowed
from psn.oauth.apps import AppKeys
from psn.oauth.flow import Authorization, exchange_code, pick_web_base, read_pasted, start_authorization
from psn.oauth.spec import OAuthSpec
from psn.oauth.transports import Transport, pick_redirect_uri
from psn.platforms.registry import get_platform


def check_by_browser(where: Where) -> OAuthSpec:
    """Refuse a platform where nobody signs in through a browser.

    Raises:
        InvalidInput: people sign in with an app password there.
    """
    spec = where.platform.sign_in
    if isinstance(spec, OAuthSpec):
        return spec
    raise InvalidInput(
        f"At {where.platform.title} an account is connected with an app password, made at {spec.portal_url}: "
        "add --handle ana.example.com --password-stdin and pass it on stdin.",
        code="connect.needs_password",
        ask=f"Make an app password at {spec.portal_url} and pass it on stdin.",
    )


def begin(
    hub: HubConfig, where: Where, *, workspace: Workspace, transport: Transport, client_id: str = "", client_secret: str = "",
    now: datetime,
) -> Pending:  # fmt: skip
    """Make the link at which the person says yes, and keep what its answer will need.

    Raises:
        InvalidInput: nobody signs in through a browser there, or there is no such instance.
        NotReady: the person's app is not known (`connect.no_app`).
    """
    spec = check_by_browser(where)
    app = find_app(
        where.platform,
        workspace=workspace,
        base_url=where.base_url,
        client_id=client_id,
        client_secret=client_secret,
        now=now,
    )
    started = start_authorization(
        spec,
        web_base_url=pick_web_base(spec, own=where.base_url, platform=where.platform.web_base_url),
        client_id=app.client_id,
        scopes=scopes_of(where),
        redirect_uri=pick_redirect_uri(spec, transport),
    )
    found = _describe(where, app, started, now=now)
    waiting.keep(hub, found)
    return found


def end(hub: HubConfig, found: Pending, answer: str, *, now: datetime) -> Account:
    """Take the answer: the address where the browser ended up, or the code that the platform showed.

    What is no answer at all leaves the authorization waiting; an answer uses it up.

    Raises:
        InvalidInput: there is no code in it.
        NotAllowed: the person said no, or this answers another authorization.
        NotFound: somebody was faster, or the ten minutes are over.
        NeedsReconnect: the platform did not take the code.
        UnknownOutcome: its answer was lost, and the code with it.
    """
    where = _where(found)
    spec = oauth_of(where.platform)
    started = Authorization(found.url, found.state, found.code_verifier, found.redirect_uri)
    try:
        code = read_pasted(answer, authorization=started, out_of_band_uri=spec.out_of_band_uri)
    except NotAllowed as refusal:
        if refusal.error_code != "oauth.state_mismatch":
            waiting.drop(hub, found)
        refusal.next_command = begin_command(found)
        raise
    waiting.take(hub, found)
    try:
        token = exchange_code(
            spec,
            api_base_url=where.base_url or where.platform.api_base_url,
            token_base_url="" if where.base_url else spec.token_base_url,
            client_id=found.client_id,
            client_secret=found.client_secret,
            code=code,
            code_verifier=found.code_verifier,
            redirect_uri=found.redirect_uri,
            scopes=found.scopes,
            now=now,
        )
    except NeedsReconnect as refusal:
        refusal.error_code, refusal.next_command = "oauth.code_refused", begin_command(found)
        raise
    return connect(where, token=token, app=AppKeys(found.client_id, found.client_secret))


def begin_command(found: Pending) -> str:
    """Name the command that begins this again."""
    if found.account_id:
        return f"psn_account reconnect {found.account_id}"
    base_url = f" --base-url {found.base_url}" if found.base_url else ""
    organization = f" --organization {found.organization}" if found.organization else ""
    return f"psn_account connect {found.platform}{base_url}{organization}"


def _describe(where: Where, app: AppKeys, started: Authorization, *, now: datetime) -> Pending:
    return Pending(
        code=waiting.new_code(),
        platform=where.platform.name,
        base_url=where.base_url,
        client_id=app.client_id,
        client_secret=app.client_secret,
        organization=where.organization,
        account_id=str(where.former.id) if where.former else "",
        scopes=scopes_of(where),
        url=started.url,
        redirect_uri=started.redirect_uri,
        expires_at=(now + LIFE).isoformat(),
        state=started.state,
        code_verifier=started.code_verifier,
    )


def _where(found: Pending) -> Where:
    former = Account.objects.get(id=uuid.UUID(found.account_id)) if found.account_id else None
    where = Where(get_platform(found.platform), found.base_url, found.organization, former)
    return replace(where, is_sandbox=former.is_sandbox) if former else where
