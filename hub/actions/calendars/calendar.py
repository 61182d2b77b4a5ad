"""One calendar of all hubs that a person is in: show it, write it down for other programs (PLAN-6)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

from hub.actions.calendars.across import Answered, ask_hubs
from hub.actions.calendars.planned import DEFAULT_CONFLICT_MINUTES, Planned, read_planned
from hub.actions.calendars.slots import check_platform
from psn.errors import Conflict, Finding, InvalidInput, NotFound, NotReady, Unavailable
from psn.planning.calendar import (
    CANCELLED,
    Day,
    Entry,
    Gap,
    PlannedPost,
    lay_out,
    list_days,
    read_day,
    read_zone,
    reading_window,
)
from psn.planning.clashes import Clash, find_clashes
from psn.planning.icalendar import list_events, write_calendar
from psn.times import system_zone

MAX_DAYS = 366
_BEGINS = b"BEGIN:VCALENDAR"
_TO_SPARE = 1  # days: which day it is for the person is known only when the hubs have answered


@dataclass(frozen=True, slots=True)
class Shown:
    """A person's calendar.

    Args:
        zone: of the person; its days are meant.
        clashes: of what is shown.
        answers: of every hub, whether it answered or not.
    """

    zone: ZoneInfo
    days: Sequence[Day]
    clashes: Sequence[Clash]
    answers: Sequence[Answered[Planned]]


@dataclass(frozen=True, slots=True)
class Exported:
    """A calendar for other programs.

    Args:
        file: where it was written; None when it was not.
    """

    content: bytes
    events: int
    file: Path | None
    answers: Sequence[Answered[Planned]]


def show_calendar(
    start: str, *, days: int, now: datetime, platform: str | None = None, account: str | None = None
) -> Shown:
    """Show what all hubs have planned, what does not go together, and which days are empty.

    In a process that works on a company's hub only that hub's entries are shown; they are compared with those of all hubs.

    Args:
        start: the first day, in the person's zone: `2026-12-01`, `today`.
        account: `@handle`, `platform:@handle` or an id.

    Raises:
        InvalidInput: an unreadable day, too many days, an unknown platform.
        NotFound: no hub that answered has the account.
        Unavailable: no hub answered.
    """
    if platform is not None:
        check_platform(platform)
    answers = _ask(start, days=days, now=now)
    found = [answer.value for answer in answers if answer.value is not None]
    zone = _zone_of(answers)
    today = now.astimezone(zone).date()
    plans = [planned.plan for planned in found]
    laid = lay_out(
        plans,
        days=list_days(read_day(start, today=today), count=days),
        zone=zone,
        today=today,
        shows=_asked_for(found, platform=platform, account=account),
    )
    shown = {entry.id for day in laid for entry in day.entries}
    clashes = find_clashes(plans, now=now, conflict_minutes=_conflict_minutes(answers))
    return Shown(zone=zone, days=laid, clashes=[one for one in clashes if shown & set(one.ids)], answers=answers)


def export_calendar(start: str, *, days: int, now: datetime, file: Path | None, dry_run: bool = False) -> Exported:
    """Write the calendar of these days as iCalendar (RFC 5545): what this person may see, nothing secret.

    Args:
        file: replaced in one step when it is a calendar already; nothing is written when left out.

    Raises:
        Conflict: the file is something else.
        InvalidInput, Unavailable: as for `show_calendar`.
    """
    if file is not None:
        _check_replaceable(file)
    answers = _ask(start, days=days, now=now)
    zone = _zone_of(answers)
    wanted = set(list_days(read_day(start, today=now.astimezone(zone).date()), count=days))
    plans = [answer.value.plan.of_days(wanted, zone=zone) for answer in answers if answer.value is not None]
    events = list_events(plans)
    content = write_calendar(events, name="PSN")
    if file is not None and events and not dry_run:
        _replace(file, content)
    return Exported(content=content, events=len(events), file=file if events and not dry_run else None, answers=answers)


def findings_of(answers: Sequence[Answered[Planned]]) -> list[Finding]:
    """Warn of the hubs that are missing in a calendar, and of the one that was too full."""
    silent = [
        Finding(
            target=name_of(answer.slug),
            code=f"hub.{answer.state}",
            level="warning",
            message=f"The calendar is without {name_of(answer.slug)}: {answer.message}",
        )
        for answer in answers
        if answer.state != "ok"
    ]
    cut = [
        Finding(
            target=name_of(answer.slug),
            code="calendar.cut",
            level="warning",
            message=f"{name_of(answer.slug)} has more posts in these days than are shown.",
            fix="Ask for fewer days.",
        )
        for answer in answers
        if answer.value is not None and answer.value.is_cut
    ]
    return silent + cut


def name_of(slug: str) -> str:
    """Name a hub for people."""
    return slug or "the personal hub"


def _ask(start: str, *, days: int, now: datetime) -> list[Answered[Planned]]:
    """Ask all hubs for these days.

    Raises:
        Unavailable: none answered.
    """
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(f"A calendar has 1 to {MAX_DAYS} days, not {days}.", code="calendar.days")
    first = read_day(start, today=now.date()) - timedelta(days=_TO_SPARE)
    since, until = reading_window(first, count=days + 2 * _TO_SPARE)
    answers = ask_hubs(partial(read_planned, since=since, until=until))
    if any(answer.value is not None for answer in answers):
        return answers
    raise Unavailable(
        " ".join(f"{name_of(answer.slug)}: {answer.message}" for answer in answers),
        code="calendar.no_hub",
        next_command="psn_hub status",
    )


def _zone_of(answers: Sequence[Answered[Planned]]) -> ZoneInfo:
    """The person's zone, as the personal hub knows it; else as another does."""
    zones = [answer.value.zone for answer in sorted(answers, key=lambda answer: answer.slug) if answer.value]
    return read_zone(zones[0] if zones else system_zone())


def _conflict_minutes(answers: Sequence[Answered[Planned]]) -> int:
    """What the person prefers, as the personal hub knows it; else as the company of this process does."""
    own = [answer.value for answer in answers if answer.value and answer.slug in ("", settings.HUB_SLUG)]
    return own[-1].conflict_minutes if own else DEFAULT_CONFLICT_MINUTES


def _asked_for(found: Sequence[Planned], *, platform: str | None, account: str | None) -> Callable[[Entry | Gap], bool]:
    accounts = None if account is None else _find_accounts(found, account)

    def is_asked_for(one: Entry | Gap) -> bool:
        if isinstance(one, PlannedPost) and one.status == CANCELLED:
            return False
        if accounts is not None and not (isinstance(one, PlannedPost) and one.account_id in accounts):
            return False
        return one.platform == (platform or one.platform) and one.hub == (settings.HUB_SLUG or one.hub)

    return is_asked_for


def _find_accounts(found: Sequence[Planned], text: str) -> set[str]:
    """Find an account in any hub, by the ways people write it."""
    wanted = text.casefold()
    ids = {
        number
        for planned in found
        for number, name in planned.accounts.items()
        if wanted in (number, name.casefold(), name.casefold().partition(":")[2])
    }
    if not ids:
        raise NotFound(
            f"No hub that answered has an account {text[:80]}.",
            code="account.not_found",
            next_command="psn_account list",
        )
    return ids


def _check_replaceable(file: Path) -> None:
    """Refuse to put a calendar in the place of something that is none.

    Raises:
        Conflict: it would.
        NotReady: its folder is not there.
    """
    if not file.parent.is_dir():
        raise NotReady(f"There is no folder {file.parent}. Make it first.", code="export.path")
    try:
        with file.open("rb") as old:
            begins = old.read(len(_BEGINS))
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidInput(f"{file} cannot be used: {error.strerror}.", code="export.path") from error
    if begins != _BEGINS:
        raise Conflict(f"{file} is there and is no calendar. Name another file.", code="export.exists")


def _replace(file: Path, content: bytes) -> None:
    """Write a file that nobody else can read, in one step."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        os.replace(temporary, file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise NotReady(f"{file} cannot be written: {error.strerror}.", code="export.path") from error
