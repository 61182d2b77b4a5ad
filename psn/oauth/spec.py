"""What a platform declares about its OAuth 2.0: addresses, scopes and quirks. The protocol itself lives once, in `flow`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OAuthSpec:
    """A platform's OAuth 2.0 in data.

    Args:
        authorize_path: below the platform's web base URL.
        token_path, revoke_path: below its API base URL.
        scopes: least scope to publish and measure (AUTH-4).
        redirect_uri: registered at the platform, exact match.
    """

    authorize_path: str
    token_path: str
    revoke_path: str
    scopes: tuple[str, ...]
    redirect_uri: str = "http://127.0.0.1:8765/callback"


@dataclass(frozen=True, slots=True)
class Token:
    """A grant as the platform gave it.

    Args:
        access_expires_at: None when the platform says nothing (it may never expire).
        refresh_token: empty when the grant cannot be refreshed.
    """

    access_token: str = field(repr=False)  # a traceback prints what repr gives
    refresh_token: str = field(repr=False)
    access_expires_at: datetime | None
    scopes: tuple[str, ...]
    obtained_at: datetime
