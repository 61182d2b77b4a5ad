r"""Writes calendars that other programs read (RFC 5545, read 2026-11).

Written here and not by the package of that name: its generator takes `\N` for a line break, as in `C:\Network`, and lets control
characters through. Its parser does neither, and reads everything back in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from psn.planning.calendar import CANCELLED, ClaimedSlot, HubPlan, PlannedPost

LINE_BYTES = 75  # of a content line, without its end (3.1)
TITLE_CHARACTERS = 70
_CERTAIN = ("scheduled", "publishing", "published", "delivered")
_BREAKS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
)  # no text has them (3.1, CONTROL); nor does UTF-8 the last
_ADDRESS = re.compile("https?://[!-~]+")

EventStatus = Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Args:
        uid: the same at every export, so that a program that reads it again changes the event it has.
        starts: an instant, or a whole day.
        changed_at: since when it says what it says.
        sequence: rises with every change.
        url: left out unless it is a plain web address.
    """

    uid: str
    starts: datetime | date
    changed_at: datetime
    sequence: int
    summary: str
    description: str
    status: EventStatus
    url: str = ""


def list_events(plans: Iterable[HubPlan]) -> list[Event]:
    """Make an event of every post and every slot, in one order whichever hub answered first."""
    events = [event for plan in plans for event in (*map(_event_of_post, plan.posts), *map(_event_of_slot, plan.slots))]
    return sorted(events, key=lambda event: event.uid)


def write_calendar(events: Iterable[Event], *, name: str) -> bytes:
    """Write a calendar; the same events give the same bytes.

    Args:
        name: of the calendar, for people.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Post Shit Now//psn//EN",
        "CALSCALE:GREGORIAN",
        f"NAME:{escape_text(name)}",  # RFC 7986, 5.1
        f"X-WR-CALNAME:{escape_text(name)}",  # what programs read before that
        *(line for event in events for line in _lines_of(event)),
        "END:VCALENDAR",
    ]
    return b"".join(fold_line(line) for line in lines)


def escape_text(text: str) -> str:
    """Write a text as one value (3.3.11): no text, whatever is in it, ends its line or begins another property."""
    plain = _CONTROLS.sub("", _BREAKS.sub("\n", text))
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def fold_line(line: str) -> bytes:
    """Cut a content line into pieces of at most 75 bytes, never inside a character (3.1)."""
    pieces, rest = [], line.encode()
    room = LINE_BYTES
    while len(rest) > room:
        end = room
        while rest[end] & 0xC0 == 0x80:  # the middle of a character
            end -= 1
        pieces.append(rest[:end])
        rest, room = rest[end:], LINE_BYTES - 1  # the space that continues a line is part of it
    return b"\r\n ".join([*pieces, rest]) + b"\r\n"


def _lines_of(event: Event) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{escape_text(event.uid)}"
    yield f"DTSTAMP:{_instant(event.changed_at)}"
    yield f"SEQUENCE:{event.sequence}"
    if isinstance(event.starts, datetime):
        yield f"DTSTART:{_instant(event.starts)}"
    else:
        yield f"DTSTART;VALUE=DATE:{event.starts:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{event.starts + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{escape_text(event.summary)}"
    yield f"DESCRIPTION:{escape_text(event.description)}"
    yield f"STATUS:{event.status}"
    yield "TRANSP:TRANSPARENT"  # nobody is busy while a post goes out
    if _ADDRESS.fullmatch(event.url):
        yield f"URL:{event.url}"
    yield "END:VEVENT"


def _event_of_post(post: PlannedPost) -> Event:
    whose = [f"{post.hub}: {post.author}".removesuffix(": ")] if post.hub else []
    return Event(
        uid=f"{post.id}@psn",
        starts=post.at,
        changed_at=post.changed_at,
        sequence=max(0, int((post.changed_at - post.made_at).total_seconds())),
        summary=f"{post.account}: {_title_of(post.text)}",
        description="\n".join([post.text, "", post.status.replace("_", " "), *whose]),
        status=_status_of(post),
        url=post.url,
    )


def _event_of_slot(slot: ClaimedSlot) -> Event:
    return Event(
        uid=f"{slot.id}@psn",
        starts=slot.on,
        changed_at=slot.claimed_at,
        sequence=0,
        summary=f"{slot.hub}: {slot.platform} is {slot.holder}'s",
        description=f"{slot.holder} claimed this day on {slot.platform}.",
        status="TENTATIVE",
    )


def _status_of(post: PlannedPost) -> EventStatus:
    if post.status == CANCELLED:
        return "CANCELLED"
    return "CONFIRMED" if post.status in _CERTAIN else "TENTATIVE"


def _title_of(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_CHARACTERS else f"{line[: TITLE_CHARACTERS - 1]}…"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
