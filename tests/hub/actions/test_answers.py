"""`why`: where a post stands in every state it can be in, what PSN does next by itself, and what a person does (PUB-8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.actions.answers import Surroundings, explain, is_out, look_around, page_of
from hub.actions.catalogue import CATALOGUE
from hub.models import Account, Post, Status, User
from tests.factories import OWNER, make_account, make_post
from tests.hub.actions.stage import claim, make_claimed, now, read, send
from tests.test_documents import parse

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
HERE = Surroundings(zone="Europe/Madrid")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def make(status: str, *, account: dict[str, Any] | None = None, **values: Any) -> Post:
    """Make a post in memory, due in a minute."""
    owner = Account(platform="x", handle="ana", is_sandbox=True, base_url="http://127.0.0.1:8766/x", **(account or {}))
    defaults = {"due_at": NOW + MINUTE, "scheduled_at": NOW, "published_at": NOW, "lease_owner": "psn@here:1a2b:7"}
    return Post(status=status, account=owner, **(defaults | values))


class TestExplain:
    @pytest.mark.parametrize("status", Status.values)
    def test_says_something_about_every_state_with_every_code(self, status: str) -> None:
        for code in ("", "no.such_code", *CATALOGUE):
            post = make(status, error_code=code, error_message="It was so." if code else "")
            answer = explain(post, now=NOW, around=HERE)
            assert answer.summary.endswith("."), code
            assert answer.by_itself.endswith("."), code
            assert "  " not in answer.summary, code
            if answer.next_command is not None:
                parse(answer.next_command)

    @pytest.mark.parametrize("status", ["published", "cancelled", "delivered"])
    def test_asks_for_no_command_when_nothing_is_left_to_do(self, status: str) -> None:
        assert explain(make(status), now=NOW, around=HERE).next_command is None

    @pytest.mark.parametrize("status", ["pending_approval", "unknown", "delivered", "failed", "missed"])
    def test_asks_a_person_where_only_a_person_can_tell(self, status: str) -> None:
        assert explain(make(status), now=NOW, around=HERE).ask

    @pytest.mark.parametrize("status", Status.values)
    def test_never_hands_an_agent_a_command_that_is_a_person_s_yes(self, status: str) -> None:
        for code in ("", *CATALOGUE):
            answer = explain(make(status, error_code=code), now=NOW, around=HERE)
            command = answer.next_command or ""
            assert answer.ask or not ("--approve" in command or " approve " in command), code

    def test_tells_instants_in_the_person_s_zone(self) -> None:
        answer = explain(make("scheduled"), now=NOW, around=HERE)
        assert answer.summary == "It goes out at 2026-11-20 10:01:00 (Europe/Madrid)."
        assert answer.at == NOW + MINUTE

    @pytest.mark.parametrize(("late", "said"), [(0.4, "on time"), (12.34, "12.3 seconds late")])
    def test_says_how_late_it_was(self, late: float, said: str) -> None:
        post = make("published", published_at=NOW + timedelta(seconds=late))
        assert said in explain(post, now=NOW, around=HERE).summary

    def test_gives_the_yes_for_exactly_what_is_stored(self) -> None:
        post = make("pending_approval", content_hash="abc", scheduled_at=NOW + HOUR)
        assert explain(post, now=NOW, around=HERE).next_command == f"psn_post approve {post.id} --content-hash abc"

    def test_offers_no_yes_for_a_time_that_has_passed(self) -> None:
        answer = explain(make("pending_approval"), now=NOW + SECOND, around=HERE)
        assert "had no yes by then" in answer.summary
        assert "schedule" in str(answer.next_command)


class TestAnUnknownOutcome:
    def test_that_psn_looks_into_says_when_and_what_for(self) -> None:
        post = make("unknown", look_at=NOW + MINUTE)
        answer = explain(post, now=NOW, around=HERE)
        assert answer.at == NOW + MINUTE
        assert "asks X whether it is there at 2026-11-20 10:01:00 (Europe/Madrid)" in answer.by_itself
        assert "sends it once more" in answer.by_itself
        assert (answer.next_command, answer.ask) == (f"psn_post wait {post.id}", None)

    def test_that_nobody_looks_into_without_a_worker_asks_for_one(self) -> None:
        answer = explain(make("unknown", look_at=NOW), now=NOW, around=replace(HERE, worker_lives=False))
        assert answer.next_command == "psn_worker start"

    def test_that_only_a_person_can_end_gives_both_ways_to_end_it_and_the_page_to_look_at(self) -> None:
        post = make("unknown")
        answer = explain(post, now=NOW, around=HERE)
        assert answer.url == "http://127.0.0.1:8766/x/ana"
        assert answer.url in str(answer.ask)
        assert answer.next_command is None  # neither may be run before a person has looked
        assert [option.command for option in answer.options] == [
            f"psn_post resolve {post.id} --published URL",
            f"psn_post resolve {post.id} --not-published",
        ]
        for option in answer.options:
            parse(option.command)

    def test_offers_nothing_that_sends_it_again(self) -> None:
        for look_at in (None, NOW):
            answer = explain(make("unknown", look_at=look_at), now=NOW, around=HERE)
            said = " ".join([str(answer.next_command), *(option.command for option in answer.options)])
            assert "schedule" not in said
            assert "publish " not in said

    def test_of_a_thread_says_what_is_live(self) -> None:
        answer = explain(make("unknown"), now=NOW, around=replace(HERE, parts=3, parts_live=1))
        assert "1 of its 3 parts is live." in answer.summary


class TestAPostThatWaits:
    def test_without_a_worker_goes_nowhere(self) -> None:
        answer = explain(make("scheduled"), now=NOW, around=replace(HERE, worker_lives=False))
        assert "no worker lives" in answer.summary
        assert answer.next_command == "psn_worker start"

    def test_of_an_account_that_is_not_connected_says_so_before_its_time(self) -> None:
        answer = explain(make("scheduled", account={"status": "needs_reconnect"}), now=NOW, around=HERE)
        assert "is not connected" in answer.summary
        assert (answer.next_command or "").startswith("psn_account reconnect ")

    def test_after_a_try_says_what_it_met_in_plain_words_and_when_the_next_is(self) -> None:
        post = make("scheduled", error_code="platform.unavailable", error_message="It was down.")
        answer = explain(post, now=NOW, around=HERE)
        assert CATALOGUE["platform.unavailable"].happened in answer.summary
        assert "It was down." in answer.summary
        assert "The next try is at 2026-11-20 10:01:00" in answer.summary

    def test_after_a_look_that_found_nothing_is_not_said_to_be_in_doubt_any_more(self) -> None:
        post = make("scheduled", error_code="publish.unknown", error_message="It may be live.")
        answer = explain(post, now=NOW, around=HERE)
        assert "turned out not to be live" in answer.summary
        assert is_out(post, HERE) == "no"

    def test_of_a_thread_says_that_the_rest_goes_out(self) -> None:
        around = replace(HERE, parts=3, parts_live=2)
        answer = explain(make("scheduled", error_code="publish.unknown"), now=NOW, around=around)
        assert answer.summary == "2 of its 3 parts are live. The rest goes out at 2026-11-20 10:01:00 (Europe/Madrid)."

    def test_too_long_though_nothing_is_in_its_way_is_rung_for_again(self) -> None:
        answer = explain(make("scheduled", due_at=NOW - MINUTE), now=NOW, around=HERE)
        assert "due and was not sent yet" in answer.summary
        assert answer.next_command == "psn_worker status"

    @pytest.mark.parametrize(
        ("ends_in", "said", "command"),
        [
            (timedelta(seconds=9), "which is going out", "psn_post wait {mine}"),
            (timedelta(seconds=-9), "whose worker died in the middle", "psn_post why {other}"),
        ],
        ids=["alive", "dead"],
    )
    def test_names_the_post_that_is_in_the_way(self, ends_in: timedelta, said: str, command: str) -> None:
        post, other = make("scheduled", due_at=NOW), make("publishing", lease_until=NOW + ends_in)
        for error in ("", "platform.unavailable"):
            post.error_code = error
            answer = explain(post, now=NOW, around=replace(HERE, in_flight=other))
            assert said in answer.summary
            assert str(other.id) in answer.summary
            assert answer.next_command == command.format(mine=post.id, other=other.id)

    def test_says_until_when_the_platform_wants_nothing(self) -> None:
        tomorrow = NOW + timedelta(days=1)
        answer = explain(make("scheduled", due_at=NOW, account={"next_allowed_at": tomorrow}), now=NOW, around=HERE)
        assert "until 2026-11-21 10:00:00 (Europe/Madrid)" in answer.summary
        assert answer.at == tomorrow
        passed = make("scheduled", due_at=NOW, account={"next_allowed_at": NOW - SECOND})
        assert "wants nothing" not in explain(passed, now=NOW, around=HERE).summary

    def test_after_an_outage_says_how_many_go_before_it_and_when_its_turn_is(self) -> None:
        post = make("scheduled", due_at=NOW - HOUR, account={"next_catch_up_at": NOW + MINUTE})
        answer = explain(post, now=NOW, around=replace(HERE, ahead=2))
        assert "2 of this account go before it" in answer.summary
        assert answer.at == NOW + MINUTE + timedelta(minutes=10)

    def test_past_its_grace_says_that_it_is_given_up(self) -> None:
        post = make("scheduled", scheduled_at=NOW - 49 * HOUR, due_at=NOW - 49 * HOUR)
        assert "gives it up" in explain(post, now=NOW, around=HERE).by_itself


class TestAPostWhoseWorkerIsGone:
    @pytest.mark.parametrize(
        ("phase", "said", "out"), [("claimed", "surely not sent", "no"), ("sending", "it may be live", "maybe")]
    )
    def test_says_what_it_left_behind(self, phase: str, said: str, out: str) -> None:
        post = make("publishing", phase=phase, lease_until=NOW)
        answer = explain(post, now=NOW, around=HERE)
        assert "The worker on here died in the middle" in answer.summary
        assert said in answer.summary
        assert "Another worker takes it over" in answer.by_itself
        assert answer.next_command == f"psn_post wait {post.id}"
        assert is_out(post, HERE) == out

    def test_needs_another_when_there_is_none(self) -> None:
        post = make("publishing", phase="sending", lease_until=NOW)
        assert explain(post, now=NOW, around=replace(HERE, worker_lives=False)).next_command == "psn_worker start"

    def test_is_not_gone_while_its_lease_holds(self) -> None:
        post = make("publishing", phase="sending", lease_until=NOW + SECOND)
        assert "is sending it" in explain(post, now=NOW, around=HERE).summary


class TestAPostThatWasNotSent:
    def test_says_why_in_plain_words_before_the_noted_ones(self) -> None:
        post = make("failed", error_code="x.no_credit", error_message="X wants credit (402).")
        summary = explain(post, now=NOW, around=HERE).summary
        assert summary == f"It was not sent. {CATALOGUE['x.no_credit'].happened} Noted: X wants credit (402)."

    def test_says_what_was_noted_when_nobody_has_words_for_it(self) -> None:
        post = make("failed", error_code="new.trouble", error_message="Something new happened.")
        answer = explain(post, now=NOW, around=HERE)
        assert answer.summary == "It was not sent. Something new happened."
        assert answer.ask

    def test_says_how_often_it_was_tried(self) -> None:
        post = make("failed", error_code="platform.unavailable", tries=4)
        assert explain(post, now=NOW, around=HERE).by_itself == "PSN tried 4 times and has stopped."

    def test_of_a_lost_grant_leads_to_connecting_again(self) -> None:
        answer = explain(make("failed", error_code="account.needs_reconnect"), now=NOW, around=HERE)
        assert (answer.next_command or "").startswith("psn_account reconnect ")

    def test_of_a_thread_goes_on_after_what_is_live(self) -> None:
        around = replace(HERE, parts=3, parts_live=1)
        post = make("failed", error_code="x.duplicate")
        assert (
            "1 of its 3 parts is live. The next try goes on after them."
            in explain(post, now=NOW, around=around).summary
        )
        assert is_out(post, around) == "partly"


class TestIsOut:
    @pytest.mark.parametrize(
        ("status", "code", "out"),
        [
            ("draft", "", "no"), ("scheduled", "", "no"), ("published", "", "yes"), ("delivered", "", "no"), ("failed", "x.refused", "no"),
            ("unknown", "publish.unknown", "maybe"), ("missed", "post.missed", "no"), ("missed", "restore.overdue", "maybe"),
            ("pending_approval", "restore.held", "maybe"), ("cancelled", "", "no"),
        ],
    )  # fmt: skip
    def test_goes_by_the_state_and_by_what_a_restore_left_open(self, status: str, code: str, out: str) -> None:
        assert is_out(make(status, error_code=code), HERE) == out


class TestPageOf:
    @pytest.mark.parametrize(("base", "page"), [("", "https://x.com/ana"), ("http://h/x", "http://h/x/ana")])
    def test_is_the_account_s_own(self, base: str, page: str) -> None:
        assert page_of(Account(platform="x", handle="ana", base_url=base)) == page


class TestLookAround:
    def test_sees_the_post_in_flight_but_not_the_post_itself_nor_another_account_s(self, me: User) -> None:
        account = make_account(me)
        post, other = (make_post(account, status="scheduled") for _ in range(2))
        make_claimed(make_account(me))
        claim(other)
        around = look_around(read(post), now=now(), zone="UTC")
        assert (around.worker_lives, around.in_flight, around.parts, around.parts_live) == (False, other, 1, 0)
        assert look_around(read(other), now=now(), zone="UTC").in_flight is None

    def test_counts_what_is_live(self, me: User) -> None:
        post = make_claimed(make_account(me), texts=("one", "two", "three"))
        send(post, 0)
        around = look_around(read(post), now=now(), zone="UTC")
        assert (around.parts, around.parts_live) == (3, 1)

    def test_counts_the_posts_of_the_account_that_an_outage_held_up_before_it(self, me: User) -> None:
        account = make_account(me)
        first, second, third = (make_post(account, status="scheduled", due_in=-3600 - late) for late in (20, 10, 0))
        make_post(make_account(me), status="scheduled", due_in=-7200)
        ahead = [look_around(read(post), now=now(), zone="UTC").ahead for post in (first, second, third)]
        assert ahead == [0, 1, 2]
        on_time = make_post(account, status="scheduled")
        assert look_around(read(on_time), now=now(), zone="UTC").ahead == 0
        assert Post.objects.using(OWNER).count() == 5
