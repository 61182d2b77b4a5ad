"""Values in platforms' answers that may be well-formed and still impossible: an instant outside of the calendar, a count below zero.

What a model of pydantic takes for a value must be one that the rest can reckon with and the hub can store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

MAX_COUNT = 2**63 - 1  # what a database's largest integer holds
MAX_ENTRIES = (
    1000  # of one page, of which platforms allow 20 to 100: what is more was not asked for, and is a lot of memory
)
MAX_WAIT = timedelta(days=366)  # longer than any window of any platform

_WEB_ADDRESS = re.compile(r"https?://[\x21-\x7e]{1,2000}")


def to_utc(instant: datetime) -> datetime:
    """Give the same instant in UTC; one without a zone is in UTC already.

    Raises:
        ValueError: it lies outside of the calendar there.
    """
    try:
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("no such instant in UTC") from None


def read_unix(seconds: float) -> datetime:
    """Read an instant in Unix seconds.

    Raises:
        ValueError: it lies outside of the calendar.
    """
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (OverflowError, OSError):
        raise ValueError("no such instant") from None


def find_web_address(text: str) -> str:
    """Give an address that people can open; empty when it is none: `javascript:`, a line break in it, longer than browsers take."""
    return text if _WEB_ADDRESS.fullmatch(text) else ""


WebAddress = Annotated[str, AfterValidator(find_web_address)]
Number = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Instant = Annotated[datetime, AfterValidator(to_utc), WithJsonSchema({"type": "string", "format": "date-time"})]


def is_count(value: object) -> bool:
    """Say whether this is a number of things; anything else is unknown, and not zero (ANLYT-1)."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT


def pick_counts(counts: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, int]:
    """Take the counts that have a name of ours.

    Args:
        names: the platform's to ours.
    """
    return {ours: counts[theirs] for theirs, ours in names.items() if is_count(counts.get(theirs))}


def wait_until(resets_at: datetime, *, sent_at: datetime, now: datetime) -> datetime:
    """Say when a platform may be called again, by this computer's clock: never in the past, never in another age.

    Args:
        resets_at: by the platform's clock.
        sent_at: the platform's present; what counts is how long the reset is from it.
    """
    return now + min(max(resets_at - sent_at, timedelta(seconds=1)), MAX_WAIT)
