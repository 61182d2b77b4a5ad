"""One person's calendar over several hubs: what stands on which day (PLAN-6).

A post is an instant and stands on the day that instant has in the person's zone. A claimed slot is a day of its company, wherever
its members live, and stands on that very day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from psn.errors import InvalidInput

PERSONAL = ""  # the name of the personal hub, which has none
# What takes its place on an account: it will go out, is going out, is out, or may be. A draft, a failed or a missed post does not.
STANDING = frozenset(("pending_approval", "approved", "scheduled", "publishing", "published", "delivered", "unknown"))
MOVABLE = frozenset(
    ("pending_approval", "approved", "scheduled")
)  # of these, the ones whose time a person can still change
CANCELLED = "cancelled"
MAX_AWAY = timedelta(days=366 * 5)
_MARGIN = timedelta(days=2)  # zones are less than one from UTC, and a person may want a day between two posts

PostingPolicy = Literal["", "free", "calendar", "approval"]


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """A post with a time.

    Args:
        hub: the company's short name; `PERSONAL` for the personal hub.
        profile: the same wherever the same profile of a platform is connected.
        account: as people write it: `x:@handle`.
        at: when it goes out or went out; aware, UTC: in a zone with summer time Python would subtract clocks.
        zone: in which its time was said; as stored, so perhaps no zone at all.
        author_id: of the person who wrote it, in that hub.
        is_mine: written by the person whose calendar this is.
        text: of its first part.
    """

    id: str
    hub: str
    platform: str
    profile: str
    account: str
    account_id: str
    status: str
    at: datetime
    made_at: datetime
    changed_at: datetime
    zone: str = ""
    author_id: str = ""
    author: str = ""
    is_mine: bool = True
    text: str = ""
    url: str = ""

    @property
    def stands(self) -> bool:
        """Whether it takes its place on the account."""
        return self.status in STANDING

    @property
    def is_movable(self) -> bool:
        """Whether a person can still give it another time."""
        return self.status in MOVABLE


@dataclass(frozen=True, slots=True)
class ClaimedSlot:
    """A day of a company's on a platform that one member reserved.

    Args:
        on: in the company's zone.
    """

    id: str
    hub: str
    platform: str
    on: date
    holder_id: str
    holder: str
    is_mine: bool
    claimed_at: datetime


Entry = PlannedPost | ClaimedSlot


@dataclass(frozen=True, slots=True)
class HubPlan:
    """What one hub has on its calendar.

    Args:
        zone: whose days its slots are: the company's, or the person's.
        policy: whether its posts need a slot; empty for the personal hub.
        targets: posts a week by platform.
    """

    hub: str
    zone: tzinfo
    policy: PostingPolicy = ""
    targets: Mapping[str, int] = field(default_factory=dict)
    posts: tuple[PlannedPost, ...] = ()
    slots: tuple[ClaimedSlot, ...] = ()

    def of_days(self, days: Container[date], *, zone: tzinfo) -> HubPlan:
        """Give the plan of these days alone."""
        return replace(
            self,
            posts=tuple(post for post in self.posts if day_of(post, zone=zone) in days),
            slots=tuple(slot for slot in self.slots if slot.on in days),
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """A day without a post on a platform, in a week that still lacks some.

    Args:
        missing: how many posts the whole week lacks.
    """

    hub: str
    platform: str
    on: date
    missing: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day: its slots first, then its posts in their order."""

    on: date
    entries: tuple[Entry, ...]
    gaps: tuple[Gap, ...]


def read_zone(name: str) -> ZoneInfo:
    """Give the zone of this name; UTC for what is none, so that a row of somebody else never spoils the whole calendar."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def read_day(text: str, *, today: date) -> date:
    """Read a day: `2026-12-01`, `today` or `tomorrow`.

    Args:
        today: where the days are counted.

    Raises:
        InvalidInput: unreadable, or years away.
    """
    named = {"today": today, "tomorrow": today + timedelta(days=1)}
    try:
        day = named.get(text) or datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise InvalidInput(
            f"{text[:40]!r} is no day PSN can read. Write it like {today + timedelta(days=7)}, or tomorrow.",
            code="day.unreadable",
        ) from None
    if abs(day - today) > MAX_AWAY:
        raise InvalidInput(f"{day} is more than five years away. Is the year right?", code="day.too_far")
    return day


def day_of(entry: Entry, *, zone: tzinfo) -> date:
    """Give the one day an entry stands on, in the person's zone."""
    return entry.on if isinstance(entry, ClaimedSlot) else entry.at.astimezone(zone).date()


def list_days(start: date, *, count: int) -> list[date]:
    """List so many days."""
    return [start + timedelta(days=number) for number in range(count)]


def reading_window(start: date, *, count: int) -> tuple[datetime, datetime]:
    """Say which instants to read for these days: their whole weeks, and two days more. The end is not included.

    Whole weeks, because targets are posts a week; the days beside them, because a conflict reaches over midnight.
    """
    last = start + timedelta(days=count - 1)
    return _midnight(monday_of(start)) - _MARGIN, _midnight(monday_of(last) + timedelta(days=7)) + _MARGIN


def monday_of(day: date) -> date:
    """Give the first day of a day's week (ISO 8601)."""
    return day - timedelta(days=day.weekday())


def lay_out(
    plans: Iterable[HubPlan],
    *,
    days: Sequence[date],
    zone: tzinfo,
    today: date,
    shows: Callable[[Entry | Gap], bool] = lambda _: True,
) -> list[Day]:
    """Put what several hubs have planned on the person's days, whatever order the hubs answered in.

    Args:
        today: in the person's zone; days before it have no gaps.
        shows: which of it the person asked for.
    """
    entries: dict[date, list[Entry]] = defaultdict(list)
    gaps: dict[date, list[Gap]] = defaultdict(list)
    for plan in plans:
        found: list[Entry] = [*plan.posts, *plan.slots]
        for entry in found:
            entries[day_of(entry, zone=zone)].append(entry)
        for gap in find_gaps(plan, days=days, zone=zone, today=today):
            gaps[gap.on].append(gap)
    return [
        Day(
            on=day,
            entries=tuple(sorted(filter(shows, entries[day]), key=_order)),
            gaps=tuple(sorted(filter(shows, gaps[day]), key=lambda gap: (gap.platform, gap.hub))),
        )
        for day in days
    ]


def find_gaps(plan: HubPlan, *, days: Iterable[date], zone: tzinfo, today: date) -> list[Gap]:
    """Find the days on which a hub has no post on a platform, in weeks that have fewer than its target."""
    taken = {(post.platform, day_of(post, zone=zone)) for post in plan.posts if post.stands}
    a_week: dict[tuple[str, date], int] = defaultdict(int)
    for post in plan.posts:
        if post.stands:
            a_week[post.platform, monday_of(day_of(post, zone=zone))] += 1
    return [
        Gap(hub=plan.hub, platform=platform, on=day, missing=missing)
        for day in days
        for platform, target in plan.targets.items()
        if day >= today and (platform, day) not in taken and (missing := target - a_week[platform, monday_of(day)]) > 0
    ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _order(entry: Entry) -> tuple[datetime, str, str, str]:
    """Slots stand before posts, as if at the beginning of time."""
    at = datetime.min.replace(tzinfo=UTC) if isinstance(entry, ClaimedSlot) else entry.at
    return at, entry.platform, entry.hub, entry.id
