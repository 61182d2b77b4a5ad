"""Plans follow from their seeds, and cover what they are meant to."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.chaos import pace
from tests.chaos.gate import POINTS
from tests.chaos.orders import HANDLES
from tests.chaos.plan import make_plan
from tests.chaos.vendors import NAMES, VENDORS

PLANS = [make_plan(seed) for seed in range(400)]


class TestAPlan:
    def test_is_the_same_for_the_same_seed(self) -> None:
        assert make_plan(7) == make_plan(7)
        assert make_plan(7) != make_plan(8)

    @pytest.mark.parametrize("name", NAMES)
    def test_is_made_for_any_platform(self, name: str) -> None:
        plan = make_plan(7, platform=name)
        assert plan.platform == name
        assert {post.media for post in plan.posts} <= set(VENDORS[name].media)

    def test_has_texts_that_are_nowhere_else(self) -> None:
        for plan in PLANS:
            texts = [text for post in plan.posts for text in post.texts]
            texts += [text for action in plan.actions for text in action.texts]
            assert len(set(texts)) == len(texts)

    def test_names_accounts_that_there_are(self) -> None:
        assert all(0 <= post.account < len(HANDLES) for plan in PLANS for post in plan.posts)


class TestAllPlans:
    def test_strike_at_every_point(self) -> None:
        assert {strike.point for plan in PLANS for strike in plan.strikes} >= set(POINTS)

    def test_hit_everybody(self) -> None:
        deeds = Counter(strike.deed for plan in PLANS for strike in plan.strikes)
        victims = ("worker", "idle", "sentinel", "main", "supervisor", "pusher", "monitor")
        assert set(deeds) >= {f"kill {victim}" for victim in victims} | {"stop worker", "postgres kill", "cut all"}

    def test_are_at_every_platform_with_and_without_its_witness(self) -> None:
        assert {(plan.platform, plan.witness) for plan in PLANS} == {
            (name, witness) for name in NAMES for witness in ("own", "none")
        }

    def test_have_rivals_or_none(self) -> None:
        assert {plan.rival for plan in PLANS} == {True, False}


class TestThePace:
    def test_keeps_the_relations_that_safety_rests_on(self) -> None:
        pace.check_relations()
