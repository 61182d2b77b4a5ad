"""Ids as X makes them: decimal, growing with time for posts and media, fixed by the handle for accounts."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

EPOCH_MS = 1288834974657  # X's snowflake ids count milliseconds from 2010-11-04T01:42:54.657Z


def make_id(now: datetime, *, after: int | None) -> int:
    """Give an id for this instant, above the last one."""
    fresh = (int(now.timestamp() * 1000) - EPOCH_MS) << 22
    return fresh if after is None else max(fresh, after + 1)


def instant_of(post_id: int) -> datetime:
    """Give the instant an id was made, to the millisecond."""
    return datetime.fromtimestamp(((post_id >> 22) + EPOCH_MS) / 1000, tz=UTC)


def account_id(handle: str) -> str:
    """Give the id of the account with this handle."""
    return str(10**9 + int(hashlib.sha256(handle.lower().encode()).hexdigest()[:12], 16))
