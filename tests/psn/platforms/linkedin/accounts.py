"""Members and pages on the sandbox's LinkedIn, connected as set-up connects them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from psn.oauth import flow
from psn.oauth.spec import Token
from psn.oauth.unattended import approve_unattended
from psn.platforms.linkedin.oauth import ANALYTICS_SCOPE, OAUTH
from tests.sandbox.process import WEB, Sandbox

APP, SECRET = "psn-sandbox", "psn-sandbox-secret"
PAGE_SCOPES = (*OAUTH.scopes, *OAUTH.organization_scopes)
VETTED_SCOPES = (*OAUTH.scopes, ANALYTICS_SCOPE)
SHARED_PAGE = "urn:li:organization:1"  # administered by everybody


def grant(sandbox: Sandbox, handle: str, *, scopes: Sequence[str] = OAUTH.scopes, app: str = APP) -> Token:
    """Connect a member."""
    base = sandbox.base("linkedin")
    started = flow.start_authorization(OAUTH, web_base_url=base, client_id=app, scopes=scopes)
    code = flow.read_redirect(approve_unattended(started, handle=handle), state=started.state)
    return exchange(sandbox, code=code, code_verifier=started.code_verifier, app=app)


def exchange(sandbox: Sandbox, *, code: str, code_verifier: str, app: str = APP) -> Token:
    """Turn a code into a grant."""
    return flow.exchange_code(
        OAUTH,
        api_base_url=sandbox.base("linkedin"),
        token_base_url=sandbox.base("linkedin"),
        client_id=app,
        client_secret=SECRET,
        code=code,
        code_verifier=code_verifier,
        now=datetime.now(UTC),
    )


def find_own_page(sandbox: Sandbox, token: Token) -> str:
    """Give the page that this member alone administers."""
    roles = WEB.get(
        f"{sandbox.base('linkedin')}/rest/organizationAcls",
        params={"q": "roleAssignee", "role": "ADMINISTRATOR", "state": "APPROVED"},
        headers={
            "Authorization": f"Bearer {token.access_token}",
            "LinkedIn-Version": "202610",
            "X-Restli-Protocol-Version": "2.0.0",
        },
    )
    pages = [str(element["organization"]) for element in roles.raise_for_status().json()["elements"]]
    return next(page for page in pages if page != SHARED_PAGE)


def count_posts(sandbox: Sandbox, handle: str) -> int:
    """Count what people would see of an account."""
    return len(sandbox.ask("posts", platform="linkedin", handle=handle, limit="100"))
