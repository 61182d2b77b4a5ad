"""Reads what neonctl answers with `--output json`: Neon's own JSON, of which only this is looked at."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

ID = r"[a-z0-9][a-z0-9-]{0,59}"  # of projects, organisations and regions: neon.com/api_spec/release/v2.json (2026-11)
_PENDING = frozenset(("scheduling", "running", "cancelling"))
_FAILED = frozenset(("failed", "error"))
_MAKING = frozenset(
    ("create_timeline", "create_branch", "create_compute")
)  # without these there is nothing to connect to
_Value = TypeVar("_Value")


class Named(BaseModel):
    """A project or an organisation."""

    id: str
    name: str


class Operation(BaseModel):
    """Something that Neon does to a project."""

    action: str
    status: str

    @property
    def is_pending(self) -> bool:
        return self.status in _PENDING


class _Listed(BaseModel):
    """Projects where no organisation was named: the account's own, beside those that others share with it."""

    projects: list[Named]


class _Created(BaseModel):
    project: Named


class _Address(BaseModel):
    connection_string: str


_PROJECTS: TypeAdapter[list[Named] | _Listed] = TypeAdapter(list[Named] | _Listed)
_NAMED = TypeAdapter(Named)
_ALL_NAMED = TypeAdapter(list[Named])
_CREATED = TypeAdapter(_Created)
_OPERATIONS = TypeAdapter(list[Operation])
_ADDRESS = TypeAdapter(_Address)


def read_projects(text: str) -> list[Named]:
    """Read `projects list`.

    Raises:
        ValueError: it is something else. So for every reader here.
    """
    found = _read(_PROJECTS, text)
    return found.projects if isinstance(found, _Listed) else found


def read_organisations(text: str) -> list[Named]:
    """Read `orgs list`."""
    return _read(_ALL_NAMED, text)


def read_created(text: str) -> Named:
    """Read `projects create`."""
    return _read(_CREATED, text).project


def read_project(text: str) -> Named:
    """Read `projects get`."""
    return _read(_NAMED, text)


def read_operations(text: str) -> list[Operation]:
    """Read `operations list`: newest first."""
    return _read(_OPERATIONS, text)


def read_address(text: str) -> str:
    """Read `connection-string --extended`."""
    return _read(_ADDRESS, text).connection_string


def find_failed(operations: list[Operation]) -> Operation | None:
    """Find an operation that should have made the project and failed, and that no later one of its kind made good.

    Args:
        operations: newest first.
    """
    seen: set[str] = set()
    for operation in operations:
        if operation.status in _FAILED and operation.action in _MAKING - seen:
            return operation
        seen.add(operation.action)
    return None


def _read(adapter: TypeAdapter[_Value], text: str) -> _Value:
    try:
        return adapter.validate_json(text)
    except ValidationError as error:  # its text repeats what it read
        raise ValueError(f"{error.error_count()} fields are not as expected") from None
