"""Ids that grow with time and tell their instant. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

EPOCH_MS = 1288834974657  # they count milliseconds from 2010-11-04T01:42:54.657Z, as X's do


def make_id(now: datetime, *, after: int | None) -> int:
    """Give an id for this instant, above the last one."""
    fresh = (int(now.timestamp() * 1000) - EPOCH_MS) << 22
    return fresh if after is None else max(fresh, after + 1)


def instant_of(number: int) -> datetime:
    """Give the instant an id was made, to the millisecond."""
    return datetime.fromtimestamp(((number >> 22) + EPOCH_MS) / 1000, tz=UTC)
