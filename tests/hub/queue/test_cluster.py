"""The real cluster, as a process with the worker's login, from the bell to the sandbox (P5, PUB-1)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models.functions import Now
from django_q.models import Failure, OrmQ
from django_q.signing import SignedPackage

from hub.actions.connecting import connect_sandbox
from hub.models import Account, WorkerHeartbeat
from hub.queue import bells, echoes
from hub.queue.bells import QUEUE
from psn.errors import NotReady
from tests.factories import OWNER, People
from tests.hub.publishing.stage import attempts_of, audit_of, changes_of, live, look, sent, texts
from tests.hub.publishing.stage import bells as rows
from tests.hub.queue.process import Cluster, restart_server, schedule, start_cluster, stop_cluster, wait_until
from tests.hub.queue.test_bells import HOSTILE
from tests.sandbox.process import Sandbox


class TestTheCluster:
    def test_publishes_a_scheduled_post_on_time(self, account: Account, sandbox: Sandbox, cluster: Cluster) -> None:
        post = schedule(account, "Good morning", after=timedelta(seconds=1))
        wait_until(lambda: look(post).status == "published", cluster)
        lateness = look(post).lateness_ms
        assert lateness is not None
        assert 0 <= lateness < 1500
        assert (texts(sandbox), len(sent(sandbox))) == (["Good morning"], 1)
        assert changes_of(post)[-2:] == ["scheduled publishing", "publishing published"]
        assert audit_of(post)[-1].actor.startswith(f"{cluster.name}:1a2b:")
        assert attempts_of(post)[0].worker == audit_of(post)[-1].actor

    def test_answers_each_bell_once_and_keeps_none(self, account: Account, sandbox: Sandbox, cluster: Cluster) -> None:
        other = connect_sandbox(platform="x", sandbox_url=sandbox.url, handle="another", now=datetime.now(UTC))
        due = timedelta(seconds=0.5)
        made = [schedule(owner, f"Post {n}", after=due) for n in range(6) for owner in (account, other)]
        wait_until(lambda: all(look(post).status == "published" for post in made) and not rows(), cluster)
        assert (len(live(sandbox)), len(sent(sandbox))) == (12, 12)

    def test_survives_a_queue_full_of_garbage_and_runs_nothing_of_it(
        self, account: Account, sandbox: Sandbox, cluster: Cluster
    ) -> None:
        never = schedule(account, "Forged", after=timedelta(hours=1))
        task = {"id": "1", "name": "x", "args": (), "kwargs": {"post_id": str(never.id)}}
        signed = SignedPackage.dumps({**task, "func": "hub.publishing.endings.miss"})
        for payload in [*HOSTILE.values(), signed, '{"task": "publish_post", "ids": {"nothing": "here"}}']:
            if "\x00" not in payload:
                OrmQ.objects.using(OWNER).create(key=QUEUE, payload=payload, lock=Now())
        post = schedule(account, "Trusted")
        wait_until(lambda: look(post).status == "published" and len(rows()) == 1, cluster)
        assert (texts(sandbox), look(never).status) == (["Trusted"], "scheduled")
        wait_until(lambda: Failure.objects.using(OWNER).count() == 1, cluster)  # of the one that named a task of ours
        assert cluster.process.poll() is None

    def test_answers_whoever_rings_to_hear_whether_the_queue_moves(self, cluster: Cluster) -> None:
        seconds = [echoes.round_trip() for _ in range(5)]
        assert min(seconds) < 0.2

    def test_says_goodbye_when_it_is_told_to_stop(self, cluster: Cluster) -> None:
        assert stop_cluster(cluster) == 0
        assert list(WorkerHeartbeat.objects.using(OWNER).all()) == []

    @pytest.mark.parametrize("after", [0.0, 0.1])
    def test_told_to_stop_while_it_starts_does_so_as_well(self, hub: People, tmp_path: Path, after: float) -> None:
        cluster = start_cluster(tmp_path / "worker")
        time.sleep(after)
        assert stop_cluster(cluster) == 0
        assert list(WorkerHeartbeat.objects.using(OWNER).all()) == []

    def test_ends_a_post_that_is_going_out_before_it_stops_and_begins_no_other(
        self, account: Account, sandbox: Sandbox, cluster: Cluster
    ) -> None:
        sandbox.fail("latency", seconds=1.0)
        post = schedule(account, "Slow")
        wait_until(lambda: bool(sent(sandbox)), cluster)
        waiting = schedule(account, "Later")
        assert stop_cluster(cluster) == 0
        assert (look(post).status, look(waiting).status, len(sent(sandbox))) == ("published", "scheduled", 1)

    def test_finds_a_post_whose_bell_was_lost(self, account: Account, sandbox: Sandbox, cluster: Cluster) -> None:
        post = schedule(account, "Lost", after=timedelta(seconds=0.5) - settings.PATIENCE)
        OrmQ.objects.using(OWNER).all().delete()  # whether or not the worker was faster: nobody rings for it any more
        bells.ring("watch")  # the next sweep
        time.sleep(0.6)
        bells.ring("watch")
        wait_until(lambda: look(post).status == "published", cluster)
        assert len(sent(sandbox)) == 1

    def test_outlives_the_server_of_the_hub(self, account: Account, sandbox: Sandbox, cluster: Cluster) -> None:
        restart_server()
        post = schedule(account, "After the storm", after=timedelta(seconds=0.2))
        wait_until(lambda: look(post).status == "published", cluster)
        assert (cluster.process.poll(), len(sent(sandbox))) == (None, 1)


class TestAClusterThatCannotListen:
    def test_publishes_within_about_a_second_of_the_bell(
        self, account: Account, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        cluster = start_cluster(tmp_path / "worker", PSN_LISTEN="0")
        try:
            for number in range(2):
                post = schedule(account, f"{number}")
                wait_until(lambda post=post: look(post).status == "published", cluster, seconds=5)  # type: ignore[misc]
        finally:
            stop_cluster(cluster)
        assert len(sent(sandbox)) == 2


class TestARoundTrip:
    def test_that_nobody_answers_says_so(self, hub: People) -> None:
        with pytest.raises(NotReady, match="no worker answered"):
            echoes.round_trip(seconds=0.2)
