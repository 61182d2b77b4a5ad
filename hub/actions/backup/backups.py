"""Backing a hub up to one file, and putting a backup in the place of what is in the hub, on every provider (HUB-12).

A backup is a picture of the past, and a post that was to go out since then may be live: nothing that a restore brings back goes out
before it is certain that it did not go out already, and that the person still wants it (PUB-6, POST-4).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from hub.actions import workers
from hub.actions.backup.archives import Manifest, Tell, check_archive, describe, tell_nobody, write_archive
from hub.actions.backup.newfiles import check_free, new_file
from hub.actions.backup.restoring import check_schema, rehearse, replace_rows
from hub.actions.backup.tables import ask, one_moment, owner_connection
from hub.connections import OWNER
from hub.queue.heartbeat import FRESH
from hub.sealing import rotate_key
from psn.archive import unknown_key
from psn.config.hub import HubConfig, get_hub_config, write_hub_config
from psn.config.workspace import Workspace
from psn.crypto import Key
from psn.errors import Conflict, InvalidInput, NotFound


def backup_hub(
    workspace: Workspace, *, target: Path, now: datetime, dry_run: bool = False, tell: Tell = tell_nobody
) -> dict[str, Any]:
    """Write what is in the hub to one encrypted file, as it stands at one moment; the worker goes on meanwhile.

    Neither the encryption key nor the files in `content/` are in it: copy `config/hub.env` and `content/` as well.

    Raises:
        Conflict: the file exists, or the key is being rotated.
        NotReady: this computer is not the hub's owner's, or the disk is full.
    """
    check_free(target)
    config = _owned(workspace)
    key = _only_key(config)
    if dry_run:
        with one_moment():
            return {"file": str(target), "needs_keys": [key.id]}
    with new_file(target) as file, one_moment() as connection:
        manifest = write_archive(connection, file, config=config, key=key, now=now, tell=tell)
        if _only_key(get_hub_config(workspace, config.slug)) != key:
            raise _rotating("The hub's key was rotated meanwhile. Back it up again.")
    return {"file": str(target), "size_bytes": target.stat().st_size, "needs_keys": [key.id], "rows": manifest.rows}


def verify_backup(workspace: Workspace, *, source: Path, old_key: Key | None = None) -> dict[str, Any]:
    """Read a backup to its end, check that every byte is what was written, and say what is in it.

    Raises:
        NotFound: there is no such file.
        NotReady: it is no backup, damaged, or of another key.
    """
    config = get_hub_config(workspace, settings.HUB_SLUG)
    with _opened(source) as file:
        manifest = check_archive(file, keys=_keys(config, old_key))
    return {"file": str(source), "size_bytes": source.stat().st_size, **describe(manifest)}


def restore_hub(
    workspace: Workspace,
    *,
    source: Path,
    now: datetime,
    old_key: Key | None = None,
    resume: bool = False,
    dry_run: bool = False,
    tell: Tell = tell_nobody,
) -> dict[str, Any]:
    """Put a backup in the place of what is in the hub, which is backed up first, into the hub's own folder.

    Everything happens in one transaction, so until its end nothing has changed. Posts that were due since become `missed`, posts that
    were going out `unknown`. Scheduled ones wait for a new yes, but for those that the present hub holds in exactly the same state.

    Args:
        old_key: that the backup's secrets were sealed with, when it is not this hub's; they are sealed anew.
        resume: keep the schedule: the hub that the backup came from will never publish again, and did nothing since.
        dry_run: say what would become of its posts, and change nothing.

    Raises:
        NotFound: there is no such file.
        Conflict: a worker elsewhere, another restore, or a rotation of the key is at work.
        NotReady: it is no backup of such a hub, damaged, of a newer PSN, or its secrets cannot be opened.
    """
    config = _owned(workspace)
    config.keyring()  # refuses when there is none: what is in the hub is written down with it
    keys = _keys(config, old_key)
    with _opened(source) as file:
        manifest = check_archive(file, keys=keys)
        tell("checked the backup", f"{sum(manifest.rows.values())} rows of {manifest.created_at:%Y-%m-%d %H:%M} UTC")
        _check_fits(manifest, config=config, keys=keys)
        about = {"file": str(source), "made_at": manifest.created_at, "posts": manifest.rows.get("posts", 0)}
        if dry_run:
            file.seek(0)
            return about | asdict(rehearse(file, manifest=manifest, keys=keys, resume=resume))
        with _worker_stopped(config):
            _keep_key(workspace, config, old_key)
            replaced = replace_rows(
                file, manifest=manifest, config=config, keys=keys, resume=resume, now=now, tell=tell
            )
            if get_hub_config(workspace, config.slug).old_key:
                rotate_key(using=OWNER)
    return about | asdict(replaced.settled) | {"kept": str(replaced.kept), **asdict(replaced.entry)}


def check_no_other_worker() -> None:
    """Refuse while a worker publishes from this hub; this workspace's own was stopped.

    Raises:
        Conflict: another computer's, or another workspace's on this one.
    """
    rows = ask(owner_connection(), "SELECT host, pid FROM worker_heartbeats WHERE beat_at > now() - %s", [FRESH])
    for host, pid in rows:
        is_here = host == socket.gethostname()
        if not is_here or _lives(pid):
            where = "in another workspace of this computer" if is_here else f"on {host}"
            raise Conflict(
                f"A worker of this hub runs {where}. Nothing was changed.",
                code="worker.elsewhere",
                ask=f"Stop it {where}: python3 manage.py psn_worker stop. Then run this again.",
            )


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _owned(workspace: Workspace) -> HubConfig:
    """Give this process's hub.

    Raises:
        NotReady: this computer is not its owner's.
    """
    config = get_hub_config(workspace, settings.HUB_SLUG)
    config.options("owner")
    return config


def _keys(config: HubConfig, old_key: Key | None) -> list[Key]:
    return [*config.read_keys(), *([old_key] if old_key else [])]


def _only_key(config: HubConfig) -> Key:
    """Give the hub's key; a backup that needs two could not be restored with one."""
    if config.old_key:
        raise _rotating("A key rotation is under way. Finish it, then back up again.")
    return config.keyring().current


def _rotating(message: str) -> Conflict:
    return Conflict(message, code="key.rotating", next_command="psn_config keys rotate")


@contextmanager
def _opened(source: Path) -> Iterator[BinaryIO]:
    try:
        file = source.open("rb")
    except FileNotFoundError:
        raise NotFound(f"There is no file {source}.", code="backup.not_found") from None
    except OSError as error:
        raise InvalidInput(f"{source} cannot be read: {error.strerror}.", code="backup.path") from error
    with file:
        yield file


def _check_fits(manifest: Manifest, *, config: HubConfig, keys: Sequence[Key]) -> None:
    """Refuse, before anything is touched, what could not be restored, or not be used afterwards."""
    if (manifest.slug or "") != config.slug:
        raise InvalidInput(
            f"The backup is of {_named(manifest.slug)}, and this is {_named(config.slug)}. Nothing was changed.",
            code="backup.other_hub",
        )
    check_schema(manifest)
    if missing := sorted(set(manifest.needs_keys) - {key.id for key in keys}):
        raise unknown_key(missing[0])


def _named(slug: str) -> str:
    return f"the hub of {slug}" if slug else "a personal hub"


@contextmanager
def _worker_stopped(config: HubConfig) -> Iterator[None]:
    """Stop this workspace's worker for the time, and start it again if it ran.

    Raises:
        Conflict: somebody else's worker publishes from this hub: it would send what a restore brings back.
    """
    ran = workers.stop_worker(config)
    try:
        check_no_other_worker()
        yield
    finally:
        if ran:
            workers.start_worker(config)


def _keep_key(workspace: Workspace, config: HubConfig, old_key: Key | None) -> None:
    """Put the backup's key beside this hub's, before anything needs it.

    A rotation then seals everything with this hub's key and drops the other one; killed in between, `keys rotate` goes on.
    """
    if old_key is None or old_key.id in {key.id for key in config.read_keys()}:
        return
    if config.old_key:
        raise _rotating("A key rotation is under way. Finish it, then restore again.")
    write_hub_config(workspace, replace(config, old_key=old_key.to_text()))
