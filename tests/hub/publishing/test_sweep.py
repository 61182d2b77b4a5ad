"""The sweep: whatever is stuck, whatever the reason, is set moving again, once (PUB-7, ENGINE 5, P5, P8)."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, utils
from django.db.models.functions import Now
from django_q.models import OrmQ
from pytest_django import Settings

from hub.actions import posts
from hub.actions.drafts import DraftPart
from hub.models import Account, Post, User, WorkerHeartbeat
from hub.publishing import recovery, sweep
from hub.publishing.endings import WATCHDOG
from hub.queue.bells import unpack
from tests.factories import OWNER, People, make_account, make_post
from tests.hub.models.states import make_post_in
from tests.hub.publishing.stage import (
    at_once,
    audit_of,
    bells,
    changes_of,
    claim,
    drain,
    look,
    notices_of,
    ring,
    rung,
    sent,
    texts,
    worker_login,
)
from tests.sandbox.process import Sandbox

DEAD, ALIVE, ELSEWHERE = "psn@here:1:10", "psn@here:2", "psn@there:1:10"
DAY = 24 * 3600.0


@pytest.fixture(autouse=True)
def alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is the second incarnation of a worker."""
    monkeypatch.setenv("PSN_WORKER", ALIVE)


@pytest.fixture
def idle_account(me: User) -> Account:
    """An account that is never called."""
    return make_account(me)


def run_sweep() -> int:
    """Sweep with the worker's own login, as the real one does; give how many posts were stuck."""
    with worker_login():
        return sweep.sweep()


class TestAnOrphan:
    def test_of_an_earlier_incarnation_of_this_worker_is_taken_over_at_once(self, idle_account: Account) -> None:
        post = claim(make_post(idle_account, status="scheduled"), owner=DEAD)
        assert run_sweep() == 1
        assert (look(post).status, look(post).error_code) == ("scheduled", "worker.lost")
        assert rung() == ["publish_post"]

    @pytest.mark.parametrize(
        ("over_by", "taken"),
        [
            pytest.param(-30.0, False, id="while its lease stands"),
            pytest.param(2.0, False, id="in the moment after, for a clock may be off and an answer under way"),
            pytest.param(6.0, True, id="after that"),
        ],
    )
    def test_of_a_stranger_is_taken_over_only_after_its_lease(
        self, idle_account: Account, over_by: float, taken: bool
    ) -> None:
        post = claim(make_post(idle_account, status="scheduled"), owner=ELSEWHERE)
        Post.objects.using(OWNER).update(lease_until=Now() - timedelta(seconds=over_by))
        assert run_sweep() == int(taken)
        assert look(post).status == ("scheduled" if taken else "publishing")

    @pytest.mark.parametrize("owner", [f"{ALIVE}:11", "psn@here-too:1:10", "psn:2:10"])
    def test_is_not_what_this_worker_or_another_is_publishing(self, idle_account: Account, owner: str) -> None:
        post = claim(make_post(idle_account, status="scheduled"), owner=owner)
        assert run_sweep() == 0
        assert changes_of(post) == ["scheduled publishing"]

    def test_of_anybody_is_seen_to(self, hub: People) -> None:
        made = [claim_for(user) for user in (hub.me, hub.other)]
        assert run_sweep() == 2
        assert [look(post).status for post in made] == ["scheduled"] * 2
        assert [unpack(row.payload).ids["post_id"] for row in bells()] == [str(post.id) for post in made]

    def test_is_sent_once_by_its_successor(self, account: Account, sandbox: Sandbox) -> None:
        post = claim(make_post(account, status="scheduled"), owner=DEAD)
        run_sweep()
        assert (ring(post).status, look(post).tries, len(sent(sandbox))) == ("published", 2, 1)


class TestAMissedPost:
    def test_is_given_up_with_its_reason(self, idle_account: Account) -> None:
        post = make_post(idle_account, status="scheduled", due_in=-3 * DAY)
        assert run_sweep() == 1
        after = look(post)
        assert (after.status, after.error_code) == ("missed", "post.missed")
        assert "48 hours" in after.error_message
        assert notices_of(post) == [("act", "post.missed")]
        (entry,) = audit_of(post)
        assert (entry.actor, entry.from_state, entry.to_state) == (WATCHDOG, "scheduled", "missed")
        assert (run_sweep(), rung()) == (0, [])

    def test_is_one_past_its_own_account_s_grace(self, idle_account: Account) -> None:
        Account.objects.using(OWNER).update(grace=timedelta(hours=1))
        post = make_post(idle_account, status="scheduled", due_in=-2 * 3600.0)
        run_sweep()
        assert look(post).status == "missed"
        assert "1 hour," in look(post).error_message

    def test_can_be_scheduled_again(self, account: Account, sandbox: Sandbox) -> None:
        post = make_post(account, status="scheduled", due_in=-3 * DAY)
        run_sweep()
        posts.publish_post(str(post.id), approve=True, now=datetime.now(UTC))
        assert (ring(post).status, len(sent(sandbox))) == ("published", 1)


class TestAnUnseenPost:
    @pytest.mark.parametrize(("late_by", "bells_rung"), [(2.0, []), (6.0, ["look_at_post"])], ids=["yet", "overdue"])
    def test_is_looked_at_when_its_look_is_overdue(
        self, idle_account: Account, late_by: float, bells_rung: list[str]
    ) -> None:
        post = make_post_in("unknown", idle_account)
        Post.objects.using(OWNER).filter(id=post.id).update(look_at=Now() - timedelta(seconds=late_by))
        run_sweep()
        assert rung() == bells_rung
        ids = [unpack(row.payload).ids for row in bells()]
        assert ids == [{"user_id": str(post.user_id), "post_id": str(post.id)}] * len(bells_rung)

    def test_is_none_when_only_a_person_can_tell(self, idle_account: Account) -> None:
        make_post_in("unknown", idle_account)
        assert (run_sweep(), rung()) == (0, [])


class TestAnUnclaimedPost:
    def test_whose_bell_was_lost_is_rung_for_within_one_sweep(self, account: Account, sandbox: Sandbox) -> None:
        at = datetime.now(UTC) - timedelta(seconds=6)
        post, _ = posts.create_post(account=str(account.id), parts=[DraftPart(text="Hello")], at=at, approve=True)
        OrmQ.objects.using(OWNER).all().delete()
        assert run_sweep() == 1
        (row,) = bells()
        assert unpack(row.payload).ids == {"post_id": str(post.id)}
        assert [entry.actor for entry in audit_of(post) if entry.action == "post.rung_again"] == [WATCHDOG]
        assert (ring(post).status, texts(sandbox)) == ("published", ["Hello"])

    def test_is_none_while_its_bell_may_still_be_on_its_way(self, idle_account: Account) -> None:
        make_post(idle_account, status="scheduled", due_in=-2)
        assert (run_sweep(), rung()) == (0, [])

    @pytest.mark.parametrize("reason", ["next_allowed_at", "next_catch_up_at"])
    def test_is_none_while_its_account_has_to_wait(self, idle_account: Account, reason: str) -> None:
        make_post(idle_account, status="scheduled", due_in=-20 * 60)
        Account.objects.using(OWNER).update(**{reason: Now() + timedelta(minutes=1)})
        assert (run_sweep(), rung()) == (0, [])

    def test_is_none_while_another_one_of_its_account_is_going_out(self, idle_account: Account) -> None:
        claim(make_post(idle_account, status="scheduled"), owner=f"{ALIVE}:11")
        make_post(idle_account, status="scheduled", due_in=-60)
        assert (run_sweep(), rung()) == (0, [])

    def test_of_many_rings_for_a_few_and_whoever_hears_it_sees_to_the_rest(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        many = sweep.BELLS + 3
        made = [make_post(account, texts=(f"{n}",), status="scheduled", due_in=-60) for n in range(many)]
        assert run_sweep() == many
        assert rung() == ["publish_post"] * sweep.BELLS
        ring(made[0])
        assert {look(post).status for post in made} == {"published"}


class TestTheSweep:
    def test_at_the_same_time_as_another_does_everything_once(self, hub: People) -> None:
        orphans = [claim_for(hub.me) for _ in range(4)]
        missed = [make_post(make_account(hub.other), status="scheduled", due_in=-3 * DAY) for _ in range(4)]
        with worker_login():
            at_once(4, lambda _: sweep.sweep())
        for post in orphans:
            assert changes_of(post) == ["scheduled publishing", "publishing scheduled"]
            assert notices_of(post) == [("know", "worker.lost")]
        for post in missed:
            assert changes_of(post) == ["scheduled missed"]
            assert notices_of(post) == [("act", "post.missed")]

    def test_goes_on_after_a_post_that_cannot_be_seen_to(
        self, hub: People, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        first, second = (claim_for(hub.me) for _ in range(2))
        see_to = recovery.recover

        def stumble_over_the_first(post_id: object) -> None:
            if post_id == first.id:
                raise IndexError("a bug")
            see_to(post_id)  # type: ignore[arg-type]

        monkeypatch.setattr(recovery, "recover", stumble_over_the_first)
        run_sweep()
        assert (look(first).status, look(second).status) == ("publishing", "scheduled")
        assert "could not be seen to" in caplog.text

    def test_is_not_for_people(self, idle_account: Account) -> None:
        claim(make_post(idle_account, status="scheduled"), owner=DEAD)
        with pytest.raises(utils.ProgrammingError, match="permission denied"):
            sweep.sweep()

    def test_finds_nothing_when_nothing_is_stuck(self, idle_account: Account) -> None:
        make_post(idle_account, status="scheduled", due_in=60)
        make_post(idle_account)
        assert (run_sweep(), rung()) == (0, [])

    def test_says_that_it_swept(self, hub: People) -> None:
        now = datetime.now(UTC)
        name, _, incarnation = ALIVE.partition(":")
        me = {"host": "here", "pid": 1, "version": "1", "started_at": now, "beat_at": now}
        WorkerHeartbeat.objects.using(OWNER).create(name=name, incarnation=incarnation, **me)
        run_sweep()
        swept_at = WorkerHeartbeat.objects.using(OWNER).get().swept_at
        assert swept_at is not None
        assert swept_at >= now - timedelta(seconds=1)


class TestTheLoop:
    def test_sweeps_at_once_goes_on_when_the_hub_was_away_or_it_stumbled_and_ends_when_told(
        self, hub: People, monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.WARNING)
        stopping, times, given = threading.Event(), list[int](), list[timedelta | None]()

        def trouble(*, patience: timedelta | None) -> int:
            times.append(len(times))
            given.append(patience)
            if len(times) == 3:
                stopping.set()
            raise (OperationalError("gone"), ValueError("a bug"), OperationalError("gone"))[len(times) - 1]

        monkeypatch.setattr(sweep, "sweep", trouble)
        settings.SWEEP_SECONDS = 0.01
        in_any_case = threading.Timer(10.0, stopping.set)
        in_any_case.start()
        sweep.sweep_until(stopping)
        in_any_case.cancel()
        assert times == [0, 1, 2]
        assert given == [timedelta(0)] * 3  # what died with a predecessor is rung at once, as soon as the hub answers
        assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR", "WARNING"]


class TestCatchingUp:
    """What an outage held up goes out in its turn, five minutes apart; what is on time does not wait for it (PUB-12)."""

    @pytest.fixture
    def late(self, account: Account) -> list[Post]:
        """Three posts of one account that were due twenty minutes ago."""
        return [make_post(account, texts=(f"Late {n}",), status="scheduled", due_in=n - 20 * 60.0) for n in range(3)]

    def test_sends_one_late_post_and_rings_for_the_next_after_the_gap(
        self, account: Account, sandbox: Sandbox, late: list[Post]
    ) -> None:
        drain()
        assert texts(sandbox) == ["Late 0"]
        next_at = Account.objects.get(id=account.id).next_catch_up_at
        assert next_at is not None
        assert timedelta(minutes=4, seconds=50) < next_at - datetime.now(UTC) <= timedelta(minutes=5)
        (row,) = bells()
        assert (row.lock, unpack(row.payload).ids) == (next_at, {"post_id": str(late[1].id)})

    def test_sends_each_in_its_turn(self, account: Account, sandbox: Sandbox, late: list[Post]) -> None:
        for number in range(3):
            assert drain() == 1
            assert len(texts(sandbox)) == number + 1
            Account.objects.using(OWNER).update(next_catch_up_at=Now() - timedelta(seconds=1))
        assert texts(sandbox) == ["Late 0", "Late 1", "Late 2"]

    @pytest.mark.usefixtures("late")
    def test_lets_a_post_that_is_on_time_pass(self, account: Account, sandbox: Sandbox) -> None:
        drain()
        on_time = make_post(account, texts=("On time",), status="scheduled")
        assert ring(on_time).status == "published"
        assert texts(sandbox) == ["Late 0", "On time"]

    def test_does_not_begin_with_a_post_that_is_a_little_late(self, account: Account, sandbox: Sandbox) -> None:
        for number in range(2):
            make_post(account, texts=(f"{number}",), status="scheduled", due_in=-10 * 60.0)
        assert drain() == 2
        assert Account.objects.get(id=account.id).next_catch_up_at is None

    def test_does_not_wait_after_a_late_post_that_was_refused(
        self, account: Account, sandbox: Sandbox, late: list[Post]
    ) -> None:
        sandbox.fail("status", status=403)
        drain()
        assert [look(post).status for post in late] == ["failed", "published", "scheduled"]


def claim_for(user: User) -> Post:
    """Have a dead worker hold a post of somebody."""
    post = make_post(make_account(user), status="scheduled")
    with worker_login():
        return claim(post, owner=DEAD)
