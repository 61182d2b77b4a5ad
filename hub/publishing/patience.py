"""Storing what is known, though the hub's server goes away just then.

An answer of the platform exists once: when the hub cannot take it at once, the worker waits for the hub and tells it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from django.db import InterfaceError, OperationalError, connections

from psn.errors import NotReady

STORE_SECONDS = 30.0  # a local server is back within a few; the lease outlasts the call and this together
PAUSE_SECONDS = 0.2
# The driver's own: naming who acts, the first statement of a transaction, is not translated into Django's errors.
UNREACHABLE = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError, NotReady)

_LOCKED = "55P03"  # lock_not_available

T = TypeVar("T")


class Unstored(Exception):
    """What is known could not be stored, because the hub did not come back in time: what the hub says by now is out of date."""


def store_patiently(write: Callable[[], T], *, seconds: float = STORE_SECONDS) -> T:
    """Write to the hub, and once more on a new connection each time it could not be reached.

    Args:
        write: harmless to repeat, for nobody knows whether a commit that got no answer took place. Inside a transaction it is
            tried once: what came before it would be missing the second time.
        seconds: how long to go on.

    Raises:
        OperationalError: the hub did not come back in time.
    """
    give_up = time.monotonic() + seconds
    while True:
        try:
            return write()
        except UNREACHABLE:
            if connections["default"].in_atomic_block or time.monotonic() > give_up:
                raise
            close_connection()
            time.sleep(PAUSE_SECONDS)


def is_locked(error: BaseException) -> bool:
    """Whether a row is held by somebody else for longer than the worker waits; the hub itself is well."""
    return _LOCKED in (getattr(error, "sqlstate", None), getattr(error.__cause__, "sqlstate", None))


def release_connection() -> None:
    """Give a pooled connection back while a platform answers; others publish with it meanwhile."""
    connection = connections["default"]
    if getattr(connection, "pool", None) and not connection.in_atomic_block:
        connection.close()


def close_connection() -> None:
    """Have the next statement connect anew, whatever the present connection thinks of itself."""
    if not connections["default"].in_atomic_block:
        connections["default"].close()
