"""When a grant is renewed, and when it will end for good; pure (AUTH-2, AUTH-3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from psn.oauth.spec import OAuthSpec, SignIn, Token

SHARE_LEFT = 0.1  # of the access token's life: then whoever needs it renews it first
SHARE_LEFT_AHEAD = (
    0.2  # then it is renewed though nobody needs it: of two hours, two runs of a task that comes every ten minutes
)
AT_LEAST = timedelta(seconds=90)  # of life, whatever the share: a publish may take so long


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of a grant's life without opening it."""

    obtained_at: datetime
    access_expires_at: datetime | None
    refresh_expires_at: datetime | None
    has_refresh_token: bool


def life_of(token: Token) -> Life:
    """Give a token's life."""
    return Life(token.obtained_at, token.access_expires_at, token.refresh_expires_at, bool(token.refresh_token))


def can_renew(sign_in: SignIn, life: Life, *, now: datetime) -> bool:
    """Say whether asking for a renewal makes sense at this moment."""
    if _by_access_token(sign_in):
        assert isinstance(sign_in, OAuthSpec)
        is_alive = life.access_expires_at is None or now < life.access_expires_at
        return is_alive and now - life.obtained_at >= sign_in.renew_min_age
    return life.has_refresh_token and not (isinstance(sign_in, OAuthSpec) and sign_in.renewal == "none")


def is_due(sign_in: SignIn, life: Life, *, now: datetime, ahead: bool = False) -> bool:
    """Say whether a grant should be renewed now.

    Args:
        ahead: nobody needs it yet; what is renewed by the access token itself, which works only while that lives, is renewed
            from half of its life on.
    """
    if life.access_expires_at is None or not can_renew(sign_in, life, now=now):
        return False
    whole, left = life.access_expires_at - life.obtained_at, life.access_expires_at - now
    if ahead and _by_access_token(sign_in):
        return left < whole / 2
    share = SHARE_LEFT_AHEAD if ahead else SHARE_LEFT
    return left < max(whole * share, min(AT_LEAST, whole / 2))


def is_good(life: Life, *, now: datetime) -> bool:
    """Say whether the access token will last for a publish."""
    return life.access_expires_at is None or life.access_expires_at - now > AT_LEAST


def ends_at(sign_in: SignIn, life: Life) -> datetime | None:
    """Say when a person must connect again, however often it is renewed until then; None when that is not in sight."""
    if not _by_access_token(sign_in) and life.has_refresh_token:
        return life.refresh_expires_at
    return life.access_expires_at


def _by_access_token(sign_in: SignIn) -> bool:
    return isinstance(sign_in, OAuthSpec) and sign_in.renewal == "access_token"
