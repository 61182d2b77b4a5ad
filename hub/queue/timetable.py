"""Recurring tasks in django-q2's own table, as `hub.schedules` lists them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule

from hub.connections import OWNER
from hub.queue import bells
from hub.schedules import SCHEDULES, Recurring
from psn.errors import InvalidInput

MAX_MINUTES = 366 * 24 * 60


def write_schedules(rows: Sequence[Recurring] = SCHEDULES) -> bool:
    """Make the database's table what this one is; False when it was. A row that runs on keeps its next time.

    Raises:
        InvalidInput: a row names no task, or no sensible interval; nothing was changed.
    """
    for row in rows:
        _check(row)
    changed = False
    with transaction.atomic(using=OWNER):
        stored = {schedule.name: schedule for schedule in Schedule.objects.using(OWNER).select_for_update()}
        for row in rows:
            wanted = {"func": f"hub.tasks.{row.task}", "schedule_type": Schedule.MINUTES, "minutes": row.minutes}
            known = stored.pop(row.task, None)
            if known is not None and all(getattr(known, field) == value for field, value in wanted.items()):
                continue
            changed = True
            first = timezone.now() + timedelta(minutes=row.minutes)
            Schedule.objects.using(OWNER).update_or_create(
                name=row.task, defaults={**wanted, "repeats": -1, "next_run": first}
            )
        for leftover in stored.values():
            changed = True
            leftover.delete(using=OWNER)
    return changed


def _check(row: Recurring) -> None:
    if row.task not in bells.TASKS:
        raise InvalidInput(f"There is no task {row.task!r} to come back.", code="schedule.task")
    if not 1 <= row.minutes <= MAX_MINUTES:
        raise InvalidInput(f"{row.task} cannot come back every {row.minutes} minutes.", code="schedule.minutes")
