"""Rate limits: an allowance per account and endpoint, in windows that the first call opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from sandbox.models import Account, RateWindow


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a window after this call; below zero means the call came too late."""

    limit: int
    remaining: int
    ends_at: datetime

    @property
    def is_spent(self) -> bool:
        """Whether this very call is one too many."""
        return self.remaining < 0


def spend(
    account: Account, *, endpoint: str, limit: int, window: timedelta, now: datetime, points: int = 1
) -> Allowance:
    """Take one call, or so many points, from the account's window; the first call opens it."""
    with transaction.atomic():
        row, _ = RateWindow.objects.get_or_create(
            account=account, endpoint=endpoint, defaults={"used": 0, "ends_at": now + window}
        )
        if row.ends_at <= now:
            row.used, row.ends_at = 0, now + window
        row.used = min(row.used + points, limit + points)
        row.save()
    return Allowance(limit=limit, remaining=limit - row.used, ends_at=row.ends_at)


def read_allowance(account: Account, *, endpoint: str, limit: int, window: timedelta, now: datetime) -> Allowance:
    """Look at the account's window without taking anything."""
    row = RateWindow.objects.filter(account=account, endpoint=endpoint, ends_at__gt=now).first()
    used, ends_at = (row.used, row.ends_at) if row else (0, now + window)
    return Allowance(limit=limit, remaining=limit - used, ends_at=ends_at)
