"""What workers run, and what becomes of a post when PSN itself stumbles (P8)."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django_q.models import Failure

from hub import tasks
from hub.models import Account, Post, WorkerHeartbeat
from hub.publishing import crew, looks, walk
from hub.queue.bells import TASKS
from tests.factories import OWNER, People, make_account, make_post
from tests.hub.publishing.conftest import account, sandbox, sandbox_process
from tests.hub.publishing.stage import (
    attempts_of,
    audit_of,
    bells,
    changes_of,
    claim,
    interrupt,
    live,
    look,
    notices_of,
    parts_of,
    ring,
    rung,
    sent,
    worker_login,
)
from tests.hub.worlds import connect_as
from tests.sandbox.process import Sandbox

__all__ = ["account", "sandbox", "sandbox_process"]

WORKER = "psn@here:1a2b"


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The process of a worker, with a crew of its own; gives its name."""
    monkeypatch.setenv("PSN_WORKER", WORKER)
    crew._crew.cache_clear()
    yield WORKER
    crew._crew().close()
    crew._crew.cache_clear()


class Bug(Exception):
    """Nothing that PSN raises on purpose."""


def stumble(*_: object, **__: object) -> Any:
    raise Bug


class TestPublishPost:
    def test_publishes_and_signs_with_the_worker_s_name_and_process(self, account: Account) -> None:
        post = run(make_post(account, status="scheduled"))
        assert post.status == "published"
        me = f"{WORKER}:{os.getpid()}"
        assert {entry.actor for entry in audit_of(post)} == {me}
        assert attempts_of(post)[0].worker == me

    def test_hands_over_and_returns_at_once(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("latency", seconds=1.0)
        post, began = make_post(account, status="scheduled"), datetime.now(UTC)
        tasks.publish_post(post_id=str(post.id))
        assert datetime.now(UTC) - began < timedelta(seconds=0.5)
        settle()
        assert look(post).status == "published"

    @pytest.mark.parametrize("post_id", ["", "nonsense", "00000000-0000-0000-0000-000000000000", "'; DROP TABLE posts"])
    def test_of_a_post_that_is_none_changes_nothing_and_the_next_one_goes_out(
        self, account: Account, sandbox: Sandbox, post_id: str
    ) -> None:
        tasks.publish_post(post_id=post_id)
        settle()
        assert run(make_post(account, status="scheduled")).status == "published"
        assert len(sent(sandbox)) == 1


class TestLookAtPost:
    def test_asks_the_platform_for_the_person_whose_post_it_is(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("drop_after")
        post = ring(make_post(account, status="scheduled"))
        Post.objects.using(OWNER).filter(id=post.id).update(look_at=Now())
        with worker_login(pool=2):
            tasks.look_at_post(user_id=str(post.user_id), post_id=str(post.id))
            settle()
        assert (look(post).status, len(sent(sandbox))) == ("published", 1)

    def test_that_finds_no_free_thread_rings_again_in_a_moment(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account)
        crew._crew().close()
        tasks.look_at_post(user_id=str(post.user_id), post_id=str(post.id))
        (row,) = bells()
        assert rung() == ["look_at_post"]
        assert timedelta(0) < row.lock - datetime.now(UTC) <= timedelta(seconds=crew.AGAIN_SECONDS)


class TestWatch:
    def test_sets_going_what_a_dead_worker_left(self, account: Account) -> None:
        post = claim(make_post(account, status="scheduled"), owner="psn@here:0:1")
        with worker_login():
            tasks.watch()
        assert look(post).status == "scheduled"


class TestTidy:
    def test_forgets_failures_and_workers_of_long_ago_and_nothing_else(self, hub: People) -> None:
        now = datetime.now(UTC)
        for name, at in (("old", now - timedelta(days=31)), ("new", now)):
            task = {"started": at, "stopped": at, "success": False, "func": "hub.tasks.watch"}
            Failure.objects.using(OWNER).create(id=name, name=name, **task)
            who = {"incarnation": "1", "host": "h", "pid": 1, "version": "1", "started_at": at, "beat_at": at}
            WorkerHeartbeat.objects.using(OWNER).create(name=name, **who)
        with worker_login():
            tasks.tidy()
        assert [failure.id for failure in Failure.objects.using(OWNER).all()] == ["new"]
        assert [worker.name for worker in WorkerHeartbeat.objects.using(OWNER).all()] == ["new"]


class TestBeat:
    def test_is_a_sign_of_life_for_the_hub_and_for_the_supervisor(
        self, hub: People, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PSN_BEAT_FILE", str(tmp_path / "beat"))
        with worker_login():
            tasks.beat()
        row = WorkerHeartbeat.objects.using(OWNER).get()
        assert f"{row.name}:{row.incarnation}" == WORKER
        assert datetime.now(UTC) - row.beat_at < timedelta(seconds=5)
        assert (tmp_path / "beat").exists()

    def test_that_cannot_be_written_is_no_sign_for_the_supervisor_either(
        self, hub: People, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PSN_BEAT_FILE", str(tmp_path / "beat"))
        tasks.beat()  # a person's login may not write it
        assert not (tmp_path / "beat").exists()


class TestABugOfOurOwn:
    def test_before_the_intent_ends_the_post_as_failed(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        interrupt(monkeypatch, before_connect=stumble)
        after = run(post)
        assert (after.status, after.error_code) == ("failed", "bug")
        assert "log" in after.error_message
        assert (sent(sandbox), attempts_of(post)) == ([], [])
        assert changes_of(post) == ["scheduled publishing", "publishing failed"]
        assert (audit_of(post)[-1].detail["code"], notices_of(post)) == ("bug", [("act", "bug")])

    def test_after_the_intent_ends_the_post_as_unknown(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        interrupt(monkeypatch, before_commit=stumble)
        after = run(post)
        assert (after.status, after.error_code) == ("unknown", "publish.unknown")
        assert changes_of(post) == ["scheduled publishing", "publishing unknown"]
        assert audit_of(post)[-1].detail["code"] == "publish.unknown"

    def test_after_the_intent_closes_the_attempt_as_unknown_and_nothing_is_sent_again(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        with monkeypatch.context() as patch:
            interrupt(patch, before_commit=stumble)
            run(post)
        for _ in range(10):
            run(post)
        assert (sent(sandbox), look(post).status) == ([], "unknown")
        # Closed, for only one commit of a part may be open: what a person decides later must be able to send it again.
        (attempt,) = attempts_of(post)
        assert (attempt.outcome, "bug" in attempt.detail) == ("unknown", True)
        assert attempt.finished_at is not None

    def test_is_told_from_a_hub_that_went_away_before_anything_was_sent(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        with monkeypatch.context() as patch:
            interrupt(patch, before_connect=once(lose_the_hub))
            after = run(post)
        assert (after.status, len(sent(sandbox))) == ("published", 1)  # it was tried again at once
        assert [entry.detail.get("code") for entry in audit_of(post) if entry.to_state == "scheduled"] == [
            "hub.unreachable"
        ]

    def test_on_a_lost_connection_still_ends_the_post(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        post = make_post(account, status="scheduled")

        def stumble_over_the_hub() -> None:
            lose_the_hub()
            stumble()

        interrupt(monkeypatch, before_commit=stumble_over_the_hub)
        assert run(post).status == "unknown"

    def test_while_the_answer_is_stored_ends_the_post_as_unknown(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        monkeypatch.setattr(walk, "_store_answer", stumble)
        run(post)
        run(post)
        assert (len(sent(sandbox)), look(post).status) == (1, "unknown")

    def test_in_a_look_leaves_it_to_the_next_look(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sandbox.fail("drop_after")
        post = ring(make_post(account, status="scheduled"))
        Post.objects.using(OWNER).filter(id=post.id).update(look_at=Now())
        with monkeypatch.context() as patch:
            patch.setattr(looks, "open_adapter", stumble)
            tasks.look_at_post(user_id=str(post.user_id), post_id=str(post.id))
            settle()
        after = look(post)
        assert (after.status, len(live(sandbox))) == ("unknown", 1)
        assert after.look_at is not None
        assert after.look_at > datetime.now(UTC)

    def test_does_not_keep_the_account_s_next_post_waiting(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = make_post(account, texts=("The first",), status="scheduled", due_in=-2)
        second = make_post(account, texts=("The second",), status="scheduled")
        interrupt(monkeypatch, before_connect=once(stumble))
        run(first)
        assert (look(first).status, look(second).status) == ("failed", "published")

    def test_does_not_end_what_another_process_of_the_same_worker_is_sending(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        claim(post, owner=f"{WORKER}:{os.getpid() + 1}")
        monkeypatch.setattr(walk, "publish", stumble)
        assert run(post).status == "publishing"


class TestEveryTask:
    def test_can_be_rung_for(self) -> None:
        named = {
            name for name, task in inspect.getmembers(tasks, inspect.isfunction) if task.__module__ == tasks.__name__
        }
        assert named == TASKS

    def test_may_run_for_nothing(self, hub: People) -> None:
        post = make_post(make_account(hub.me))
        with worker_login():
            for _ in range(2):
                tasks.publish_post(post_id=str(post.id))
                tasks.look_at_post(user_id=str(hub.me.id), post_id=str(post.id))
                tasks.watch()
                tasks.tidy()
                tasks.echo(token="x")
            settle()
        assert (look(post).status, rung(), parts_of(post)[0].state) == ("draft", [], "waiting")


def run(post: Post) -> Post:
    """Run a bell's task in this process, and wait until its crew has nothing more to do."""
    tasks.publish_post(post_id=str(post.id))
    settle()
    return look(post)


def settle() -> None:
    """Wait until the crew is idle, without hindering it; a new one stands by."""
    while crew._crew()._busy:
        time.sleep(0.01)
    crew._crew().close()
    crew._crew.cache_clear()


def once(action: Any) -> Any:
    """Do something the first time only."""
    done: list[int] = []

    def act() -> None:
        if not done:
            done.append(1)
            action()

    return act


def lose_the_hub() -> None:
    """End this login's connections as the server does when it is killed."""
    with connect_as("postgres", autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = 'psn_app'")
