"""The worker's signs of life in the hub: only a worker that works can give them.

`beat` is a task: the broker sends one through the whole queue every 20 seconds, so a cluster that lives and is deaf gives none.
"""

from __future__ import annotations

import logging
import os
import socket
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import psycopg
from django.db import Error, connections
from django.db.models import QuerySet
from django.db.models.functions import Now

from hub.models import WorkerHeartbeat
from hub.rls.identity import acting_for_nobody
from psn import __version__
from psn.errors import NotReady

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=60)
# The driver's own error: naming who acts, the first statement of a transaction, is not translated into Django's.
UNREACHABLE = (Error, psycopg.Error, NotReady)


def beat() -> None:
    """Write that a task of this worker went through the queue, for the hub and for the supervisor on this computer.

    A hub that cannot be reached just now is no reason to die; the next beat connects anew.
    """
    name, incarnation = _me()
    mine = {"incarnation": incarnation, "host": socket.gethostname(), "pid": _cluster_pid(), "version": __version__}
    try:
        with acting_for_nobody():
            WorkerHeartbeat.objects.update_or_create(
                name=name, defaults={**mine, "started_at": started_at(), "beat_at": Now()}
            )
    except UNREACHABLE as error:
        log.warning("no sign of life could be written: %s", error)
        connections["default"].close()
        return
    if file := os.environ.get("PSN_BEAT_FILE"):
        Path(file).touch()


def swept() -> None:
    """Write that this worker looked for what is stuck."""
    name, incarnation = _me()
    with acting_for_nobody():
        WorkerHeartbeat.objects.filter(name=name, incarnation=incarnation).update(swept_at=Now())


def forget() -> None:
    """Say goodbye: a worker that ended on purpose is not missing."""
    name, incarnation = _me()
    try:
        with acting_for_nobody():
            WorkerHeartbeat.objects.filter(name=name, incarnation=incarnation).delete()
    except UNREACHABLE:
        connections["default"].close()


def living_workers() -> QuerySet[WorkerHeartbeat]:
    """Give the workers whose sign of life is fresh, by the database's clock."""
    return WorkerHeartbeat.objects.filter(beat_at__gt=Now() - FRESH).order_by("name")


@cache
def started_at() -> datetime:
    """When this process first asked; the cluster asks before it forks."""
    return datetime.now(UTC)


def _me() -> tuple[str, str]:
    name, _, incarnation = os.environ["PSN_WORKER"].partition(":")
    return name, incarnation


def _cluster_pid() -> int:
    return int(os.environ.get("PSN_CLUSTER_PID") or os.getpid())
