"""Rows written with the bare driver: every column that must have a value and was not named gets a plain one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

_PLAIN: dict[str, Any] = {
    "text": "",
    "int4": 0,
    "int8": 0,
    "bool": False,
    "jsonb": Jsonb({}),
    "timestamptz": sql.SQL("now()"),
    "interval": sql.SQL("interval '2 days'"),
    "bytea": b"\x01",
    "date": sql.SQL("current_date"),
}
_COLUMNS = """
    SELECT table_name, column_name, udt_name FROM information_schema.columns
    WHERE table_schema = 'public' AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'
"""


@dataclass(frozen=True)
class Shape:
    """Which columns of which table must be given a value, and of which type they are."""

    needed: Mapping[str, Mapping[str, str]]

    def plain(self, table: str, column: str) -> sql.Composable:
        """Give the plain value that a column gets when nobody names one."""
        return _value(_PLAIN.get(self.needed[table][column]))

    def insert(self, table: str, **values: Any) -> sql.Composed:
        """Compose the statement that adds a row."""
        full = {name: _PLAIN.get(kind) for name, kind in self.needed.get(table, {}).items()}
        if "id" in full:
            full["id"] = uuid.uuid4()
        full |= values
        return sql.SQL("INSERT INTO public.{} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, full)),
            sql.SQL(", ").join(_value(value) for value in full.values()),
        )


def _value(value: Any) -> sql.Composable:
    if isinstance(value, sql.Composable):
        return value
    return sql.Literal(Jsonb(value) if isinstance(value, Mapping | list) else value)


def read_shape(superuser: psycopg.Connection[Any]) -> Shape:
    """Ask the catalog what the tables look like."""
    needed: dict[str, dict[str, str]] = {}
    for table, column, kind in superuser.execute(_COLUMNS).fetchall():
        needed.setdefault(table, {})[column] = kind
    return Shape(needed)
