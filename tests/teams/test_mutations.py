"""The suite notices: with a protection taken away, the attack or the test that stands for it turns red, and without it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.teams.attacks import Watch
from tests.teams.conftest import GROUNDS, make_stage
from tests.teams.mutations import attack_is_refused, findings, mutated, probe_holds
from tests.teams.protections import MUTATIONS, Mutation
from tests.teams.stage import Stage

EVERY_ATTACK = sorted({name for mutation in MUTATIONS.values() for name in mutation.attacks})


@pytest.fixture(scope="module")
def original() -> Iterator[Stage]:
    """A hub to copy from, which nobody enters."""
    with make_stage(GROUNDS["18"]) as stage:
        yield stage


class TestAMutation:
    @pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS.keys())
    def test_is_noticed_when(self, mutation: Mutation, original: Stage) -> None:
        assert mutation.attacks or mutation.probes or mutation.finding
        with mutated(original, mutation) as (stage, superuser):
            if mutation.finding:
                assert mutation.finding in findings(superuser)
            watch = Watch(stage, superuser)
            assert [name for name in mutation.attacks if attack_is_refused(watch, name)] == []
            assert [probe for probe in mutation.probes if probe_holds(probe, stage, superuser)] == []


class TestNoMutation:
    def test_leaves_every_one_of_these_attacks_refused(self, original: Stage) -> None:
        with mutated(original, None) as (stage, superuser):
            watch = Watch(stage, superuser)
            assert [name for name in EVERY_ATTACK if not attack_is_refused(watch, name)] == []

    def test_leaves_every_one_of_these_tests_green(self, original: Stage) -> None:
        with mutated(original, None) as (stage, superuser):
            for name, mutation in MUTATIONS.items():
                assert all(probe_holds(probe, stage, superuser) for probe in mutation.probes), name

    def test_leaves_the_catalog_clean(self, original: Stage) -> None:
        with mutated(original, None) as (_, superuser):
            assert findings(superuser) == set()
