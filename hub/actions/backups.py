"""Backing a hub up to one file, and putting a backup in the place of a hub (HUB-12).

A backup is a picture of the past, and a post that was to go out since then may be live: nothing that a restore brings back goes out
before it is certain that it did not go out already, and that the person still wants it (PUB-6, POST-4).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections
from psycopg import sql
from psycopg.rows import dict_row

from hub.actions import workers
from hub.actions.hubs import connect, create_hub, local_server
from hub.connections import OWNER, reload_hub
from hub.queue import bells
from hub.rls import roles
from hub.sealing import SEALED, rotate_key
from psn.config.hub import HubConfig, get_hub_config, write_hub_config
from psn.config.workspace import Workspace
from psn.crypto import Key, key_id_of
from psn.errors import Conflict, NotFound, NotReady

INCOMING = "psn_incoming"
_MISSED = "Its time passed between the backup and the restore, so it may be live. Look at the account before you schedule it again."
_HELD = "It came back with a backup. It may have been sent, changed or cancelled since. Approve it again if it should go out."
_UNKNOWN = "It was going out when the backup was made, so it may be live. Look at the account."


def backup_hub(workspace: Workspace, *, target: Path, dry_run: bool = False) -> dict[str, Any]:
    """Write the hub's database to one file, readable by its owner alone.

    Neither the encryption key nor the files in `content/` are in it: copy `config/hub.env` and `content/` as well.

    Raises:
        Conflict: the file exists.
    """
    if target.exists():
        raise Conflict(f"{target} exists already; a backup never overwrites one.", code="backup.exists")
    config = get_hub_config(workspace)
    keys = [key.id for key in config.read_keys()]
    if dry_run:
        return {"file": str(target), "needs_keys": keys}
    local_server(config).dump(config.name, target.absolute())
    return {"file": str(target), "size_bytes": target.stat().st_size, "needs_keys": keys}


def restore_hub(
    workspace: Workspace,
    *,
    source: Path,
    now: datetime,
    old_key: Key | None = None,
    resume: bool = False,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Put a backup in the place of the hub's database, which is kept under a name with the date.

    The backup is restored beside the hub and exchanged for it in one moment: until then nothing changed. Posts that were due
    since become `missed`, posts that were going out `unknown`. Scheduled ones wait for a new yes, but for those that the present
    hub holds in exactly the same state.

    Args:
        old_key: that the backup's secrets were sealed with, when it is not this hub's; they are sealed anew.
        resume: keep the schedule: the hub that the backup came from will never publish again, and did nothing since.
        dry_run: restore beside the hub, say what would become of its posts, and exchange nothing.

    Raises:
        NotFound: there is no such file.
        NotReady: it is no backup of a hub, cannot be restored, or its secrets cannot be opened.
    """
    if not source.is_file():
        raise NotFound(f"There is no file {source}.", code="backup.not_found")
    config = create_hub(workspace)
    ran = not dry_run and workers.stop_worker(config)
    try:
        return _restore(workspace, config, source=source, now=now, old_key=old_key, resume=resume, dry_run=dry_run)
    finally:
        if ran:
            workers.start_worker(config)


def _restore(
    workspace: Workspace,
    config: HubConfig,
    *,
    source: Path,
    now: datetime,
    old_key: Key | None,
    resume: bool,
    dry_run: bool,
) -> dict[str, Any]:
    known = {key.id for key in config.read_keys()} | ({old_key.id} if old_key else set())
    with connect(config, user="postgres", database="postgres") as admin:
        posts = _bring_in(admin, config, source=source)
        _check_keys(config, known=known)
        settled = {"file": str(source), "posts": posts, **_settle(config, resume=resume)}
        if dry_run:
            return settled
        adopts = old_key is not None and _keep_key(workspace, old_key)
        connections.close_all()
        replaced = _exchange(admin, current=config.name, now=now)
    if adopts:
        rotate_key(using=OWNER)
    return settled | {"replaced_database": replaced}


def _bring_in(admin: psycopg.Connection[Any], config: HubConfig, *, source: Path) -> int:
    """Restore the file into a database of its own, and count its posts."""
    for login, group in (("psn_app", "psn_member"), ("psn_worker", "psn_service")):
        roles.create_login(admin, login, group=group)
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(INCOMING)))
    roles.create_database(admin, INCOMING)
    local_server(config).restore_into(INCOMING, source.absolute())
    _close_to_public(admin)
    try:
        with connect(config, user="postgres", database=INCOMING) as incoming:
            row = incoming.execute(
                "SELECT count(*) FROM posts, LATERAL (SELECT 1 FROM hub_api.setting LIMIT 1) s"
            ).fetchone()
    except psycopg.errors.UndefinedTable as error:
        raise NotReady("The file is a Postgres backup, but not of a hub.", code="backup.foreign") from error
    return int(row[0]) if row else 0


def _check_keys(config: HubConfig, *, known: set[str]) -> None:
    """Refuse, before anything is exchanged, a backup whose secrets nobody could open."""
    with connect(config, user="postgres", database=INCOMING) as incoming:
        found = {
            key_id_of(str(sealed))
            for model, columns in SEALED.items()
            for column in columns
            for (sealed,) in incoming.execute(
                sql.SQL("SELECT {column} FROM {table} WHERE {column} <> ''").format(
                    column=sql.Identifier(column), table=sql.Identifier(model._meta.db_table)
                )
            )
        }
    if missing := sorted(found - known):
        raise NotReady(
            f"The backup's secrets were sealed with key {missing[0]}, which config/hub.env does not hold. Nothing was changed.",
            code="key.unknown",
            ask="Find HUB_ENCRYPTION_KEY in the hub.env that belongs to the backup, and give it on stdin with --key-stdin.",
        )


def _settle(config: HubConfig, *, resume: bool) -> dict[str, int]:
    """Decide what may still go out, and give that its bells; everything in the incoming database, before the exchange.

    Returns:
        how many posts became `missed` and `unknown`, how many are `held` for a new yes and how many stay `scheduled`.
    """
    same = _scheduled(config, config.name)
    with connect(config, user="postgres", database=INCOMING) as incoming, incoming.transaction():
        # the laws see people's rows only, and nobody acts here
        incoming.execute("SET LOCAL session_replication_role = replica")
        late = incoming.execute(
            "UPDATE posts SET status = 'missed', error_code = 'restore.overdue', error_message = %s "
            "WHERE status = 'scheduled' AND due_at <= now()",
            (_MISSED,),
        ).rowcount
        sending = incoming.execute(
            "UPDATE posts SET status = 'unknown', phase = '', lease_until = NULL, lease_owner = '', "
            "error_code = 'restore.in_flight', error_message = %s WHERE status = 'publishing'",
            (_UNKNOWN,),
        ).rowcount
        incoming.execute("UPDATE posts SET look_at = NULL WHERE status = 'unknown'")  # it may have been settled since
        incoming.execute("DELETE FROM django_q_ormq")
        kept = held = 0
        for post_id, row in _scheduled(config, INCOMING, connection=incoming).items():
            if resume or same.get(post_id) == row:
                payload = bells.pack("publish_post", post_id=post_id)
                incoming.execute(
                    "INSERT INTO django_q_ormq (key, payload, lock) VALUES (%s, %s, %s)",
                    (bells.QUEUE, payload, row["due_at"]),
                )
                kept += 1
            else:
                incoming.execute(
                    "UPDATE posts SET status = 'pending_approval', approved_hash = '', error_code = 'restore.held', "
                    "error_message = %s WHERE id = %s",
                    (_HELD, post_id),
                )
                held += 1
    return {"missed": late, "unknown": sending, "held": held, "scheduled": kept}


def _scheduled(
    config: HubConfig, database: str, *, connection: psycopg.Connection[Any] | None = None
) -> dict[Any, dict[str, Any]]:
    """Read what a hub has scheduled: by id, everything that says when and what goes out."""
    query = (
        "SELECT id, user_id, due_at, scheduled_at, content_hash, approved_hash FROM posts WHERE status = 'scheduled'"
    )
    if connection is not None:
        return {row["id"]: row for row in connection.cursor(row_factory=dict_row).execute(query)}
    with connect(config, user="postgres", database=database) as own, suppress(psycopg.errors.UndefinedTable):
        return {row["id"]: row for row in own.cursor(row_factory=dict_row).execute(query)}
    return {}


def _exchange(admin: psycopg.Connection[Any], *, current: str, now: datetime) -> str:
    """Rename both databases in one transaction; give the name under which the replaced one is kept."""
    replaced = f"psn_replaced_{now:%Y%m%d_%H%M%S}"
    with admin.transaction():
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (%s, %s)", (current, INCOMING)
        )
        for before, after in ((current, replaced), (INCOMING, current)):
            admin.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(before), sql.Identifier(after))
            )
    return replaced


def _keep_key(workspace: Workspace, old_key: Key) -> bool:
    """Put the backup's key beside this hub's, before anything needs it; False when it is this hub's own.

    A rotation then seals everything with this hub's key and drops the other one; killed in between, `keys rotate` goes on.
    """
    config = get_hub_config(workspace)
    if old_key.id in {key.id for key in config.read_keys()}:
        return False
    if config.old_key:
        raise Conflict(
            "A key rotation is under way. Finish it, then restore again.",
            code="key.rotating",
            next_command="psn_config keys rotate",
        )
    write_hub_config(workspace, replace(config, old_key=old_key.to_text()))
    reload_hub()
    return True


def _close_to_public(admin: psycopg.Connection[Any]) -> None:
    """Rights on the database itself are not part of a dump."""
    name = sql.Identifier(INCOMING)
    admin.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))
    admin.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO psn_member, psn_service").format(name))
    admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO psn_owner").format(name))
