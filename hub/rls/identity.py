"""Who is acting, on connections whose login may act for several people.

A person's own login *is* the person: nothing is set anywhere, so nothing can be forgotten or forged. The worker's login names the
person in `app.current_user_id`, anew in every transaction, and the database honours that for service logins alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

NOBODY = ""
_acting: ContextVar[str | None] = ContextVar("psn_acting_user", default=None)


class NoIdentity(RuntimeError):
    """A statement ran on the worker's connection outside `acting_as`: a bug, never the user's fault."""


def acting_user() -> str | None:
    """Give the id of who is acting, `NOBODY` inside `acting_for_nobody`, None outside both."""
    return _acting.get()


@contextmanager
def acting_as(user_id: uuid.UUID | str) -> Iterator[None]:
    """Let this person act for everything inside.

    Opens no transaction: every transaction binds itself, so a slow network call inside holds none open.
    """
    with _bound_to(str(uuid.UUID(str(user_id)))):
        yield


@contextmanager
def acting_for_nobody() -> Iterator[None]:
    """Do the hub's own work (heartbeats, looking for due posts): no person's rows are visible."""
    with _bound_to(NOBODY):
        yield


def begin(connection: Any) -> None:
    """Open a transaction that acts for the acting person from its first statement on: one round trip, not two.

    The driver stays in autocommit, in which it leaves the transaction that was begun here alone until its end.
    """
    acting = _acting.get() or NOBODY
    user_id = acting and str(uuid.UUID(acting))  # a literal: statements that are sent together take no parameters
    with connection.connection.cursor() as cursor:  # the driver's own cursor: not wrapped, not guarded
        cursor.execute(f"BEGIN; SET LOCAL app.current_user_id = '{user_id}'")


def bind(connection: Any) -> None:
    """Name the acting person for the transaction that was just opened; nobody when there is none."""
    with connection.connection.cursor() as cursor:  # the driver's own cursor: not wrapped, not guarded
        cursor.execute("SELECT set_config('app.current_user_id', %s, true)", (_acting.get() or NOBODY,))


@contextmanager
def _bound_to(user_id: str) -> Iterator[None]:
    """Set who acts, and set it back.

    Inside a transaction that is already open it binds again on exit: a released savepoint would keep the inner value.
    """
    open_connections = [
        c for c in connections.all(initialized_only=True) if getattr(c, "binds_identity", False) and c.in_atomic_block
    ]
    token = _acting.set(user_id)
    try:
        for connection in open_connections:
            bind(connection)
        yield
    finally:
        _acting.reset(token)
        for connection in open_connections:
            if _is_usable(connection):
                bind(connection)


def _is_usable(connection: BaseDatabaseWrapper) -> bool:
    raw = connection.connection
    return bool(
        connection.in_atomic_block
        and not connection.needs_rollback
        and raw is not None
        and raw.info.transaction_status == TransactionStatus.INTRANS
    )
