"""Signing in, renewing and signing out: one request each. com.atproto.server.* (bluesky-social/atproto d6296a1, 2026-08-20).

A renewal spends the refresh token, but the server takes the old one again for a while and gives the same successor, so a lost
answer to it is harmless (AUTH-2).
"""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

from psn.errors import InvalidInput, NeedsReconnect
from psn.http import Http, Reply, is_loopback
from psn.oauth.spec import Token
from psn.platforms.bluesky import homes, wire
from psn.platforms.bluesky.addresses import API_BASE_URL
from psn.platforms.bluesky.claims import read_claims
from psn.platforms.bluesky.oauth import PORTAL_URL
from psn.platforms.bluesky.refusals import check_reply, read_error

FULL_SCOPE = "com.atproto.access"  # of a session that was opened with the account's own password
DEFAULT_DOMAIN = ".bsky.social"

_INVISIBLE = re.compile(
    r"[\s\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)  # Bluesky's app puts some around handles


def open_session(base_url: str, *, identifier: str, password: str, now: datetime) -> Token:
    """Sign in with an app password.

    Args:
        base_url: of the account's own server, or bsky.social, from where its own server is found.
        identifier: handle, DID or e-mail address; a bare name is completed to one at bsky.social.

    Raises:
        NeedsReconnect: wrong name or password, or the account's own password (AUTH-4).
        Rejected: the account is shut.
        RateLimited: asked too often: 30 times in five minutes, 300 a day.
        Unavailable: nobody was asked.
    """
    base_url = base_url.rstrip("/")
    who = _complete(identifier, base_url=base_url)
    home = homes.find_home(who) if base_url == API_BASE_URL else base_url
    reply = _ask(home, "com.atproto.server.createSession", json={"identifier": who, "password": password.strip()})
    if reply.status == 401 and read_error(reply) in ("AuthenticationRequired", "AuthFactorTokenRequired"):
        raise NeedsReconnect(
            f"Bluesky does not take this handle with this app password. Make a new one at {PORTAL_URL} and connect again.",
            code="bluesky.wrong_password",
            http_status=reply.status,
        )
    token = _read_token(check_reply(reply, now=now), now=now)
    if FULL_SCOPE in token.scopes:
        close_session(base_url, token=token, now=now)
        raise NeedsReconnect(
            f"This is the account's own password, which may do everything. Make an app password at {PORTAL_URL} and use that.",
            code="bluesky.main_password",
        )
    return token


def renew_session(base_url: str, *, token: Token, now: datetime) -> Token:
    """Renew a session.

    Raises:
        NeedsReconnect: it is over, or was ended.
        RateLimited: asked too often.
        Unavailable: not renewed, or the answer was lost: the old token is as good as before.
    """
    home = _home_of(base_url, token)
    reply = _ask(home, "com.atproto.server.refreshSession", token=token.refresh_token)
    return _read_token(check_reply(reply, now=now), now=now)


def close_session(base_url: str, *, token: Token, now: datetime) -> None:
    """End a session; one that is over is no error.

    Raises:
        Unavailable: not ended; may be repeated.
    """
    reply = _ask(_home_of(base_url, token), "com.atproto.server.deleteSession", token=token.refresh_token)
    try:
        check_reply(reply, now=now)
    except NeedsReconnect:
        return


def _home_of(base_url: str, token: Token) -> str:
    if not token.refresh_token:
        raise NeedsReconnect("This session cannot be renewed. Connect the account again.")
    return homes.choose_base_url(base_url.rstrip("/"), token=token.refresh_token)


def _ask(base_url: str, method: str, *, json: object = None, token: str | None = None) -> Reply:
    with Http(base_url, token=token) as http:
        return http.read("POST", f"/xrpc/{method}", json=json)


def _read_token(reply: Reply, *, now: datetime) -> Token:
    """Read a session; how long its tokens live stands in them, by the server's clock, so only the spans count."""
    tokens = wire.read_tokens(reply)
    access, refresh = read_claims(tokens.access), read_claims(tokens.refresh)
    return Token(
        access_token=tokens.access,
        refresh_token=tokens.refresh,
        access_expires_at=now + access.life if access.life is not None else None,
        refresh_expires_at=now + refresh.life if refresh.life is not None else None,
        scopes=(access.scope,) if access.scope else (),
        obtained_at=now,
    )


def _complete(identifier: str, *, base_url: str) -> str:
    who = _INVISIBLE.sub("", identifier).lstrip("@")
    if not who:
        raise InvalidInput("Say which account: its handle, like ana.bsky.social.", code="account.handle")
    is_bare = "." not in who and not who.startswith("did:") and "@" not in who
    is_theirs = base_url == API_BASE_URL or is_loopback(urlsplit(base_url))
    return who + DEFAULT_DOMAIN if is_bare and is_theirs else who
