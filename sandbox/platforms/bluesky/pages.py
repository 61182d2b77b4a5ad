"""The addresses where people look: by handle, or by DID as bsky.app takes both."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

from sandbox import accounts, feed
from sandbox.models import Account
from sandbox.platforms.bluesky.endpoint import PLATFORM
from sandbox.platforms.bluesky.names import make_uri


@feed.page
def show_account(request: HttpRequest, actor: str) -> HttpResponseBase:
    """Show an account's posts."""
    account = _find(actor)
    return feed.show_account(request, handle=account.handle if account else actor)


@feed.page
def show_post(request: HttpRequest, actor: str, rkey: str) -> HttpResponseBase:
    """Show a post in its thread."""
    account = _find(actor)
    did, handle = (account.platform_account_id, account.handle) if account else ("", actor)
    return feed.show_post(request, handle=handle, remote_id=make_uri(did, rkey))


def _find(actor: str) -> Account | None:
    wanted = {"account_id": actor} if actor.startswith("did:") else {"handle": actor.lower()}
    return accounts.find_account(PLATFORM, **wanted)
