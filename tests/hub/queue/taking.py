"""A broker in the test's own process, and what it hands out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connections
from django_q.signing import SignedPackage

from hub.queue.bells import QUEUE
from hub.queue.broker import PostgresBroker

SETTLE_SECONDS = 10.0


@dataclass(frozen=True)
class Taken:
    """A bell that was handed out, and when: a `time.monotonic()` instant."""

    task: str
    ids: dict[str, str]
    at: float


@contextmanager
def broker() -> Iterator[PostgresBroker]:
    """A broker that has given its first sign of life; its connection is closed in the end. Needs the worker's login."""
    made = PostgresBroker(QUEUE)
    made._beat_at = time.monotonic() + 3600
    try:
        yield made
    finally:
        made._hang_up()
        connections["queue"].close()


def take(some: PostgresBroker, *, count: int = 1, seconds: float = 5.0) -> list[Taken]:
    """Ask until so many bells were handed out, or the time is over."""
    taken: list[Taken] = []
    until = time.monotonic() + seconds
    while len(taken) < count and time.monotonic() < until:
        for _, package in some.dequeue():
            task = SignedPackage.loads(package)
            taken.append(Taken(task["func"].removeprefix("hub.tasks."), task["kwargs"], time.monotonic()))
    return taken


def settle(some: PostgresBroker) -> None:
    """Ask until the broker begins to wait."""
    until = time.monotonic() + SETTLE_SECONDS
    while some.dequeue() or time.monotonic() >= some._look_at:
        assert time.monotonic() < until, "there is no end of bells"
