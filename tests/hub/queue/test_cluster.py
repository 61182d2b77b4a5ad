"""The real cluster, as a process with the worker's login, from the bell to the sandbox (P5, PUB-1)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django_q.models import OrmQ
from pytest_django import Settings

from hub.actions import posts
from hub.actions.connecting import connect_sandbox
from hub.actions.drafts import DraftPart
from hub.models import Account, Post, WorkerHeartbeat
from hub.queue import bells
from tests.factories import OWNER
from tests.hub.publishing.stage import attempts_of, audit_of, changes_of, live, look, sent, texts
from tests.hub.publishing.stage import bells as rows
from tests.hub.queue.process import Cluster, stop_cluster
from tests.sandbox.process import Sandbox

PATIENCE_SECONDS = 15.0


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

    def test_drops_bells_it_cannot_trust_and_goes_on(
        self, account: Account, sandbox: Sandbox, cluster: Cluster, settings: Settings
    ) -> None:
        forged = schedule(account, "Forged", after=timedelta(hours=1))
        OrmQ.objects.using(OWNER).update(payload="gASVKAAAAAAAAACMBXBvc2l4:1x:forged", lock=datetime.now(UTC))
        with_key = settings.SECRET_KEY
        settings.SECRET_KEY = "of another hub"
        bells.ring(user_id=forged.user_id, post_id=forged.id, at=datetime.now(UTC))
        settings.SECRET_KEY = with_key
        post = schedule(account, "Trusted", after=timedelta(seconds=0))
        wait_until(lambda: look(post).status == "published" and not rows(), cluster)
        assert (texts(sandbox), look(forged).status) == (["Trusted"], "scheduled")

    def test_says_goodbye_when_it_is_told_to_stop(self, cluster: Cluster) -> None:
        assert stop_cluster(cluster) == 0
        assert list(WorkerHeartbeat.objects.using(OWNER).all()) == []

    def test_ends_a_post_that_is_going_out_before_it_stops(
        self, account: Account, sandbox: Sandbox, cluster: Cluster
    ) -> None:
        sandbox.fail("latency", seconds=1.0)
        post = schedule(account, "Slow", after=timedelta(seconds=0))
        wait_until(lambda: bool(sent(sandbox)), cluster)
        assert stop_cluster(cluster) == 0
        assert (look(post).status, len(sent(sandbox))) == ("published", 1)


def schedule(account: Account, text: str, *, after: timedelta) -> Post:
    """Have a person schedule a post."""
    post, _ = posts.create_post(
        account=str(account.id), parts=[DraftPart(text=text)], at=datetime.now(UTC) + after, approve=True
    )
    return post


def wait_until(happened: Callable[[], bool], cluster: Cluster) -> None:
    """Wait until something happened; the cluster's log says why it did not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, cluster.log.read_text()
        time.sleep(0.02)
