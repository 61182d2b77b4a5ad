"""Bringing every hub up to date whose owner's login is on this computer, and saying who must for the others (HUB-5)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from hub.actions import hubs
from hub.connections import switch_hub
from psn.config.hub import find_hub_config, get_hub_config, list_company_slugs
from psn.config.strategy import read_strategy
from psn.config.workspace import Workspace
from psn.errors import Problem


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one hub.

    Args:
        name: the company's short name, or `personal`.
        state: `migrated`, `current`, `pending` (on a dry run), `somebody_else` (its admin has to), or `away`: it could not be done.
        migrations: those that ran, or would.
    """

    name: str
    state: Literal["migrated", "current", "pending", "somebody_else", "away"]
    migrations: tuple[str, ...] = ()
    message: str = ""
    code: str = ""
    exit_code: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Give what a command shows."""
        return {name: value for name, value in asdict(self).items() if name != "exit_code" and value not in ("", ())}


def list_hubs(workspace: Workspace) -> list[str]:
    """Name this workspace's hubs, the personal one (empty) first."""
    personal = [""] if find_hub_config(workspace) is not None else []
    return [*personal, *list_company_slugs(workspace)]


def migrate(workspace: Workspace, slug: str, *, dry_run: bool = False) -> Outcome:
    """Bring one hub up to date, and work on it from now on. One that fails never stops the others."""
    name = slug or "personal"
    try:
        config = get_hub_config(workspace, slug)
        switch_hub(slug)
        if not config.has_owner:
            return _look_as_member(name)
        if dry_run:
            pending = hubs.schema_state().pending
            return Outcome(name, "pending" if pending else "current", pending, _count(pending))
        if config.is_company:
            applied = hubs.migrate_schema()
        else:
            strategy = read_strategy(workspace.strategy)
            applied = hubs.migrate_hub(name=strategy.name, timezone=strategy.timezone)
    except Problem as error:
        return Outcome(name, "away", message=error.message, code=error.error_code, exit_code=error.exit_code)
    except hubs.UNREACHABLE as error:
        message = str(error).strip().splitlines()[0]
        return Outcome(name, "away", message=message, code="hub.unreachable", exit_code=3)
    return Outcome(name, "migrated" if applied else "current", applied, _count(applied))


def _look_as_member(name: str) -> Outcome:
    missing = hubs.find_missing_migrations()
    if missing:
        return Outcome(
            name, "somebody_else", missing, f"{_count(missing)} wait for an admin of the team to run psn_migrate."
        )
    return Outcome(name, "current", message="up to date; an admin of the team keeps it so")


def _count(migrations: tuple[str, ...]) -> str:
    return f"{len(migrations)} migration{'' if len(migrations) == 1 else 's'}"
