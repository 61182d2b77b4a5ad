"""A lease outlasts a step that is slow, and whoever lost it does no harm any more (P3, PUB-7, ENGINE 5).

What happens to a worker that was paused past its lease stands in `test_claim.TestALostClaim` besides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from hub.models import Account, Post
from hub.publishing import claims, recovery, walk
from tests.factories import OWNER, make_post
from tests.hub.publishing.stage import (
    aside,
    attempts_of,
    claim,
    interrupt,
    live,
    look,
    notices_of,
    parts_of,
    ring,
    sent,
)
from tests.hub.publishing.test_content import with_picture
from tests.hub.worlds import connect_as
from tests.sandbox.process import Sandbox

UPLOAD = "POST /2/media/upload"
LEASE = timedelta(seconds=0.6)


@pytest.fixture
def short_lease(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease of 0.6 seconds, renewed every 0.1; a call may begin until 0.1 seconds before its end."""
    settings.LEASE = LEASE
    monkeypatch.setattr(claims, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(walk, "MARGIN_SECONDS", 0.1)


@pytest.mark.usefixtures("short_lease")
class TestAnUploadThatTakesLongerThanTheLease:
    def test_keeps_its_claim_and_is_sent(self, account: Account, sandbox: Sandbox, tmp_path: Path) -> None:
        sandbox.fail("latency", match=UPLOAD, seconds=1.5)
        post = with_picture(account, tmp_path)
        with while_uploading(post) as takes_over:
            takes_over()
        after = look(post)
        assert (after.status, after.fence, len(sent(sandbox))) == ("published", 1, 1)

    def test_loses_its_claim_when_nobody_renews_it_and_sends_nothing(
        self, account: Account, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(claims, "RENEW_SECONDS", 60.0)
        sandbox.fail("latency", match=UPLOAD, seconds=1.0)
        post = ring(with_picture(account, tmp_path))
        assert (post.status, sent(sandbox)) == ("publishing", [])  # whoever looks after silent workers sees to it
        recovery.recover(post.id)
        assert (ring(post).status, len(sent(sandbox))) == ("published", 1)

    def test_goes_on_renewing_when_the_hub_was_away_for_a_moment(
        self, account: Account, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        sandbox.fail("latency", match=UPLOAD, seconds=1.5)
        post = with_picture(account, tmp_path)
        with while_uploading(post), connect_as("postgres", autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = 'psn_app'")
        assert (look(post).status, len(sent(sandbox))) == ("published", 1)


@pytest.mark.usefixtures("short_lease")
class TestRenewal:
    def test_lengthens_the_lease_until_the_step_is_over_and_no_longer(self, account: Account) -> None:
        post = claim(make_post(account, status="scheduled"), owner="tests:1")
        with claims.renewed(post):
            time.sleep(1.0)
            assert is_held(post)
        keepers = [thread for thread in threading.enumerate() if thread.name == f"lease of {post.id}"]
        assert keepers == []
        time.sleep(0.8)
        assert not is_held(post)

    def test_never_lengthens_the_lease_of_whoever_took_over(self, account: Account) -> None:
        post = claim(make_post(account, status="scheduled"), owner="tests:1")
        with claims.renewed(post):
            aside(lambda: take_over(post))
            until = look(post).lease_until
            time.sleep(0.4)
            assert look(post).lease_until == until


class TestAZombie:
    """It was paused past its lease, its post was judged and sent by another, and it wakes up in the middle of its step."""

    def test_that_wakes_before_its_intent_sends_nothing(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        sleep_through(monkeypatch, lambda: publish_as_another(post), before="connect")
        after = ring(post)
        assert (after.status, len(sent(sandbox)), len(live(sandbox))) == ("published", 1, 1)
        assert [attempt.worker for attempt in attempts_of(post)] == ["another:1"]

    def test_that_wakes_with_its_intent_written_and_its_last_moment_over_sends_nothing(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.LEASE = timedelta(seconds=5.2)  # its last moment is 0.2 s after the intent
        post = make_post(account, status="scheduled")

        def be_judged_dead() -> None:
            time.sleep(0.3)
            recovery.recover(post.id)

        sleep_through(monkeypatch, be_judged_dead, before="commit")
        after = ring(post)
        assert (after.status, sent(sandbox)) == ("unknown", [])  # the judgement stands until the platform was asked
        assert [attempt.outcome for attempt in attempts_of(post)] == ["unknown"]

    def test_whose_answer_comes_late_leaves_it_as_evidence_and_changes_no_end(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")
        sleep_through(monkeypatch, lambda: recovery.recover(post.id), before="commit")
        after = ring(post)
        (remote,) = live(sandbox)
        assert after.status == "unknown"
        assert [part.platform_post_id for part in parts_of(post)] == [remote["id"]]
        assert (notices_of(post), len(sent(sandbox))) == ([], 1)


@contextmanager
def while_uploading(post: Post) -> Iterator[Callable[[], None]]:
    """Have a post published by a thread; do something when its lease would have run out, then wait for its end."""
    ringing = threading.Thread(target=aside, args=(lambda: ring(post, worker="tests:1"),))
    ringing.start()
    time.sleep(LEASE.total_seconds() + 0.4)
    yield lambda: recover_if_silent(post)
    ringing.join(timeout=20)


def recover_if_silent(post: Post) -> None:
    """Do what a sweep does: nothing, while the lease stands."""
    if not is_held(post):
        recovery.recover(post.id)


def is_held(post: Post) -> bool:
    return Post.objects.using(OWNER).filter(id=post.id, status="publishing", lease_until__gt=Now()).exists()


def take_over(post: Post) -> None:
    recovery.recover(post.id)
    claim(look(post))


def publish_as_another(post: Post) -> None:
    """Have the sleeper's post recovered and published by another worker."""
    recovery.recover(post.id)
    assert ring(post, worker="another:1").status == "published"


def sleep_through(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None], *, before: str) -> None:
    """Let a worker be paused at a step, once, and something happen on other connections meanwhile."""
    slept: list[int] = []

    def sleep() -> None:
        if not slept:
            slept.append(1)
            aside(meanwhile)

    if before == "connect":
        interrupt(monkeypatch, before_connect=sleep)
    else:
        interrupt(monkeypatch, before_commit=sleep)
