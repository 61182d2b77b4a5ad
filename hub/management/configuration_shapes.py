"""The shapes in which `psn_config` shows configuration; fields are added and never renamed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from hub.actions.config.configuration import Changed, History, KeySet, View
from hub.actions.config.documents import FileView
from hub.actions.story import tell_time
from hub.models import HubSetting
from psn.config.differences import Difference
from psn.config.preferences import describe_keys
from psn.errors import Finding

MAX_SHOWN = 80  # characters of a value inside a sentence


def view_shape(view: View, *, zone: str) -> dict[str, Any]:
    """Show a document, and where each of its values comes from."""
    shown: dict[str, Any] = {"name": view.name, **version_shape(view.setting, zone=zone), "values": view.values}
    if view.origins:
        shown["origins"] = view.origins
    if view.name == "preferences":
        shown["keys"] = describe_keys()
    return shown | ({"file": file_shape(view.file)} if view.file else {})


def version_shape(setting: HubSetting | None, *, zone: str) -> dict[str, Any]:
    """Show a version: when, by whom and why; without one, nobody has decided anything yet."""
    if setting is None:
        return {"version": None, "at": None, "local": None, "by": None, "note": None}
    by = {"id": str(setting.created_by.id), "name": setting.created_by.name} if setting.created_by else None
    return {
        "version": setting.version,
        "at": setting.created_at,
        "local": tell_time(setting.created_at, zone=zone),
        "by": by,
        "note": setting.note or None,
    }


def history_shape(history: History, *, zone: str) -> dict[str, Any]:
    """Show a document's versions, each with what it changed of the one before it."""
    versions = [{**version_shape(past.setting, zone=zone), "diff": diff_shape(past.diff)} for past in history.versions]
    return {"name": history.name, "versions": versions, "more": history.has_more}


def changed_shape(changed: Changed) -> dict[str, Any]:
    """Show what a change did, or would do."""
    shown: dict[str, Any] = {"name": changed.name, "state": changed.state, "version": changed.version}
    if changed.path:
        shown["path"] = str(changed.path)
    if changed.file:
        shown["file"] = file_shape(changed.file)
    return shown | {"diff": diff_shape(changed.diff)}


def key_shape(one: KeySet) -> dict[str, Any]:
    """Show one preference, as it was and as it is."""
    state = "changed" if one.is_changed else "same"
    return {"key": one.key, "old": one.old, "new": one.new, "state": state, "version": one.version}


def file_shape(file: FileView) -> dict[str, Any]:
    """Show how a file stands beside the hub."""
    differs = [
        {"key": one.key, "line": line, "hub": one.old, "file": one.new}
        for one, line in zip(file.differs, file.lines, strict=True)
    ]
    return {"path": str(file.path), "state": file.state} | ({"differs": differs} if differs else {})


def diff_shape(diff: Iterable[Difference]) -> list[dict[str, Any]]:
    """Show what differs; null is a key that a document does not have."""
    return [{"key": one.key, "old": one.old, "new": one.new} for one in diff]


def warn_of(file: FileView | None) -> Iterator[Finding]:
    """Warn of a file that says something else than the hub."""
    if file is None or file.state in ("same", "missing"):
        return
    if file.problem is not None:
        yield from (replace(one, level="warning") for one in file.problem.findings)
        return
    yield Finding(
        target=str(file.path),
        code="config.differs",
        level="warning",
        message=f"The file is not what is in force: {tell_differences(file)}.",
        fix="Run python3 manage.py psn_config sync to put the file in force, or change the file.",
    )


def tell_differences(file: FileView) -> str:
    """Say in words where a file says something else than the hub."""
    return "; ".join(
        f"{one.key} is {_word(one.new)} in {f'line {line}' if line else 'the file, which does not name it'}"
        f" and {_word(one.old)} in the hub"
        for one, line in zip(file.differs, file.lines, strict=True)
    )


def _word(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
