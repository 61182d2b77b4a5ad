"""Accounts on the sandbox's instance, connected as a person connects them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from psn.oauth import flow
from psn.oauth.apps import AppKeys, register_app
from psn.oauth.spec import OAuthSpec, Token
from psn.oauth.unattended import approve_unattended
from psn.platforms.mastodon.oauth import OAUTH
from tests.sandbox.process import Sandbox

SPEC: OAuthSpec = OAUTH


def register(base_url: str, *, scopes: tuple[str, ...] = SPEC.scopes) -> AppKeys:
    """Register an app."""
    return register_app(SPEC, base_url=base_url, scopes=scopes, now=datetime.now(UTC))


def grant(base_url: str, handle: str, *, scopes: tuple[str, ...] = SPEC.scopes) -> Token:
    """Connect an account."""
    app = register(base_url)
    started = flow.start_authorization(SPEC, web_base_url=base_url, client_id=app.client_id, scopes=scopes)
    code = flow.read_redirect(approve_unattended(started, handle=handle), state=started.state)
    return flow.exchange_code(
        SPEC,
        api_base_url=base_url,
        client_id=app.client_id,
        client_secret=app.client_secret,
        code=code,
        code_verifier=started.code_verifier,
        now=datetime.now(UTC),
    )


def list_posts(sandbox: Sandbox, handle: str) -> list[dict[str, Any]]:
    """Give what people would see of an account, newest first."""
    found: list[dict[str, Any]] = sandbox.ask("posts", platform="mastodon", handle=handle, limit="100")
    return found
