"""X's rate limits: an allowance per account and endpoint in windows of 15 minutes, told in three headers.

Source: docs.x.com/x-api/fundamentals/rate-limits (2026-11); the numbers stand beside each endpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpResponse

from sandbox.models import Account, RateWindow

WINDOW = timedelta(minutes=15)


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

    def stamp(self, response: HttpResponse) -> None:
        """Put the allowance on an answer, unless it already says otherwise."""
        response.setdefault("x-rate-limit-limit", str(self.limit))
        response.setdefault("x-rate-limit-remaining", str(max(self.remaining, 0)))
        response.setdefault("x-rate-limit-reset", str(int(self.ends_at.timestamp())))


def untouched(*, limit: int, now: datetime) -> Allowance:
    """Give the allowance of somebody unknown, from whom nothing is taken."""
    return Allowance(limit=limit, remaining=limit, ends_at=now + WINDOW)


def spend(account: Account, *, endpoint: str, limit: int, now: datetime) -> Allowance:
    """Take one call from the account's window; the first call opens it."""
    with transaction.atomic():
        window, _ = RateWindow.objects.get_or_create(
            account=account, endpoint=endpoint, defaults={"used": 0, "ends_at": now + WINDOW}
        )
        if window.ends_at <= now:
            window.used, window.ends_at = 0, now + WINDOW
        window.used = min(window.used + 1, limit + 1)
        window.save()
    return Allowance(limit=limit, remaining=limit - window.used, ends_at=window.ends_at)
