"""How people sign in to Bluesky, declared: a handle and an app password. com.atproto.server.createSession (read 2026-11-20).

OAuth exists there too; it wants a document of the app at a public address and signed proofs with every call. An app password
needs neither, cannot be used to change or delete the account, and is revoked by itself.
"""

from __future__ import annotations

from datetime import datetime

from psn.oauth.spec import PasswordSpec, Token

PORTAL_URL = "https://bsky.app/settings/app-passwords"

# The calls are imported when made: they bring the HTTP library and pydantic, and whoever only checks a post needs neither.


def open_session(base_url: str, *, identifier: str, password: str, now: datetime) -> Token:
    """Sign in; see `psn.platforms.bluesky.session.open_session`."""
    from psn.platforms.bluesky import session

    return session.open_session(base_url, identifier=identifier, password=password, now=now)


def renew_session(base_url: str, *, token: Token, now: datetime) -> Token:
    """Renew; see `psn.platforms.bluesky.session.renew_session`."""
    from psn.platforms.bluesky import session

    return session.renew_session(base_url, token=token, now=now)


def close_session(base_url: str, *, token: Token, now: datetime) -> None:
    """Sign out; see `psn.platforms.bluesky.session.close_session`."""
    from psn.platforms.bluesky import session

    session.close_session(base_url, token=token, now=now)


PASSWORD = PasswordSpec(
    open_session=open_session, renew_session=renew_session, close_session=close_session, portal_url=PORTAL_URL
)
