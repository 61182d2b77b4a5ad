"""Recurring tasks: the table in the code is the table in the database, and no row of it can keep another from running (HUB-4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler

from hub.queue.bells import QUEUE, unpack
from hub.queue.broker import PostgresBroker
from hub.queue.timetable import MAX_MINUTES, write_schedules
from hub.schedules import SCHEDULES, Recurring
from psn.errors import InvalidInput
from tests.factories import OWNER, People
from tests.hub.publishing.stage import bells as rows
from tests.hub.publishing.stage import rung, worker_login
from tests.hub.worlds import connect_as

GOOD: dict[str, Any] = {"name": "x", "func": "hub.tasks.watch", "schedule_type": "I", "minutes": 1, "repeats": -1}
REFUSED: dict[str, dict[str, Any]] = {
    "arguments": {"args": "(1,)"},
    "arguments that cannot be read": {"args": "("},
    "keyword arguments": {"kwargs": "post_id='1'"},
    "a function of somebody else": {"func": "os.system"},
    "a function below a task's name": {"func": "hub.tasks.watch.x"},
    "a function with something behind it": {"func": "hub.tasks.watch\nos.system"},
    "a hook": {"hook": "os.abort"},
    "another cluster": {"cluster": "another"},
    "a date for its argument": {"intended_date_kwarg": "at"},
    "another kind": {"schedule_type": "O"},
    "a cron line": {"schedule_type": "C", "cron": "* * * * *"},
    "no interval": {"minutes": 0},
    "an empty interval": {"minutes": None},
    "an end": {"repeats": 3},
}


@pytest.fixture(autouse=True)
def nothing(hub: People) -> Iterator[None]:
    """No schedules, before and after."""
    Schedule.objects.using(OWNER).all().delete()
    yield
    Schedule.objects.using(OWNER).all().delete()


class TestWriteSchedules:
    def test_writes_the_table_of_the_code(self) -> None:
        before = datetime.now(UTC)
        assert write_schedules() is True
        assert stored() == {row.task: (f"hub.tasks.{row.task}", row.minutes) for row in SCHEDULES}
        for schedule in Schedule.objects.using(OWNER).all():
            first = schedule.next_run - before - timedelta(minutes=schedule.minutes)
            assert timedelta(0) <= first < timedelta(seconds=5)

    def test_changes_nothing_the_second_time(self) -> None:
        write_schedules()
        before = list(Schedule.objects.using(OWNER).order_by("id").values())
        assert write_schedules() is False
        assert list(Schedule.objects.using(OWNER).order_by("id").values()) == before

    def test_takes_away_what_is_not_in_the_table_any_more(self) -> None:
        write_schedules([*SCHEDULES, Recurring("beat", minutes=5, why="a test")])
        assert "beat" in stored()
        assert write_schedules() is True
        assert set(stored()) == {row.task for row in SCHEDULES}

    def test_changes_an_interval_and_leaves_the_others_their_next_time(self) -> None:
        first, *others = SCHEDULES
        write_schedules()
        times = {s.name: s.next_run for s in Schedule.objects.using(OWNER).all()}
        assert write_schedules([Recurring(first.task, minutes=7, why="a test"), *others]) is True
        after = {s.name: s for s in Schedule.objects.using(OWNER).all()}
        assert after[first.task].minutes == 7
        assert all(after[row.task].next_run == times[row.task] for row in others)

    @pytest.mark.parametrize(
        "row",
        [
            pytest.param(Recurring("nonsense", minutes=1, why=""), id="no task"),
            pytest.param(Recurring("os.system", minutes=1, why=""), id="a function of somebody else"),
            pytest.param(Recurring("watch", minutes=0, why=""), id="no interval"),
            pytest.param(Recurring("watch", minutes=-5, why=""), id="an interval backwards"),
            pytest.param(Recurring("watch", minutes=MAX_MINUTES + 1, why=""), id="an interval without end"),
        ],
    )
    def test_refuses_a_row_that_makes_no_sense_and_changes_nothing(self, row: Recurring) -> None:
        with pytest.raises(InvalidInput):
            write_schedules([*SCHEDULES, row])
        assert stored() == {}


class TestTheDatabase:
    def test_takes_a_plain_row(self) -> None:
        assert insert(GOOD)

    @pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
    def test_refuses_a_row_with(self, change: dict[str, Any]) -> None:
        with pytest.raises(IntegrityError, match="django_q_schedule_is_plain"):
            insert(GOOD | change)

    def test_refuses_to_have_a_plain_row_changed_into_another(self) -> None:
        insert(GOOD)
        with pytest.raises(IntegrityError, match="django_q_schedule_is_plain"):
            Schedule.objects.using(OWNER).update(args="(1,)")


class TestTheScheduler:
    """django-q2's own, as the cluster's sentinel runs it, with the worker's login."""

    def test_rings_for_what_is_due_and_for_nothing_else(self) -> None:
        write_schedules()
        make_due("watch")
        run_scheduler()
        assert rung() == ["watch"]
        run_scheduler()
        assert rung() == ["watch"]  # once for each time that came

    def test_rings_once_for_many_times_that_were_missed(self) -> None:
        write_schedules()
        make_due("watch", ago=timedelta(days=1))
        for _ in range(3):
            run_scheduler()
        assert rung() == ["watch"]

    def test_is_stopped_by_no_row_that_names_no_task(self) -> None:
        write_schedules()
        insert(GOOD | {"name": "a leftover", "func": "hub.tasks.of_another_version", "next_run": long_ago()})
        make_due("watch")
        make_due("tidy")
        run_scheduler()
        assert sorted(rung()) == ["tidy", "watch"]

    def test_makes_bells_that_can_be_read(self) -> None:
        write_schedules()
        for row in SCHEDULES:
            make_due(row.task)
        run_scheduler()
        assert {unpack(row.payload).task for row in rows()} == {row.task for row in SCHEDULES}
        assert all(unpack(row.payload).ids == {} for row in OrmQ.objects.using(OWNER).all())


def stored() -> dict[str, tuple[str, int]]:
    return {s.name: (s.func, s.minutes) for s in Schedule.objects.using(OWNER).all()}


def insert(values: dict[str, Any]) -> Schedule:
    return Schedule.objects.using(OWNER).bulk_create([Schedule(**values)])[0]


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=5)


def make_due(task: str, *, ago: timedelta = timedelta(seconds=1)) -> None:
    with connect_as("postgres", autocommit=True) as admin:
        admin.execute("UPDATE django_q_schedule SET next_run = now() - %s WHERE name = %s", [ago, task])


def run_scheduler() -> None:
    with worker_login():
        scheduler(broker=PostgresBroker(QUEUE))
