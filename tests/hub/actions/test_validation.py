"""What `psn_validate` says about the engine: the queue moves, nothing is stuck, nothing waits for a person (HUB-4)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.actions import validation
from hub.actions.notices import mark_seen
from hub.models import Account, Notice, User, WorkerHeartbeat
from hub.queue import echoes
from psn.config.workspace import Workspace
from psn.errors import NotReady
from tests.factories import OWNER, make_account, make_post
from tests.hub.actions.stage import long_ago, make_claimed, make_unknown, now


@pytest.fixture
def account(me: User) -> Account:
    return make_account(me)


def beat() -> None:
    values = {"incarnation": "1", "host": "here", "pid": 7, "version": "0.1.0", "started_at": now(), "beat_at": now()}
    WorkerHeartbeat.objects.using(OWNER).create(name="well", **values)


class TestTheQueue:
    def test_is_not_rung_without_a_worker(self, me: User) -> None:
        check = validation._run("queue", validation._check_queue)
        assert (check.status, check.message) == ("skip", "needs a worker")

    def test_that_nobody_answers_names_what_mends_it(self, me: User, monkeypatch: pytest.MonkeyPatch) -> None:
        beat()
        round_trip = echoes.round_trip
        monkeypatch.setattr(echoes, "round_trip", lambda: round_trip(seconds=0.1))
        check = validation._run("queue", validation._check_queue)
        assert (check.status, check.next_command) == ("fail", "psn_worker start")
        assert "no worker answered" in check.message


class TestWhatIsStuck:
    def test_is_named_with_the_command_that_tells_why(self, me: User, account: Account) -> None:
        assert validation._check_stuck() == "no post is stuck"
        due = make_post(account, status="scheduled", due_in=-90)
        with pytest.raises(NotReady, match="1 post is stuck") as refused:
            validation._check_stuck()
        assert refused.value.next_command == f"psn_post why {due.id}"
        left = long_ago(make_claimed(make_account(me)), lease_until=timedelta(hours=1))
        with pytest.raises(NotReady, match="2 posts are stuck") as refused:
            validation._check_stuck()
        assert refused.value.next_command == f"psn_post why {left.id}"

    def test_is_not_what_is_going_out_or_waits_for_its_time(self, me: User, account: Account) -> None:
        make_claimed(account)
        make_post(make_account(me), status="scheduled", due_in=60)
        assert validation._check_stuck() == "no post is stuck"


class TestWhatWaitsForAPerson:
    def test_is_what_psn_cannot_find_out_itself(self, account: Account) -> None:
        make_unknown(account)
        assert validation._check_undecided() == "no post waits for your word"
        post = make_unknown(account, looking=False)
        with pytest.raises(NotReady, match="1 post waits for you") as refused:
            validation._check_undecided()
        assert refused.value.next_command == f"psn_post why {post.id}"

    def test_is_not_what_the_person_has_merely_not_seen(self, account: Account) -> None:
        post = make_post(account)
        Notice.objects.create(user_id=post.user_id, post_id=post.id, level="act", code="post.missed", message="m")
        assert "1 notices are unseen (psn_post notices)" in validation._check_undecided()
        mark_seen("all")
        assert validation._check_undecided() == "no post waits for your word"


class TestAWorkspaceWithoutAHub:
    def test_is_told_of_every_check_that_could_not_be_made(self, tmp_path: Path) -> None:
        checks = list(validation.validate(Workspace(tmp_path), live=False))
        skipped = [check.name for check in checks if check.status == "skip"]
        assert skipped == [
            "schema",
            "isolation",
            "clock",
            "worker",
            "queue",
            "stuck",
            "undecided",
            "keys",
            "sandbox",
            "accounts",
        ]
