"""`psn_account`: connected profiles."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from hub.actions import accounts, authorizing, connecting, live, pending, sandbox
from hub.actions.apps import known_app
from hub.actions.connecting import Where
from hub.management import browser
from hub.management.base import AsWorker, PsnCommand
from hub.management.shapes import account_shape
from hub.management.stdin import read_secret
from hub.models import Account, OAuthToken
from hub.publishing.keeping import life_of
from hub.publishing.quota import daily_limit
from psn.errors import InvalidInput, NotReady, Usage
from psn.oauth.apps import AppKeys
from psn.oauth.documents import read_token_document
from psn.oauth.renewal import ends_at
from psn.oauth.scopes import explain_scopes
from psn.oauth.spec import OAuthSpec, PasswordSpec
from psn.platforms.registry import get_platform, platform_names

ACCOUNT = "@handle, x:@handle or id"
TOKEN_DOCUMENT = '{"access_token": "…", "refresh_token": "…", "expires_in": 7200}'


@dataclass(frozen=True, slots=True)
class Way:
    """How the person wants to sign in; the browser, where nothing is said."""

    sandbox: bool = False
    token_stdin: bool = False
    password_stdin: bool = False
    redirect_stdin: bool = False
    listen: bool = False
    no_wait: bool = False
    resume: str = ""
    client_id: str = ""
    client_secret_stdin: bool = False
    dry_run: bool = False

    def check(self) -> None:
        """Refuse what does not go together."""
        if sum([self.token_stdin, self.password_stdin, self.redirect_stdin, self.client_secret_stdin]) > 1:
            raise Usage("There is one stdin: only one of the --…-stdin options can be used at a time.")
        if self.resume and (self.dry_run or self.no_wait or self.token_stdin or self.password_stdin or self.sandbox):
            raise Usage("--resume goes with --redirect-stdin or --listen, and with nothing else.")
        if self.listen and (self.redirect_stdin or self.no_wait):
            raise Usage("--listen waits for the browser itself: leave --redirect-stdin and --no-wait out.")
        if self.client_secret_stdin and not self.client_id:
            raise Usage("--client-secret-stdin goes with --client-id.")


class Command(PsnCommand):
    help = "Your connected accounts."

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        self.add_verb(verbs, "list", self.list, help="list your accounts")
        self._add_one(
            verbs, "show", self.show, help="show one account, how its grant does, and what it may do", as_worker="here"
        )
        self._add_connect(self.add_verb(verbs, "connect", self.connect, help="connect an account", as_worker="always"))
        reconnect = self._add_one(
            verbs, "reconnect", self.reconnect, help="connect the very same profile again", as_worker="always"
        )
        self._add_ways(reconnect)
        for name, verb, meaning in (
            ("refresh", self.refresh, "renew an account's token now, and ask what the account may do"),
            ("disconnect", self.disconnect, "forget an account's grant and give it back"),
        ):
            self._add_dry_run(self._add_one(verbs, name, verb, help=meaning, as_worker="always"))
        self._add_one(verbs, "metrics", self.metrics, help="ask the platform how an account does", as_worker="always")
        cap = self._add_one(
            verbs, "cap", self.cap, help="limit how many posts an account publishes in 24 hours", as_worker="always"
        )
        cap.add_argument("posts", help="a number, or `none` to leave it to the platform")
        self._add_dry_run(cap)

    def _add_one(
        self, verbs: Any, name: str, verb: Any, *, help: str, as_worker: AsWorker = "never"
    ) -> argparse.ArgumentParser:
        parser = self.add_verb(verbs, name, verb, help=help, as_worker=as_worker)
        parser.add_argument("account", help=ACCOUNT)
        return parser

    def _add_connect(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("platform", help=f"one of: {', '.join(platform_names())}")
        parser.add_argument("--handle", default="", help="of the sandbox account, or whose app password it is")
        parser.add_argument(
            "--base-url", default="", help="of the instance or a compatible server; the platform itself when left out"
        )
        parser.add_argument("--organization", default="", help="connect a page you manage: urn:li:organization:1234")
        self._add_ways(parser)

    def _add_ways(self, parser: argparse.ArgumentParser) -> None:
        way = parser.add_mutually_exclusive_group()
        way.add_argument(
            "--sandbox", action="store_true", help="an account at the sandbox; nothing leaves this computer"
        )
        way.add_argument("--token-stdin", action="store_true", help=f"a token document on stdin: {TOKEN_DOCUMENT}")
        way.add_argument("--password-stdin", action="store_true", help="an app password on stdin")
        way.add_argument(
            "--redirect-stdin", action="store_true", help="the address where the browser ended up, on stdin"
        )
        way.add_argument(
            "--listen", action="store_true", help="wait for the browser on this computer, whatever it looks like"
        )
        parser.add_argument("--no-wait", action="store_true", help="only make the link; go on later with --resume")
        parser.add_argument("--resume", default="", metavar="CODE", help="go on with a link made before")
        parser.add_argument(
            "--client-id", default="", help="of your app at the platform, if not the one in config/keys.env"
        )
        parser.add_argument("--client-secret-stdin", action="store_true", help="that app's secret on stdin")
        self._add_dry_run(parser)

    def _add_dry_run(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="check, change nothing")

    def list(self) -> dict[str, Any]:
        """List accounts."""
        return {"accounts": [account_shape(account) for account in accounts.list_accounts()]}

    def show(self, account: str) -> dict[str, Any]:
        """Show one account."""
        found = accounts.find_account(account)
        token = accounts.token_of(found)
        platform = get_platform(found.platform)
        return {
            "account": account_shape(found),
            "grant": _grant_shape(found, token) if token else None,
            "abilities": sorted(platform.abilities),
            "options": [asdict(option) for option in platform.options],
            "capabilities": found.capabilities,
            "rate_limits": found.rate_limits,
            "posts_per_day": _limits_shape(found),
        }

    def connect(self, platform: str, handle: str, base_url: str, organization: str, **way: Any) -> Any:
        """Connect an account."""
        how = Way(**way)
        how.check()
        if how.resume:
            return self._resume(platform, how)
        if how.sandbox:
            if how.dry_run:
                raise Usage("--dry-run is for the real platform. The sandbox is the rehearsal already.")
            return _connected(self._connect_sandbox(platform, handle or connecting.SANDBOX_HANDLE, organization))
        where = connecting.locate(platform, base_url=base_url, organization=organization)
        return self._sign_in(where, how, handle=handle)

    def reconnect(self, account: str, **way: Any) -> Any:
        """Connect the same profile again, in the way it was connected."""
        how, former = Way(**way), accounts.find_account(account)
        how.check()
        if how.resume:
            return self._resume(former.platform, how)
        organization = former.platform_account_id if ":organization:" in former.platform_account_id else ""
        if former.is_sandbox:
            if how.dry_run:
                return {"account": account_shape(former), "dry_run": True}
            return _connected(self._connect_sandbox(former.platform, former.handle, organization, former=former))
        where = connecting.locate(former.platform, base_url=former.base_url, organization=organization, former=former)
        return self._sign_in(where, how, handle=former.handle)

    def refresh(self, account: str, dry_run: bool) -> dict[str, Any]:
        """Renew a token now."""
        done = connecting.refresh_account(account, now=timezone.now(), dry_run=dry_run)
        token = accounts.token_of(done.account)
        return {
            "account": account_shape(done.account),
            "renewed": done.renewed,
            "reason": done.reason or None,
            "grant": _grant_shape(done.account, token) if token else None,
            "capabilities": done.account.capabilities,
            "dry_run": dry_run,
        }

    def metrics(self, account: str) -> dict[str, Any]:
        """Ask the platform how an account does."""
        found, counts = live.read_account_metrics(account)
        return {"account": account_shape(found), "metrics": counts}

    def disconnect(self, account: str, dry_run: bool) -> dict[str, Any]:
        """Disconnect an account."""
        found, revoked = connecting.disconnect_account(account, now=timezone.now(), dry_run=dry_run)
        return {"account": account_shape(found), "revoked_at_platform": revoked, "dry_run": dry_run}

    def cap(self, account: str, posts: str, dry_run: bool) -> dict[str, Any]:
        """Limit an account."""
        found = accounts.set_cap(account, posts, dry_run=dry_run)
        return {"account": account_shape(found), "posts_per_day": _limits_shape(found), "dry_run": dry_run}

    def _sign_in(self, where: Where, how: Way, *, handle: str) -> Any:
        now = timezone.now()
        if how.token_stdin:
            return _connected(self._connect_with_token(where, how, now=now), dry_run=how.dry_run)
        if how.password_stdin:
            password = read_secret(code="account.password", example="… --password-stdin < app-password.txt")
            account = connecting.connect_with_password(
                platform=where.platform.name,
                base_url=where.base_url,
                identifier=handle,
                password=password,
                former=where.former,
                now=now,
                dry_run=how.dry_run,
            )
            return _connected(account, dry_run=how.dry_run)
        return self._by_browser(where, how, now=now)

    def _by_browser(self, where: Where, how: Way, *, now: datetime) -> Any:
        transport = browser.choose_transport(where, listen=how.listen, redirect_stdin=how.redirect_stdin)
        if how.dry_run:
            return _plan(where, how, transport=transport)
        secret = (
            read_secret(code="oauth.client_secret", example="… --client-secret-stdin < secret.txt")
            if how.client_secret_stdin
            else ""
        )
        found = authorizing.begin(
            self.hub,
            where,
            workspace=settings.WORKSPACE,
            transport=transport,
            client_id=how.client_id,
            client_secret=secret.strip(),
            now=now,
        )
        if how.no_wait or not browser.can_wait(transport, redirect_stdin=how.redirect_stdin):
            return browser.describe_pending(found, transport=transport)
        return self._finish(found, transport=transport, now=now)

    def _resume(self, platform: str, how: Way) -> Any:
        now = timezone.now()
        found = pending.find(self.hub, how.resume, now=now)
        if found.platform != get_platform(platform).name:
            raise InvalidInput(f"{found.code} is a connection to {found.platform}.", code="connect.other_platform")
        where = Where(get_platform(found.platform))
        transport = browser.choose_transport(where, listen=how.listen, redirect_stdin=how.redirect_stdin)
        if not browser.can_wait(transport, redirect_stdin=how.redirect_stdin):
            return browser.describe_pending(found, transport=transport)
        return self._finish(found, transport=transport, now=now)

    def _finish(self, found: pending.Pending, *, transport: Any, now: datetime) -> dict[str, Any]:
        answer = browser.wait_for_answer(self.stream, found, transport=transport, now=now)
        self.stream.progress(step="2/2", name="exchange the code", status="start")
        return _connected(authorizing.end(self.hub, found, answer, now=timezone.now()))

    def _connect_with_token(self, where: Where, how: Way, *, now: datetime) -> Account:
        document = read_secret(code="account.token_document", example="… --token-stdin < token.json")
        token = read_token_document(document, now=now)
        app = AppKeys(how.client_id)
        if not how.client_id and isinstance(where.platform.sign_in, OAuthSpec):
            app = known_app(where.platform, workspace=settings.WORKSPACE)
        return connecting.connect_with_token(
            platform=where.platform.name,
            base_url=where.base_url,
            token=token,
            app=app,
            organization=where.organization,
            former=where.former,
            dry_run=how.dry_run,
        )

    def _connect_sandbox(
        self, platform: str, handle: str, organization: str, *, former: Account | None = None
    ) -> Account:
        get_platform(platform)  # a slip of the pen starts no process
        try:
            url = sandbox.get_sandbox_url(self.hub)
        except NotReady:
            url, _ = sandbox.start_sandbox(self.hub)
        return connecting.connect_sandbox(
            platform=platform,
            sandbox_url=url,
            handle=handle,
            organization=organization,
            former=former,
            now=timezone.now(),
        )


def _connected(account: Account, *, dry_run: bool = False) -> dict[str, Any]:
    return {"account": account_shape(account), "capabilities": account.capabilities, "dry_run": dry_run}


def _plan(where: Where, how: Way, *, transport: str) -> dict[str, Any]:
    """Say what would be asked for, and why; nobody is asked anything (AUTH-4)."""
    spec = authorizing.check_by_browser(where)
    app = known_app(where.platform, workspace=settings.WORKSPACE)
    return {
        "platform": where.platform.name,
        "transport": transport,
        "redirect_uri": spec.redirect_uri,
        "scopes": explain_scopes(connecting.scopes_of(where)),
        "app_known": bool(how.client_id or app.client_id or spec.apps_path),
        "portal_url": spec.portal_url or None,
        "dry_run": True,
    }


def _limits_shape(account: Account) -> dict[str, Any]:
    """Show how many posts may go out in 24 hours, and by whose rule."""
    of_platform = get_platform(account.platform).posts_per_day
    return {"yours": account.daily_cap, "platform": of_platform, "in_force": daily_limit(account)}


def _grant_shape(account: Account, token: OAuthToken) -> dict[str, Any]:
    """Show how a grant does, without anything secret."""
    sign_in = get_platform(account.platform).sign_in
    by_itself = not isinstance(sign_in, PasswordSpec) and sign_in.renewal == "access_token"
    return {
        "scopes": token.scopes,
        "scopes_explained": explain_scopes(token.scopes),
        "expires_at": token.access_expires_at,
        "refresh_expires_at": token.refresh_expires_at,
        "connect_again_by": ends_at(sign_in, life_of(token)),
        "obtained_at": token.obtained_at,
        "can_refresh": by_itself or bool(token.refresh_token_sealed),
        "client_id": token.client_id or None,
    }
