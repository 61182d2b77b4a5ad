"""What a platform declares about how people sign in: addresses, scopes and quirks. The protocol itself lives once, in `flow`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

LOOPBACK_URI = "http://127.0.0.1:8765/callback"
LOOPBACK_HTTPS_URI = (
    "https://127.0.0.1:8765/callback"  # nothing answers there: the person pastes the address the browser shows
)

Pkce = Literal["none", "s256", "s256_hex"]
ClientAuth = Literal["none", "form", "basic"]
Renewal = Literal["refresh_token", "access_token", "none"]


@dataclass(frozen=True, slots=True)
class OAuthSpec:
    """A platform's OAuth 2.0 in data.

    With an account's own base URL, that serves every address; otherwise the ones below.

    Args:
        authorize_path: below the platform's web base URL, or `authorize_base_url`.
        token_path, revoke_path: below its API base URL, or `token_base_url`; no `revoke_path` where there is no such call.
        scopes: least scope to publish and measure (AUTH-4).
        organization_scopes: asked for besides when the account is an organization's page.
        redirect_uri: registered at the platform, exact match.
        pasted: the platform takes no plain http redirect to this machine, so the person pastes where the browser ended up.
        client_id_name: TikTok calls it `client_key`.
        client_auth: how the app shows its secret: `basic` in a header where it has one and by its id alone where it has none
            (X), `form` as a field (the app must have one), `none` never.
        pkce: `s256_hex` is TikTok's own: the challenge is the hash in hex.
        scope_separator: a blank, or Meta's and TikTok's comma.
        longer_path, longer_grant: a short-lived token is traded for one of sixty days by GET (Meta); empty elsewhere.
        renewal: what a renewal is asked with: a refresh token, the access token itself by GET (Meta), or nothing.
        renew_path, renew_grant: of a renewal; `token_path` and `refresh_token` when left out.
        renew_min_age: a younger token is not renewed (Meta: 24 hours).
        rotates: a renewal spends the refresh token and gives a new one.
        apps_path: where the app registers itself with an instance (Mastodon); empty elsewhere.
        out_of_band_uri: shows the code to the person instead of redirecting, where there is such a thing.
        portal_url: where a person makes the app, or a token by hand.
        extra: further parameters of the authorize address.
    """

    authorize_path: str
    token_path: str
    revoke_path: str
    scopes: tuple[str, ...]
    redirect_uri: str = LOOPBACK_URI
    authorize_base_url: str = ""
    token_base_url: str = ""
    organization_scopes: tuple[str, ...] = ()
    pasted: bool = False
    client_id_name: str = "client_id"
    client_auth: ClientAuth = "basic"
    pkce: Pkce = "s256"
    scope_separator: str = " "
    longer_path: str = ""
    longer_grant: str = ""
    renewal: Renewal = "refresh_token"
    renew_path: str = ""
    renew_grant: str = "refresh_token"
    renew_min_age: timedelta = timedelta(0)
    rotates: bool = True
    apps_path: str = ""
    out_of_band_uri: str = ""
    portal_url: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Token:
    """A grant as the platform gave it.

    Args:
        access_expires_at: None when the platform says nothing (it may never expire).
        refresh_token: empty when the grant cannot be refreshed with one.
        refresh_expires_at: None when the platform says nothing.
    """

    access_token: str = field(repr=False)  # a traceback prints what repr gives
    refresh_token: str = field(repr=False)
    access_expires_at: datetime | None
    scopes: tuple[str, ...]
    obtained_at: datetime
    refresh_expires_at: datetime | None = None


class OpenSession(Protocol):
    """Signs in with a name and a password made for apps.

    Raises:
        NeedsReconnect: wrong name or password.
        Unavailable: nobody was asked.
    """

    def __call__(self, base_url: str, *, identifier: str, password: str, now: datetime) -> Token: ...


class RenewSession(Protocol):
    """Renews a session; raises as `psn.oauth.flow.refresh_token` does."""

    def __call__(self, base_url: str, *, token: Token, now: datetime) -> Token: ...


class CloseSession(Protocol):
    """Ends a session; one that is gone is no error."""

    def __call__(self, base_url: str, *, token: Token, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class PasswordSpec:
    """A platform where people sign in with an app password (Bluesky): the calls are the platform's own.

    Args:
        portal_url: where a person makes an app password.
        rotates: a renewal gives a new refresh token.
    """

    open_session: OpenSession
    renew_session: RenewSession
    close_session: CloseSession
    portal_url: str
    rotates: bool = True


SignIn = OAuthSpec | PasswordSpec
