"""Policies as frozen data, written into migrations.

Expressions that ask who is acting are wrapped in a sub-select, so the planner runs them once per statement and not once per row
(unwrapped, a full scan was measured 54 times slower).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

ME = "(SELECT hub_api.current_user_id())"
IS_SERVICE = "(SELECT hub_api.is_service())"
COMPANY = "(SELECT hub_api.current_company_id())"
IS_ADMIN = "(SELECT hub_api.current_role_is('admin'))"

Command = Literal["SELECT", "INSERT", "UPDATE", "DELETE"]
Group = Literal["member", "team", "service", "definer", "provisioner"]
_NEEDS_USING = {"SELECT", "UPDATE", "DELETE"}
_NEEDS_CHECK = {"INSERT", "UPDATE"}


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy of one table, for one command. There is no `FOR ALL`: its USING would widen every narrower rule beside it.

    Args:
        using: which rows may be seen or touched; exactly for SELECT, UPDATE, DELETE.
        check: which rows may result; exactly for INSERT, UPDATE.
        groups: role groups of the hub, without their prefix.
    """

    name: str
    command: Command
    using: str = ""
    check: str = ""
    groups: tuple[Group, ...] = ("member", "service")

    def __post_init__(self) -> None:
        if bool(self.using) != (self.command in _NEEDS_USING):
            raise ValueError(f"policy {self.name}: {self.command} and its USING do not go together")
        if bool(self.check) != (self.command in _NEEDS_CHECK):
            raise ValueError(f"policy {self.name}: {self.command} and its WITH CHECK do not go together")
        bare = (self.using + self.check).replace("(SELECT hub_api.", "")
        if "hub_api." in bare:
            raise ValueError(
                f"policy {self.name}: wrap hub_api calls in (SELECT …), so that they run once per statement"
            )

    def deconstruct(self) -> tuple[str, tuple[()], dict[str, Any]]:
        """Let a migration write this policy down."""
        return "hub.rls.policies.Policy", (), {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Grant:
    """Table rights of one role group."""

    group: Group
    commands: tuple[Command, ...]

    def deconstruct(self) -> tuple[str, tuple[()], dict[str, Any]]:
        """Let a migration write this grant down."""
        return "hub.rls.policies.Grant", (), {field.name: getattr(self, field.name) for field in fields(self)}


def owned(*commands: Command, column: str = "user_id") -> tuple[Policy, ...]:
    """Policies of a table whose rows belong to one person: he sees and changes his own, nobody else's."""
    mine = f"{column} = {ME}"
    return tuple(
        Policy(
            name=f"own_{command.lower()}",
            command=command,
            using=mine if command in _NEEDS_USING else "",
            check=mine if command in _NEEDS_CHECK else "",
        )
        for command in commands
    )


def of_team(*commands: Command, name: str = "team", only: str = "") -> tuple[Policy, ...]:
    """Policies of a company's members for the company's rows; what else must hold for a row is in `only`."""
    ours = f"user_id = {COMPANY}{' AND ' if only else ''}{only}"
    return tuple(
        Policy(
            name=f"{name}_{command.lower()}",
            command=command,
            using=ours if command in _NEEDS_USING else "",
            check=ours if command in _NEEDS_CHECK else "",
            groups=("team",),
        )
        for command in commands
    )


def granted(*commands: Command) -> tuple[Grant, ...]:
    """The same rights for people and for the worker."""
    return Grant("member", commands), Grant("service", commands)
