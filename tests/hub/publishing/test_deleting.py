"""Taking a live post off its platform: asked for by a person, done by the worker, once or not at all (PUB-1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.db.models.functions import Now

from hub.actions import live
from hub.models import Account, Post, PostPart
from hub.publishing import deleting, sweep
from hub.publishing.content import load_parts
from psn.errors import Conflict
from tests.factories import OWNER, People, make_post
from tests.hub.publishing.stage import (
    WORKER,
    aside,
    attempts_of,
    audit_of,
    bells,
    look,
    notices_of,
    parts_of,
    ring,
    rung,
    texts,
    worker_login,
)
from tests.sandbox.process import Sandbox

DELETE = "DELETE /2/tweets/{id}"


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSN_WORKER", WORKER)


@pytest.fixture
def thread(account: Account, sandbox: Sandbox) -> Post:
    """A thread of two that is live."""
    post = ring(make_post(account, texts=("one", "two"), status="scheduled"))
    assert (post.status, len(texts(sandbox))) == ("published", 2)
    return post


def work(post: Post) -> Post:
    """Do what a worker's thread does when the bell for a deletion rings."""
    deleting.delete(str(post.user_id), str(post.id), worker=WORKER)
    return look(post)


def wait(post: Post) -> None:
    """Let the time pass until the worker may try again."""
    Post.objects.using(OWNER).filter(id=post.id, delete_asked_at__isnull=False).update(delete_asked_at=Now())


class TestAPostThatAPersonWantsGone:
    def test_goes_part_by_part_from_the_last_and_stays_on_record(self, thread: Post, sandbox: Sandbox) -> None:
        assert live.ask_to_delete(str(thread.id)).delete_asked_at is not None
        assert (rung(), texts(sandbox)) == (["delete_post"], ["one", "two"])  # a command never writes to a platform
        gone = work(thread)
        assert (gone.status, gone.deleted_at is not None, texts(sandbox)) == ("published", True, [])
        calls = [(call.reference, call.outcome) for call in attempts_of(thread, kind="delete")]
        parts = [part.platform_post_id for part in gone.parts.using(OWNER).order_by("-index")]
        assert calls == [(part, "ok") for part in parts]
        assert [entry.action for entry in audit_of(thread)][-2:] == ["post.delete_asked", "post.deleted"]

    def test_is_asked_for_once_however_often(self, thread: Post) -> None:
        live.ask_to_delete(str(thread.id))
        live.ask_to_delete(str(thread.id))
        assert rung() == ["delete_post"]

    def test_is_not_touched_by_a_rehearsal(self, thread: Post, sandbox: Sandbox) -> None:
        assert live.ask_to_delete(str(thread.id), dry_run=True).delete_asked_at is not None
        assert (look(thread).delete_asked_at, rung()) == (None, [])

    def test_that_is_gone_already_is_deleted(self, thread: Post, sandbox: Sandbox) -> None:
        live.ask_to_delete(str(thread.id))
        work(thread)
        wait(thread)  # a second bell finds nothing to do
        work(thread)
        assert len(attempts_of(thread, kind="delete")) == 2

    @pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
    def test_is_tried_again_when_the_answer_is_lost(self, thread: Post, sandbox: Sandbox, fault: str) -> None:
        live.ask_to_delete(str(thread.id))
        sandbox.fail(fault, match=DELETE)
        waiting = work(thread)
        assert (waiting.deleted_at, notices_of(thread), rung()) == (None, [], ["delete_post", "delete_post"])
        assert bells()[-1].lock > waiting.updated_at + timedelta(seconds=30)
        wait(thread)
        assert (work(thread).deleted_at is not None, texts(sandbox)) == (True, [])

    def test_is_told_of_when_the_platform_keeps_it(self, thread: Post, sandbox: Sandbox) -> None:
        live.ask_to_delete(str(thread.id))
        sandbox.fail("status", match=DELETE, status=403)
        kept = work(thread)
        assert (kept.deleted_at, kept.delete_asked_at) == (None, None)
        assert notices_of(thread) == [("act", "post.not_deleted")]
        assert len(texts(sandbox)) == 2

    def test_is_told_of_when_it_cannot_be_asked_for_too_long(self, thread: Post, sandbox: Sandbox) -> None:
        live.ask_to_delete(str(thread.id))
        sandbox.fail("drop_before", match=DELETE, times=None)
        for _ in range(deleting.TRIES):
            work(thread)
            wait(thread)
        assert (look(thread).delete_asked_at, notices_of(thread)) == (None, [("act", "post.not_deleted")])

    def test_is_found_by_the_sweep_when_its_worker_died(self, thread: Post) -> None:
        live.ask_to_delete(str(thread.id))
        Post.objects.using(OWNER).filter(id=thread.id).update(delete_asked_at=Now() - timedelta(minutes=5))
        with worker_login():
            assert sweep.sweep() == 1
        assert rung() == ["delete_post", "delete_post"]

    def test_is_gone_though_somebody_else_gave_up_meanwhile(
        self, thread: Post, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two workers at once: the platform refuses the one and serves the other."""
        live.ask_to_delete(str(thread.id))

        def give_up(post: Post) -> list[PostPart]:
            Post.objects.using(OWNER).filter(id=post.id).update(delete_asked_at=None)
            return parts_of(post)

        monkeypatch.setattr(deleting, "load_parts", give_up)
        assert (work(thread).deleted_at is not None, texts(sandbox)) == (True, [])

    def test_is_left_to_the_worker_that_is_at_it(
        self, thread: Post, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        live.ask_to_delete(str(thread.id))

        def ring_twice(post: Post) -> list[PostPart]:
            patch.setattr(deleting, "load_parts", load_parts)
            aside(lambda: deleting.delete(str(thread.user_id), str(thread.id), worker="another:1"))
            return load_parts(post)

        with monkeypatch.context() as patch:
            patch.setattr(deleting, "load_parts", ring_twice)
            work(thread)
        assert [call.worker for call in attempts_of(thread, kind="delete")] == [WORKER, WORKER]

    def test_is_asked_for_part_by_part_until_all_are_gone(self, account: Account, sandbox: Sandbox) -> None:
        """The parts that went count as no failures, and are not asked for again."""
        numbers = [f"number {number}" for number in range(deleting.TRIES + 2)]
        post = ring(make_post(account, texts=tuple(numbers), status="scheduled"))
        live.ask_to_delete(str(post.id))
        sandbox.fail("drop_before", match=f"DELETE /2/tweets/{parts_of(post)[1].platform_post_id}")
        assert (work(post).delete_asked_at is not None, notices_of(post)) == (True, [])
        wait(post)
        assert (work(post).deleted_at is not None, texts(sandbox)) == (True, [])
        assert len(attempts_of(post, kind="delete")) == len(numbers) + 1

    def test_may_be_asked_for_again_after_it_was_given_up(self, thread: Post, sandbox: Sandbox) -> None:
        live.ask_to_delete(str(thread.id))
        sandbox.fail("drop_before", match=DELETE, times=deleting.TRIES + 1)
        for _ in range(deleting.TRIES):
            work(thread)
            wait(thread)
        assert look(thread).delete_asked_at is None
        live.ask_to_delete(str(thread.id))
        assert work(thread).delete_asked_at is not None  # one more failure is not the end of it
        wait(thread)
        assert (work(thread).deleted_at is not None, texts(sandbox)) == (True, [])

    def test_goes_though_the_token_ended_before_its_time(self, thread: Post, sandbox: Sandbox) -> None:
        live.ask_to_delete(str(thread.id))
        sandbox.fail("expired_token", match=DELETE)
        assert (work(thread).delete_asked_at is not None, notices_of(thread)) == (True, [])
        wait(thread)
        assert (work(thread).deleted_at is not None, texts(sandbox)) == (True, [])

    def test_of_an_account_that_is_gone_is_told_of(self, thread: Post, account: Account) -> None:
        live.ask_to_delete(str(thread.id))
        Account.objects.using(OWNER).filter(id=account.id).update(status="disconnected")
        assert (work(thread).delete_asked_at, notices_of(thread)) == (None, [("act", "post.not_deleted")])

    def test_is_nobody_else_s_to_delete(self, thread: Post, hub: People, sandbox: Sandbox) -> None:
        live.ask_to_delete(str(thread.id))
        with worker_login():
            deleting.delete(str(hub.other.id), str(thread.id), worker=WORKER)
        assert (look(thread).deleted_at, len(texts(sandbox))) == (None, 2)

    def test_stays_deleted(self, thread: Post) -> None:
        live.ask_to_delete(str(thread.id))
        work(thread)
        with pytest.raises(IntegrityError, match="stays deleted"):
            Post.objects.using(OWNER).filter(id=thread.id).update(deleted_at=None)


class TestAPostThatIsNotLive:
    def test_is_not_deleted(self, account: Account) -> None:
        with pytest.raises(Conflict) as refused:
            live.ask_to_delete(str(make_post(account).id))
        assert refused.value.error_code == "post.state"

    def test_cannot_be_marked_for_it_by_anybody(self, account: Account) -> None:
        post = make_post(account)
        with pytest.raises(IntegrityError, match="posts_deletes_what_is_out"):
            Post.objects.using(OWNER).filter(id=post.id).update(delete_asked_at=Now())
