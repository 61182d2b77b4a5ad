"""The sweep: finds what is stuck, whatever the reason, and sets it moving again (PUB-7).

It runs in the worker's own loop, at once and every 15 seconds, and as a recurring task of the queue besides. Several may run at the
same time: everything they do is conditional. It touches no platform.
"""

from __future__ import annotations

import logging
import threading
import uuid
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from django.conf import settings
from django.db import connections, transaction

from hub.models import AuditEntry, Post, Status
from hub.publishing import endings, recovery
from hub.publishing.claims import worker_id
from hub.publishing.endings import WATCHDOG
from hub.publishing.patience import UNREACHABLE, close_connection, is_locked
from hub.queue import bells, heartbeat
from hub.rls.identity import acting_as, acting_for_nobody

log = logging.getLogger(__name__)

AT_ONCE = 200  # of each trouble; the next sweep sees to the rest
BELLS = 8  # a thread that one of them wakes goes on with whatever else is due


@dataclass(frozen=True, slots=True)
class Stuck:
    """A post that somebody must see to.

    Args:
        trouble: `orphaned` (its worker is dead or silent), `missed` (past the grace), `unseen` (its look is overdue), `undeleted`
            (a person wants it gone, and it is not), `unclaimed` (due, free, and no worker came).
    """

    post_id: uuid.UUID
    user_id: uuid.UUID
    trouble: str


def sweep(*, patience: timedelta | None = None) -> int:
    """See to everything that is stuck; give how many posts that were.

    Args:
        patience: how late a bell or a worker may be before it is taken for lost; `settings.PATIENCE` when left out.
    """
    stuck = _find_stuck(settings.PATIENCE if patience is None else patience)
    unclaimed = [one for one in stuck if one.trouble == "unclaimed"]
    for one in [one for one in stuck if one.trouble != "unclaimed"] + list(islice(unclaimed, BELLS)):
        try:
            with acting_as(one.user_id):
                _see_to(one)
        except UNREACHABLE as error:
            if not is_locked(error):
                raise
            log.warning("post %s (%s) is held by somebody else", one.post_id, one.trouble)
        except Exception:  # one that cannot be seen to keeps nobody else waiting
            log.exception("post %s (%s) could not be seen to", one.post_id, one.trouble)
    heartbeat.swept()
    return len(stuck)


def sweep_until(stopping: threading.Event) -> None:
    """Sweep now and every `SWEEP_SECONDS`, until told to stop. The first time nothing is given time: its bell died with a predecessor."""
    patience: timedelta | None = timedelta(0)
    while True:
        try:
            sweep(patience=patience)
            patience = None
        except UNREACHABLE as error:
            log.warning("the hub is away, nothing was swept: %s", error)
        except Exception:  # the top of a loop: the next sweep may well succeed
            log.exception("the sweep stumbled")
        close_connection()
        if stopping.wait(settings.SWEEP_SECONDS):
            return


def _find_stuck(patience: timedelta) -> list[Stuck]:
    name, incarnation, *_ = worker_id().split(":")
    with acting_for_nobody(), connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT id, user_id, trouble "
            "FROM hub_api.find_stuck(%s, %s, make_interval(secs => %s), make_interval(secs => %s), %s)",
            [name, incarnation, settings.LATE.total_seconds(), patience.total_seconds(), AT_ONCE],
        )
        stuck = [Stuck(*row) for row in cursor.fetchall()]
        cursor.execute(
            "SELECT id, user_id FROM hub_api.find_undeleted(make_interval(secs => %s), %s)",
            [patience.total_seconds(), AT_ONCE],
        )
        return stuck + [Stuck(post_id, user_id, "undeleted") for post_id, user_id in cursor.fetchall()]


def _see_to(one: Stuck) -> None:
    match one.trouble:
        case "orphaned":
            log.warning("post %s was left by its worker", one.post_id)
            recovery.recover(one.post_id)
        case "missed":
            for post in Post.objects.select_related("account").filter(id=one.post_id, status=Status.SCHEDULED):
                endings.miss(post)
        case "undeleted":
            bells.ring("delete_post", user_id=one.user_id, post_id=one.post_id)
        case "unseen":
            bells.ring("look_at_post", user_id=one.user_id, post_id=one.post_id)
        case _:
            _ring_again(one.post_id)


def _ring_again(post_id: uuid.UUID) -> None:
    """Ring the bell of a post that is due and was not claimed: its own was lost, or every thread is busy."""
    with transaction.atomic():
        post = Post.objects.filter(id=post_id, status=Status.SCHEDULED).first()
        if post is not None:
            bells.ring_post(post.id)
            AuditEntry.objects.record(
                post, action="post.rung_again", actor=WATCHDOG, detail={"due_at": f"{post.due_at}"}
            )
