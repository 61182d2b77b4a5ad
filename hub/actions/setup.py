"""Set-up: from a bare clone to one post out (HUB-1, HUB-3).

A run looks at the world and not at a log of what an earlier run did, so it may be killed anywhere and run again: it skips what
holds and goes on with what does not. The steps themselves are in `steps`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings

from hub.actions import hubs
from hub.actions.backup.moving import check_no_move
from hub.actions.steps import STEPS, Run, Step
from hub.actions.turns import take_turn
from hub.connections import reload_hub
from psn.config.hub import find_hub_config
from psn.config.workspace import Workspace
from psn.errors import Conflict, InvalidInput, NotReady, Problem

BEFORE_THE_HUB = ("environment", "hub")

Outcome = Literal["start", "done", "skip", "fail"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a step: it starts, is done, was found done, or failed."""

    number: int
    step: Step
    outcome: Outcome
    detail: str = ""

    @property
    def position(self) -> str:
        return f"{self.number}/{len(STEPS)}"


def run_setup(run: Run, *, only: str | None = None, first: str | None = None) -> Iterator[Event]:
    """Bring every step to where its check holds, in order.

    Args:
        only: run this step alone; `first`: begin with this one.

    Raises:
        InvalidInput: no such provider or step; nothing was done.
        NotReady: the hub is being moved.
        Problem: of the step that cannot be brought about; the steps before it stay done.
    """
    hubs.check_provider(run.provider)
    chosen = _chosen(only=only, first=first)
    check_no_move(run.workspace)
    with _only_one(run.workspace):
        for number, step in chosen:
            if step.name not in BEFORE_THE_HUB:
                _ = run.hub  # refuses when there is none
            if step.check(run):
                yield Event(number, step, "skip", "already done")
            else:
                yield from _bring_about(run, number, step)


def _bring_about(run: Run, number: int, step: Step) -> Iterator[Event]:
    """Apply one step and look whether it holds now."""
    yield Event(number, step, "start")
    try:
        detail = step.apply(run)
        if not step.check(run):
            raise NotReady(
                f"{step.title}: done, but it does not hold.", code="setup.not_verified", next_command="psn_validate"
            )
    except Problem as error:
        yield Event(number, step, "fail", error.message)
        error.next_command = error.next_command or "psn_setup"
        raise
    yield Event(number, step, "done", detail)


@contextmanager
def _only_one(workspace: Workspace) -> Iterator[None]:
    """Let one set-up of a workspace work at a time; another waits, then goes by what the first one made.

    Raises:
        NotReady: the workspace cannot be made.
        Conflict: the other one takes too long.
    """
    busy = Conflict(
        "Another psn_setup works on this workspace.", code="setup.running", next_command="psn_setup --status"
    )
    with take_turn(workspace.root, busy=busy):
        if find_hub_config(workspace) != settings.HUB:
            reload_hub()
        yield


def plan_setup(run: Run) -> list[tuple[Step, bool]]:
    """Tell for every step whether it holds, with no effect at all; what follows a step that does not is not looked at."""
    hubs.check_provider(run.provider)
    run.look_only = True
    plan: list[tuple[Step, bool]] = []
    for step in STEPS:
        holds = all(done for _, done in plan) and _holds(step, run)
        plan.append((step, holds))
    return plan


def describe(run: Run) -> dict[str, Any]:
    """Tell which hub the run ended with."""
    if find_hub_config(run.workspace) is None:  # --only environment
        return {"hub": None}
    status = hubs.hub_status(run.hub)
    return {"hub": {name: status[name] for name in ("provider", "place", "state", "data")}}


def _chosen(*, only: str | None, first: str | None) -> Sequence[tuple[int, Step]]:
    numbered = list(enumerate(STEPS, 1))
    names = [step.name for step in STEPS]
    for name in (only, first):
        if name is not None and name not in names:
            raise InvalidInput(f"There is no step {name!r}. Known: {', '.join(names)}.", code="setup.step")
    if only is not None:
        return [item for item in numbered if item[1].name == only]
    return numbered[names.index(first) if first is not None else 0 :]


def _holds(step: Step, run: Run) -> bool:
    try:
        return step.check(run)
    except Problem:
        return False
