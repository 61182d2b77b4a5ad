"""How a try ended, in one word."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from tests.teams.company import Company, Invited, Member

NOTHING = "nothing"  # no row was given back or changed
GONE = ("57P01", "08P01", "08006", "lost")  # the session is; a pooler has its own words for it


def entry(company: Company, who: Member | Invited) -> str:
    """Whether somebody still gets in: `open` or `refused`."""
    try:
        company.enter(who).close()
    except psycopg.OperationalError:
        return "refused"
    return "open"


def ended(connection: psycopg.Connection[Any], *statements: str | sql.SQL | sql.Composed) -> str:
    """Run statements in one transaction, or in the one that is open; give the SQLSTATE, `lost`, `nothing`, `gave …` or `n rows`."""
    try:
        with connection.transaction():
            for statement in statements:
                cursor = connection.execute(statement.encode() if isinstance(statement, str) else statement)
            if cursor.description is None:
                return f"{cursor.rowcount} rows" if cursor.rowcount > 0 else NOTHING
            rows = cursor.fetchall()
            return f"gave {rows[:3]}" if rows else NOTHING
    except psycopg.Error as error:
        return error.sqlstate or "lost"


@contextlib.contextmanager
def session_of(company: Company, who: Member | Invited, **options: Any) -> Iterator[psycopg.Connection[Any]]:
    """A session that somebody else may end, with a transaction that is open from its first statement on; nothing is committed."""
    connection = company.enter(who, **({"autocommit": False} | options))
    try:
        yield connection
    finally:
        connection.close()
