"""django-q2's broker on Postgres: takes what is due in one statement, waits for the next, wakes when a bell is rung.

A bell is taken for good: its row goes in the statement that takes it. That a bell dies with its cluster costs nothing, because
the post's row is the truth and the sweep of the next cluster looks at it at once; a bell that comes back because somebody was slow
to acknowledge it would cost a second run. So there is no visibility time-out to get wrong.

Time is the database's. Where LISTEN cannot work (behind a transaction pooler) it looks every second, and exactly when a bell that
it knows of is due.
"""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

import psycopg
from django.conf import settings
from django.utils import timezone
from django_q.brokers import Broker
from django_q.conf import Conf
from django_q.signing import SignedPackage

from hub.queue import bells
from hub.queue.listening import connect
from hub.rls.identity import acting_for_nobody
from psn.errors import NotReady

log = logging.getLogger(__name__)

BEAT_SECONDS = 20.0  # how often a sign of life goes through the whole queue
STOP_SECONDS = 1.0  # a wait ends this often without a query, because a stop is noticed only between waits
LOOK_SECONDS = 15.0  # the longest time without a query where LISTEN works: for rows that somebody inserted by hand
POLL_SECONDS = 1.0  # the same where it does not
AWAY_SECONDS = 0.3  # between two tries to reach a hub that is away

# MATERIALIZED keeps the planner from running the limited sub-select anew for every row.
TAKE = """
WITH due AS MATERIALIZED (
  SELECT id FROM django_q_ormq WHERE key = %(key)s AND lock <= now() ORDER BY lock LIMIT %(bulk)s FOR UPDATE SKIP LOCKED),
taken AS (DELETE FROM django_q_ormq q USING due WHERE q.id = due.id RETURNING q.payload)
SELECT payload, NULL::float8 FROM taken
UNION ALL
SELECT NULL, extract(epoch FROM (SELECT lock FROM django_q_ormq WHERE key = %(key)s AND lock > now() ORDER BY lock LIMIT 1)
  - clock_timestamp())::float8
"""


class PostgresBroker(Broker):  # type: ignore[misc]  # the library has no types
    """The queue of one hub, seen by one process."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self._connection: psycopg.Connection[Any] | None = None
        self._look_at = 0.0
        self._beat_at = 0.0
        self._was_away = False

    def enqueue(self, task: str) -> int:
        """Take a package of django-q2's own making, from its scheduler, as a bell."""
        package = SignedPackage.loads(task)
        name = str(package["func"]).removeprefix("hub.tasks.")
        if name not in bells.TASKS:  # raising would keep every other recurring task from running
            log.error("there is no task %r to come back: run psn_migrate", name)
            return 0
        with acting_for_nobody():
            return bells.ring(name, **package["kwargs"])

    def dequeue(self) -> list[tuple[None, str]]:
        """Give what is due, or nothing after a moment of waiting; a hub that is away is waited for."""
        try:
            return self._take()
        except (psycopg.OperationalError, psycopg.InterfaceError, NotReady) as error:
            if not self._was_away:
                log.warning("the hub is away: %s", error)
            self._hang_up()
            time.sleep(AWAY_SECONDS)
            return []

    def ping(self) -> bool:
        """Say that the queue can be asked; that the hub is there shows when it is."""
        return True

    def info(self) -> str:
        """Name the broker."""
        return "Postgres"

    def acknowledge(self, task_id: object) -> None:
        """Do nothing: what is taken is gone."""

    def _take(self) -> list[tuple[None, str]]:
        if time.monotonic() < self._look_at and not self._wait():
            return []
        rows = self._connected().execute(TAKE, {"key": self.list_key, "bulk": Conf.BULK}).fetchall()
        self._was_away = False
        payloads = [payload for payload, _ in rows if payload is not None]
        self._look_at = 0.0 if payloads else time.monotonic() + self._longest(rows[-1][1])
        packages = [package for payload in payloads if (package := _package(payload))]
        if time.monotonic() >= self._beat_at:
            self._beat_at = time.monotonic() + BEAT_SECONDS
            packages.append(_wrap(bells.Bell("beat", {})))
        return [(None, package) for package in packages]

    def _longest(self, until_next: float | None) -> float:
        longest = LOOK_SECONDS if settings.LISTEN else POLL_SECONDS
        longest = min(longest, max(self._beat_at - time.monotonic(), 0.0))
        return longest if until_next is None else min(longest, max(until_next, 0.0))

    def _wait(self) -> bool:
        """Wait for a bell or the next look; say whether it is time to look."""
        seconds = min(STOP_SECONDS, self._look_at - time.monotonic())
        if settings.LISTEN:
            heard = any(True for _ in self._connected().notifies(timeout=max(seconds, 0.0), stop_after=1))
        else:
            time.sleep(max(seconds, 0.0))
            heard = False
        return heard or time.monotonic() >= self._look_at

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = connect(*([bells.CHANNEL] if settings.LISTEN else []))
        return self._connection

    def _hang_up(self) -> None:
        self._was_away, self._look_at = True, 0.0
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _package(payload: str) -> str | None:
    """Make what django-q2 runs of a bell; nothing of what is none."""
    try:
        return _wrap(bells.unpack(payload))
    except ValueError as error:
        log.error("a queue row was thrown away: %s", error)  # noqa: TRY400  (its text says it all, and it may be hostile)
        return None


def _wrap(bell: bells.Bell) -> str:
    """Sign inside this process, for this process: django-q2 takes its own packages only."""
    package: str = SignedPackage.dumps(
        {
            "id": uuid.uuid4().hex,
            "name": bell.task,
            "func": f"hub.tasks.{bell.task}",  # a string: a function that was renamed is an error of one task
            "args": (),
            "kwargs": bell.ids,
            "started": timezone.now(),
        }
    )
    return package
