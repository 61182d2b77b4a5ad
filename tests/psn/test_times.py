"""Instants as people write them, and as they read them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import InvalidInput
from psn.times import MAX_AHEAD, read_instant, system_zone, wall_time

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ahead = st.timedeltas(min_value=timedelta(0), max_value=MAX_AHEAD)
ZONES = ["UTC", "Europe/Madrid", "America/New_York", "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns"]


class TestReadInstant:
    @given(span=ahead, zone=offsets)
    def test_gives_back_what_was_written_in_any_zone(self, span: timedelta, zone: timezone) -> None:
        instant = NOW + span
        read = read_instant(instant.astimezone(zone).isoformat(), now=NOW)
        assert (read, read.tzinfo) == (instant, UTC)

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("+0s", 0), ("+10s", 10), ("+5m", 300), ("+2h", 7200),
         ("+1d", 86400), (" +1m ", 60), ("2026-11-20T10:01:00+01:00", 60), ("2026-11-20T09:00:07Z", 7)],
    )  # fmt: skip
    def test_counts_spans_from_now(self, text: str, seconds: int) -> None:
        assert read_instant(text, now=NOW) == NOW + timedelta(seconds=seconds)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "time.unreadable"),
            ("soon", "time.unreadable"),
            ("10m", "time.unreadable"),
            ("+10", "time.unreadable"),
            ("-10m", "time.unreadable"),
            ("+12345678s", "time.unreadable"),
            ("2026-02-30T10:00:00Z", "time.unreadable"),
            ("0001-01-01T00:00:00+14:00", "time.unreadable"),
            ("9999-12-31T23:59:59-14:00", "time.unreadable"),
            ("2026-12-01", "time.no_zone"),
            ("2026-12-01T09:00:00", "time.no_zone"),
            ("2026-11-20T08:59:59Z", "time.past"),
            ("2026-11-20T09:30:00+01:00", "time.past"),
            ("2032-11-20T09:00:00Z", "time.too_far"),
            ("9999-12-31T00:00:00Z", "time.too_far"),
            ("+9999999d", "time.too_far"),
        ],
    )
    def test_refuses_what_nobody_can_mean(self, text: str, code: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            read_instant(text, now=NOW)
        assert refused.value.error_code == code

    @given(text=st.text())
    def test_gives_an_instant_or_a_refusal(self, text: str) -> None:
        code = ""
        instant = NOW
        try:
            instant = read_instant(text, now=NOW)
        except InvalidInput as refused:
            code = refused.error_code
        assert NOW <= instant <= NOW + MAX_AHEAD
        assert code in ("", "time.unreadable", "time.no_zone", "time.past", "time.too_far")


class TestWallTime:
    @given(span=ahead, zone=st.sampled_from(ZONES))
    def test_is_what_a_clock_there_shows(self, span: timedelta, zone: str) -> None:
        instant = (NOW + span).replace(microsecond=0)
        shown = wall_time(instant, zone=zone)
        local = instant.astimezone(ZoneInfo(zone))
        assert datetime.fromisoformat(shown).replace(tzinfo=ZoneInfo(zone), fold=local.fold).astimezone(UTC) == instant

    @pytest.mark.parametrize(
        ("instant", "shown"),
        [
            ("2026-03-29T00:59:59+00:00", "2026-03-29T01:59:59"),
            ("2026-03-29T01:00:00+00:00", "2026-03-29T03:00:00"),  # the hour that is not there
            ("2026-10-25T00:30:00+00:00", "2026-10-25T02:30:00"),  # the hour that is there twice
            ("2026-10-25T01:30:00+00:00", "2026-10-25T02:30:00"),
        ],
    )
    def test_knows_the_nights_when_clocks_change(self, instant: str, shown: str) -> None:
        assert wall_time(datetime.fromisoformat(instant), zone="Europe/Madrid") == shown


class TestSystemZone:
    def test_is_the_one_that_tz_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(os.environ, "TZ", "Asia/Kathmandu")
        assert system_zone() == "Asia/Kathmandu"

    @pytest.mark.parametrize("value", ["", "nowhere", "../etc/passwd", "CET-1CEST"])
    def test_is_one_that_exists_whatever_tz_says(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setitem(os.environ, "TZ", value)
        assert ZoneInfo(system_zone()).key == system_zone() != value

    def test_reads_the_computer_s_own_files(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TZ", raising=False)
        stated = Path("/etc/timezone")
        if stated.exists() and stated.read_text().strip():
            assert system_zone() == stated.read_text().strip()
        else:
            assert ZoneInfo(system_zone())
