"""A round trip through the queue: ring, and hear a worker answer (HUB-4)."""

from __future__ import annotations

import secrets
import time

from django.db import connections

from hub.queue import bells
from hub.queue.listening import connect
from hub.rls.identity import acting_for_nobody
from psn.errors import NotReady

CHANNEL = "psn_echo"


def answer(token: str) -> None:
    """Answer one who rang; a worker does this."""
    with acting_for_nobody(), connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, token])


def round_trip(*, seconds: float = 10.0) -> float:
    """Ring, and wait until a worker answers; gives the seconds it took.

    Raises:
        NotReady: nobody answered.
    """
    token = secrets.token_hex(8)
    with connect(CHANNEL) as listener:
        started = time.monotonic()
        bells.ring("echo", token=token)
        for heard in listener.notifies(timeout=seconds):
            if heard.payload == token:
                return time.monotonic() - started
    raise NotReady(
        f"A bell was rung and no worker answered within {seconds:g} seconds: the queue does not move.",
        code="queue.deaf",
        next_command="psn_worker status",
    )
