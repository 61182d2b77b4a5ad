"""Values that are well-formed and still impossible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from psn.platforms.values import (
    MAX_COUNT,
    MAX_WAIT,
    Instant,
    Number,
    WebAddress,
    is_count,
    pick_counts,
    read_unix,
    wait_until,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class TestInstant:
    @pytest.mark.parametrize(
        ("text", "instant"),
        [
            ("2026-11-20T12:00:00Z", NOW),
            ("2026-11-20T13:00:00+01:00", NOW),
            ("2026-11-20T12:00:00", NOW),  # without a zone it is UTC
        ],
    )
    def test_is_in_utc(self, text: str, instant: datetime) -> None:
        read: Any = TypeAdapter(Instant).validate_python(text)
        assert (read, read.tzinfo) == (instant, UTC)

    @pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "x"])
    def test_is_never_outside_of_the_calendar(self, text: str) -> None:
        with pytest.raises(ValidationError):
            TypeAdapter(Instant).validate_python(text)

    @pytest.mark.parametrize("seconds", [10**20, -(10**20), 253402300800])
    def test_is_never_outside_of_it_by_its_seconds_either(self, seconds: int) -> None:
        with pytest.raises(ValueError, match=r"no such instant|out of range"):
            read_unix(seconds)


class TestCounts:
    @pytest.mark.parametrize("value", [0, 7, MAX_COUNT])
    def test_are_numbers_of_things(self, value: int) -> None:
        assert is_count(value)
        assert TypeAdapter(Number).validate_python(value) == value

    @pytest.mark.parametrize("value", [-1, MAX_COUNT + 1, 1.5, True, None, "7", [7]])
    def test_are_unknown_when_they_are_anything_else(self, value: object) -> None:
        assert pick_counts({"like_count": value}, {"like_count": "likes"}) == {}


class TestWebAddress:
    @pytest.mark.parametrize(
        "text", ["javascript:alert(1)", "https://a\r\nb", "//x", "https://", "https://" + "x" * 5000, "x"]
    )
    def test_is_empty_when_nobody_could_open_it(self, text: str) -> None:
        assert TypeAdapter(WebAddress).validate_python(text) == ""

    def test_stays_as_it_is(self) -> None:
        assert TypeAdapter(WebAddress).validate_python("https://example.com/a?b#c") == "https://example.com/a?b#c"


class TestWaitUntil:
    def test_is_as_long_from_now_as_the_reset_is_from_the_platforms_present(self) -> None:
        theirs = NOW - timedelta(hours=5)
        assert wait_until(theirs + timedelta(minutes=3), sent_at=theirs, now=NOW) == NOW + timedelta(minutes=3)

    def test_is_never_in_the_past(self) -> None:
        assert wait_until(FIRST, sent_at=LAST, now=NOW) > NOW

    def test_is_never_in_another_age(self) -> None:
        assert wait_until(LAST, sent_at=FIRST, now=NOW) == NOW + MAX_WAIT
