"""X's rate limits: an allowance per account and endpoint in windows of 15 minutes, told in three headers.

Source: docs.x.com/x-api/fundamentals/rate-limits (2026-11); the numbers stand beside each endpoint.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpResponse

from sandbox.limits import Allowance

WINDOW = timedelta(minutes=15)


def stamp(response: HttpResponse, allowance: Allowance) -> None:
    """Put the allowance on an answer, unless it already says otherwise."""
    response.setdefault("x-rate-limit-limit", str(allowance.limit))
    response.setdefault("x-rate-limit-remaining", str(max(allowance.remaining, 0)))
    response.setdefault("x-rate-limit-reset", str(int(allowance.ends_at.timestamp())))


def untouched(*, limit: int, now: datetime) -> Allowance:
    """Give the allowance of somebody unknown, from whom nothing is taken."""
    return Allowance(limit=limit, remaining=limit, ends_at=now + WINDOW)
