"""Recurring tasks, as a table. `psn_migrate` writes it to the database; what is not in it is removed there.

A recurring task takes no arguments, and the database refuses a row that has some: one row that cannot be read would keep all others
from running.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recurring:
    """A task that comes back.

    Args:
        task: the bare name of a task.
        minutes: from one run to the next; at least one, because the queue looks every half minute.
    """

    task: str
    minutes: int
    why: str


SCHEDULES = (
    Recurring("watch", minutes=1, why="the watchdog (PUB-7), should the worker's own loop ever stand still"),
    Recurring("refresh_tokens", minutes=10, why="an access token of two hours is renewed ahead of its end (AUTH-2)"),
    Recurring(
        "forget_media",
        minutes=24 * 60,
        why="what was put in a bucket for a platform to fetch, or in the hub for its worker, is of no use any more (HUB-11)",
    ),
    Recurring("tidy", minutes=24 * 60, why="failures and workers of a month ago are of no use to anybody"),
)
