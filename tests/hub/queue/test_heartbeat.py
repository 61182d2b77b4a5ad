"""The worker's sign of life: only one that works gives it, and it outlives the hub's server (HUB-4, P8)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.models import WorkerHeartbeat
from hub.queue import heartbeat
from tests.factories import OWNER, People
from tests.hub.queue.hasty import BEAT_SECONDS
from tests.hub.queue.process import Cluster, start_cluster, stop_cluster
from tests.hub.worlds import connect_as


@pytest.fixture
def hasty(hub: People, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that gives a sign of life every half second."""
    started = start_cluster(tmp_path / "worker", module=("tests.hub.queue.hasty", "cluster"))
    yield started
    stop_cluster(started)


class TestTheHeartbeat:
    def test_goes_on_and_comes_back_after_every_connection_was_lost_and_says_goodbye(self, hasty: Cluster) -> None:
        wait_for_a_beat(hasty, after=last_beat(hasty))
        for _ in range(2):
            before = last_beat(hasty)
            cut("psn_worker")
            wait_for_a_beat(hasty, after=before)
        assert hasty.process.poll() is None
        assert stop_cluster(hasty) == 0
        assert not WorkerHeartbeat.objects.using(OWNER).exists()

    def test_tells_when_the_worker_last_looked_for_what_is_stuck(self, hasty: Cluster) -> None:
        wait_for_a_beat(hasty, after=last_beat(hasty))
        row = WorkerHeartbeat.objects.using(OWNER).get(name=hasty.name)
        assert (row.incarnation, row.started_at <= row.beat_at) == ("1a2b", True)


class TestLivingWorkers:
    def test_are_those_whose_sign_of_life_is_fresh(self, hub: People) -> None:
        now = datetime.now(UTC)
        for name, ago in (("alive", 50), ("silent", 70)):
            at = now - timedelta(seconds=ago)
            who = {"incarnation": "1", "host": "h", "pid": 1, "version": "1", "started_at": at, "beat_at": at}
            WorkerHeartbeat.objects.using(OWNER).create(name=name, **who)
        assert [worker.name for worker in heartbeat.living_workers()] == ["alive"]


def last_beat(cluster: Cluster) -> datetime:
    return WorkerHeartbeat.objects.using(OWNER).get(name=cluster.name).beat_at


def wait_for_a_beat(cluster: Cluster, *, after: datetime) -> None:
    deadline = time.monotonic() + 20 * BEAT_SECONDS
    while last_beat(cluster) <= after:
        assert time.monotonic() < deadline, cluster.log.read_text()
        time.sleep(0.05)


def cut(login: str) -> None:
    """End a login's connections as the server does when it is killed."""
    with connect_as("postgres", autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = %s", (login,))
