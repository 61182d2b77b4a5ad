"""An archive in the place of a hub's rows: in one transaction, so that a kill anywhere leaves everything as it was (HUB-12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import psycopg
from django.db import connections, transaction
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from hub.actions.backup.archives import MANIFEST, Manifest, TableContent, Tell, archive_name, digest_of, write_archive
from hub.actions.backup.entries import Entry, LoginRow, end_strangers, list_logins, write_logins
from hub.actions.backup.newfiles import find_free, new_file, remove_unfinished
from hub.actions.backup.settling import Settled, list_plans, settle
from hub.actions.backup.tables import (
    Connection,
    Table,
    ask,
    copy_in,
    copy_out,
    explaining_locks,
    list_migrations,
    list_tables,
    lock_tables,
    owner_connection,
    write_plainly,
)
from hub.connections import OWNER
from hub.rls.audit import audit_catalog
from hub.rls.roles import role_prefix
from psn.archive import read_archive
from psn.config.hub import HubConfig
from psn.crypto import Key
from psn.errors import Conflict, Finding, NotReady

_LOCK = 0x50534E02  # this hub's restores; advisory locks are per database
_LOGINS, _QUEUE = Table("logins", ()), Table("django_q_ormq", ())  # rebuilt, so emptied with the rest
_REHEARSED = sql.Identifier("hub_api", "incoming_posts")


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a restore did.

    Args:
        kept: the archive of what the hub held before.
    """

    settled: Settled
    entry: Entry
    kept: Path


def replace_rows(
    stream: BinaryIO,
    *,
    manifest: Manifest,
    config: HubConfig,
    keys: Sequence[Key],
    resume: bool,
    now: datetime,
    tell: Tell,
) -> Replaced:
    """Put an archive's rows in the place of the hub's, which are written to the hub's folder first.

    The transaction's locks keep anybody from adding to what was written.

    Args:
        stream: the archive, which was checked; read a second time, and checked again by that.

    Raises:
        Conflict: another restore is under way, or others work in the hub.
        NotReady: the rows do not fit, or the hub would be more open than before; nothing was changed.
    """
    with explaining_locks(), transaction.atomic(using=OWNER):
        connection = owner_connection()
        _keep_others_out(connection)
        with _kept(connection, config=config, key=keys[0], now=now) as kept:
            tell("kept the present hub", str(kept))
            findings, plans, logins = _audit(), list_plans(connection), list_logins(connection)
            _empty(connection)
            with _schema_of(manifest):
                _fill(connection, stream, manifest=manifest, keys=keys, tell=tell)
            with _unlocked(connection, [*list_tables(connection), _LOGINS]):
                entry = _let_in(connection, manifest=manifest, before=logins, config=config)
                settled = settle(connection, plans=plans, resume=resume)
            _check_closed(findings)
    return Replaced(settled, entry, kept)


def rehearse(stream: BinaryIO, *, manifest: Manifest, keys: Sequence[Key], resume: bool) -> Settled:
    """Say what would become of an archive's posts. Nothing stays, and nobody waits: they come into a table that nobody else sees."""
    content = next((table for table in manifest.tables if table.name == "posts"), None)
    with transaction.atomic(using=OWNER):
        connection = owner_connection()
        write_plainly(connection)
        connection.execute(sql.SQL("CREATE TABLE {} (LIKE public.posts INCLUDING DEFAULTS)").format(_REHEARSED))
        for name, blocks in read_archive(stream, keys=keys):
            if content is not None and name == content.name:
                _copy_rehearsed(connection, content, blocks)
        settled = settle(connection, plans=list_plans(connection), resume=resume, posts=_REHEARSED, ring=False)
        transaction.set_rollback(True, using=OWNER)
    return settled


def check_schema(manifest: Manifest) -> None:
    """Refuse an archive that needs a later PSN, and a hub that does not have this PSN's own schema.

    Raises:
        NotReady: `backup.newer`, or `hub.schema`.
    """
    loader = MigrationExecutor(connections[OWNER]).loader
    ours = {name for app, name in loader.disk_migrations if app == "hub"}
    if unknown := sorted(set(manifest.migrations) - ours):
        raise NotReady(
            f"The backup was made by PSN {manifest.psn}, which is newer than this one ({unknown[-1]}). Update your clone: git pull.",
            code="backup.newer",
            ask="git pull",
        )
    if {name for app, name in loader.applied_migrations if app == "hub"} != ours:
        raise NotReady(
            "The hub's schema is older or newer than this PSN.", code="hub.schema", next_command="psn_migrate"
        )


def _keep_others_out(connection: Connection) -> None:
    """Wait until nobody works in the hub, and let nobody in until the end.

    Raises:
        Conflict: another restore is under way.
    """
    write_plainly(connection)
    ((is_ours,),) = ask(connection, f"SELECT pg_try_advisory_xact_lock({_LOCK})")
    if not is_ours:
        raise Conflict("Another restore of this hub is under way.", code="restore.running")
    connection.execute("LOCK TABLE django_migrations IN EXCLUSIVE MODE")
    lock_tables(connection, [*list_tables(connection), _LOGINS, _QUEUE], mode="ACCESS EXCLUSIVE")


@contextmanager
def _kept(connection: Connection, *, config: HubConfig, key: Key, now: datetime) -> Iterator[Path]:
    """Write down what the hub holds until now; that is of no use any more when what follows fails, for then it still holds it."""
    folder = config.home / "backups"
    remove_unfinished(folder)
    kept = find_free(folder, archive_name(now, what="replaced"))
    with new_file(kept) as file:
        write_archive(connection, file, config=config, key=key, now=now)
    try:
        yield kept
    except BaseException:
        kept.unlink(missing_ok=True)
        raise


def _empty(connection: Connection) -> None:
    names = [table.identifier for table in (*list_tables(connection), _LOGINS, _QUEUE)]
    connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(names)))


@contextmanager
def _schema_of(manifest: Manifest) -> Iterator[None]:
    """Give the empty hub the schema that an older archive was made with, and bring that and its rows up to date afterwards.

    Raises:
        NotReady: there is no way back that far.
    """
    connection = owner_connection()
    if set(manifest.migrations) == set(list_migrations(connection)):
        yield
        return
    executor = MigrationExecutor(connections[OWNER])
    graph = executor.loader.graph
    last = [node for node in graph.nodes if node[0] == "hub" and node[1] in manifest.migrations]
    leaves = [node for node in last if not any(child.key in last for child in graph.node_map[node].children)]
    try:
        executor.migrate(leaves)
    except IrreversibleError as error:
        raise _too_old(manifest) from error
    if set(manifest.migrations) != set(list_migrations(connection)):
        raise _too_old(manifest)
    yield
    executor = MigrationExecutor(connections[OWNER])
    executor.migrate([node for node in executor.loader.graph.leaf_nodes() if node[0] == "hub"])


def _fill(connection: Connection, stream: BinaryIO, *, manifest: Manifest, keys: Sequence[Key], tell: Tell) -> None:
    """Copy every table in, and read it out again to see that it is what was written.

    Raises:
        NotReady: it is not.
    """
    tables = {table.name: table for table in list_tables(connection)}
    contents = {content.name: content for content in manifest.tables}
    if {name: set(table.columns) for name, table in tables.items()} != {
        name: set(content.columns) for name, content in contents.items()
    }:
        raise NotReady(
            f"The backup, of PSN {manifest.psn}, has other tables than its list of migrations says. Nothing was changed.",
            code="backup.foreign",
        )
    with _unlocked(connection, list(tables.values())):
        stream.seek(0)
        for name, blocks in read_archive(stream, keys=keys):
            if name != MANIFEST:
                _copy_table(connection, contents[name], blocks)
                tell(f"restored {name}", f"{contents[name].rows} rows")


def _copy_table(connection: Connection, content: TableContent, blocks: Iterator[bytes]) -> None:
    table = Table(content.name, content.columns)
    try:
        rows = copy_in(connection, table, blocks)
    except psycopg.Error as error:
        raise _does_not_fit(content.name, error.diag.message_primary or type(error).__name__) from error
    if rows != content.rows or digest_of(copy_out(connection, table)) != content.sha256:
        raise _does_not_fit(content.name, "its rows read otherwise than they were written")


def _copy_rehearsed(connection: Connection, content: TableContent, blocks: Iterator[bytes]) -> None:
    """Copy posts of any schema; a column that there is no more is taken as text."""
    here = {
        str(name) for (name,) in ask(connection, "SELECT attname FROM pg_attribute WHERE attrelid = 'posts'::regclass")
    }
    for column in content.columns:
        if column not in here:
            add = sql.SQL("ALTER TABLE {} ADD COLUMN {} text").format(_REHEARSED, sql.Identifier(column))
            connection.execute(add)
    copy_in(connection, Table(content.name, content.columns), blocks, into=_REHEARSED)


@contextmanager
def _unlocked(connection: Connection, tables: Sequence[Table]) -> Iterator[None]:
    """Switch off what guards rows from everyday work: laws, and row-level security for the owner, without which nothing is copied in.

    Only this transaction sees that, and it ends with everything on again, or not at all.
    """
    for table in tables:
        _alter(connection, table, "DISABLE TRIGGER USER, NO FORCE ROW LEVEL SECURITY")
    yield
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no table is altered while a check of it waits
    for table in tables:
        _alter(connection, table, "ENABLE TRIGGER USER, FORCE ROW LEVEL SECURITY")


def _alter(connection: Connection, table: Table, what: str) -> None:
    connection.execute(sql.SQL("ALTER TABLE {} {}").format(table.identifier, sql.SQL(what)))


def _let_in(connection: Connection, *, manifest: Manifest, before: list[LoginRow], config: HubConfig) -> Entry:
    prefix = role_prefix(connections[OWNER])
    mine = str(config.options("app")["user"]) if config.is_local or "app" in config.urls else ""
    entry = write_logins(connection, manifest=manifest, before=before, prefix=prefix, mine=mine)
    if config.is_company:
        end_strangers(connection, prefix=prefix)
    return entry


def _audit() -> set[Finding]:
    with connections[OWNER].cursor() as cursor:
        return set(audit_catalog(cursor))


def _check_closed(before: set[Finding]) -> None:
    """Refuse to leave the hub more open than it was.

    Raises:
        NotReady: with the findings.
    """
    if opened := sorted(_audit() - before, key=lambda finding: finding.message):
        raise NotReady(
            f"After the restore the hub would be more open than before: {opened[0].message} Nothing was changed.",
            code="hub.restore_failed",
            findings=opened,
        )


def _does_not_fit(table: str, reason: str) -> NotReady:
    return NotReady(
        f"The backup's {table} cannot be put into this hub: {reason}. Nothing was changed.", code="hub.restore_failed"
    )


def _too_old(manifest: Manifest) -> NotReady:
    return NotReady(
        f"The backup was made by PSN {manifest.psn}, and this PSN cannot bring its schema up to date. Nothing was changed.",
        code="backup.older",
        ask=f"Restore it with PSN {manifest.psn} in a fresh workspace, back that up, and go on from version to version.",
    )
