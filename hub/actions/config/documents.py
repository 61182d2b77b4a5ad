"""The kinds of documents that a hub's configuration has, how each is read, and what else in the hub follows from it (HUB-10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.db import ProgrammingError
from psycopg.errors import InsufficientPrivilege
from pydantic import BaseModel, ValidationError

from hub.actions.config.versions import Effect
from hub.models import Account, HubSetting, User
from psn.config.company import CompanyStrategy, company_file
from psn.config.differences import Difference, compare, fill, full, read_kept
from psn.config.preferences import Preferences
from psn.config.strategy import Strategy
from psn.config.workspace import Workspace
from psn.config.yamlfile import YamlFile, find_yaml
from psn.errors import InvalidInput, NotAllowed, NotFound, NotReady, Problem

FileState = Literal["same", "differs", "missing", "wrong"]


@dataclass(frozen=True, slots=True)
class Document:
    """A kind of document.

    Args:
        model: what it holds.
        effect: what else in the hub must be as it says.
        locate: says where its file is; None for one that only the hub has.
    """

    name: str
    model: type[BaseModel]
    effect: Effect
    locate: Callable[[Workspace], Path] | None = None

    def read(self, setting: HubSetting | None) -> BaseModel:
        """Read a version; without one, the defaults.

        Raises:
            NotReady: a newer PSN wrote it, or nobody who knew what belongs there.
        """
        try:
            return read_kept(setting.value if setting else {}, model=self.model)
        except ValidationError as error:
            assert setting is not None, "the defaults fit"
            raise NotReady(
                f"Version {setting.version} of {self.name} in the hub is not what this PSN can read: {explain(error)}.",
                code="setting.unreadable",
                next_command=f"psn_config history {self.name}",
                ask="Update your clone (git pull), or go back to an earlier version with psn_config rollback.",
            ) from None

    def values(self, setting: HubSetting | None) -> dict[str, Any]:
        """Give a version with its defaults; one that cannot be read as it is."""
        return fill(setting.value if setting else {}, model=self.model)

    def find_file(self, workspace: Workspace) -> YamlFile[BaseModel] | None:
        """Read its file; None when there is none.

        Raises:
            InvalidInput: a mistake in it.
        """
        return find_yaml(self.locate(workspace), model=self.model) if self.locate else None


@dataclass(frozen=True, slots=True)
class FileView:
    """How a document's file stands beside the hub.

    Args:
        differs: what the file would change.
        lines: where the file says so; None for what it does not say, and would leave to the default.
        problem: why it cannot be read.
    """

    path: Path
    state: FileState
    differs: tuple[Difference, ...] = ()
    lines: tuple[int | None, ...] = ()
    problem: Problem | None = None


def list_documents() -> list[Document]:
    """List the documents that this process's hub has."""
    names = ("company", "preferences") if settings.HUB_SLUG else ("strategy", "preferences")
    return [DOCUMENTS[name] for name in names]


def get_document(name: str) -> Document:
    """Give a kind of document that this process's hub has.

    Raises:
        NotFound: it has none of this name.
    """
    known = {document.name: document for document in list_documents()}
    if name not in known:
        raise NotFound(
            f"There is no document {name[:80]!r} in this hub. Known: {', '.join(known)}.",
            code="setting.no_document",
            next_command="psn_config show",
        )
    return known[name]


def view_file(document: Document, workspace: Workspace, values: dict[str, Any]) -> FileView | None:
    """Put a document's file beside the values in the hub; None for a document without a file."""
    if document.locate is None:
        return None
    path = document.locate(workspace)
    try:
        file = document.find_file(workspace)
    except InvalidInput as error:
        return FileView(path, "wrong", problem=error)
    if file is None:
        return FileView(path, "missing")
    differs = compare(values, full(file.value))
    lines = tuple(file.find_line(one.key) for one in differs)
    return FileView(path, "differs" if differs else "same", differs, lines)


def explain(error: ValidationError) -> str:
    """Say in a few words what does not fit."""
    first = error.errors()[0]
    return f"{'.'.join(str(piece) for piece in first['loc']) or 'the document'}: {first['msg'].rstrip('.')}"


# -- what else in the hub is as a document says


def _name_person(owner: User, _before: HubSetting | None, now: HubSetting | None) -> None:
    """Let the hub know how the person is called and in which zone he lives; the row itself is asked, for others write it, too."""
    strategy = DOCUMENTS["strategy"].read(now)
    assert isinstance(strategy, Strategy)
    called = {"name": strategy.name, "timezone": strategy.timezone}
    User.objects.filter(id=owner.id).exclude(**called).update(**called)


def _change_nothing(_owner: User, _before: HubSetting | None, _now: HubSetting | None) -> None:
    """A company's name and zone are not in its document."""


def _give_accounts_grace(owner: User, before: HubSetting | None, now: HubSetting | None) -> None:
    """Give the accounts that have the former grace the new one; the engine reads it off them (PUB-7).

    Raises:
        NotAllowed: a company's accounts are changed by its worker alone.
    """
    former, present = _grace_of(before), _grace_of(now)
    if former == present:
        return
    try:
        Account.objects.filter(user_id=owner.id, grace=former).update(grace=present)
    except ProgrammingError as error:
        if isinstance(error.__cause__, InsufficientPrivilege):
            raise NotAllowed(
                "How late a post may go out is changed where the company's worker runs.",
                code="setting.worker_only",
                ask="Run this on the computer of the company's worker: its connection file has WORKER_URL.",
            ) from error
        raise


def _grace_of(setting: HubSetting | None) -> timedelta:
    try:
        preferences = read_kept(setting.value if setting else {}, model=Preferences)
    except ValidationError:  # what could not be read was never in force
        preferences = Preferences()
    return preferences.defaults.grace


DOCUMENTS = {
    document.name: document
    for document in (
        Document("strategy", Strategy, _name_person, lambda workspace: workspace.strategy),
        Document(
            "company", CompanyStrategy, _change_nothing, lambda workspace: company_file(workspace, settings.HUB_SLUG)
        ),
        Document("preferences", Preferences, _give_accounts_grace),
    )
}
