"""A grant's row: sealed, replaced as a whole, and lost only once (HUB-8, AUTH-3)."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from hub.models import Account, AuditEntry, Notice, OAuthToken
from hub.models.base import hub_now
from hub.sealing import context_of, opening, sealing
from psn.crypto import Keyring
from psn.errors import NeedsReconnect, NotAllowed
from psn.oauth.renewal import Life, ends_at
from psn.oauth.spec import Token
from psn.platforms.registry import get_platform

PSN = "psn"  # who did it, when nobody asked for it


def store_grant(account: Account, token: Token, *, client_id: str, client_secret: str = "") -> None:
    """Seal and store a grant in the place of the account's former one; whoever is renewing that one comes too late."""
    with sealing() as keyring:
        row = OAuthToken.objects.select_for_update().filter(account_id=account.id).first()
        row = row or OAuthToken(user_id=account.user_id, account_id=account.id, version=0)
        for column, value in _columns(row, token, keyring).items():
            setattr(row, column, value)
        row.client_id, row.client_secret_sealed = client_id, ""
        if client_secret:
            row.client_secret_sealed = keyring.seal(client_secret, context=context_of(row, "client_secret_sealed"))
        row.version += 1
        row.lease_until = row.warned_at = None
        row.save()


def replace_tokens(account: Account, row: OAuthToken, token: Token) -> OAuthToken:
    """Store what a renewal of this row gave, unless somebody replaced the grant meanwhile; give the row as it is then.

    Harmless to repeat. An account that was given up while this answer was on its way is taken back: the platform has just
    accepted its grant.

    Raises:
        NeedsReconnect: the account was disconnected meanwhile.
    """
    with sealing() as keyring:
        ours = OAuthToken.objects.filter(id=row.id, version=row.version)
        fresh = _columns(row, token, keyring)
        if ours.update(**fresh, version=F("version") + 1, lease_until=None, warned_at=None):
            Account.objects.filter(id=account.id, status=Account.Status.NEEDS_RECONNECT).update(
                status=Account.Status.ACTIVE, status_reason=""
            )
        return get_row(account)


def get_row(account: Account) -> OAuthToken:
    """Read the account's grant as it is now, sealed.

    Raises:
        NeedsReconnect: there is none.
        NotAllowed: this login is a team member's, and grants are the worker's alone.
    """
    if not sees_grants():
        raise NotAllowed(
            f"What {account} was connected with is for the company's worker alone.",
            code="account.worker_only",
            ask="Do this on the computer where the company's worker runs.",
        )
    row = find_row(account)
    if row is None:
        raise NeedsReconnect(
            f"There is no grant for {account}. Connect it again.", next_command=account.connect_command
        )
    return row


def find_row(account: Account) -> OAuthToken | None:
    """Read the account's grant as it is now, sealed; None when there is none, or none that this login sees."""
    return OAuthToken.objects.filter(account_id=account.id).first() if sees_grants() else None


def sees_grants() -> bool:
    """Whether this process's login may see grants: in a company's hub the worker's alone (HUB-8)."""
    return settings.HUB is None or not settings.HUB.is_company or settings.LOGIN == "worker"


def read_grant(row: OAuthToken) -> Token:
    """Open a stored grant."""
    return Token(
        access_token=open_column(row, "access_token_sealed"),
        refresh_token=open_column(row, "refresh_token_sealed"),
        access_expires_at=row.access_expires_at,
        refresh_expires_at=row.refresh_expires_at,
        scopes=tuple(row.scopes),
        obtained_at=row.obtained_at,
    )


def open_column(row: OAuthToken, column: str) -> str:
    """Open one of a grant's secrets; empty when there is none."""
    sealed = getattr(row, column)
    return opening().open(sealed, context=context_of(row, column)) if sealed else ""


def life_of(row: OAuthToken) -> Life:
    """Give a stored grant's life."""
    return Life(row.obtained_at, row.access_expires_at, row.refresh_expires_at, bool(row.refresh_token_sealed))


def lose_grant(account: Account, *, reason: str) -> None:
    """Mark an account whose grant is gone, and tell its person, once: only they can bring it back (AUTH-3).

    Who was told ahead that it would end on this day is not told again. Harmless to repeat.
    """
    with transaction.atomic():
        lost = Account.objects.filter(id=account.id, status=Account.Status.ACTIVE).update(
            status=Account.Status.NEEDS_RECONNECT, status_reason=reason
        )
        if not lost:
            return
        AuditEntry.objects.record(
            account,
            action="account.lost",
            actor=PSN,
            from_state=Account.Status.ACTIVE,
            to_state=Account.Status.NEEDS_RECONNECT,
            detail={"reason": reason},
        )
        if not _was_foretold(account):
            tell(account, code=NeedsReconnect.code, message=f"{account} must be connected again: {reason}")


def tell(account: Account, *, code: str, message: str) -> None:
    """Leave the account's person a notice of what only they can do."""
    Notice.objects.create(
        user_id=account.user_id,
        account_id=account.id,
        level=Notice.Level.ACT,
        code=code,
        message=f"{message.rstrip()} Run: {account.connect_command}",
    )


def doubt_access_token(account: Account) -> bool:
    """Have the access token renewed before it is used again, because the platform refused it; False when it cannot be."""
    active = Account.objects.filter(id=account.id, status=Account.Status.ACTIVE)
    good = Q(access_expires_at__isnull=True) | Q(access_expires_at__gt=Now())
    rows = OAuthToken.objects.filter(good, account_id__in=active.values("id")).exclude(refresh_token_sealed="")
    return bool(rows.update(access_expires_at=Now()))


def _was_foretold(account: Account) -> bool:
    """Whether the person was warned of this very end: one that comes early is news."""
    row = OAuthToken.objects.filter(account_id=account.id, warned_at__isnull=False).first()
    if row is None:
        return False
    end = ends_at(get_platform(account.platform).sign_in, life_of(row))
    return end is not None and end <= hub_now()


def _columns(row: OAuthToken, token: Token, keyring: Keyring) -> dict[str, object]:
    """Give the columns of a grant; its secrets sealed for this very row."""

    def seal(value: str, column: str) -> str:
        return keyring.seal(value, context=context_of(row, column)) if value else ""

    return {
        "access_token_sealed": seal(token.access_token, "access_token_sealed"),
        "refresh_token_sealed": seal(token.refresh_token, "refresh_token_sealed"),
        "access_expires_at": token.access_expires_at,
        "refresh_expires_at": token.refresh_expires_at,
        "obtained_at": token.obtained_at,
        "scopes": list(token.scopes),
    }
