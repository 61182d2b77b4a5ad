"""`psn_account`: connected profiles."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.utils import timezone

from hub.actions import accounts, connecting, sandbox
from hub.management.base import PsnCommand
from hub.management.shapes import account_shape
from hub.management.stdin import read_secret
from psn.errors import NotReady, Usage
from psn.oauth.documents import read_token_document
from psn.platforms.registry import platform_names


class Command(PsnCommand):
    help = "Your connected accounts."

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        self.add_verb(verbs, "list", self.list, help="list your accounts")
        show = self.add_verb(verbs, "show", self.show, help="show one account and how its grant does")
        show.add_argument("account", help="@handle, x:@handle or id")
        connect = self.add_verb(verbs, "connect", self.connect, help="connect an account")
        self._add_connect(connect)
        disconnect = self.add_verb(
            verbs, "disconnect", self.disconnect, help="forget an account's grant and give it back"
        )
        disconnect.add_argument("account", help="@handle, x:@handle or id")
        disconnect.add_argument("--dry-run", action="store_true", help="check, change nothing")

    def _add_connect(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("platform", help=f"one of: {', '.join(platform_names())}")
        way = parser.add_mutually_exclusive_group(required=True)
        way.add_argument(
            "--sandbox", action="store_true", help="an account at the sandbox; nothing leaves this computer"
        )
        way.add_argument(
            "--token-stdin",
            action="store_true",
            help='a token document on stdin: {"access_token": "…", "refresh_token": "…", "expires_in": 7200}',
        )
        parser.add_argument("--handle", default=connecting.SANDBOX_HANDLE, help="of the sandbox account")
        parser.add_argument("--base-url", default="", help="of a compatible server; the platform itself when left out")
        parser.add_argument(
            "--client-id", default="", help="of the app the token was made for, so that it can be refreshed"
        )
        parser.add_argument("--dry-run", action="store_true", help="ask the platform whose token it is, store nothing")

    def list(self) -> dict[str, Any]:
        """List accounts."""
        return {"accounts": [account_shape(account) for account in accounts.list_accounts()]}

    def show(self, account: str) -> dict[str, Any]:
        """Show one account."""
        found = accounts.find_account(account)
        token = accounts.token_of(found)
        grant = (
            {
                "scopes": token.scopes,
                "expires_at": token.access_expires_at,
                "obtained_at": token.obtained_at,
                "can_refresh": bool(token.refresh_token_sealed),
            }
            if token
            else None
        )
        return {"account": account_shape(found), "grant": grant}

    def connect(
        self, platform: str, sandbox: bool, token_stdin: bool, handle: str, base_url: str, client_id: str, dry_run: bool
    ) -> dict[str, Any]:
        """Connect an account."""
        if sandbox and dry_run:
            raise Usage("--dry-run checks a token: it goes with --token-stdin. The sandbox is the rehearsal already.")
        if sandbox:
            return {"account": account_shape(self._connect_sandbox(platform, handle))}
        document = read_secret(code="account.token_document", example="… --token-stdin < token.json")
        token = read_token_document(document, now=timezone.now())
        found = connecting.connect_with_token(
            platform=platform,
            base_url=base_url,
            token=token,
            client_id=client_id or settings.OAUTH_CLIENT_IDS.get(platform, ""),
            dry_run=dry_run,
        )
        return {"account": account_shape(found), "dry_run": dry_run}

    def disconnect(self, account: str, dry_run: bool) -> dict[str, Any]:
        """Disconnect an account."""
        found, revoked = connecting.disconnect_account(account, now=timezone.now(), dry_run=dry_run)
        return {"account": account_shape(found), "revoked_at_platform": revoked, "dry_run": dry_run}

    def _connect_sandbox(self, platform: str, handle: str) -> Any:
        try:
            url = sandbox.get_sandbox_url(self.hub)
        except NotReady:
            url, _ = sandbox.start_sandbox(self.hub)
        return connecting.connect_sandbox(platform=platform, sandbox_url=url, handle=handle, now=timezone.now())
