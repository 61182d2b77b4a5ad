"""One try of a hostile member, with a login of his own and the bare driver, and what it changed.

None of it may change a row, a right or a role of the hub, whatever it answers; `Watch` looks at all of them before and after.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from tests.teams.stage import Stage
from tests.teams.trying import NOTHING, ended

NOT_ALLOWED = "42501"
AGAINST_A_LAW = "23514"
REFUSED = (NOT_ALLOWED, NOTHING)
OF_TEAMS = ("PN403", "PN404", "PN409", "PN422")

Statement = str | Callable[[Stage], sql.Composed]


@dataclass(frozen=True)
class Attack:
    """One try.

    Args:
        does: statements of one transaction, which is committed; `{bobs_draft}` and the like are the stage's names.
        who: of the stage's people or invites.
        ends: how the last of them may end: SQLSTATEs, or `nothing`.
    """

    does: tuple[Statement, ...]
    who: str = "bob"
    ends: tuple[str, ...] = (NOT_ALLOWED,)


def attack(*does: Statement, who: str = "bob", ends: str | tuple[str, ...] = NOT_ALLOWED) -> Attack:
    return Attack(does, who=who, ends=(ends,) if isinstance(ends, str) else ends)


def insert(table: str, **values: Any) -> Statement:
    """A row of the company's; values that are names of the stage stand for what they name."""
    return lambda stage: stage.insert(table, **{key: _named(stage, value) for key, value in values.items()})


class Watch:
    """Sees what a try changed. Nothing else may write into the hub while one is used."""

    def __init__(self, stage: Stage, superuser: psycopg.Connection[Any]) -> None:
        self.stage, self.superuser = stage, superuser
        self._before = stage.fingerprint(superuser)

    def run(self, tried: Attack) -> str:
        """Try it; give how it ended, and beyond that what it changed."""
        with self.stage.enter(tried.who) as hostile:
            end = ended(hostile, *(_compose(self.stage, statement) for statement in tried.does))
        before, self._before = self._before, self.stage.fingerprint(self.superuser)
        changed = sorted(
            name for name in self._before.keys() | before.keys() if before.get(name) != self._before.get(name)
        )
        return f"{end}; changed: {', '.join(changed)}" if changed else end


def _compose(stage: Stage, statement: Statement) -> sql.SQL | sql.Composed:
    return sql.SQL(statement.format_map(stage.names)) if isinstance(statement, str) else statement(stage)


def _named(stage: Stage, value: Any) -> Any:
    return stage.names.get(value, value) if isinstance(value, str) else value
