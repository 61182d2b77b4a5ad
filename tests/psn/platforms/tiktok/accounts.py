"""Accounts on the sandbox, connected as set-up connects them."""

from __future__ import annotations

from datetime import UTC, datetime

from psn.oauth import flow
from psn.oauth.spec import Token
from psn.oauth.unattended import approve_unattended
from psn.platforms.tiktok.oauth import OAUTH
from tests.sandbox.process import Sandbox

APP, SECRET = "psn-sandbox", "psn-sandbox-secret"


def grant(sandbox: Sandbox, handle: str, *scopes: str) -> Token:
    """Connect an account, with all scopes that PSN asks for unless some are named."""
    base = sandbox.base("tiktok")
    started = flow.start_authorization(OAUTH, web_base_url=base, client_id=APP, scopes=scopes or None)
    code = flow.read_redirect(approve_unattended(started, handle=handle), state=started.state)
    return exchange(sandbox, code=code, code_verifier=started.code_verifier)


def exchange(sandbox: Sandbox, *, code: str, code_verifier: str) -> Token:
    """Turn a code into a grant."""
    return flow.exchange_code(
        OAUTH,
        api_base_url=sandbox.base("tiktok"),
        client_id=APP,
        client_secret=SECRET,
        code=code,
        code_verifier=code_verifier,
        now=datetime.now(UTC),
    )


def read_posts(sandbox: Sandbox, handle: str) -> list[dict[str, object]]:
    """Read what is there of an account, drafts too, newest first."""
    found: list[dict[str, object]] = sandbox.ask("posts", platform="tiktok", handle=handle, limit="100")
    return found
