"""Who gets a post: nobody before it is due and approved, one when it is, and never two (P2, P3, PUB-1)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from hub.actions import posts
from hub.actions.drafts import DraftPart
from hub.models import Account, Post
from hub.publishing import claims, walk
from hub.publishing.reading import read_claimed
from psn.config.workspace import ROOT
from tests.factories import OWNER, make_account, make_post
from tests.hub.publishing.stage import (
    WORKER,
    aside,
    at_once,
    attempts_of,
    audit_of,
    changes_of,
    claim,
    interrupt,
    live,
    look,
    make_due,
    parts_of,
    push_back,
    ring,
    sent,
)
from tests.hub.queue.process import worker_environment
from tests.sandbox.process import Sandbox

RINGS = 50


def not_yet_due(account: Account) -> Post:
    return make_post(account, status="scheduled", due_in=60)


def not_approved(account: Account) -> Post:
    return make_post(account)


def edited_after_approval(account: Account) -> Post:
    post = make_post(account, status="scheduled")
    edited, _ = posts.edit_post(
        str(post.id), parts=[DraftPart(text="Hello again")], approve=False, now=datetime.now(UTC)
    )
    return edited


def waiting_for_approval(account: Account) -> Post:
    post, _ = posts.create_post(
        account=str(account.id), parts=[DraftPart(text="Hello")], at=datetime.now(UTC), approve=False
    )
    return post


def cancelled(account: Account) -> Post:
    return posts.cancel_post(str(make_post(account, status="scheduled").id))


def of_a_waiting_account(account: Account) -> Post:
    Account.objects.filter(id=account.id).update(next_allowed_at=Now() + timedelta(seconds=60))
    return make_post(account, status="scheduled")


def of_a_busy_account(account: Account) -> Post:
    claim(make_post(account, texts=("The one in flight",), status="scheduled"))
    return make_post(account, status="scheduled")


def failed(account: Account) -> Post:
    post = make_post(account, status="scheduled")
    claim(post)
    Post.objects.filter(id=post.id).update(status="failed", phase="", lease_until=None, lease_owner="")
    return post


NOT_TO_BE_HAD = pytest.mark.parametrize(
    "make",
    [
        not_yet_due,
        not_approved,
        waiting_for_approval,
        edited_after_approval,
        cancelled,
        of_a_waiting_account,
        of_a_busy_account,
        failed,
    ],
    ids=lambda make: str(make.__name__),
)


class TestAPostThatIsNotToBeHad:
    @NOT_TO_BE_HAD
    def test_is_not_sent_and_not_changed(
        self, account: Account, sandbox: Sandbox, make: Callable[[Account], Post]
    ) -> None:
        post = make(account)
        before, history = look(post), audit_of(post)
        after = ring(post)
        assert sent(sandbox) == []
        assert vars(after) | {"_state": None} == vars(before) | {"_state": None}
        assert (audit_of(post), attempts_of(post)) == (history, [])

    @NOT_TO_BE_HAD
    def test_cannot_be_claimed(self, account: Account, make: Callable[[Account], Post]) -> None:
        post = make(account)
        before = look(post)
        assert claims.claim(post.id, worker=WORKER) is None
        assert claims.claim(None, worker=WORKER) is None
        assert vars(look(post)) | {"_state": None} == vars(before) | {"_state": None}

    def test_is_published_once_it_is_due_though_it_was_rung_too_early(self, account: Account) -> None:
        post = ring(push_back(make_post(account, status="scheduled")))
        make_due(post)
        assert ring(post).status == "published"

    def test_is_no_error_when_it_does_not_exist(self, account: Account, sandbox: Sandbox) -> None:
        walk.publish(str(account.id), worker=WORKER)
        assert sent(sandbox) == []

    def test_of_another_account_waits_for_nobody(self, account: Account) -> None:
        claim(make_post(make_account(account.user), status="scheduled"))
        assert ring(make_post(account, status="scheduled")).status == "published"


class TestManyRings:
    def test_at_once_from_threads_send_exactly_one_request(self, account: Account, sandbox: Sandbox) -> None:
        post = make_post(account, status="scheduled")
        at_once(RINGS, lambda number: ring(post, worker=f"tests:{number % 2}"))
        assert (len(sent(sandbox)), look(post).status, look(post).fence) == (1, "published", 1)

    def test_at_once_from_the_worker_s_own_processes_send_exactly_one_request(
        self, account: Account, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        post = push_back(make_post(account, status="scheduled"))
        ringers = [start_ringing(post, tmp_path / name, name=f"{name}:1") for name in ("w0", "w1")]
        for ringer in ringers:
            assert ringer.stdout is not None
            assert ringer.stdout.readline() == "ready\n"
        make_due(post)
        ends = [ringer.communicate("go\n", timeout=30) for ringer in ringers]
        assert [ringer.returncode for ringer in ringers] == [0, 0], ends
        assert (len(sent(sandbox)), look(post).status, look(post).fence) == (1, "published", 1)
        (attempt,) = attempts_of(post)
        assert attempt.worker.startswith(("w0:1", "w1:1"))


class TestALostClaim:
    """A worker that was paused wakes up, and the post is no longer its own."""

    def test_before_the_intent_sends_nothing(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        interrupt(monkeypatch, before_connect=lambda: take_over(post))
        after = ring(post)
        assert (sent(sandbox), attempts_of(post)) == ([], [])
        assert (after.status, after.lease_owner, after.fence) == ("publishing", "another:1", 2)

    def test_whose_lease_has_run_out_sends_nothing(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        interrupt(monkeypatch, before_connect=lambda: run_out(post))
        assert ring(post).status == "publishing"  # whoever looks after dead workers sees to it
        assert (sent(sandbox), attempts_of(post)) == ([], [])

    def test_writes_no_end_over_the_new_holder_s(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sandbox.fail("status", status=403)
        post = make_post(account, status="scheduled")
        interrupt(monkeypatch, before_commit=lambda: take_over(post))
        after = ring(post)
        assert (after.status, after.lease_owner, after.error_code) == ("publishing", "another:1", "")
        assert "publishing failed" not in changes_of(post)
        assert attempts_of(post)[0].outcome == "refused"  # its own attempt it does close

    def test_keeps_the_answer_of_a_call_that_was_under_way(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        interrupt(monkeypatch, before_commit=lambda: take_over(post))
        after = ring(post)
        assert (after.status, after.lease_owner) == ("publishing", "another:1")
        assert [part.platform_post_id for part in parts_of(post)] == [live(sandbox)[0]["id"]]

    def test_that_was_lost_before_the_post_was_read_sends_nothing(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post, read = make_post(account, status="scheduled"), read_claimed

        def be_paused_and_read(held: claims.Claim) -> object:
            take_over(post)
            return read(held)

        monkeypatch.setattr(walk, "read_claimed", be_paused_and_read)
        after = ring(post)
        assert (sent(sandbox), attempts_of(post)) == ([], [])
        assert (after.status, after.lease_owner, after.fence) == ("publishing", "another:1", 2)
        assert changes_of(post).count("scheduled publishing") == 2
        assert len(changes_of(post)) == 2

    def test_that_comes_back_after_its_last_moment_sends_nothing(
        self,
        account: Account,
        sandbox: Sandbox,
        monkeypatch: pytest.MonkeyPatch,
        settings: Settings,
    ) -> None:
        settings.LEASE = timedelta(seconds=5.2)  # 0.2 s until the last moment, which is 5 s before the call's own time
        post = make_post(account, status="scheduled")
        interrupt(monkeypatch, before_commit=lambda: time.sleep(0.3))
        after = ring(post)
        assert sent(sandbox) == []
        assert (after.status, attempts_of(post)[0].outcome) == ("scheduled", "not_sent")
        assert after.error_code == "platform.deadline_passed"


def take_over(post: Post) -> None:
    """Have the post put back, and claimed by another worker."""
    free = {"status": "scheduled", "phase": "", "lease_until": None, "lease_owner": ""}
    Post.objects.using(OWNER).filter(id=post.id).update(**free)
    aside(lambda: claim(post))


def run_out(post: Post) -> None:
    """Let the lease end."""
    Post.objects.using(OWNER).filter(id=post.id).update(lease_until=Now() - timedelta(seconds=1))


def start_ringing(post: Post, workspace: Path, *, name: str) -> subprocess.Popen[str]:
    """Start a process that rings half of the times, with the worker's login."""
    command = [sys.executable, "-m", "tests.hub.publishing.ringer", str(post.id), str(RINGS // 2)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=worker_environment(workspace, name=name),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
