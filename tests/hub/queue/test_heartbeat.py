"""The worker's sign of life outlives the hub's server (P8)."""

from __future__ import annotations

import time
from datetime import datetime

from hub.models import WorkerHeartbeat
from hub.queue.cluster import BEAT_SECONDS
from tests.factories import OWNER
from tests.hub.queue.process import Cluster, stop_cluster
from tests.hub.worlds import connect_as


class TestTheHeartbeat:
    def test_comes_back_after_every_connection_was_lost_and_still_says_goodbye(self, cluster: Cluster) -> None:
        for _ in range(2):
            before = last_beat(cluster)
            cut("psn_worker")
            wait_for_a_beat(cluster, after=before)
        assert cluster.process.poll() is None
        assert stop_cluster(cluster) == 0
        assert not WorkerHeartbeat.objects.using(OWNER).exists()


def last_beat(cluster: Cluster) -> datetime:
    return WorkerHeartbeat.objects.using(OWNER).get(name=cluster.name).beat_at


def wait_for_a_beat(cluster: Cluster, *, after: datetime) -> None:
    deadline = time.monotonic() + 4 * BEAT_SECONDS
    while last_beat(cluster) <= after:
        assert time.monotonic() < deadline, cluster.log.read_text()
        time.sleep(0.1)


def cut(login: str) -> None:
    """End a login's connections as the server does when it is killed."""
    with connect_as("postgres", autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = %s", (login,))
