"""`why`: one sentence for every state a post can be in, with what to do next (PUB-8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.actions.answers import explain
from hub.models import Attempt, Post, Status

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
        answer = explain(make(status), [], now=NOW, worker_lives=True)
        assert answer.summary.endswith((".", ": "))
        assert answer.next_command is None or answer.next_command.startswith("psn_")

    @pytest.mark.parametrize("status", ["published", "cancelled", "delivered"])
    def test_asks_for_no_command_when_nothing_is_left_to_do(self, status: str) -> None:
        assert explain(make(status), [], now=NOW, worker_lives=True).next_command is None

    @pytest.mark.parametrize("status", ["pending_approval", "unknown", "delivered"])
    def test_asks_a_person_where_only_a_person_can_tell(self, status: str) -> None:
        assert explain(make(status), [], now=NOW, worker_lives=True).ask

    def test_never_offers_to_send_again_what_may_be_live(self) -> None:
        answer = explain(make("unknown"), [], now=NOW, worker_lives=True)
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
        assert said in explain(make("scheduled", **values), attempts, now=NOW, worker_lives=lives).summary

    @pytest.mark.parametrize(("late", "said"), [(0.4, "on time"), (12.34, "12.3 seconds late")])
    def test_says_how_late_it_was(self, late: float, said: str) -> None:
        post = make("published", published_at=NOW + timedelta(seconds=late))
        assert said in explain(post, [], now=NOW, worker_lives=True).summary
