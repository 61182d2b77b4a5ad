"""Entries on days, and days that stay empty."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as some

from psn.planning.calendar import (
    ClaimedSlot,
    Entry,
    Gap,
    HubPlan,
    PlannedPost,
    day_of,
    find_gaps,
    lay_out,
    list_days,
    monday_of,
    read_zone,
    reading_window,
)
from tests.psn.planning.plans import NOON, UTC_ZONE, make_plan, make_post, make_slot

ZONES = sorted(available_timezones() - {"localtime"})
zones = some.sampled_from(ZONES).map(ZoneInfo)
instants = some.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31), timezones=some.just(UTC))
TODAY = date(2026, 11, 25)


def ids_on(plans: list[HubPlan], start: date, *, count: int, zone: ZoneInfo) -> dict[date, list[str]]:
    laid = lay_out(plans, days=list_days(start, count=count), zone=zone, today=start)
    return {day.on: [entry.id for entry in day.entries] for day in laid if day.entries}


class TestAnEntry:
    @given(at=instants, zone=zones)
    def test_stands_on_exactly_one_day_and_it_is_the_one_a_clock_there_shows(
        self, at: datetime, zone: ZoneInfo
    ) -> None:
        post = make_post(at=at)
        shown = at.astimezone(zone).date()
        found = ids_on([make_plan(post)], shown - timedelta(days=2), count=5, zone=zone)
        assert found == {shown: ["p1"]}

    @given(at=instants, zone=zones, days=some.integers(1, 60), before=some.integers(0, 59))
    def test_is_read_whenever_its_day_is_asked_for(self, at: datetime, zone: ZoneInfo, days: int, before: int) -> None:
        day = day_of(make_post(at=at), zone=zone)
        since, until = reading_window(day - timedelta(days=min(before, days - 1)), count=days)
        assert since <= at < until

    @given(at=instants, zone=zones, days=some.integers(1, 60))
    def test_is_read_with_its_whole_week(self, at: datetime, zone: ZoneInfo, days: int) -> None:
        day = day_of(make_post(at=at), zone=zone)
        since, until = reading_window(day, count=days)
        week = monday_of(day)
        in_week = [at + timedelta(days=number) for number in range(-6, 7)]
        for other in in_week:
            if monday_of(other.astimezone(zone).date()) == week:
                assert since <= other < until

    @pytest.mark.parametrize(
        ("zone", "at", "day"),
        [
            ("Europe/Madrid", "2026-10-25T00:30:00+00:00", date(2026, 10, 25)),  # 02:30, the first time
            ("Europe/Madrid", "2026-10-25T01:30:00+00:00", date(2026, 10, 25)),  # 02:30, the second time
            ("Europe/Madrid", "2026-03-29T00:59:59+00:00", date(2026, 3, 29)),  # a second before 03:00
            ("Africa/Cairo", "2026-04-23T22:00:00+00:00", date(2026, 4, 24)),  # midnight, which that day does not have
            ("Asia/Beirut", "2026-10-24T20:59:59+00:00", date(2026, 10, 24)),  # 23:59, the first time
            ("Asia/Beirut", "2026-10-24T21:30:00+00:00", date(2026, 10, 24)),  # 23:30, the second time
            ("Pacific/Apia", "2011-12-30T09:59:59+00:00", date(2011, 12, 29)),  # the last second before a day was left out
            ("Pacific/Apia", "2011-12-30T10:00:00+00:00", date(2011, 12, 31)),
            ("Pacific/Kiritimati", "2026-11-25T10:00:00+00:00", date(2026, 11, 26)),
            ("Etc/GMT+12", "2026-11-25T11:59:00+00:00", date(2026, 11, 24)),
        ],
    )  # fmt: skip
    def test_keeps_its_day_where_clocks_change(self, zone: str, at: str, day: date) -> None:
        assert day_of(make_post(at=datetime.fromisoformat(at)), zone=ZoneInfo(zone)) == day

    @given(zone=zones)
    def test_that_is_a_slot_stands_on_its_companys_day_wherever_one_looks_from(self, zone: ZoneInfo) -> None:
        assert day_of(make_slot(on=TODAY), zone=zone) == TODAY


entries = some.builds(
    make_post,
    some.integers(0, 10**6).map(lambda number: f"p{number}"),
    at=some.datetimes(datetime(2026, 11, 20), datetime(2026, 12, 10), timezones=some.just(UTC)),
    platform=some.sampled_from(["x", "linkedin"]),
    status=some.sampled_from(["draft", "pending_approval", "scheduled", "published", "missed"]),
)
plans = some.lists(
    some.builds(
        lambda hub, found, targets: make_plan(*found, hub=hub, targets=targets),
        some.sampled_from(["", "acme", "beta"]),
        some.lists(entries, max_size=6, unique_by=lambda post: post.id),
        some.dictionaries(some.sampled_from(["x", "linkedin"]), some.integers(1, 5), max_size=2),
    ),
    max_size=4,
    unique_by=lambda plan: plan.hub,
)


class TestMerging:
    @given(found=plans, shuffled=some.randoms(use_true_random=False), zone=zones)
    def test_is_the_same_whatever_order_hubs_and_rows_come_in(
        self, found: list[HubPlan], shuffled: Random, zone: ZoneInfo
    ) -> None:
        days = list_days(TODAY, count=10)
        mixed = [
            HubPlan(
                hub=plan.hub,
                zone=plan.zone,
                targets=dict(reversed(list(plan.targets.items()))),
                posts=tuple(shuffled.sample(plan.posts, len(plan.posts))),
            )
            for plan in found
        ]
        shuffled.shuffle(mixed)
        assert lay_out(mixed, days=days, zone=zone, today=TODAY) == lay_out(found, days=days, zone=zone, today=TODAY)

    @given(found=plans, zone=zones)
    def test_loses_nothing_and_repeats_nothing(self, found: list[HubPlan], zone: ZoneInfo) -> None:
        every = sorted(post.id for plan in found for post in plan.posts)
        laid = lay_out(found, days=list_days(date(2026, 11, 18), count=25), zone=zone, today=TODAY)
        assert sorted(entry.id for day in laid for entry in day.entries) == every

    def test_puts_slots_before_posts_and_posts_in_their_order(self) -> None:
        plan = make_plan(make_post("b", at=NOON + timedelta(hours=1)), make_post("a"), make_slot("z"))
        assert ids_on([plan], TODAY, count=1, zone=UTC_ZONE) == {TODAY: ["z", "a", "b"]}

    def test_shows_only_what_was_asked_for(self) -> None:
        def is_of_x(one: Entry | Gap) -> bool:
            return one.platform == "x"

        plan = make_plan(make_post("a"), make_post("b", platform="linkedin"), targets={"x": 5, "linkedin": 5})
        (day, after) = lay_out([plan], days=list_days(TODAY, count=2), zone=UTC_ZONE, today=TODAY, shows=is_of_x)
        assert [entry.id for entry in day.entries] == ["a"]
        assert [gap.platform for gap in after.gaps] == ["x"]


class TestGaps:
    def gaps(self, *posts: PlannedPost | ClaimedSlot, days: list[date], **targets: int) -> list[tuple[str, date, int]]:
        plan = make_plan(*posts, targets=targets)
        return [(gap.platform, gap.on, gap.missing) for gap in find_gaps(plan, days=days, zone=UTC_ZONE, today=TODAY)]

    def test_are_the_empty_days_of_a_week_below_its_target(self) -> None:
        days = list_days(date(2026, 11, 24), count=3)  # Tuesday, Wednesday (today), Thursday
        assert self.gaps(make_post(), days=days, x=3) == [("x", date(2026, 11, 26), 2)]

    def test_are_none_when_the_week_has_what_it_wants(self) -> None:
        assert self.gaps(make_post(), days=list_days(TODAY, count=4), x=1) == []

    def test_begin_again_with_the_next_week(self) -> None:
        sunday = date(2026, 11, 29)
        assert self.gaps(make_post(), days=[sunday, sunday + timedelta(days=1)], x=1) == [("x", date(2026, 11, 30), 1)]

    @pytest.mark.parametrize("status", ["draft", "failed", "missed", "cancelled"])
    def test_are_not_filled_by_what_does_not_go_out(self, status: str) -> None:
        assert self.gaps(make_post(status=status), days=[TODAY], x=1) == [("x", TODAY, 1)]

    def test_are_never_in_the_past(self) -> None:
        assert self.gaps(days=[TODAY - timedelta(days=1)], x=1) == []

    @given(found=plans, zone=zones)
    def test_are_never_where_a_post_stands(self, found: list[HubPlan], zone: ZoneInfo) -> None:
        for plan in found:
            taken = {(post.platform, post.at.astimezone(zone).date()) for post in plan.posts if post.stands}
            for gap in find_gaps(plan, days=list_days(TODAY, count=15), zone=zone, today=TODAY):
                assert (gap.platform, gap.on) not in taken


class TestReadZone:
    @pytest.mark.parametrize(
        "name", ["", "Nowhere/Land", "../../etc/passwd", "/etc/passwd", "Europe", "\0", "\ud800", "x" * 10_000]
    )
    def test_takes_what_is_no_zone_for_utc(self, name: str) -> None:
        assert read_zone(name).key == "UTC"

    def test_knows_the_others(self) -> None:
        assert read_zone("Europe/Madrid").key == "Europe/Madrid"
