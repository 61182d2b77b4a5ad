"""`why`: one sentence for every state a post can be in, with what to do next (PUB-8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.actions.answers import Surroundings, explain, look_around
from hub.actions.posts import get_post
from hub.models import Attempt, Post, Status, User
from tests.factories import OWNER, make_account, make_post

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def make(status: str, **values: Any) -> Post:
    defaults = {
        "scheduled_wall": "2026-11-20T10:00:00",
        "scheduled_zone": "Europe/Madrid",
        "due_at": NOW + timedelta(minutes=1),
        "scheduled_at": NOW,
        "published_at": NOW,
    }
    return Post(status=status, **(defaults | values))


class TestExplain:
    @pytest.mark.parametrize("status", Status.values)
    def test_says_something_about_every_state(self, status: str) -> None:
        answer = explain(make(status), [], now=NOW, around=Surroundings())
        assert answer.summary.endswith((".", ": "))
        assert answer.next_command is None or answer.next_command.startswith("psn_")

    @pytest.mark.parametrize("status", ["published", "cancelled", "delivered"])
    def test_asks_for_no_command_when_nothing_is_left_to_do(self, status: str) -> None:
        assert explain(make(status), [], now=NOW, around=Surroundings()).next_command is None

    @pytest.mark.parametrize("status", ["pending_approval", "unknown", "delivered"])
    def test_asks_a_person_where_only_a_person_can_tell(self, status: str) -> None:
        assert explain(make(status), [], now=NOW, around=Surroundings()).ask

    def test_never_offers_to_send_again_what_may_be_live(self) -> None:
        answer = explain(make("unknown"), [], now=NOW, around=Surroundings())
        assert "schedule" not in str(answer.next_command)
        assert "publish" not in str(answer.next_command)

    @pytest.mark.parametrize(
        ("values", "attempts", "lives", "said"),
        [
            ({}, [], True, "It goes out at 2026-11-20T10:00:00 (Europe/Madrid)"),
            ({}, [], False, "no worker lives"),
            ({"due_at": NOW - timedelta(minutes=1)}, [], True, "due and was not sent yet"),
            ({"error_message": "It was down."}, [Attempt()], True, "The last try did not get out: It was down."),
        ],
        ids=["ahead", "no worker", "late", "retry"],
    )
    def test_says_why_a_post_still_waits(
        self, values: dict[str, Any], attempts: list[Attempt], lives: bool, said: str
    ) -> None:
        around = Surroundings(worker_lives=lives)
        assert said in explain(make("scheduled", **values), attempts, now=NOW, around=around).summary

    def test_says_the_day_of_the_next_try_too(self) -> None:
        post = make("scheduled", due_at=datetime(2026, 11, 21, 8, 30, tzinfo=UTC), error_message="It asked to wait.")
        assert "2026-11-21 08:30:00 UTC" in explain(post, [Attempt()], now=NOW, around=Surroundings()).summary

    @pytest.mark.parametrize(
        ("ends_in", "said", "command"),
        [
            (timedelta(seconds=9), "which is going out", "psn_post wait {mine}"),
            (timedelta(seconds=-9), "its worker died in the middle", "psn_post why {other}"),
        ],
        ids=["alive", "dead"],
    )
    def test_names_the_post_that_is_in_the_way(self, ends_in: timedelta, said: str, command: str) -> None:
        post = make("scheduled", due_at=NOW)
        other = make("publishing", lease_until=NOW + ends_in, lease_owner="psn@here:1")
        for attempts, error in (([], ""), ([Attempt()], "It was down.")):
            post.error_message = error
            answer = explain(post, attempts, now=NOW, around=Surroundings(in_flight=other))
            assert said in answer.summary
            assert str(other.id) in answer.summary
            assert answer.next_command == command.format(mine=post.id, other=other.id)

    def test_says_until_when_the_platform_wants_nothing(self) -> None:
        around = Surroundings(next_allowed_at=NOW + timedelta(days=1))
        answer = explain(make("scheduled", due_at=NOW), [], now=NOW, around=around)
        assert "until 2026-11-21 09:00:00 UTC" in answer.summary
        around = Surroundings(next_allowed_at=NOW - timedelta(days=1))
        assert "until" not in explain(make("scheduled", due_at=NOW), [], now=NOW, around=around).summary

    @pytest.mark.parametrize(("phase", "said"), [("claimed", "surely not sent"), ("sending", "it may be live")])
    def test_says_what_a_dead_worker_left_behind(self, phase: str, said: str) -> None:
        post = make("publishing", phase=phase, lease_until=NOW, lease_owner="psn@here:1")
        answer = explain(post, [], now=NOW, around=Surroundings())
        assert "died in the middle" in answer.summary
        assert said in answer.summary
        assert "here sees to it" in answer.summary
        assert bool(answer.ask) is (phase == "sending")
        assert answer.next_command == "psn_worker start"
        post.lease_until = NOW + timedelta(seconds=1)
        assert "is sending it" in explain(post, [], now=NOW, around=Surroundings()).summary

    @pytest.mark.parametrize(("late", "said"), [(0.4, "on time"), (12.34, "12.3 seconds late")])
    def test_says_how_late_it_was(self, late: float, said: str) -> None:
        post = make("published", published_at=NOW + timedelta(seconds=late))
        assert said in explain(post, [], now=NOW, around=Surroundings()).summary


class TestLookAround:
    def test_sees_the_account_s_pause_and_the_post_in_flight_but_not_the_post_itself(self, me: User) -> None:
        account = make_account(me, next_allowed_at=NOW)
        post, other = (make_post(account, status="scheduled") for _ in range(2))
        make_post(make_account(me), status="scheduled")
        assert Post.objects.using(OWNER).claim(other.id, owner="tests:1", lease=timedelta(minutes=1))
        around = look_around(get_post(str(post.id)))
        assert (around.worker_lives, around.next_allowed_at, around.in_flight) == (False, NOW, other)
        assert look_around(get_post(str(other.id))).in_flight is None
