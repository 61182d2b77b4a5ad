"""The sandbox's clock: real time plus what a test moved it ahead, so that nobody has to sleep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sandbox.models import ClockOffset

# one server per state, so the process may keep the offset; the row is for the next start
_offset = {"seconds": 0.0}


def now() -> datetime:
    """Give the sandbox's present instant, aware UTC."""
    return datetime.now(UTC) + timedelta(seconds=_offset["seconds"])


def advance(seconds: float) -> datetime:
    """Move the clock ahead for good, and give the new present."""
    _offset["seconds"] += seconds
    ClockOffset.objects.update_or_create(id=1, defaults={"seconds": _offset["seconds"]})
    return now()


def load() -> None:
    """Take the clock up where the last server left it."""
    row = ClockOffset.objects.filter(id=1).first()
    _offset["seconds"] = row.seconds if row else 0.0
