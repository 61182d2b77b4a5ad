"""What tasks may call their parameters: django-q2 takes some names out of a task's keyword arguments for itself."""

from __future__ import annotations

import inspect

import pytest

from hub import tasks
from hub.queue import bells
from hub.schedules import SCHEDULES

TAKEN = {
    *("group", "hook", "save", "sync", "cached", "timeout", "task_name", "cluster", "broker", "chain"),
    *("ack_failure", "iter_count", "iter_cached", "q_options", "args", "kwargs"),
}
TASKS = {
    name: task
    for name, task in inspect.getmembers(tasks, inspect.isfunction)
    if task.__module__ == tasks.__name__ and name[0] != "_"
}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_takes_no_name_that_the_queue_takes(name: str) -> None:
    assert not set(inspect.signature(TASKS[name]).parameters) & TAKEN


@pytest.mark.parametrize("name", TASKS)
def test_a_task_takes_texts_by_keyword_alone(name: str) -> None:
    parameters = inspect.signature(TASKS[name]).parameters.values()
    assert {parameter.kind for parameter in parameters} <= {inspect.Parameter.KEYWORD_ONLY}
    assert {parameter.annotation for parameter in parameters} <= {"str"}
    assert all(parameter.default is inspect.Parameter.empty for parameter in parameters)


def test_the_bells_name_the_tasks_there_are() -> None:
    assert set(TASKS) == bells.TASKS


def test_a_recurring_task_takes_nothing() -> None:
    assert [row.task for row in SCHEDULES if inspect.signature(TASKS[row.task]).parameters] == []


def test_the_queue_s_own_signature_stays_inside_the_process() -> None:
    assert "SignedPackage" not in inspect.getsource(bells)
