"""The broker: hands out every bell once, not before its time, at once when it can, and outlives everything else (PUB-1, P5)."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import psycopg
import pytest
from django.db.models.functions import Now
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from pytest_django import Settings

from hub.queue import bells
from hub.queue import broker as brokers
from hub.queue.bells import QUEUE
from hub.rls.identity import acting_for_nobody
from tests.factories import OWNER, People
from tests.hub.publishing.stage import aside, at_once, worker_login
from tests.hub.publishing.stage import bells as rows
from tests.hub.queue.taking import broker, settle, take
from tests.hub.queue.test_bells import HOSTILE
from tests.hub.worlds import connect_as

MANY = 200


@pytest.fixture(autouse=True)
def worker(hub: People) -> Iterator[None]:
    """The worker's own logins."""
    with worker_login():
        yield


class TestABellThatIsDue:
    def test_is_handed_out_once_and_its_row_is_gone(self) -> None:
        ring("one")
        with broker() as some:
            (taken,) = take(some)
            assert (taken.task, taken.ids) == ("echo", {"token": "one"})
            assert rows() == []
            assert take(some, seconds=0.3) == []

    def test_is_handed_out_after_the_ones_that_were_due_before_it(self) -> None:
        for seconds in (1, 3, 2):
            ring(str(seconds), at=datetime.now(UTC) - timedelta(seconds=seconds))
        with broker() as some:
            assert {taken.ids["token"] for taken in take(some, count=3)} == {"1", "2", "3"}
        ring_many()
        with broker() as some:  # twenty at a time, the oldest first
            first = [taken.ids["token"] for taken in take(some)]
            assert sorted(first, key=int) == [str(n) for n in range(20)]

    def test_of_many_is_never_handed_out_by_two_brokers(self) -> None:
        ring_many()

        def work(_: int) -> list[str]:
            with broker() as some:
                return [taken.ids["token"] for taken in take(some, count=MANY, seconds=1.0)]

        shares = at_once(4, work)
        assert Counter(token for share in shares for token in share) == Counter(str(n) for n in range(MANY))
        assert rows() == []

    def test_of_another_queue_is_left_alone(self) -> None:
        ring("theirs")
        OrmQ.objects.using(OWNER).update(key="another")
        with broker() as some:
            assert take(some, seconds=0.3) == []
        assert len(rows()) == 1


class TestABellForLater:
    def test_is_not_handed_out_before_its_time_and_hardly_after(self) -> None:
        ring("later", at=datetime.now(UTC) + timedelta(seconds=0.6))
        due = time.monotonic() + (rows()[0].lock - datetime.now(UTC)).total_seconds()
        with broker() as some:
            (taken,) = take(some)
        assert 0 <= taken.at - due < 0.4

    @pytest.mark.parametrize("listens", [True, False])
    def test_is_waited_for_exactly_whether_the_broker_listens_or_not(self, settings: Settings, listens: bool) -> None:
        settings.LISTEN = listens
        ring("later", at=datetime.now(UTC) + timedelta(seconds=0.3))
        due = time.monotonic() + (rows()[0].lock - datetime.now(UTC)).total_seconds()
        with broker() as some:
            (taken,) = take(some)
        assert 0 <= taken.at - due < 0.4

    def test_does_not_hide_one_that_is_rung_meanwhile(self) -> None:
        ring("later", at=datetime.now(UTC) + timedelta(hours=1))
        with broker() as some:
            settle(some)
            aside(lambda: ring("now"))
            (taken,) = take(some)
        assert taken.ids == {"token": "now"}


class TestABellThatIsRungWhileTheBrokerWaits:
    def test_is_heard_in_less_than_a_tenth_of_a_second(self) -> None:
        delays = []
        with broker() as some, ThreadPoolExecutor(1) as pool:
            for _ in range(7):
                settle(some)
                waiting = pool.submit(take, some)
                time.sleep(0.15)
                rung = time.monotonic()
                aside(lambda: ring("now"))
                (taken,) = waiting.result(timeout=10)
                delays.append(taken.at - rung)
        assert median(delays) < 0.1, delays

    def test_is_found_within_a_second_where_notifications_get_lost(self, settings: Settings) -> None:
        settings.LISTEN = False
        with broker() as some, ThreadPoolExecutor(1) as pool:
            settle(some)
            waiting = pool.submit(take, some)
            time.sleep(0.1)
            rung = time.monotonic()
            aside(lambda: ring("now"))
            (taken,) = waiting.result(timeout=10)
        assert taken.at - rung < brokers.POLL_SECONDS + 0.3

    @pytest.mark.parametrize("inside", [False, True], ids=["after its answer", "before its answer"])
    def test_is_not_missed_when_the_broker_is_just_asking(self, inside: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        with broker() as some:
            settle(some)
            some._look_at = 0.0  # it looks again, and somebody rings right then
            connected, asked = some._connected, list[int]()

            class Interrupted:
                def execute(self, *arguments: Any) -> Any:
                    answer = connected().execute(*arguments)
                    if not asked:
                        asked.append(1)
                        aside(lambda: ring("now"))
                        if inside:
                            connected().execute("SELECT 1")  # whatever was notified came with this answer
                    return answer

                def __getattr__(self, name: str) -> Any:
                    return getattr(connected(), name)

            monkeypatch.setattr(some, "_connected", Interrupted)
            began = time.monotonic()
            (taken,) = take(some)
        assert taken.at - began < 0.5

    def test_of_a_row_that_was_written_by_hand_is_found_at_the_next_look(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(brokers, "LOOK_SECONDS", 0.5)
        with broker() as some:
            settle(some)
            OrmQ.objects.using(OWNER).create(key=QUEUE, payload=bells.pack("echo", token="by hand"), lock=Now())
            assert [taken.ids for taken in take(some, seconds=2.0)] == [{"token": "by hand"}]


class TestAQueueFullOfGarbage:
    def test_is_thrown_away_and_the_bells_between_are_handed_out(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.ERROR)
        signed = SignedPackage.dumps({"func": "os.system", "args": ("true",), "kwargs": {}, "id": "1", "name": "x"})
        garbage = [signed if payload == "signed" else payload for payload in HOSTILE.values()]
        storable = [payload for payload in garbage if "\x00" not in payload]
        for number, payload in enumerate(storable * 3):
            OrmQ.objects.using(OWNER).create(key=QUEUE, payload=payload, lock=Now())
            ring(str(number))
        with broker() as some:
            tokens = [taken.ids["token"] for taken in take(some, count=len(storable) * 3)]
        assert sorted(tokens, key=int) == [str(n) for n in range(len(storable) * 3)]
        assert rows() == []
        assert caplog.text.count("a queue row was thrown away") == len(storable) * 3

    def test_makes_nobody_run_anything_but_tasks_of_ours(self) -> None:
        document = {
            "task": "beat",
            "ids": {},
            "func": "os.system",
            "args": ["true"],
            "hook": "os.abort",
            "chain": ["x"],
        }
        OrmQ.objects.using(OWNER).create(key=QUEUE, payload=json.dumps(document), lock=Now())
        with broker() as some:
            ((_, package),) = until_something(some)
        task = SignedPackage.loads(package)
        assert set(task) == {"id", "name", "func", "args", "kwargs", "started"}
        assert (task["func"], task["args"], task["kwargs"]) == ("hub.tasks.beat", (), {})


class TestASignOfLife:
    def test_goes_through_the_queue_at_once_and_again_after_its_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(brokers, "BEAT_SECONDS", 0.4)
        with broker() as some:
            some._beat_at = 0.0
            beats = take(some, count=3, seconds=3.0)
        assert [beat.task for beat in beats] == ["beat"] * 3
        assert 0.3 < beats[1].at - beats[0].at < 0.7
        assert rows() == []


class TestALostConnection:
    def test_under_a_waiting_broker_costs_no_bell(self) -> None:
        with broker() as some, ThreadPoolExecutor(1) as pool:
            settle(some)
            waiting = pool.submit(take, some, seconds=8.0)
            time.sleep(0.2)
            cut()
            began = time.monotonic()
            aside(lambda: ring("after"))
            (taken,) = waiting.result(timeout=10)
        assert taken.ids == {"token": "after"}
        assert taken.at - began < 2.0

    def test_that_stays_away_is_waited_for_and_said_once(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        with broker() as some:
            settle(some)
            with monkeypatch.context() as patch:
                patch.setattr(brokers, "connect", refuse)
                patch.setattr(brokers, "AWAY_SECONDS", 0.01)
                some._hang_up()
                some._was_away = False
                for _ in range(5):
                    assert some.dequeue() == []
            assert caplog.text.count("the hub is away") == 1
            ring("back")
            assert [taken.ids for taken in take(some)] == [{"token": "back"}]

    def test_never_ends_the_broker_s_process(self) -> None:
        with broker() as some:
            settle(some)
            for _ in range(3):
                cut()
                some._look_at = 0.0
                assert some.dequeue() == []
            ring("back")
            assert len(take(some)) == 1


class TestEnqueue:
    """What django-q2's own scheduler hands in."""

    def test_makes_a_bell_of_a_recurring_task(self) -> None:
        with broker() as some:
            assert some.enqueue(package("hub.tasks.watch"))
        assert [row.payload for row in rows()] == [bells.pack("watch")]

    @pytest.mark.parametrize("func", ["hub.tasks.nonsense", "os.system", "watch.watch"])
    def test_refuses_what_is_no_task_without_raising(self, func: str, caplog: pytest.LogCaptureFixture) -> None:
        with broker() as some:
            assert not some.enqueue(package(func))
        assert rows() == []
        assert "no task" in caplog.text


class TestTheQueueSTables:
    def test_are_read_by_an_index_whatever_lies_in_the_future(self) -> None:
        with connect_as("postgres") as admin:
            admin.execute(
                "INSERT INTO django_q_ormq (key, payload, lock)"
                " SELECT %s, '', now() + make_interval(secs => n) FROM generate_series(1, 20000) n",
                [QUEUE],
            )
            admin.execute("ANALYZE django_q_ormq")
            plan = admin.execute(
                f"EXPLAIN {brokers.TAKE}".encode().replace(b"%(key)s", b"'psn'").replace(b"%(bulk)s", b"20")
            ).fetchall()
            admin.rollback()
        assert "Seq Scan on django_q_ormq" not in str(plan)
        assert "django_q_ormq_due" in str(plan)


def ring(token: str, *, at: datetime | None = None) -> None:
    """Ring as a worker does."""
    with acting_for_nobody():
        bells.ring("echo", at=at, token=token)


def ring_many() -> None:
    """Ring many bells, each a moment after the one before."""
    start = datetime.now(UTC) - timedelta(seconds=60)
    OrmQ.objects.using(OWNER).bulk_create(
        OrmQ(key=QUEUE, payload=bells.pack("echo", token=str(n)), lock=start + timedelta(milliseconds=n))
        for n in range(MANY)
    )


def until_something(some: brokers.PostgresBroker) -> list[tuple[None, str]]:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if handed := some.dequeue():
            return handed
    raise AssertionError("nothing was handed out")


def package(func: str) -> str:
    task: str = SignedPackage.dumps({"id": "1", "name": "x", "func": func, "args": (), "kwargs": {}})
    return task


def cut() -> None:
    """End the worker's connections as the server does when it is killed."""
    with connect_as("postgres", autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = 'psn_worker'")


def refuse(*_: str) -> Any:
    raise psycopg.OperationalError("the server is away")
