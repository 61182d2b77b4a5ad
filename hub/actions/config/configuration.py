"""The configuration that is in force: in the hub, versioned, and the same for every process that reads it (HUB-10).

A document is what a file of the person's says (`strategy`; `company` in a company's hub) or what was set key by key (`preferences`).
Whoever needs one asks `effective`; the files are read by `sync` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, overload

from pydantic import BaseModel, ValidationError

from hub.actions.config.documents import (
    DOCUMENTS,
    Document,
    FileView,
    explain,
    get_document,
    list_documents,
    view_file,
)
from hub.actions.config.versions import (
    DEFAULT_ALIAS,
    Change,
    Written,
    add_version,
    find_in_force,
    find_newest,
    get_version,
    list_versions,
    plan_version,
)
from hub.models import HubSetting
from psn.config.company import CompanyStrategy
from psn.config.differences import Difference, compare, flatten, full, keep_unknown, read_kept, said
from psn.config.preferences import Preferences, change_key
from psn.config.strategy import Strategy
from psn.config.workspace import Workspace
from psn.config.yamlfile import YamlFile
from psn.errors import Conflict, InvalidInput

MAX_LISTED = 100

Origin = Literal["default", "file", "hub"]
State = Literal["changed", "same", "missing"]


@dataclass(frozen=True, slots=True)
class View:
    """A document as it is, or was.

    Args:
        setting: the version; None when there is none yet and everything is default.
        values: with the defaults of what nobody said.
        origins: where each value comes from, by its dotted key; empty for an old version.
        file: None for a document without one, and for an old version.
    """

    name: str
    setting: HubSetting | None
    values: dict[str, Any]
    origins: dict[str, Origin]
    file: FileView | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change did, or would do.

    Args:
        state: `missing` when there is no file to read; then the hub keeps what it has.
        version: in force afterwards; None when there is none yet.
        path: of the file that was read.
        file: how the document's file stands beside it, after a rollback.
    """

    name: str
    state: State
    version: int | None
    diff: tuple[Difference, ...] = ()
    path: Path | None = None
    file: FileView | None = None


@dataclass(frozen=True, slots=True)
class KeySet:
    """What became of one preference.

    Args:
        version: of the preferences, in force afterwards; None when there is none yet.
    """

    key: str
    old: Any
    new: Any
    version: int | None

    @property
    def is_changed(self) -> bool:
        return bool(self.old != self.new)


@dataclass(frozen=True, slots=True)
class PastVersion:
    """A version, and what it changed of the one before it."""

    setting: HubSetting
    diff: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class History:
    """A document's versions, newest first."""

    name: str
    versions: list[PastVersion]
    has_more: bool


@overload
def effective(name: Literal["strategy"], *, using: str = DEFAULT_ALIAS) -> Strategy: ...
@overload
def effective(name: Literal["company"], *, using: str = DEFAULT_ALIAS) -> CompanyStrategy: ...
@overload
def effective(name: Literal["preferences"], *, using: str = DEFAULT_ALIAS) -> Preferences: ...
def effective(name: str, *, using: str = DEFAULT_ALIAS) -> BaseModel:
    """Give the configuration that is in force; the defaults, where nobody has decided yet.

    Args:
        using: the hub to read from, as an alias: `strategy` and `preferences` of a person, `company` and `preferences` of a company.

    Raises:
        NotReady: what is stored there cannot be read.
    """
    return DOCUMENTS[name].read(find_in_force(name, using=using))


def default_grace() -> timedelta:
    """How late a post of a newly connected account may still go out (PUB-7)."""
    return effective("preferences").defaults.grace


def show(workspace: Workspace, *, name: str | None = None, version: int | None = None) -> list[View]:
    """Show every document of this hub, or one, or an old version of one.

    Raises:
        NotFound: no such document or version.
    """
    if version is not None:
        if name is None:
            raise InvalidInput("Say whose version: psn_config show strategy --version 2", code="setting.no_name")
        document, setting = get_document(name), get_version(name, version)
        return [View(name, setting, document.values(setting), {})]
    chosen = [get_document(name)] if name is not None else list_documents()
    return [_view(document, workspace) for document in chosen]


def sync(workspace: Workspace, *, dry_run: bool = False) -> list[Changed]:
    """Copy what the files say into the hub; where nothing changed, nothing is written.

    Every file is read before anything is written. A file that is not there leaves the hub as it is.

    Raises:
        InvalidInput: a mistake in a file, with its line.
        NotAllowed: only admins of a company change its configuration.
    """
    found = [(one, one.locate(workspace), one.find_file(workspace)) for one in list_documents() if one.locate]
    return [_sync(document, path, file, dry_run=dry_run) for document, path, file in found]


def set_key(workspace: Workspace, *, key: str, value: str, dry_run: bool = False) -> KeySet:
    """Set one preference, or give it back to its default.

    Args:
        value: as a person types it, or `default`.

    Raises:
        InvalidInput: no such key, the value does not fit, or it is decided in a file.
    """
    _check_not_in_file(workspace, key)
    document = DOCUMENTS["preferences"]

    def change(before: HubSetting | None) -> dict[str, Any] | None:
        document.read(before)
        old = dict(before.value) if before else {}
        new = change_key(old, key, value)
        return None if new == old else new

    written = _write(document, change=change, note=f"set {key}", dry_run=dry_run)
    old, new = (flatten(document.values(one))[key] for one in (written.before, written.now))
    return KeySet(key, old, new, written.now.version if written.now else None)


def needs_worker(key: str) -> bool:
    """Whether setting a preference also changes accounts, which in a company's hub only the worker may."""
    return key.startswith("defaults.")


def list_history(*, name: str | None = None, limit: int, before: int | None = None) -> list[History]:
    """List the versions of every document of this hub, or of one; newest first, each with what it changed.

    Args:
        before: only those that are older than this number.

    Raises:
        NotFound: no such document.
    """
    chosen = [get_document(name)] if name is not None else list_documents()
    return [_list_history(document, limit=min(max(limit, 1), MAX_LISTED), before=before) for document in chosen]


def roll_back(workspace: Workspace, *, name: str, to: int, dry_run: bool = False) -> Changed:
    """Bring an old version's content back as a new version; the history stays as it is.

    Raises:
        NotFound: no such document or version.
        Conflict: this PSN cannot read that version.
    """
    document, old = get_document(name), get_version(name, to)
    try:
        wanted = full(read_kept(old.value, model=document.model))
    except ValidationError as error:
        raise Conflict(
            f"Version {to} of {name} is not what this PSN can read: {explain(error)}.",
            code="setting.unreadable_version",
            next_command=f"psn_config history {name}",
        ) from None

    def change(before: HubSetting | None) -> dict[str, Any] | None:
        return None if document.values(before) == wanted else dict(old.value)

    changed = _apply(document, change=change, note=f"rollback to {to}", dry_run=dry_run)
    return replace(changed, file=view_file(document, workspace, wanted))


def _view(document: Document, workspace: Workspace) -> View:
    newest = find_newest(document.name)
    values = full(document.read(newest))
    file = view_file(document, workspace, values)
    return View(document.name, newest, values, _find_origins(values, newest=newest, file=file), file)


def _list_history(document: Document, *, limit: int, before: int | None) -> History:
    found: list[HubSetting | None] = [*list_versions(document.name, limit=limit + 1, before=before), None]
    values = [document.values(one) for one in found]  # before the first version there were the defaults
    listed = [PastVersion(one, compare(values[i + 1], values[i])) for i, one in enumerate(found) if one is not None]
    return History(document.name, listed[:limit], has_more=len(listed) > limit)


def _find_origins(values: dict[str, Any], *, newest: HubSetting | None, file: FileView | None) -> dict[str, Origin]:
    """Tell where each value comes from: `hub` is what no file says, or another than it says."""
    decided = flatten(newest.value if newest else {})
    not_in_file = {one.key for one in file.differs} if file and file.state in ("same", "differs") else set(decided)
    keys = [*flatten(values), *(name for name, value in values.items() if value == {})]
    return {key: "default" if key not in decided else "hub" if key in not_in_file else "file" for key in keys}


def _sync(document: Document, path: Path, file: YamlFile[BaseModel] | None, *, dry_run: bool) -> Changed:
    if file is None:
        newest = find_in_force(document.name)
        return Changed(document.name, "missing", newest.version if newest else None, path=path)
    wanted, decided = full(file.value), said(file.value)

    def change(before: HubSetting | None) -> dict[str, Any] | None:
        if before is not None and document.values(before) == wanted:
            return None
        return keep_unknown(before.value if before else {}, model=document.model) | decided

    return replace(_apply(document, change=change, note="sync", dry_run=dry_run), path=path)


def _apply(document: Document, *, change: Change, note: str, dry_run: bool) -> Changed:
    written = _write(document, change=change, note=note, dry_run=dry_run)
    diff = compare(document.values(written.before), document.values(written.now))
    version = written.now.version if written.now else None
    return Changed(document.name, "changed" if written.is_changed else "same", version, diff)


def _write(document: Document, *, change: Change, note: str, dry_run: bool) -> Written:
    if dry_run:
        return plan_version(document.name, change=change, note=note)
    return add_version(document.name, change=change, effect=document.effect, note=note)


def _check_not_in_file(workspace: Workspace, key: str) -> None:
    """Refuse to set what is decided in a file, which PSN never rewrites.

    Raises:
        InvalidInput: with the file to edit.
    """
    for document in list_documents():
        if document.locate is not None and key.split(".")[0] in document.model.model_fields:
            path = document.locate(workspace)
            raise InvalidInput(
                f"{key[:80]} is decided in {path}, which PSN reads and never rewrites.",
                code="setting.in_file",
                next_command="psn_config sync",
                ask=f"Change it in {path}, then run psn_config sync.",
            )
