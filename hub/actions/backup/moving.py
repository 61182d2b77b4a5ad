"""Taking a personal hub to another provider without losing a row or sending one twice (HUB-12).

The new hub is made and filled while `config/hub.env` still names the old one; the file is exchanged in one step. Until then the new one
has no worker, and from the moment the rows are read the old one has none: its worker's login is switched off in the database itself, so
nobody publishes from it on any computer. What was planned stands in `config/moving/` from the beginning, so a run that was killed is gone
on with by the next one, or undone by `go_back`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from hub.actions import hubs, workers
from hub.actions.backup import backups
from hub.actions.backup.archives import Tell, archive_name
from hub.actions.backup.newfiles import find_free, remove_unfinished
from hub.actions.backup.tables import Connection, explaining_locks, list_tables, lock_tables, write_plainly
from hub.actions.sources import Source
from hub.connections import OWNER, reload_hub, work_on
from hub.models import Post, Status
from hub.publishing import carrying
from hub.sealing import check_opens
from psn.config.envfile import write_private
from psn.config.hub import HubConfig, find_hub_config, get_hub_config, write_hub_config
from psn.config.strategy import read_strategy
from psn.config.workspace import Workspace
from psn.errors import Conflict, InvalidInput, NotFound, NotReady, Problem
from psn.providers.local import choose_socket_dir
from psn.providers.url import check_fit, inspect_server

_GONE = (Status.PUBLISHED, Status.DELIVERED, Status.CANCELLED)  # nobody needs their media any more


@dataclass(frozen=True, slots=True)
class Move:
    """A move from one place to another.

    Args:
        workspace: whose `config/hub.env` names the hub.
        building: a workspace of nothing but a `config/hub.env`, which names the new hub.
        find_source: gives the database's administrator; asked only when the new hub is not made yet.
    """

    workspace: Workspace
    building: Workspace
    provider: str
    find_source: Callable[[], Source]
    ssl_root_cert: str
    now: datetime
    tell: Tell


def find_move(workspace: Workspace) -> HubConfig | None:
    """Give the hub that this workspace's is being moved to; None when it is not."""
    return find_hub_config(_building(workspace))


def check_no_move(workspace: Workspace, *, slug: str = "") -> None:
    """Refuse what needs a worker on a hub that is being left, and has none. A company's (`slug`) never is.

    Raises:
        NotReady: a move was begun and not ended.
    """
    if not slug and _frozen(_building(workspace)).exists() and (target := find_move(workspace)):
        raise NotReady(
            f"A move of this hub to {target.provider} was begun and did not end.",
            code="move.unfinished",
            next_command=f"psn_hub move --provider {target.provider}",
        )


def move_hub(
    workspace: Workspace,
    *,
    provider: str,
    find_source: Callable[[], Source],
    now: datetime,
    ssl_root_cert: str = "",
    dry_run: bool = False,
    tell: Tell,
) -> dict[str, Any]:
    """Move this workspace's personal hub, with everything in it, to another provider. Killed anywhere, run it again.

    Args:
        find_source: gives the address of the database and its administrator, where the provider is not `local`.
        dry_run: look whether the hub may be moved there; make nothing.

    Raises:
        InvalidInput: it is there already, or is a company's.
        Conflict: another move, another computer's worker, or a key rotation is under way.
        NotReady: the new place is not fit. The old hub goes on.
    """
    hubs.check_provider(provider)
    move = Move(workspace, _building(workspace), provider, find_source, ssl_root_cert, now, tell)
    if dry_run:
        return _rehearse(move)
    with _only_one(move.building):
        config = _get_movable(workspace)
        if find_move(workspace) is None and _was_switched(move.building):
            return _finish(move, config)
        target = _make(move, config)
        return _carry_over(move, config, target) | _finish(move, target)


def go_back(workspace: Workspace) -> dict[str, Any]:
    """Undo a move that did not end: the hub publishes again from where it is. What was made at the other place stays there.

    Raises:
        NotFound: none was begun.
    """
    building = _building(workspace)
    target = find_move(workspace)
    if target is None:
        raise NotFound("No move was begun.", code="move.none")
    with _only_one(building):
        config = get_hub_config(workspace)
        _switch_worker(config, on=True)
        building.hub_env.unlink()
    _forget(building)
    return {"hub": config.place, "left": target.place, "worker": workers.start_worker(config)}


def _rehearse(move: Move) -> dict[str, Any]:
    config = _get_movable(move.workspace)
    if find_move(move.workspace) is None and move.provider == "url":  # to look at Neon is to make a project there
        _check_server(move.find_source(), config, prefix="", ssl_root_cert=move.ssl_root_cert)
    check_opens(OWNER)
    return {"from": config.place, "provider": move.provider, "posts": Post.objects.count()}


def _get_movable(workspace: Workspace) -> HubConfig:
    config = get_hub_config(workspace, settings.HUB_SLUG)
    if config.is_company:
        raise InvalidInput(
            "A company's hub is not moved: every member's way into it would end. Make a new one, restore a backup there, and invite again.",
            code="move.company",
            next_command=f"psn_hub backup --hub {config.slug}",
        )
    hubs.check_owner()
    if config.old_key:
        raise Conflict("A key rotation is under way.", code="key.rotating", next_command="psn_config keys rotate")
    return config


def _make(move: Move, config: HubConfig) -> HubConfig:
    """Make the new hub, empty and up to date; what is there already stays."""
    target = find_move(move.workspace)
    if target is None:
        target, source = _plan(move, config)
        write_hub_config(move.building, target)
    elif target.provider != move.provider:
        raise Conflict(
            f"A move to {target.provider} was begun and did not end. Go on with it, or undo it: psn_hub move --back.",
            code="move.other",
            next_command=f"psn_hub move --provider {target.provider}",
        )
    else:
        source = None
    if target.is_local:
        hubs.make_local_hub(replace(target, key=""))  # without a key it may be new
    elif not hubs.hub_is_made(target):
        source = source or move.find_source()
        _check_server(source, config, prefix=target.prefix, ssl_root_cert=target.ssl_root_cert)
        hubs.make_remote_hub(target, source.admin)
    strategy = read_strategy(move.workspace.strategy)
    with _working_on(target):
        hubs.migrate_hub(name=strategy.name, timezone=strategy.timezone)
    move.tell("made the new hub", target.place)
    return target


def _plan(move: Move, config: HubConfig) -> tuple[HubConfig, Source | None]:
    """Choose place, logins and passwords. Keys and the folder of logs and state stay, so values open and no two workers run."""
    if move.provider == "local":
        if config.is_local:
            raise InvalidInput("This hub is local already.", code="move.same")
        data = find_free(config.home, "pg")
        planned = HubConfig(data=data, socket_dir=choose_socket_dir(data))
        return replace(planned, key=config.key, secret_key=config.secret_key), None
    source = move.find_source()
    _check_server(source, config, prefix="", ssl_root_cert=move.ssl_root_cert)
    planned = hubs.plan_remote_hub(
        source.admin, provider=move.provider, project=source.project, ssl_root_cert=move.ssl_root_cert
    )
    return replace(planned, folder=config.home, key=config.key, secret_key=config.secret_key), source


def _check_server(source: Source, config: HubConfig, *, prefix: str, ssl_root_cert: str) -> None:
    """Refuse a place where no hub can be, or another one is.

    Args:
        prefix: of the hub that an earlier run may have begun there.
    """
    facts = inspect_server(source.admin.options(ssl_root_cert=ssl_root_cert), prefix=prefix)
    if facts.is_hub and facts.role_prefix == config.prefix:
        raise InvalidInput(f"This hub is at {source.admin.place} already.", code="move.same")
    if facts.is_hub and facts.role_prefix != prefix:
        raise Conflict(
            f"The database at {source.admin.place} has another hub ({facts.role_prefix}).",
            code="server.other_hub",
            ask="Give a database of its own.",
        )
    check_fit(facts, company=False, loopback=source.admin.is_loopback)


def _carry_over(move: Move, config: HubConfig, target: HubConfig) -> dict[str, Any]:
    """Read the old hub's rows into the new hub and exchange the files that name them; undo what was stopped when that fails."""
    check_opens(OWNER)
    if target.is_local:
        _bring_media()
    workers.stop_worker(config)
    move.tell("stopped the worker", config.place)
    _frozen(move.building).touch()
    try:
        backups.check_no_other_worker()
        _switch_worker(config, on=False)
        with _nobody_writes(config) as old:
            file, restored, missing = _copy(move, config, target)
            aside = _exchange(move)
            old.execute("UPDATE logins SET is_active = false")  # whoever waits with a change is told, not ignored
    except BaseException:
        if find_move(move.workspace) is not None:
            _switch_worker(config, on=True)
            _frozen(move.building).unlink()
            workers.start_worker(config)
        raise
    hubs.stop_hub(config)
    names = ("posts", "missed", "unknown", "held", "scheduled")
    about = {"from": config.place, "backup": str(file), "replaced_file": str(aside), "media_missing": missing}
    return about | {name: restored[name] for name in names}


def _copy(move: Move, config: HubConfig, target: HubConfig) -> tuple[Path, dict[str, Any], list[str]]:
    folder = config.home / "backups"
    remove_unfinished(folder)
    file = find_free(folder, archive_name(move.now, what="moved"))
    backups.backup_hub(move.workspace, target=file, now=move.now, tell=move.tell)
    with _working_on(target):
        restored = backups.restore_hub(move.building, source=file, now=move.now, resume=True, tell=move.tell)
        Path(restored["kept"]).unlink()  # of a hub that nobody ever used
        check_opens(OWNER)
        missing = [] if target.is_local else _put_media()
    return file, restored, missing


def _exchange(move: Move) -> Path:
    """Let `config/hub.env` name the new hub from one moment to the next; the old one stays beside it."""
    current = move.workspace.hub_env
    aside = find_free(current.parent, f"{current.name}.moved-{move.now:%Y%m%d-%H%M%S}")
    write_private(aside, current.read_text(encoding="utf-8"))
    _exchanged(move.building).touch()
    os.replace(move.building.hub_env, current)
    move.tell("exchanged the hubs", str(current))
    return aside


def _finish(move: Move, target: HubConfig) -> dict[str, Any]:
    """Do what comes after the exchange; repeatable."""
    reload_hub()
    started = workers.start_worker(target)
    move.tell("started the worker", str(started["pid"]))
    _forget(move.building)
    return {"to": target.place, "provider": target.provider, "worker": started}


def _put_media() -> list[str]:
    """Have the media of posts that are not out yet in the new hub; name those that are nowhere."""
    missing = []
    for post in Post.objects.exclude(status__in=_GONE):
        try:
            with transaction.atomic():
                carrying.put_missing(post)
        except Problem as problem:
            missing.append(problem.message)
    return missing


def _bring_media() -> None:
    """Have them on this computer, before the hub that carried them is left; one that is nowhere is said when its post goes out."""
    for post in Post.objects.exclude(status__in=_GONE):
        with suppress(Problem):
            carrying.bring(post)


@contextmanager
def _nobody_writes(config: HubConfig) -> Iterator[Connection]:
    """Let people read the old hub and change nothing in it, until it is left."""
    with hubs.connect(config, "owner") as old, explaining_locks(), old.transaction():
        write_plainly(old)
        lock_tables(old, list_tables(old), mode="SHARE")
        yield old


def _switch_worker(config: HubConfig, *, on: bool) -> None:
    """Let the old hub's worker, wherever it may run, find work, or not any more."""
    with hubs.connect(config, "owner") as owner:
        owner.execute("UPDATE logins SET is_active = %s WHERE kind = 'service'", (on,))


@contextmanager
def _working_on(target: HubConfig) -> Iterator[None]:
    """Have this process work on a hub that `config/hub.env` does not name yet; the keys in that file are its own, too."""
    try:
        work_on(target)
        yield
    finally:
        reload_hub()


def _building(workspace: Workspace) -> Workspace:
    return Workspace(workspace.config / "moving")


def _was_switched(building: Workspace) -> bool:
    """Whether a run was killed after the exchange of the files: then the folder is left, and names no hub any more."""
    return _exchanged(building).exists() and not building.hub_env.exists()


def _frozen(building: Workspace) -> Path:
    """Where it stands that the old hub's worker finds nothing any more."""
    return building.root / "frozen"


def _exchanged(building: Workspace) -> Path:
    """Where it stands that the files are about to be exchanged."""
    return building.root / "exchanged"


def _forget(building: Workspace) -> None:
    shutil.rmtree(building.root, ignore_errors=True)


@contextmanager
def _only_one(building: Workspace) -> Iterator[None]:
    """Let one move work at a time.

    Raises:
        Conflict: another one does.
    """
    building.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = os.open(building.root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(folder)
        raise Conflict("Another move of this hub is under way.", code="move.running") from None
    try:
        yield
    finally:
        os.close(folder)
        with suppress(OSError):  # it has something to say to the next run
            building.root.rmdir()
