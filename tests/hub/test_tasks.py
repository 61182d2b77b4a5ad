"""What workers run, and what becomes of a post when PSN itself stumbles (P8)."""

from __future__ import annotations

import inspect
import os
from datetime import UTC, datetime

import pytest
from django.db import OperationalError
from django.utils.module_loading import import_string

from hub import tasks
from hub.models import Account, Post
from hub.publishing import walk
from hub.queue import bells as queue_bells
from tests.factories import make_post
from tests.hub.publishing.conftest import account, sandbox, sandbox_process
from tests.hub.publishing.stage import attempts_of, audit_of, bells, changes_of, interrupt, look, sent
from tests.hub.worlds import connect_as
from tests.sandbox.process import Sandbox

__all__ = ["account", "sandbox", "sandbox_process"]


class Bug(Exception):
    """Nothing that PSN raises on purpose."""


def stumble() -> None:
    raise Bug


class TestPublishPost:
    def test_is_what_a_bell_names(self) -> None:
        assert import_string(queue_bells.PUBLISH) is tasks.publish_post
        assert set(inspect.signature(tasks.publish_post).parameters) == {"user_id", "post_id"}

    def test_publishes_and_signs_with_the_worker_s_name_and_process(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PSN_WORKER", "psn@here:1a2b")
        post = make_post(account, status="scheduled")
        run(post)
        assert look(post).status == "published"
        worker = f"psn@here:1a2b:{os.getpid()}"
        assert {entry.actor for entry in audit_of(post)} == {worker}
        assert attempts_of(post)[0].worker == worker


class TestABugOfOurOwn:
    def test_before_the_intent_ends_the_post_as_failed(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        interrupt(monkeypatch, before_connect=stumble)
        with pytest.raises(Bug):
            run(post)
        after = look(post)
        assert (after.status, after.error_code) == ("failed", "bug")
        assert "log" in after.error_message
        assert (sent(sandbox), attempts_of(post)) == ([], [])
        assert changes_of(post) == ["scheduled publishing", "publishing failed"]
        assert audit_of(post)[-1].detail["code"] == "bug"

    def test_after_the_intent_ends_the_post_as_unknown(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        interrupt(monkeypatch, before_commit=stumble)
        with pytest.raises(Bug):
            run(post)
        after = look(post)
        assert (after.status, after.error_code) == ("unknown", "publish.unknown")
        assert changes_of(post) == ["scheduled publishing", "publishing unknown"]
        assert audit_of(post)[-1].detail["code"] == "publish.unknown"

    def test_after_the_intent_closes_the_attempt_as_unknown_and_nothing_is_sent_again(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        with monkeypatch.context() as patch:
            interrupt(patch, before_commit=stumble)
            with pytest.raises(Bug):
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

        def lose_the_hub() -> None:
            with connect_as("postgres", autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = 'psn_app'")

        with monkeypatch.context() as patch:
            interrupt(patch, before_connect=lose_the_hub)
            with pytest.raises(OperationalError):
                run(post)
        after = look(post)
        assert (after.status, after.error_code, len(bells())) == ("scheduled", "hub.unreachable", 1)
        assert sent(sandbox) == []

    def test_on_a_lost_connection_still_ends_the_post(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        post = make_post(account, status="scheduled")

        def stumble_over_the_hub() -> None:
            with connect_as("postgres", autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = 'psn_app'")
            stumble()

        interrupt(monkeypatch, before_commit=stumble_over_the_hub)
        with pytest.raises(Bug):
            run(post)
        assert look(post).status == "unknown"

    def test_while_the_answer_is_stored_ends_the_post_as_unknown(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        monkeypatch.setattr(walk, "_store_answer", lambda *_: stumble())
        with pytest.raises(Bug):
            run(post)
        run(post)
        assert (len(sent(sandbox)), look(post).status) == (1, "unknown")

    def test_in_a_post_that_was_drained_ends_that_post(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        first = make_post(account, texts=("The first",), status="scheduled", due_in=-2)
        second = make_post(account, texts=("The second",), status="scheduled")
        calls: list[int] = []

        def stumble_the_second_time() -> None:
            calls.append(1)
            if len(calls) == 2:
                stumble()

        interrupt(monkeypatch, before_connect=stumble_the_second_time)
        with pytest.raises(Bug):
            run(first)
        assert (look(first).status, look(second).status) == ("published", "failed")

    def test_rings_for_the_account_s_next_post_whose_own_bell_rang_in_vain(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = make_post(account, texts=("The first",), status="scheduled", due_in=-2)
        second = make_post(account, texts=("The second",), status="scheduled")
        with monkeypatch.context() as patch:
            interrupt(patch, before_connect=stumble)
            with pytest.raises(Bug):
                run(first)
        (bell,) = bells()
        assert bell.task["kwargs"]["post_id"] == str(second.id)
        assert bell.lock <= datetime.now(UTC)
        tasks.publish_post(**bell.task["kwargs"])
        assert look(second).status == "published"

    def test_does_not_end_what_another_process_of_the_same_worker_is_sending(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PSN_WORKER", "psn@here:1a2b")
        post = make_post(account, status="scheduled")
        neighbour = os.getpid() + 1

        def let_the_neighbour_stumble() -> None:
            with monkeypatch.context() as patch:
                patch.setattr(os, "getpid", lambda: neighbour)
                patch.setattr(walk, "publish", lambda *_, **__: stumble())
                with pytest.raises(Bug):
                    run(post)

        interrupt(monkeypatch, before_commit=let_the_neighbour_stumble)
        run(post)
        assert look(post).status == "published"


def run(post: Post) -> None:
    """Run a bell's task in this process."""
    tasks.publish_post(user_id=str(post.user_id), post_id=str(post.id))
