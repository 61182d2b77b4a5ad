"""Which steps a set-up takes, and what it does when one does not come about. The steps themselves are tested as processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.actions import setup, turns
from hub.actions.setup import plan_setup, run_setup
from hub.actions.steps import Run, Step
from psn.config.workspace import Workspace
from psn.errors import Conflict, InvalidInput, NotReady


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(workspace=Workspace(tmp_path / "w"))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Put other steps in the place of the real ones; gives the list of what was applied."""
    monkeypatch.setattr(setup, "BEFORE_THE_HUB", ("a", "b", "c"))
    monkeypatch.setattr(setup, "reload_hub", lambda: None)

    def use(*, holding: str = "", broken: str = "", useless: str = "") -> list[str]:
        held, applied = set(holding), []

        def make(name: str) -> Step:
            def apply(run: Run) -> str:
                if name in broken:
                    raise NotReady("It is broken.", code="test.broken")
                applied.append(name)
                if name not in useless:
                    held.add(name)
                return f"made {name}"

            return Step(name, f"Step {name}", lambda _: name in held, apply)

        monkeypatch.setattr(setup, "STEPS", tuple(make(name) for name in "abc"))
        return applied

    return use


class TestRunSetup:
    def test_does_what_does_not_hold_and_skips_the_rest(self, run: Run, steps: Callable[..., list[str]]) -> None:
        applied = steps(holding="b")
        events = [(event.position, event.outcome, event.detail) for event in run_setup(run)]
        assert applied == ["a", "c"]
        assert events == [
            ("1/3", "start", ""), ("1/3", "done", "made a"),
            ("2/3", "skip", "already done"),
            ("3/3", "start", ""), ("3/3", "done", "made c"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("choice", "applied"), [({"only": "b"}, ["b"]), ({"first": "b"}, ["b", "c"]), ({}, ["a", "b", "c"])]
    )
    def test_takes_the_steps_it_is_told(
        self, run: Run, steps: Callable[..., list[str]], choice: dict[str, str], applied: list[str]
    ) -> None:
        done = steps()
        list(run_setup(run, **choice))
        assert done == applied

    def test_stops_at_what_cannot_be_done_and_says_how_to_go_on(
        self, run: Run, steps: Callable[..., list[str]]
    ) -> None:
        applied = steps(broken="b")
        outcomes: list[str] = []
        with pytest.raises(NotReady) as refused:
            outcomes.extend(event.outcome for event in run_setup(run))
        assert (refused.value.error_code, refused.value.next_command, applied) == ("test.broken", "psn_setup", ["a"])

    def test_never_believes_a_step_that_does_not_hold_afterwards(
        self, run: Run, steps: Callable[..., list[str]]
    ) -> None:
        steps(useless="c")
        with pytest.raises(NotReady) as refused:
            list(run_setup(run))
        assert (refused.value.error_code, refused.value.next_command) == ("setup.not_verified", "psn_validate")

    @pytest.mark.parametrize("choice", [{"only": "z"}, {"first": "z"}], ids=["only", "from"])
    def test_refuses_a_step_there_is_not(
        self, run: Run, steps: Callable[..., list[str]], choice: dict[str, str]
    ) -> None:
        applied = steps()
        with pytest.raises(InvalidInput, match="a, b, c"):
            list(run_setup(run, **choice))
        assert (applied, run.workspace.root.exists()) == ([], False)

    def test_lets_one_work_at_a_time(
        self, run: Run, steps: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        steps()
        monkeypatch.setattr(turns, "TURN_SECONDS", 0.2)
        first = run_setup(run)
        next(first)
        with pytest.raises(Conflict) as refused:
            list(run_setup(run))
        assert refused.value.error_code == "setup.running"
        del first  # it gives the lock back
        list(run_setup(run))


class TestPlanSetup:
    def test_looks_and_does_nothing(self, run: Run, steps: Callable[..., list[str]]) -> None:
        applied = steps(holding="ab")
        assert [(step.name, holds) for step, holds in plan_setup(run)] == [("a", True), ("b", True), ("c", False)]
        assert (applied, run.workspace.root.exists()) == ([], False)

    def test_looks_at_nothing_after_what_does_not_hold(self, run: Run, steps: Callable[..., list[str]]) -> None:
        steps(holding="ac")
        assert [holds for _, holds in plan_setup(run)] == [True, False, False]

    def test_refuses_a_provider_there_is_not(self, steps: Callable[..., list[str]], tmp_path: Path) -> None:
        with pytest.raises(InvalidInput):
            plan_setup(Run(workspace=Workspace(tmp_path), provider="neom"))
