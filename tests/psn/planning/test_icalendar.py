"""Calendars that other programs read, read back by a parser that is none of ours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from psn.planning.calendar import HubPlan
from psn.planning.icalendar import LINE_BYTES, Event, escape_text, fold_line, list_events, write_calendar
from tests.psn.planning.plans import NOON, make_plan, make_post, make_slot

HOSTILE = [
    "one\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:forged",
    "lone\rcarriage\rreturns\nand lines",
    "semi;colons, commas: colons \"quotes\" 'and' back\\slashes",
    r"C:\Network\new\; \, \N \n",
    "\\",
    "tab\there",
    "a" * 500,
    "🌷é漢" * 100,
    " leading and trailing ",
    "BEGIN:VALARM\nACTION:AUDIO\nATTACH:file:///etc/passwd\nEND:VALARM",
    "",
]


def make_event(**values: Any) -> Event:
    defaults: dict[str, Any] = {
        "uid": "1@psn", "starts": NOON, "changed_at": NOON, "sequence": 0,
        "summary": "Hello", "description": "", "status": "CONFIRMED",
    }  # fmt: skip
    return Event(**(defaults | values))


def read_back(*events: Event) -> list[Any]:
    calendar = icalendar.Calendar.from_ical(write_calendar(events, name="Ana's"))
    assert [type(one).__name__ for one in calendar.subcomponents] == ["Event"] * len(events)
    assert not any(event.subcomponents for event in calendar.subcomponents)
    return list(calendar.subcomponents)


class TestText:
    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_stays_text_whatever_is_in_it(self, text: str) -> None:
        (event,) = read_back(make_event(summary=text, description=text, uid=f"{text}@psn"))
        plain = text.replace("\r\n", "\n").replace("\r", "\n")
        assert (str(event["SUMMARY"]), str(event["DESCRIPTION"])) == (plain, plain)

    @given(some.text(max_size=300))
    def test_comes_back_as_it_was_but_for_controls(self, text: str) -> None:
        (event,) = read_back(make_event(summary=text))
        kept = str(event["SUMMARY"])
        for line_break in ("\r\n", "\r", "\x85", "\u2028", "\u2029"):
            text = text.replace(line_break, "\n")
        assert kept == "".join(
            one for one in text if one in "\n\t" or one.isprintable() or ord(one) > 0x9F or one == " "
        )

    @given(some.text(some.characters()))
    def test_never_leaves_its_line(self, text: str) -> None:
        escaped = escape_text(text)
        assert escaped.splitlines() in ([], [escaped])
        assert not any(ord(one) < 32 and one != "\t" for one in escaped)


class TestLines:
    @example("a" * 400)
    @example("aé🌷" * 100)
    @given(some.text(some.characters(exclude_categories=["Cs", "Cc"]), max_size=400))
    def test_have_at_most_75_bytes_and_whole_characters(self, text: str) -> None:
        folded = fold_line(text)
        assert folded.endswith(b"\r\n")
        for line in folded[:-2].split(b"\r\n"):
            assert len(line) <= LINE_BYTES
            line.decode()
        assert folded[:-2].replace(b"\r\n ", b"").decode() == text

    def test_end_as_the_standard_says_all_of_them(self) -> None:
        written = write_calendar([make_event(summary="a\nb")], name="x")
        assert written.count(b"\n") == written.count(b"\r\n") == written.count(b"\r")


class TestAnEvent:
    def test_says_when_and_what_and_whether_it_is_certain(self) -> None:
        (event,) = read_back(make_event(sequence=7, status="TENTATIVE", url="https://example.org/1"))
        assert event["DTSTART"].dt == NOON
        assert event["DTSTAMP"].dt == NOON
        assert (event["SEQUENCE"], event["STATUS"], event["URL"]) == (7, "TENTATIVE", "https://example.org/1")

    def test_of_a_whole_day_has_no_clock(self) -> None:
        (event,) = read_back(make_event(starts=date(2026, 12, 31)))
        assert event["DTSTART"].dt == date(2026, 12, 31)
        assert event["DTEND"].dt == date(2027, 1, 1)

    @given(
        some.datetimes(
            datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=some.timezones(no_cache=True), allow_imaginary=False
        )
    )
    def test_keeps_its_instant_from_whatever_zone(self, at: datetime) -> None:
        (event,) = read_back(make_event(starts=at))
        assert event["DTSTART"].dt == at.astimezone(UTC).replace(microsecond=0)

    @pytest.mark.parametrize(
        "url", ["javascript:alert(1)", "https://x.org/\r\nATTACH:x", "https://x org", "file:///etc/passwd"]
    )
    def test_links_to_plain_web_addresses_alone(self, url: str) -> None:
        (event,) = read_back(make_event(url=url))
        assert "URL" not in event


class TestListEvents:
    def plans(self) -> list[HubPlan]:
        posts = [make_post(f"p{status}", status=status, text="Hi") for status in STATUSES]
        return [make_plan(*posts), make_plan(make_slot("s"), hub="acme")]

    def test_gives_the_same_bytes_for_the_same_plans_in_any_order(self) -> None:
        one, other = self.plans()
        assert write_calendar(list_events([one, other]), name="x") == write_calendar(
            list_events([other, one]), name="x"
        )

    def test_says_of_each_post_whether_it_is_certain(self) -> None:
        found = {event.uid: event.status for event in list_events(self.plans())}
        assert found == {f"p{status}@psn": certain for status, certain in STATUSES.items()} | {"s@psn": "TENTATIVE"}

    def test_keeps_the_identity_of_a_post_that_changed_and_raises_its_sequence(self) -> None:
        later = NOON + timedelta(hours=2)
        (before,) = list_events([make_plan(make_post())])
        (after,) = list_events([make_plan(make_post(at=later, changed_at=later))])
        assert before.uid == after.uid
        assert before.sequence < after.sequence
        assert before.changed_at < after.changed_at

    def test_shortens_a_title_and_puts_it_on_one_line(self) -> None:
        (event,) = list_events([make_plan(make_post(text="Hello\n\nworld " + "a" * 200))])
        assert event.summary.startswith("x:@ana: Hello world aaa")
        assert event.summary.endswith("…")
        assert len(event.summary) < 100


STATUSES = {
    "draft": "TENTATIVE", "pending_approval": "TENTATIVE", "approved": "TENTATIVE", "scheduled": "CONFIRMED",
    "publishing": "CONFIRMED", "published": "CONFIRMED", "delivered": "CONFIRMED", "unknown": "TENTATIVE",
    "failed": "TENTATIVE", "missed": "TENTATIVE", "cancelled": "CANCELLED",
}  # fmt: skip
