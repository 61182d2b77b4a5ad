"""Claims: of any number of workers exactly one gets a due post, and nobody gets one that is not to be had (PUB-1, PUB-12)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.db.models import F
from django.db.models.functions import Now

from hub.models import Account, AuditEntry, Post, Status, User
from hub.rls.identity import acting_as
from psn.errors import Conflict
from tests.factories import OWNER, make_account, make_post
from tests.hub.models.states import make_live, make_post_in, move

LEASE = timedelta(minutes=1)
RACES = 50
MINUTE = timedelta(minutes=1)


@pytest.fixture
def account(me: User) -> Account:
    return make_account(me)


def claim(post: Post, *, using: str = "default", owner: str = "worker:1") -> bool:
    return Post.objects.using(using).claim(post.id, owner=owner, lease=LEASE)


def stored(post: Post) -> Post:
    return Post.objects.using(OWNER).get(id=post.id)


def race(me: User, action: Callable[[str, int], bool], *, rounds: int) -> list[list[bool]]:
    """Let both connections do the same thing at the same moment, again and again; give each round's two answers."""
    barrier = Barrier(2, timeout=10)

    def run(alias: str) -> list[bool]:
        answers = []
        try:
            with acting_as(me.id):
                connections[alias].ensure_connection()
                for number in range(rounds):
                    barrier.wait()
                    answers.append(action(alias, number))
        finally:
            connections.close_all()
        return answers

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(run, alias) for alias in ("default", "worker")]
        return [list(pair) for pair in zip(*(future.result(timeout=30) for future in both), strict=True)]


class TestARace:
    def test_for_one_post_has_exactly_one_winner(self, me: User) -> None:
        posts = [make_post(make_account(me), status="scheduled") for _ in range(RACES)]
        answers = race(me, lambda alias, number: claim(posts[number], using=alias, owner=alias), rounds=RACES)
        assert [sum(pair) for pair in answers] == [1] * RACES
        for post, (by_person, _) in zip(posts, answers, strict=True):
            after = stored(post)
            assert (after.status, after.fence, after.tries) == ("publishing", 1, 1)
            assert after.lease_owner == ("default" if by_person else "worker")

    def test_for_two_posts_of_one_account_has_exactly_one_winner(self, me: User) -> None:
        accounts = [make_account(me) for _ in range(RACES // 2)]
        pairs = [
            {alias: make_post(account, status="scheduled") for alias in ("default", "worker")} for account in accounts
        ]
        answers = race(me, lambda alias, number: claim(pairs[number][alias], using=alias), rounds=len(pairs))
        assert [sum(pair) for pair in answers] == [1] * len(pairs)
        assert [sorted(stored(post).status for post in pair.values()) for pair in pairs] == [
            ["publishing", "scheduled"]
        ] * len(pairs)

    def test_with_a_cancellation_has_exactly_one_winner(self, me: User) -> None:
        posts = [make_post(make_account(me), status="scheduled") for _ in range(RACES // 2)]

        def act(alias: str, number: int) -> bool:
            if alias == "worker":
                return claim(posts[number], using=alias)
            return bool(Post.objects.filter(id=posts[number].id, status="scheduled").update(status="cancelled"))

        answers = race(me, act, rounds=len(posts))
        assert [sum(pair) for pair in answers] == [1] * len(posts)


class TestClaim:
    def test_takes_the_post_for_one_worker_until_its_lease_ends(self, account: Account) -> None:
        post = make_post(account, status="scheduled")
        before = datetime.now(UTC)
        assert claim(post)
        after = stored(post)
        assert (after.status, after.phase, after.lease_owner, after.fence, after.tries) == (
            "publishing",
            "claimed",
            "worker:1",
            1,
            1,
        )
        assert after.lease_until is not None
        assert abs(after.lease_until - before - LEASE) < timedelta(seconds=5)

    def test_is_had_once(self, account: Account) -> None:
        post = make_post(account, status="scheduled")
        assert [claim(post), claim(post)] == [True, False]
        assert stored(post).fence == 1

    def test_counts_every_time(self, account: Account) -> None:
        post = make_post(account, status="scheduled")
        for number in (1, 2, 3):
            assert claim(post)
            assert (stored(post).fence, stored(post).tries) == (number, number)
            move(post, "scheduled")

    @pytest.mark.parametrize("status", [status for status in Status.values if status != "scheduled"])
    def test_is_for_scheduled_posts_alone(self, status: str, account: Account) -> None:
        post = make_post_in(status, account)
        assert not claim(post)
        assert stored(post).status == status

    def test_is_not_for_a_post_whose_time_has_not_come(self, account: Account) -> None:
        assert not claim(make_post(account, status="scheduled", due_in=60))
        pushed_back = make_post(account, status="scheduled")
        Post.objects.filter(id=pushed_back.id).update(due_at=Now() + MINUTE)
        assert not claim(pushed_back)
        Post.objects.filter(id=pushed_back.id).update(due_at=Now())
        assert claim(pushed_back)

    @pytest.mark.parametrize(("wait", "claimed"), [(MINUTE, False), (-MINUTE, True)], ids=["still", "no longer"])
    def test_waits_for_the_account(self, wait: timedelta, claimed: bool, account: Account) -> None:
        post = make_post(account, status="scheduled")
        Account.objects.filter(id=account.id).update(next_allowed_at=datetime.now(UTC) + wait)
        assert claim(post) is claimed

    def test_waits_for_another_post_of_the_account(self, account: Account) -> None:
        first, second = (make_post(account, status="scheduled") for _ in range(2))
        assert claim(first)
        assert not claim(second)
        make_live(first)
        move(first, "published")
        assert claim(second)

    def test_does_not_wait_for_another_account(self, account: Account, me: User) -> None:
        assert claim(make_post(account, status="scheduled"))
        assert claim(make_post(make_account(me), status="scheduled"))

    def test_is_not_for_another_persons_post(self, hub: Any) -> None:
        post = make_post(make_account(hub.other), status="scheduled")
        assert not claim(post)
        with acting_as(hub.me.id):
            assert not claim(post, using="worker")
        with acting_as(hub.other.id):
            assert claim(post, using="worker")


class TestDue:
    def test_lists_what_may_go_out_now(self, account: Account, me: User) -> None:
        waiting = make_account(me)
        Account.objects.filter(id=waiting.id).update(next_allowed_at=datetime.now(UTC) + MINUTE)
        due = make_post(account, status="scheduled")
        make_post(account, status="scheduled", due_in=60)
        make_post(account)
        make_post(waiting, status="scheduled")
        assert [post.id for post in Post.objects.due()] == [due.id]
        assert claim(due)
        assert not Post.objects.due().exists()


class TestHeld:
    @pytest.fixture
    def post(self, account: Account) -> Post:
        post = make_post(account, status="scheduled")
        assert claim(post)
        return stored(post)

    def test_is_the_row_of_a_standing_claim(self, post: Post) -> None:
        assert Post.objects.held(post).get().id == post.id

    def test_is_nothing_under_an_old_fence(self, post: Post) -> None:
        move(post, "scheduled")
        assert claim(post, owner="worker:2")
        assert not Post.objects.held(post).exists()
        assert Post.objects.held(stored(post)).exists()

    def test_is_nothing_once_the_lease_has_run_out(self, post: Post) -> None:
        Post.objects.filter(id=post.id).update(lease_until=Now() - timedelta(milliseconds=1))
        assert not Post.objects.held(post).exists()

    @pytest.mark.parametrize("status", ["failed", "unknown", "scheduled"])
    def test_is_nothing_once_the_post_has_ended(self, status: str, post: Post) -> None:
        move(post, status)
        assert not Post.objects.held(post).exists()


class TestRenew:
    def test_lengthens_the_lease_and_names_the_phase(self, account: Account) -> None:
        post = make_post_in("publishing", account)
        assert Post.objects.renew(post, lease=timedelta(hours=1), phase="sending")
        after = stored(post)
        assert after.phase == "sending"
        assert after.lease_until is not None
        assert after.lease_until > datetime.now(UTC) + timedelta(minutes=59)

    def test_tells_when_the_claim_is_lost(self, account: Account) -> None:
        post = make_post_in("publishing", account)
        Post.objects.filter(id=post.id).update(fence=F("fence") + 1)
        before = stored(post)
        assert not Post.objects.renew(post, lease=LEASE, phase="sending")
        assert (stored(post).phase, stored(post).lease_until) == (before.phase, before.lease_until)


class TestChange:
    def test_leaves_an_audit_row_with_its_actor(self, account: Account) -> None:
        post = make_post_in("scheduled", account)
        Post.objects.change(post, to=Status.CANCELLED, among=[Status.SCHEDULED], actor="person", detail={"why": "rain"})
        entry = AuditEntry.objects.get(subject_id=str(post.id))
        assert (entry.actor, entry.action, entry.from_state, entry.to_state, entry.detail) == (
            "person",
            "post.cancelled",
            "scheduled",
            "cancelled",
            {"why": "rain"},
        )
        assert post.status == "cancelled"

    def test_is_refused_from_any_other_state_and_leaves_nothing(self, account: Account) -> None:
        post = make_post_in("publishing", account)
        with pytest.raises(Conflict, match="publishing by now"):
            Post.objects.change(post, to=Status.CANCELLED, among=[Status.SCHEDULED], actor="person")
        assert stored(post).status == "publishing"
        assert not AuditEntry.objects.exists()

    def test_stays_on_the_connection_it_was_asked_on(self, hub: Any) -> None:
        post = make_post(make_account(hub.other), status="scheduled")
        with acting_as(hub.other.id):
            through_worker = Post.objects.using("worker").get(id=post.id)
            Post.objects.using("worker").change(
                through_worker, to=Status.CANCELLED, among=[Status.SCHEDULED], actor="worker"
            )
            assert AuditEntry.objects.using("worker").get().user_id == hub.other.id
        assert not AuditEntry.objects.exists()
