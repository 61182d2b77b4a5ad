"""The threads of a worker process: none is lost, none waits without need, and they end with what they began (PUB-9, P5, P8)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connections
from pytest_django import Settings

from hub.actions.connecting import connect_sandbox
from hub.models import Account, Post
from hub.publishing import crew as crews
from hub.publishing import walk
from hub.publishing.crew import Crew
from tests.factories import make_post
from tests.hub.publishing.stage import attempts_of, look, make_due, push_back, sent, texts, worker_login
from tests.sandbox.process import Sandbox

WAIT_SECONDS = 10.0


@pytest.fixture
def crew() -> Iterator[Crew]:
    """Two threads."""
    made = Crew(2)
    yield made
    made.close()


@pytest.fixture
def accounts(account: Account, sandbox: Sandbox) -> list[Account]:
    """Eight connected accounts."""
    others = [
        connect_sandbox(platform="x", sandbox_url=sandbox.url, handle=f"another{n}", now=datetime.now(UTC))
        for n in range(7)
    ]
    return [account, *others]


class TestMoreBellsThanThreads:
    def test_all_go_out_once(self, accounts: list[Account], sandbox: Sandbox, crew: Crew) -> None:
        sandbox.fail("latency", seconds=0.05, times=None)
        due = [make_post(owner, texts=(f"{n}",), status="scheduled") for n in range(3) for owner in accounts]
        taken = [crew.take(lambda post=post: walk.publish(str(post.id), worker="tests:1")) for post in due]  # type: ignore[misc]
        assert False in taken  # there were more than it could take
        wait_until_published(*due)
        assert len(sent(sandbox)) == len(due)
        assert {look(post).fence for post in due} == {1}

    def test_never_run_in_more_threads_than_there_are(
        self, accounts: list[Account], sandbox: Sandbox, crew: Crew
    ) -> None:
        sandbox.fail("latency", seconds=0.1, times=None)
        due = [make_post(owner, status="scheduled") for owner in accounts]
        for post in due:
            crew.take(lambda post=post: walk.publish(str(post.id), worker="tests:1"))  # type: ignore[misc]
        wait_until_published(*due)
        assert most_at_once(due) == 2

    def test_are_picked_up_by_whoever_becomes_free_though_it_had_just_looked(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = push_back(make_post(account, status="scheduled"))
        crew, publish_next = Crew(1), walk.publish_next
        turned_away: list[bool] = []

        def look_and_then_let_it_ring(*, worker: str) -> bool:
            found = publish_next(worker=worker)
            if not turned_away:  # nothing was due when it looked; now something is, and its bell finds no thread
                make_due(post)
                turned_away.append(crew.take(lambda: walk.publish(str(post.id), worker=worker)))
            return found

        monkeypatch.setattr(walk, "publish_next", look_and_then_let_it_ring)
        assert crew.take(lambda: None)
        wait_until_published(post)
        crew.close()
        assert (turned_away, texts(sandbox)) == ([False], ["Hello"])


class TestAThread:
    def test_survives_a_job_that_stumbles(
        self, account: Account, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
    ) -> None:
        crew = Crew(1)
        for _ in range(3):
            take_patiently(crew, lambda: 1 // 0)
        post = make_post(account, status="scheduled")
        take_patiently(crew, lambda: walk.publish(str(post.id), worker="tests:1"))
        wait_until_published(post)
        crew.close()
        assert caplog.text.count("ZeroDivisionError") == 3

    def test_goes_on_with_what_else_is_due_after_a_job_that_stumbled(self, account: Account, sandbox: Sandbox) -> None:
        post = make_post(account, status="scheduled")
        crew = Crew(1)
        crew.take(lambda: 1 // 0)
        wait_until_published(post)
        crew.close()

    def test_leaves_no_connection_behind(self, account: Account, sandbox: Sandbox, crew: Crew) -> None:
        left: list[object] = []

        def end() -> None:
            original(connections)
            left.extend(wrapper.connection for wrapper in connections.all(initialized_only=True))

        original = type(connections).close_all
        post = make_post(account, status="scheduled")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(connections, "close_all", end, raising=False)
            crew.take(lambda: walk.publish(str(post.id), worker="tests:1"))
            wait_until_published(post)
            crew.close()
        assert left
        assert set(left) == {None}


class TestClosing:
    def test_waits_for_what_is_going_out_and_begins_nothing(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("latency", seconds=0.5)
        going, waiting = (make_post(account, texts=(f"{n}",), status="scheduled") for n in range(2))
        crew = Crew(1)
        crew.take(lambda: walk.publish(str(going.id), worker="tests:1"))
        wait_until(lambda: bool(sent(sandbox)))
        crew.close()
        assert (look(going).status, look(waiting).status) == ("published", "scheduled")
        assert crew.take(lambda: walk.publish(str(waiting.id), worker="tests:1")) is False
        assert (look(waiting).status, len(sent(sandbox))) == ("scheduled", 1)


class TestConnections:
    def test_are_released_while_a_platform_answers(self, accounts: list[Account], sandbox: Sandbox) -> None:
        sandbox.fail("latency", seconds=1.5, times=None)
        due = [make_post(owner, status="scheduled") for owner in accounts]
        with worker_login(pool=1):
            crew = Crew(len(due))
            for post in due:
                assert crew.take(lambda post=post: walk.publish(str(post.id), worker="tests:1"))  # type: ignore[misc]
            crew.close()
        assert {look(post).status for post in due} == {"published"}
        assert most_at_once(due) == len(due)


class TestTheCrewOfAProcess:
    def test_is_as_large_as_the_settings_say_and_there_is_one(self, settings: Settings) -> None:
        crews._crew.cache_clear()
        try:
            made = {id(crew) for crew in [crews._crew(), crews._crew()]}
            assert len(made) == 1
            assert crews._crew()._size == settings.CREW
        finally:
            crews._crew().close()
            crews._crew.cache_clear()


def most_at_once(posts: list[Post]) -> int:
    """Count the most calls that were under way at one instant."""
    calls = [attempt for post in posts for attempt in attempts_of(post)]
    return max(
        sum(other.started_at <= call.started_at < other.finished_at for other in calls if other.finished_at)
        for call in calls
    )


def take_patiently(crew: Crew, job: object) -> None:
    """Hand a job over as soon as a thread is free."""
    wait_until(lambda: crew.take(job))  # type: ignore[arg-type]


def wait_until_published(*posts: Post) -> None:
    wait_until(lambda: all(look(post).status == "published" for post in posts))


def wait_until(happened: object) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < until, [thread.name for thread in threading.enumerate()]
        time.sleep(0.02)
