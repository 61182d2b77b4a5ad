"""A worker that was killed in mid-flight, and what becomes of its post (ENGINE 5, PUB-7, P4, P8)."""

from __future__ import annotations

from hub.models import Account, Attempt, Post
from hub.publishing import attempts, recovery, walk
from hub.publishing.endings import RETRIES
from hub.publishing.grants import open_adapter
from psn.errors import UnknownOutcome
from tests.factories import make_post
from tests.hub.publishing.stage import (
    attempts_of,
    audit_of,
    bells,
    changes_of,
    claim,
    lawless,
    look,
    make_due,
    notices_of,
    parts_of,
    ring,
    rung,
    sent,
    texts,
)
from tests.sandbox.process import Sandbox


class TestRecover:
    def test_sends_what_was_only_claimed(self, account: Account, sandbox: Sandbox) -> None:
        post = claim(make_post(account, status="scheduled"))
        recovery.recover(post.id)
        after = look(post)
        assert (after.status, after.tries, after.error_code) == ("scheduled", 1, "worker.lost")
        assert (after.lease_until, after.lease_owner, after.phase) == (None, "", "")
        assert [bell.lock for bell in bells()] == [after.due_at]
        assert (ring(post).status, len(sent(sandbox))) == ("published", 1)

    def test_never_repeats_what_may_have_been_sent(self, account: Account, sandbox: Sandbox) -> None:
        post = claim(make_post(account, status="scheduled"))
        intend(post)
        recovery.recover(post.id)
        assert [attempt.outcome for attempt in attempts_of(post)] == ["unknown"]
        assert rung() == ["look_at_post"]
        for _ in range(3):
            assert ring(post).status == "unknown"
        assert sent(sandbox) == []

    def test_never_repeats_what_nobody_knew_the_outcome_of(self, account: Account, sandbox: Sandbox) -> None:
        post = claim(make_post(account, status="scheduled"))
        attempts.close_refused(
            intend(post), UnknownOutcome("The answer was lost.")
        )  # killed before the post's end was written
        recovery.recover(post.id)
        assert ring(post).status == "unknown"
        assert sent(sandbox) == []

    def test_calls_published_what_was_live_already(self, account: Account, sandbox: Sandbox) -> None:
        post = ring(make_post(account, status="scheduled"))
        live = post.platform_post_id
        with lawless() as connection:  # the moment between its last answer and its end
            connection.execute(
                "UPDATE posts SET status = 'publishing', phase = 'sending', lease_until = now(), lease_owner = 'w'"
                " WHERE id = %s",
                [post.id],
            )
        recovery.recover(post.id)
        assert (look(post).status, look(post).platform_post_id) == ("published", live)
        assert len(sent(sandbox)) == 1

    def test_goes_on_with_a_thread_after_its_last_live_part(self, account: Account, sandbox: Sandbox) -> None:
        post = claim(make_post(account, texts=("one", "two"), status="scheduled"))
        send_first_part(post, account)
        recovery.recover(post.id)
        assert look(post).status == "scheduled"
        assert ring(post).status == "published"
        assert (texts(sandbox), len(sent(sandbox))) == (["one", "two"], 2)

    def test_gives_a_post_up_that_has_killed_its_worker_at_every_try(self, account: Account, sandbox: Sandbox) -> None:
        post = make_post(account, status="scheduled")
        for _ in range(RETRIES):
            recovery.recover(claim(post).id)
            assert look(post).status == "scheduled"
            make_due(post)
        recovery.recover(claim(post).id)
        after = look(post)
        assert (after.status, after.tries, after.error_code) == ("failed", RETRIES + 1, "worker.lost")
        assert notices_of(post)[-1] == ("act", "worker.lost")
        assert sent(sandbox) == []

    def test_tells_the_person_what_it_mended(self, account: Account) -> None:
        post = claim(make_post(account, status="scheduled"), owner="psn@here:1:10")
        recovery.recover(post.id)
        last = audit_of(post)[-1]
        assert (last.from_state, last.to_state, last.detail["code"]) == ("publishing", "scheduled", "worker.lost")
        assert last.actor == "psn@here:1:10"
        assert notices_of(post) == [("know", "worker.lost")]

    def test_leaves_alone_what_ended_meanwhile(self, account: Account) -> None:
        post = ring(make_post(account, status="scheduled"))
        recovery.recover(post.id)
        assert changes_of(post) == ["scheduled publishing", "publishing published"]

    def test_ends_a_post_without_parts(self, account: Account) -> None:
        post = claim(make_post(account, status="scheduled"))
        with lawless() as connection:
            connection.execute("DELETE FROM post_parts")
        recovery.recover(post.id)
        assert look(post).status == "scheduled"


def intend(post: Post) -> Attempt:
    """Leave a post as a worker does that is killed between its intent and the answer."""
    return walk._write_intent(post, parts_of(post)[0], reference="").attempt


def send_first_part(post: Post, account: Account) -> None:
    """Have a worker send the first part and be killed right after it stored the answer."""
    parts = parts_of(post)
    adapter = open_adapter(account, now=post.created_at)
    try:
        walk._send_part(post, parts[0], parts=parts, adapter=adapter)
    finally:
        adapter.close()
