"""Instants as people write them."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from psn.errors import InvalidInput

MAX_AHEAD = timedelta(days=366 * 5)
_SPAN = re.compile(r"\+(\d{1,7})(s|m|h|d)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
EXAMPLE = "2026-12-01T09:00:00+01:00 or +10m"


def read_instant(text: str, *, now: datetime) -> datetime:
    """Read an instant: ISO 8601 with its zone, or a span from now such as `+10s`, `+5m`, `+2h`, `+1d`.

    Returns:
        aware, UTC.

    Raises:
        InvalidInput: unreadable (`time.unreadable`), without a zone (`time.no_zone`), past (`time.past`) or years ahead (`time.too_far`).
    """
    if span := _SPAN.fullmatch(text.strip()):
        ahead = timedelta(seconds=int(span[1]) * _UNITS[span[2]])
        instant = now + min(ahead, MAX_AHEAD + timedelta(days=1))  # ten thousand years from now have no date
    else:
        instant = _read_iso(text.strip())
    if instant < now:
        raise InvalidInput(f"{text} is in the past. Give a later time, such as +10m.", code="time.past")
    if instant - now > MAX_AHEAD:
        raise InvalidInput(f"{text} is more than five years ahead. Is the year right?", code="time.too_far")
    return instant


def wall_time(instant: datetime, *, zone: str) -> str:
    """Give an instant as a clock in a zone shows it: `2026-12-01T09:00:00`."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(timespec="seconds")


def system_zone() -> str:
    """Name this computer's IANA zone; UTC when it does not say."""
    for name in (os.environ.get("TZ", ""), _text_of(Path("/etc/timezone")), _target_of(Path("/etc/localtime"))):
        if name in available_timezones():
            return name
    return "UTC"


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _target_of(link: Path) -> str:
    """`/usr/share/zoneinfo/Europe/Madrid` names its zone by its own path."""
    return str(link.resolve()).partition("zoneinfo/")[2]


def _read_iso(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{text!r} is no time PSN can read. Write it like {EXAMPLE}.", code="time.unreadable"
        ) from None
    if instant.tzinfo is None:
        raise InvalidInput(
            f"{text} has no zone, so it could be any of 24 hours. Write it like {EXAMPLE}.", code="time.no_zone"
        )
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(
            f"{text!r} is no time PSN can read. Write it like {EXAMPLE}.", code="time.unreadable"
        ) from None
