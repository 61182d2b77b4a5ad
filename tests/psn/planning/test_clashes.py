"""What does not go together."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from psn.planning.calendar import HubPlan, PlannedPost
from psn.planning.clashes import find_clashes
from tests.psn.planning.plans import NOON, make_plan, make_post, make_slot


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def clashes(
    *plans: HubPlan, now: datetime = NOON - timedelta(days=30), minutes: int = 30
) -> list[tuple[str, tuple[str, ...]]]:
    return [(clash.code, clash.ids) for clash in find_clashes(plans, now=now, conflict_minutes=minutes)]


class TestTwoPostsOfAnAccount:
    @pytest.mark.parametrize(("minutes", "clash"), [(0, True), (29, True), (30, False), (31, False)])
    def test_clash_within_the_minutes_that_the_person_wants(self, minutes: int, clash: bool) -> None:
        found = clashes(make_plan(make_post("a"), make_post("b", at=after(minutes))))
        assert found == ([("account.close", ("a", "b"))] if clash else [])

    def test_clash_over_midnight_and_over_the_hour_that_clocks_repeat(self) -> None:
        first = datetime(2026, 10, 25, 2, 50, tzinfo=ZoneInfo("Europe/Madrid"), fold=0)
        second = datetime(2026, 10, 25, 2, 5, tzinfo=ZoneInfo("Europe/Madrid"), fold=1)  # 15 minutes later
        found = clashes(make_plan(make_post("a", at=first.astimezone(UTC)), make_post("b", at=second.astimezone(UTC))))
        assert found == [("account.close", ("a", "b"))]

    def test_clash_when_one_profile_is_connected_in_two_hubs(self) -> None:
        other = make_plan(make_post("b", hub="acme", at=after(5), author_id="bob", is_mine=False), hub="acme")
        assert clashes(make_plan(make_post("a")), other) == [("account.close", ("a", "b"))]

    def test_are_fine_on_two_accounts(self) -> None:
        assert clashes(make_plan(make_post("a"), make_post("b", profile="x||2"))) == []

    @pytest.mark.parametrize("status", ["draft", "failed", "missed", "cancelled"])
    def test_are_fine_when_one_does_not_go_out(self, status: str) -> None:
        assert clashes(make_plan(make_post("a"), make_post("b", status=status))) == []

    def test_are_not_worth_a_word_when_both_are_out(self) -> None:
        assert clashes(make_plan(make_post("a", status="published"), make_post("b", status="published"))) == []

    def test_are_worth_it_while_one_can_wait(self) -> None:
        found = clashes(make_plan(make_post("a", status="published"), make_post("b", at=after(3))))
        assert found == [("account.close", ("a", "b"))]

    def test_are_told_in_words(self) -> None:
        (clash,) = find_clashes([make_plan(make_post("a"), make_post("b", at=after(1)))], now=NOON, conflict_minutes=30)
        assert clash.message == "x:@ana has two posts 1 minute apart; you want at least 30 between them."


def mine(id: str, hub: str, **values: Any) -> PlannedPost:
    return make_post(id, hub=hub, profile=f"x||{hub}", **values)


class TestOnePersonInTwoHubs:
    @pytest.mark.parametrize(("minutes", "clash"), [(0, True), (59, True), (60, False)])
    def test_clashes_within_the_hour(self, minutes: int, clash: bool) -> None:
        found = clashes(make_plan(mine("a", "")), make_plan(mine("b", "acme", at=after(minutes)), hub="acme"))
        assert found == ([("person.close", ("a", "b"))] if clash else [])

    def test_is_fine_on_two_platforms(self) -> None:
        assert clashes(make_plan(mine("a", "")), make_plan(mine("b", "acme", platform="linkedin"), hub="acme")) == []

    def test_is_nobody_elses_concern(self) -> None:
        assert clashes(make_plan(mine("a", "")), make_plan(mine("b", "acme", is_mine=False), hub="acme")) == []

    @given(
        some.lists(
            some.tuples(
                some.sampled_from(["", "acme", "beta"]), some.integers(0, 300), some.sampled_from(["x", "threads"])
            ),
            max_size=12,
        )
    )
    def test_marks_exactly_the_posts_with_another_hubs_post_near(self, drawn: list[tuple[str, int, str]]) -> None:
        posts = [
            make_post(f"p{n}", hub=hub, profile=f"p{n}", at=after(minutes), platform=platform)
            for n, (hub, minutes, platform) in enumerate(drawn)
        ]
        plans = [make_plan(*(post for post in posts if post.hub == hub), hub=hub) for hub in ("", "acme", "beta")]
        near = {
            one.id
            for one in posts
            for other in posts
            if one.hub != other.hub and one.platform == other.platform and abs(one.at - other.at) < timedelta(hours=1)
        }
        assert {one for _, ids in clashes(*plans) for one in ids} == near


class TestSlots:
    today = datetime(2026, 11, 25, 0, 30, tzinfo=UTC)

    def company(self, *entries: Any, **values: Any) -> HubPlan:
        return make_plan(*entries, hub="acme", **values)

    def test_that_somebody_else_holds_clash_with_a_post(self) -> None:
        post = mine("p", "acme", author_id="me")
        slot = make_slot("s", holder_id="bob", holder="Bob", is_mine=False)
        assert ("slot.held", ("p", "s")) in clashes(self.company(post, slot))

    def test_of_ones_own_are_what_they_are_for(self) -> None:
        assert clashes(self.company(mine("p", "acme"), make_slot("s"))) == []

    def test_are_days_of_the_company_not_of_utc(self) -> None:
        tokyo = ZoneInfo("Asia/Tokyo")
        post = mine("p", "acme", at=datetime(2026, 11, 24, 23, 0, tzinfo=UTC))  # the 25th in Tokyo
        bobs = make_slot("s", holder_id="bob", holder="Bob")
        assert ("slot.held", ("p", "s")) in clashes(self.company(post, bobs, zone=tokyo))
        assert clashes(self.company(post, make_slot("s", holder_id="bob", on=date(2026, 11, 24)), zone=tokyo)) == []

    @pytest.mark.parametrize(("policy", "wanted"), [("calendar", True), ("approval", True), ("free", False)])
    def test_are_missed_where_the_policy_wants_them(self, policy: str, wanted: bool) -> None:
        found = clashes(self.company(mine("p", "acme", status="pending_approval"), policy=policy))
        assert found == ([("slot.missing", ("p",))] if wanted else [])

    def test_are_not_missed_by_what_is_approved_already(self) -> None:
        assert clashes(self.company(mine("p", "acme"), policy="approval")) == []

    @pytest.mark.parametrize(("days", "told"), [(-1, False), (0, True), (2, True), (3, False)])
    def test_are_told_of_when_they_are_near_and_empty(self, days: int, told: bool) -> None:
        slot = make_slot("s", on=self.today.date() + timedelta(days=days))
        assert clashes(self.company(slot), now=self.today) == ([("slot.empty", ("s",))] if told else [])

    def test_are_not_empty_with_a_draft_of_their_holder(self) -> None:
        assert clashes(self.company(make_slot("s"), mine("p", "acme", status="draft")), now=self.today) == []

    def test_stay_empty_when_the_post_is_another_members(self) -> None:
        post = mine("p", "acme", author_id="bob", author="Bob", is_mine=False)
        assert clashes(self.company(make_slot("s"), post), now=self.today) == [
            ("slot.empty", ("s",)),
            ("slot.held", ("p", "s")),
        ]


class TestClashes:
    def test_come_in_one_order_whichever_hub_answered_first(self) -> None:
        one = make_plan(mine("a", ""), mine("c", "", at=after(10)))
        other = make_plan(mine("b", "acme", at=after(5)), make_slot("s", holder_id="bob", on=NOON.date()), hub="acme")
        assert len(clashes(one, other, now=NOON)) == 5
        assert clashes(one, other, now=NOON) == clashes(other, one, now=NOON)
