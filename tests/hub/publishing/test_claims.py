"""The claim: of any number of workers exactly one gets a due post, and nobody gets one that is not to be had (PUB-1, P2, P3, P5)."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from hub.actions import posts
from hub.actions.drafts import DraftPart
from hub.models import Account, Attempt, Post, Status, User
from hub.publishing import claims
from psn.errors import Conflict
from tests.factories import OWNER, People, make_account, make_post
from tests.hub.models.states import make_live, make_post_in, move
from tests.hub.publishing.stage import aside, at_once, audit_of, claim, look, rung, worker_login
from tests.hub.queue.process import restart_server
from tests.hub.worlds import connect_as

MINUTE = timedelta(minutes=1)
CLAIMERS, MANY = 8, 40
LATE_DAYS = 3 * 24 * 3600.0


@pytest.fixture
def account(me: User) -> Account:
    """An account that is never called."""
    return make_account(me)


@pytest.fixture(params=["person", "worker"])
def login(request: pytest.FixtureRequest, hub: People) -> Iterator[str]:
    """Whose login claims: the person's own, or the worker's."""
    if request.param == "person":
        yield request.param
    else:
        with worker_login():
            yield request.param


def try_to(post: Post, *, worker: str = "tests:1") -> bool:
    """Claim a post, if it is to be had."""
    return claims.claim(post.id, worker=worker) is not None


def claim_next(*, worker: str = "tests:1") -> claims.Claim | None:
    """Claim whatever has been due longest."""
    return claims.claim(None, worker=worker)


def next_id() -> uuid.UUID | None:
    """Claim whatever has been due longest, and name it."""
    found = claim_next()
    return found.post_id if found else None


class TestClaimPost:
    def test_takes_the_post_for_one_worker_until_its_lease_ends(self, account: Account) -> None:
        post, before = make_post(account, status="scheduled"), datetime.now(UTC)
        found = claims.claim(str(post.id), worker="psn@here:1a2b:7")
        assert found is not None
        assert (found.post_id, found.user_id) == (post.id, account.user_id)
        after = look(post)
        assert (after.status, after.phase, after.lease_owner) == ("publishing", "claimed", "psn@here:1a2b:7")
        assert (after.fence, after.tries) == (1, 1)
        assert after.lease_until is not None
        assert abs(after.lease_until - before - settings.LEASE) < timedelta(seconds=5)

    def test_leaves_an_audit_row_with_the_fence_and_the_try(self, account: Account) -> None:
        post = claim(make_post(account, status="scheduled"), owner="psn@here:1a2b:7")
        (entry,) = audit_of(post)
        assert (entry.actor, entry.action, entry.user_id) == ("psn@here:1a2b:7", "post.claimed", account.user_id)
        assert (entry.from_state, entry.to_state, entry.detail) == ("scheduled", "publishing", {"fence": 1, "try": 1})

    def test_that_was_answered_survives_a_crash_of_the_server(self, account: Account) -> None:
        """Else the next claim would have the same fence, and whoever held the lost one would take it for his own."""
        post = make_post(account, status="scheduled")
        look(post)  # its connection is open: nothing lies between the claim and the crash
        claims.claim(post.id, worker="tests:1")
        restart_server()
        assert (look(post).status, look(post).fence) == ("publishing", 1)

    def test_is_had_once(self, account: Account) -> None:
        post = make_post(account, status="scheduled")
        assert [try_to(post), try_to(post)] == [True, False]
        assert (look(post).fence, len(audit_of(post))) == (1, 1)

    def test_counts_every_time(self, account: Account) -> None:
        post = make_post(account, status="scheduled")
        for number in (1, 2, 3):
            assert try_to(post)
            assert (look(post).fence, look(post).tries) == (number, number)
            move(post, "scheduled")

    @pytest.mark.parametrize("status", [status for status in Status.values if status != "scheduled"])
    def test_is_for_scheduled_posts_alone(self, status: str, account: Account) -> None:
        post = make_post_in(status, account)
        assert not try_to(post)
        assert claim_next() is None
        assert (look(post).status, audit_of(post)) == (status, [])

    def test_is_nothing_when_there_is_no_such_post(self, account: Account) -> None:
        assert claims.claim(uuid.uuid4(), worker="tests:1") is None

    def test_of_a_second_post_of_the_account_is_refused_by_the_database_too(self, account: Account) -> None:
        claim(make_post(account, status="scheduled"))
        second = make_post(account, status="scheduled")
        forced = {"status": "publishing", "phase": "claimed", "fence": F("fence") + 1, "lease_owner": "w"}
        with pytest.raises(IntegrityError, match="posts_one_in_flight"):
            Post.objects.using(OWNER).filter(id=second.id).update(lease_until=Now(), **forced)

    def test_waits_for_another_post_of_the_account_and_for_no_other_account(self, account: Account, me: User) -> None:
        first, second = (make_post(account, status="scheduled") for _ in range(2))
        other = make_post(make_account(me), status="scheduled")
        assert [try_to(first), try_to(second), try_to(other)] == [True, False, True]
        make_live(first)
        move(first, "published")
        assert try_to(second)


class TestWhoMayClaim:
    def test_a_person_may_claim_his_own_posts_alone(self, hub: People) -> None:
        mine, others = (make_post(make_account(user), status="scheduled") for user in (hub.me, hub.other))
        assert not try_to(others)
        assert [next_id(), next_id()] == [mine.id, None]
        assert (look(others).status, audit_of(others)) == ("scheduled", [])

    def test_the_worker_may_claim_everybody_s(self, hub: People) -> None:
        made = [make_post(make_account(user), status="scheduled") for user in (hub.me, hub.other)]
        with worker_login():
            assert [next_id() for _ in range(3)] == [*(post.id for post in made), None]
        assert [audit_of(post)[0].user_id for post in made] == [hub.me.id, hub.other.id]


class TestWhen:
    def test_not_before_it_is_due_by_the_clock_of_the_database(self, account: Account) -> None:
        post = make_post(account, status="scheduled")
        Post.objects.using(OWNER).filter(id=post.id).update(due_at=Now() + timedelta(seconds=0.4))
        assert not try_to(post)
        time.sleep(0.5)
        assert try_to(post)

    def test_not_once_the_grace_is_over_whatever_its_retries_made_of_its_time(self, account: Account) -> None:
        post = make_post(account, status="scheduled", due_in=-LATE_DAYS)
        Post.objects.using(OWNER).filter(id=post.id).update(due_at=Now())
        assert not try_to(post)
        Account.objects.filter(id=account.id).update(grace=timedelta(days=4))
        assert try_to(post)

    @pytest.mark.parametrize(("wait", "claimed"), [(MINUTE, False), (-MINUTE, True)], ids=["still", "no longer"])
    def test_not_while_the_platform_wants_nothing_from_the_account(
        self, wait: timedelta, claimed: bool, account: Account
    ) -> None:
        post = make_post(account, status="scheduled")
        Account.objects.filter(id=account.id).update(next_allowed_at=Now() + wait)
        assert try_to(post) is claimed

    @pytest.mark.parametrize(
        ("late_by", "wait", "claimed"),
        [
            pytest.param(20 * MINUTE, MINUTE, False, id="what is late waits for its turn"),
            pytest.param(20 * MINUTE, -MINUTE, True, id="what is late goes when its turn has come"),
            pytest.param(10 * MINUTE, MINUTE, True, id="what is on time waits for no turn"),
        ],
    )
    def test_paced_after_an_outage(self, late_by: timedelta, wait: timedelta, claimed: bool, account: Account) -> None:
        post = make_post(account, status="scheduled", due_in=-late_by.total_seconds())
        Account.objects.filter(id=account.id).update(next_catch_up_at=Now() + wait)
        assert try_to(post) is claimed
        assert claim_next() is None

    def test_only_for_what_was_approved_as_it_stands(self, account: Account) -> None:
        post = make_post(account, status="scheduled")
        posts.edit_post(str(post.id), parts=[DraftPart(text="Other")], approve=False, now=datetime.now(UTC))
        assert not try_to(post)


class TestClaimNext:
    def test_takes_what_has_been_due_longest(self, account: Account, me: User) -> None:
        made = [make_post(make_account(me), status="scheduled", due_in=-due) for due in (3.0, 9.0, 6.0)]
        assert [next_id() for _ in range(4)] == [made[1].id, made[2].id, made[0].id, None]

    def test_passes_by_a_busy_account_and_what_somebody_is_changing(self, account: Account, me: User) -> None:
        claim(make_post(account, status="scheduled", due_in=-9))
        make_post(account, status="scheduled", due_in=-8)
        held = make_post(make_account(me), status="scheduled", due_in=-7)
        free = make_post(make_account(me), status="scheduled", due_in=-6)
        with ThreadPoolExecutor(1) as pool, transaction.atomic():
            Post.objects.select_for_update().get(id=held.id)
            assert pool.submit(aside, next_id).result(timeout=10) == free.id


@pytest.mark.usefixtures("login")
class TestARace:
    def test_for_one_post_has_exactly_one_winner(self, account: Account) -> None:
        for _ in range(5):
            post = make_post(make_account(account.user), status="scheduled")
            won = at_once(CLAIMERS, lambda number, post=post: try_to(post, worker=f"w:{number}"))  # type: ignore[misc]
            assert won.count(True) == 1
            assert (look(post).lease_owner, look(post).fence) == (f"w:{won.index(True)}", 1)
            assert len(audit_of(post)) == 1

    def test_for_the_posts_of_one_account_has_exactly_one_winner(self, account: Account) -> None:
        for _ in range(5):
            owner = make_account(account.user)
            rivals = [make_post(owner, texts=(f"{number}",), status="scheduled") for number in range(CLAIMERS)]
            won = at_once(CLAIMERS, lambda number, rivals=rivals: try_to(rivals[number]))  # type: ignore[misc]
            assert won.count(True) == 1
            assert [look(post).status for post in rivals].count("publishing") == 1

    def test_of_many_for_many_gives_everyone_once_and_one_of_an_account_at_a_time(self, account: Account) -> None:
        owners = [account, *(make_account(account.user) for _ in range(4))]
        made = [make_post(owners[n % 5], texts=(f"{n}",), status="scheduled", due_in=n - 60.0) for n in range(MANY)]
        taken: Counter[uuid.UUID] = Counter()
        in_flight, lock = set[uuid.UUID](), threading.Lock()
        owner_of = {post.id: post.account_id for post in made}

        def work(number: int) -> None:
            until = time.monotonic() + 30
            while sum(taken.values()) < MANY and time.monotonic() < until:
                found = claim_next(worker=f"w:{number}")
                if found is not None:
                    with lock:
                        assert owner_of[found.post_id] not in in_flight
                        in_flight.add(owner_of[found.post_id])
                        taken[found.post_id] += 1
                    with lock:
                        in_flight.remove(owner_of[found.post_id])
                    end(found.post_id)

        at_once(CLAIMERS, work)
        assert taken == Counter(owner_of.keys())
        assert {(look(post).fence, look(post).tries) for post in made} == {(1, 1)}


class TestAgainstAPerson:
    """An edit, a cancel, an approval at the same moment: whichever commits first (P2)."""

    @pytest.fixture
    def post(self, account: Account) -> Post:
        return make_post(account, status="scheduled")

    @pytest.mark.parametrize("change", ["cancel", "edit", "move"])
    def test_a_change_that_commits_first_wins(self, change: str, post: Post) -> None:
        won = while_open(lambda: CHANGES[change](post), lambda: try_to(post))
        assert won is False
        assert (look(post).status, look(post).fence) == ("cancelled" if change == "cancel" else "draft", 0)

    @pytest.mark.parametrize("change", ["cancel", "edit", "move"])
    def test_a_claim_that_commits_first_wins(self, change: str, post: Post) -> None:
        def change_too_late() -> str:
            try:
                CHANGES[change](post)
            except Conflict as refusal:
                return refusal.error_code
            return ""

        assert while_open(lambda: try_to(post), change_too_late) == "post.state"
        assert (look(post).status, look(post).approved_hash) == ("publishing", post.approved_hash)

    def test_a_rehearsal_that_holds_the_row_costs_the_bell_nothing(self, post: Post) -> None:
        assert while_open(lambda: posts.cancel_post(str(post.id)), lambda: try_to(post), undo=True) is True
        assert look(post).status == "publishing"

    def test_an_approval_is_seen_with_its_commit_and_rings_its_own_bell(self, account: Account) -> None:
        at = datetime.now(UTC) + timedelta(seconds=0.3)
        post, _ = posts.create_post(account=str(account.id), parts=[DraftPart(text="Hello")], at=at, approve=False)
        with transaction.atomic():
            posts.approve_post(str(post.id), now=datetime.now(UTC))
            time.sleep(0.4)
            assert aside(lambda: try_to(post)) is False
            assert aside(rung) == []
        assert rung() == ["publish_post"]
        assert try_to(post)

    @pytest.mark.parametrize("seed", range(4))
    def test_at_the_same_instant_has_one_winner(self, account: Account, seed: int) -> None:
        for _ in range(5):
            post = make_post(make_account(account.user), status="scheduled")
            answers = at_once(2, lambda number, post=post: race_a_cancel(number, post))  # type: ignore[misc]
            assert answers.count(True) == 1, answers
            assert look(post).status == ("publishing" if answers[0] else "cancelled")


CHANGES: dict[str, Callable[[Post], Any]] = {
    "cancel": lambda post: posts.cancel_post(str(post.id)),
    "edit": lambda post: posts.edit_post(
        str(post.id), parts=[DraftPart(text="Other")], approve=False, now=datetime.now(UTC)
    ),
    "move": lambda post: Post.objects.change(
        post, to=Status.DRAFT, among=[Status.SCHEDULED], actor="person", approved_hash=""
    ),
}


def race_a_cancel(number: int, post: Post) -> bool:
    """Claim as the first, cancel as the second; say whether it was in time."""
    if number == 0:
        return try_to(post)
    try:
        posts.cancel_post(str(post.id))
    except Conflict:
        return False
    return True


def while_open(first: Callable[[], object], second: Callable[[], Any], *, undo: bool = False) -> Any:
    """Do the first thing, and the second on another connection before the first has committed; give what that came to."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            waiting = pool.submit(aside, second)
            wait_until_somebody_waits()
            assert not waiting.done(), "nobody waited for the lock"
            transaction.set_rollback(undo)
        return waiting.result(timeout=10)


def wait_until_somebody_waits() -> None:
    """Wait until a statement waits for a lock; a second at most."""
    until = time.monotonic() + 1
    with connect_as("postgres", autocommit=True) as admin:
        while time.monotonic() < until:
            waiting = admin.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
            if waiting:
                return
            time.sleep(0.01)


def end(post_id: uuid.UUID) -> None:
    """End a claimed post without a call, as a refusal does."""
    free = {"status": "failed", "phase": "", "lease_until": None, "lease_owner": ""}
    Post.objects.using(OWNER).filter(id=post_id).update(**free)
    assert not Attempt.objects.using(OWNER).exists()
