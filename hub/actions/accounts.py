"""Connected accounts: find, list and limit them. Connecting is in `connecting`: it talks to platforms, and most commands do not."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models.functions import Now

from hub.actions.people import actor, get_owner
from hub.models import Account, AuditEntry, OAuthToken, Post, Status
from hub.publishing.keeping import find_row
from hub.queue import bells
from psn.errors import InvalidInput, NeedsReconnect, NotFound

MAX_CAP = 10_000  # of posts in 24 hours
NO_CAP = "none"


def find_account(text: str) -> Account:
    """Find an account by `@handle`, `platform:@handle` or id.

    Raises:
        NotFound: there is none.
        InvalidInput: several platforms have the handle.
    """
    if not text.isprintable():
        raise _no_name(text)
    accounts = Account.objects.filter(user=get_owner())
    platform, _, handle = text.rpartition(":")
    if handle.startswith("@"):
        matches = accounts.filter(handle__iexact=handle[1:], **({"platform": platform} if platform else {}))
        found = list(matches.exclude(status=Account.Status.DISCONNECTED)[:3]) or list(matches[:2])
    else:
        found = list(accounts.filter(id=_read_id(text)))
    if not found:
        raise NotFound(f"There is no account {text}.", code="account.not_found", next_command="psn_account list")
    if len(found) > 1:
        names = ", ".join(f"{account} ({account.id})" for account in found)
        raise InvalidInput(f"{text} could be any of: {names}. Name one by its id.", code="account.ambiguous")
    return found[0]


def check_connected(account: Account) -> None:
    """Refuse to plan a post for an account that could not send it (PUB-11).

    Raises:
        NeedsReconnect: the grant was given back, or refused by the platform.
    """
    if account.status != Account.Status.ACTIVE:
        reason = f" ({account.status_reason.rstrip('.')})" if account.status_reason else ""
        raise NeedsReconnect(
            f"{account} is not connected{reason}. Connect it again.", next_command=account.connect_command
        )


def list_accounts() -> list[Account]:
    """List every account, connected or not."""
    return list(Account.objects.filter(user=get_owner()).order_by("platform", "handle"))


def set_cap(account: str, text: str, *, dry_run: bool = False) -> Account:
    """Limit how many posts an account publishes in 24 hours (PUB-12); the platform's own limit holds besides.

    What waits for the former cap is looked at anew at once; should it have been waiting for the platform, that says so once more.

    Args:
        text: a number, or `none` to leave it to the platform.

    Raises:
        InvalidInput: neither.
    """
    found = find_account(account)
    cap = _read_cap(text)
    if dry_run or cap == found.daily_cap:
        found.daily_cap = cap
        return found
    with transaction.atomic():
        Account.objects.filter(id=found.id).update(daily_cap=cap, next_allowed_at=None)
        waiting = Post.objects.filter(account_id=found.id, status=Status.SCHEDULED, scheduled_at__lte=Now())
        for post in waiting.filter(due_at__gt=Now()).order_by("due_at", "id"):
            Post.objects.filter(id=post.id, status=Status.SCHEDULED).update(due_at=Now())
            bells.ring_post(post.id)
        detail = {"from": found.daily_cap, "to": cap}
        AuditEntry.objects.record(found, action="account.capped", actor=actor(), detail=detail)
    found.refresh_from_db()
    return found


def token_of(account: Account) -> OAuthToken | None:
    """Give what is stored about the account's grant, sealed; None when there is none, or none that this login sees."""
    return find_row(account)


def _read_cap(text: str) -> int | None:
    if text.strip().lower() == NO_CAP:
        return None
    if text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= MAX_CAP:
        return int(text)
    raise InvalidInput(
        f"A cap is a number of posts in 24 hours, 0 to {MAX_CAP}, or `{NO_CAP}` to leave it to the platform.",
        code="account.cap",
    )


def _read_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise _no_name(text) from None


def _no_name(text: str) -> InvalidInput:
    return InvalidInput(
        f"{text!r} is no account: write @handle, x:@handle or an id.",
        code="account.name",
        next_command="psn_account list",
    )
