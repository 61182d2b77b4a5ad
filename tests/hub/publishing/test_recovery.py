"""A worker that was killed in mid-flight, and what its successor on the same computer does about it (ENGINE §5, PUB-7)."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connections, utils

from hub.models import Account, Attempt, AuditEntry, Post
from hub.publishing import attempts, recovery, walk
from psn.errors import UnknownOutcome
from tests.factories import OWNER, make_account, make_post
from tests.hub.publishing.stage import attempts_of, bells, look, parts_of, ring, sent
from tests.sandbox.process import Sandbox

DEAD, ALIVE, ELSEWHERE = "psn@here:1:10", "psn@here:2", "psn@there:1:10"


def claim(post: Post, *, owner: str = DEAD) -> Post:
    """Leave a post as a worker does that is killed right after its claim."""
    assert Post.objects.claim(post.id, owner=owner, lease=settings.LEASE)
    return look(post)


def intend(post: Post, *, index: int = 0) -> Attempt:
    """Leave a post as a worker does that is killed between its intent and the answer."""
    return walk._write_intent(post, parts_of(post)[index]).attempt


def take_over(monkeypatch: pytest.MonkeyPatch) -> int:
    """Take over through the worker's own login, as the real one does."""
    monkeypatch.setattr(recovery, "connections", {"default": connections["worker"]})
    return recovery.take_over(worker=ALIVE)


class TestTakeOver:
    def test_sends_what_was_only_claimed(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = claim(make_post(account, status="scheduled"))
        assert take_over(monkeypatch) == 1
        after = look(post)
        assert (after.status, after.tries, after.error_code) == ("scheduled", 1, "worker.lost")
        assert [bell.lock for bell in bells()] == [after.due_at]
        Post.objects.using(OWNER).filter(id=post.id).update(due_at=post.due_at)
        assert (ring(post).status, len(sent(sandbox))) == ("published", 1)

    def test_never_repeats_what_may_have_been_sent(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = claim(make_post(account, status="scheduled"))
        intend(post)
        take_over(monkeypatch)
        assert [attempt.outcome for attempt in attempts_of(post)] == ["unknown"]
        for _ in range(3):
            assert ring(post).status == "unknown"
        assert sent(sandbox) == []

    def test_never_repeats_what_nobody_knew_the_outcome_of(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = claim(make_post(account, status="scheduled"))
        attempts.close_refused(
            intend(post), UnknownOutcome("The answer was lost.")
        )  # killed before the post's end was written
        take_over(monkeypatch)
        assert ring(post).status == "unknown"
        assert sent(sandbox) == []

    def test_calls_published_what_was_live_already(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        post = ring(make_post(account, status="scheduled"))
        live = post.platform_post_id
        self._reopen(post)
        take_over(monkeypatch)
        assert (look(post).status, look(post).platform_post_id) == ("published", live)

    def test_goes_on_with_a_thread_after_its_last_live_part(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, texts=("one", "two"), status="scheduled")
        sandbox.fail("status", status=429, match="POST /2/tweets", times=1)
        ring(post)
        Account.objects.filter(id=account.id).update(next_allowed_at=None)
        Post.objects.using(OWNER).filter(id=post.id).update(due_at=post.due_at)
        claim(post)
        take_over(monkeypatch)
        Post.objects.using(OWNER).filter(id=post.id).update(due_at=post.due_at)
        before = len(sent(sandbox))
        assert ring(post).status == "published"
        assert len(sent(sandbox)) == before + 2

    def test_leaves_its_own_and_other_computers_posts_alone(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mine = claim(make_post(account, status="scheduled"), owner=f"{ALIVE}:11")
        theirs = claim(make_post(make_account(account.user), status="scheduled"), owner=ELSEWHERE)
        assert take_over(monkeypatch) == 0
        assert [look(post).status for post in (mine, theirs)] == ["publishing", "publishing"]

    def test_stands_in_the_audit(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        post = claim(make_post(account, status="scheduled"))
        take_over(monkeypatch)
        last = AuditEntry.objects.filter(subject_id=str(post.id)).order_by("at").last()
        assert last is not None
        assert (last.from_state, last.to_state, last.detail["code"]) == ("publishing", "scheduled", "worker.lost")

    def test_is_not_for_people(self, account: Account) -> None:
        with pytest.raises(utils.ProgrammingError, match="permission denied"):
            recovery.take_over(worker=ALIVE)

    @staticmethod
    def _reopen(post: Post) -> None:
        """Put a post back to the moment between its last answer and its end."""
        from tests.hub.publishing.stage import lawless

        with lawless() as connection:
            connection.execute(
                "UPDATE posts SET status = 'publishing', phase = 'sending', lease_until = now(), lease_owner = %s WHERE id = %s",
                (DEAD, post.id),
            )
