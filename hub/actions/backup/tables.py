"""The hub's tables as one thing: read at one moment, locked together, copied as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import psycopg
from django.db import connections, transaction
from psycopg import sql

from hub.connections import OWNER
from psn.errors import Conflict

Connection = psycopg.Connection[Any]

# Tables of the hub that describe how it runs just now.
LEFT_OUT = ("logins", "worker_heartbeats")
BUSY_SECONDS = 60
# How values are written must not depend on the server's or the login's settings, nor may a host's time-outs end a long copy.
_PLAINLY = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "synchronize_seqscans": "off",  # a large table is read from its beginning, so the same rows have the same digest
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": f"{BUSY_SECONDS}s",
}
_TABLES = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname !~ '^django_' AND c.relname <> ALL (%s)
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.relname ORDER BY c.relname
"""
_REFERENCES = """
SELECT DISTINCT c.relname, d.relname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class d ON d.oid = k.confrelid
WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace AND c.oid <> d.oid ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns, without those that the database computes."""

    name: str
    columns: tuple[str, ...]

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier("public", self.name)

    @property
    def column_list(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))


def owner_connection() -> Connection:
    """Give the driver's own connection of the hub's owner: COPY is not Django's business."""
    connections[OWNER].ensure_connection()
    connection: Connection = connections[OWNER].connection
    return connection


@contextmanager
def one_moment() -> Iterator[Connection]:
    """Show the hub as it stands now, whatever is changed meanwhile. Nobody waits but a migration or a restore.

    The locks come first: what is read then cannot be emptied or altered until the end.

    Raises:
        Conflict: a migration or a restore works on the hub and does not end.
    """
    tables = list_tables(owner_connection())
    with explaining_locks(), transaction.atomic(using=OWNER):
        connection = owner_connection()
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        write_plainly(connection)
        lock_tables(connection, tables, mode="ACCESS SHARE")
        if list_tables(connection) != tables:
            raise _busy()
        yield connection


@contextmanager
def explaining_locks() -> Iterator[None]:
    """Say who is in the way when the hub's tables cannot be had.

    Raises:
        Conflict: others work on the hub and do not end.
    """
    try:
        yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise _busy() from error


def write_plainly(connection: Connection) -> None:
    """Have values written and read in one way, for the present transaction."""
    for name, value in _PLAINLY.items():
        connection.execute(sql.SQL("SET LOCAL {} = {}").format(sql.SQL(name), sql.Literal(value)))


def lock_tables(connection: Connection, tables: Sequence[Table], *, mode: str) -> None:
    """Wait for all of the tables at once."""
    names = sql.SQL(", ").join(table.identifier for table in tables)
    connection.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(names, sql.SQL(mode)))


def list_tables(connection: Connection) -> list[Table]:
    """List what an archive holds, what is referred to before what refers to it."""
    tables = {name: Table(name, tuple(columns)) for name, columns in ask(connection, _TABLES, [list(LEFT_OUT)])}
    order = TopologicalSorter[str](dict.fromkeys(tables, ()))
    for referring, referred in ask(connection, _REFERENCES):
        if referring in tables and referred in tables:
            order.add(referring, referred)
    return [tables[name] for name in order.static_order()]


def copy_out(connection: Connection, table: Table) -> Iterator[memoryview]:
    """Give a table's rows as COPY writes them."""
    statement = sql.SQL("COPY {} ({}) TO STDOUT").format(table.identifier, table.column_list)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        yield from copy  # type: ignore[misc]  # bytes-like, whatever the stubs say


def copy_in(
    connection: Connection, table: Table, blocks: Iterable[bytes], *, into: sql.Identifier | None = None
) -> int:
    """Add rows as COPY wrote them; gives how many they were.

    Args:
        into: another table with these columns.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(into or table.identifier, table.column_list)
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for block in blocks:
                copy.write(block)
        return cursor.rowcount


def list_migrations(connection: Connection) -> tuple[str, ...]:
    """List what made the hub's schema what it is."""
    rows = ask(connection, "SELECT name FROM django_migrations WHERE app = 'hub' ORDER BY name")
    return tuple(name for (name,) in rows)


def ask(connection: Connection, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Give a query's rows."""
    rows: list[tuple[Any, ...]] = connection.execute(query, values or None).fetchall()
    return rows


def _busy() -> Conflict:
    return Conflict(
        "Somebody else works in the hub and does not end: a migration, a restore, or a program that was left open. Nothing was "
        "changed. Run the same command again.",
        code="hub.busy",
    )
