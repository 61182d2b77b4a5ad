"""The worker's sign of life in the hub, written by the cluster itself and by nobody else."""

from __future__ import annotations

import logging
import os
import socket
from datetime import UTC, datetime, timedelta
from functools import cache

import psycopg
from django.db import Error, connections
from django.db.models.functions import Now

from hub.models import WorkerHeartbeat
from hub.rls.identity import acting_for_nobody
from psn import __version__
from psn.errors import NotReady

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=60)
# The driver's own error: naming who acts, the first statement of a transaction, is not translated into Django's.
_UNREACHABLE = (Error, psycopg.Error, NotReady)


def beat() -> None:
    """Write that this worker lives. A hub that cannot be reached just now is no reason to die; the next beat connects anew."""
    name, _, incarnation = os.environ["PSN_WORKER"].partition(":")
    mine = {"incarnation": incarnation, "host": socket.gethostname(), "pid": os.getpid(), "version": __version__}
    try:
        with acting_for_nobody():
            WorkerHeartbeat.objects.update_or_create(
                name=name, defaults={**mine, "started_at": _started_at(), "beat_at": Now()}
            )
    except _UNREACHABLE as error:
        log.warning("no sign of life could be written: %s", error)
        connections["default"].close()


def forget() -> None:
    """Say goodbye: a worker that ended on purpose is not missing."""
    name, _, incarnation = os.environ["PSN_WORKER"].partition(":")
    try:
        with acting_for_nobody():
            WorkerHeartbeat.objects.filter(name=name, incarnation=incarnation).delete()
    except _UNREACHABLE:
        connections["default"].close()


def living_workers() -> list[WorkerHeartbeat]:
    """Give the workers whose sign of life is fresh, by the database's clock."""
    return list(WorkerHeartbeat.objects.filter(beat_at__gt=Now() - FRESH).order_by("name"))


@cache
def _started_at() -> datetime:
    return datetime.now(UTC)
