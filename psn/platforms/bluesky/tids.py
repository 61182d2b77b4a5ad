"""TIDs: the keys of posts, which tell when they were made. atproto.com/specs/tid (read 2026-11-20).

A key holds microseconds since 1970 and ten bits that keep two writers apart, in base 32 that sorts like the number.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

CLOCK_IDS = 1024
_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_TID = re.compile(r"[234567abcdefghij][234567a-z]{12}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def build_tid(instant: datetime, *, clock_id: int) -> str:
    """Build a key.

    Args:
        instant: aware.
        clock_id: 0 to 1023.
    """
    number = ((instant - _EPOCH) // _MICROSECOND << 10) | clock_id
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(60, -5, -5))


def find_instant(key: str) -> datetime | None:
    """Say when a key was made, or None when it is no TID."""
    if not _TID.fullmatch(key):
        return None
    number = 0
    for letter in key:
        number = number << 5 | _ALPHABET.index(letter)
    return _EPOCH + timedelta(microseconds=number >> 10)
