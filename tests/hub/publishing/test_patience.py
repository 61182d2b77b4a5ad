"""What is known is stored, though the hub goes away while the platform answers (PUB-4, P3, P8)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connections

from hub.models import Account, Post
from hub.publishing import patience
from psn.errors import NotReady
from tests.factories import make_post
from tests.hub.publishing.stage import attempts_of, bells, changes_of, interrupt, look, ring, sent
from tests.hub.worlds import connect_as
from tests.sandbox.process import Sandbox


class TestALostConnection:
    def test_during_the_call_costs_neither_the_answer_nor_a_second_request(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        post = make_post(account, texts=("one", "two"), status="scheduled")
        sandbox.fail("latency", seconds=0.7)
        ring_and_cut(post, sandbox)
        after = look(post)
        assert (after.status, len(sent(sandbox))) == ("published", 2)
        assert after.platform_post_id
        assert [attempt.outcome for attempt in attempts_of(post)] == ["ok", "ok"]
        assert changes_of(post) == ["scheduled publishing", "publishing published"]

    @pytest.mark.parametrize(
        ("fault", "status", "rings"),
        [
            ({"kind": "status", "status": 403}, "failed", 0),
            ({"kind": "status", "status": 429, "retry_after": 40}, "scheduled", 1),
            ({"kind": "drop_after"}, "unknown", 1),  # for the look at the platform
        ],
        ids=["refused", "limited", "unknown"],
    )
    def test_before_the_answer_is_judged_costs_no_judgement(
        self,
        account: Account,
        sandbox: Sandbox,
        monkeypatch: pytest.MonkeyPatch,
        fault: dict[str, Any],
        status: str,
        rings: int,
    ) -> None:
        post = make_post(account, status="scheduled")
        sandbox.fail(**fault)
        interrupt(monkeypatch, before_commit=cut)
        ring(post)
        assert (look(post).status, len(sent(sandbox)), len(bells())) == (status, 1, rings)
        assert [bool(attempt.finished_at) for attempt in attempts_of(post)] == [True]
        assert changes_of(post) == ["scheduled publishing", f"publishing {status}"]


class TestStorePatiently:
    def test_gives_up_after_its_time(self, hub: object) -> None:
        calls: list[int] = []

        def write() -> None:
            calls.append(1)
            raise OperationalError("gone")

        with pytest.raises(OperationalError):
            patience.store_patiently(write, seconds=0.5)
        assert 2 <= len(calls) <= 4

    def test_waits_for_a_server_that_does_not_start_yet(self, hub: object) -> None:
        answers: list[Any] = [NotReady("not yet"), "stored"]

        def write() -> str:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return str(answer)

        assert patience.store_patiently(write) == "stored"


def cut() -> None:
    """End the connections of this login as the server does when it is killed."""
    with connect_as("postgres", autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = 'psn_app'")


def ring_and_cut(post: Post, sandbox: Sandbox) -> None:
    """Ring, and end the ringing process's connection while the platform thinks."""
    with ThreadPoolExecutor(1) as pool:
        ringing = pool.submit(_ring_aside, post)
        while not sent(sandbox):
            assert not ringing.done()
            time.sleep(0.01)
        cut()
        connections.close_all()
        ringing.result(timeout=20)


def _ring_aside(post: Post) -> None:
    try:
        ring(post)
    finally:
        connections.close_all()
