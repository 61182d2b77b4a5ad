"""Accounts on the sandbox, connected as set-up connects them."""

from __future__ import annotations

from datetime import UTC, datetime

from psn.oauth import flow
from psn.oauth.spec import Token
from psn.oauth.unattended import approve_unattended
from psn.platforms.x.oauth import OAUTH
from tests.sandbox.process import Sandbox

APP = "psn-sandbox"


def grant(sandbox: Sandbox, handle: str) -> Token:
    """Connect an account."""
    started = flow.start_authorization(OAUTH, web_base_url=sandbox.x, client_id=APP)
    code = flow.read_redirect(approve_unattended(started, handle=handle), state=started.state)
    return exchange(sandbox, code=code, code_verifier=started.code_verifier)


def exchange(sandbox: Sandbox, *, code: str, code_verifier: str) -> Token:
    """Turn a code into a grant."""
    return flow.exchange_code(
        OAUTH,
        api_base_url=sandbox.x,
        client_id=APP,
        code=code,
        code_verifier=code_verifier,
        now=datetime.now(UTC),
    )


def count_posts(sandbox: Sandbox, handle: str) -> int:
    """Count what people would see of an account."""
    return len(sandbox.ask("posts", platform="x", handle=handle, limit="100"))
