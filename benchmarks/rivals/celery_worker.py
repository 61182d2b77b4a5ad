"""Celery on Redis: prefork, and an append-only file that is synced every second.

A task is acknowledged after its run, as django-q2's and procrastinate's are; or, in the way "early", before, as PSN's bells are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import celery
import redis

from benchmarks.rivals import jobs
from benchmarks.rivals.place import Place
from benchmarks.rivals.program import run

QUEUE = "bench"
_WRITTEN = "written"  # a list nobody works on, until it gets the queue's name


class Celery:
    def prepare(self, place: Place) -> None:
        _connect(place).flushall()

    def work(self, place: Place, *, workers: int, way: str) -> None:
        options = [f"--concurrency={workers}", "--pool=prefork", f"--queues={QUEUE}", "--loglevel=WARNING"]
        app = _make_app(place)
        app.conf.task_acks_late = way != "early"
        app.worker_main(["worker", *options, "--without-gossip", "--without-mingle"])

    def connect(self, place: Place) -> None:
        self._app = _make_app(place)
        self._redis = _connect(place)

    def ring(self, count: int) -> None:
        for number in range(count):
            self._app.send_task("post", kwargs={"number": str(number)}, queue=_WRITTEN)
        self._redis.rename(_WRITTEN, QUEUE)

    def ring_later(self, dues: Sequence[float]) -> None:
        for due in dues:
            at = datetime.fromtimestamp(due, UTC)
            self._app.send_task("stamp", kwargs={"due": repr(due)}, eta=at, queue=QUEUE)

    def left(self) -> int:
        return int(self._redis.llen(QUEUE)) + int(self._redis.hlen("unacked"))


def _make_app(place: Place) -> celery.Celery:
    app = celery.Celery("bench", broker=f"redis://127.0.0.1:{place.redis_port}/0", set_as_current=True)
    app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
    app.task(name="post")(jobs.post)
    app.task(name="stamp")(jobs.stamp)
    return app


def _connect(place: Place) -> redis.Redis:
    return redis.Redis(host="127.0.0.1", port=place.redis_port)


if __name__ == "__main__":
    run(Celery())
