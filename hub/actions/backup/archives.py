"""A hub as an archive: every row that somebody would miss, as it stood at one moment, and what it takes to put it back (HUB-12).

The rows are read with COPY in their text form, which every Postgres writes and reads alike, so an archive moves between servers,
versions and providers. What describes a running hub and not its people's work is left out: which logins there are is rebuilt where the
archive is restored, the queue is rung anew, and heartbeats say who works now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from psycopg import sql
from pydantic import BaseModel, ConfigDict, ValidationError

from hub.actions.backup.tables import Connection, Table, ask, copy_out, list_migrations, list_tables
from hub.sealing import SEALED
from psn import __version__
from psn.archive import ArchiveWriter, read_archive
from psn.config.hub import HubConfig
from psn.crypto import Key
from psn.errors import NotReady

Tell = Callable[[str, str], None]  # what was done, and how much of it

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1_000_000


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class TableContent(_Document):
    """What an archive has of one table: `sha256` (hex) is of the rows as COPY writes them."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


class KnownLogin(_Document):
    """Who came in with which login: its name is without the hub's prefix, which another hub has another one of."""

    name: str
    kind: str
    user_id: UUID | None


class Manifest(_Document):
    """What an archive says of itself, written last.

    Args:
        psn: the version that wrote it.
        migrations: of the hub's schema, which the tables' columns belong to.
        needs_keys: ids of the keys that its sealed values were sealed with.
    """

    psn: str
    created_at: datetime
    kind: str
    slug: str
    prefix: str
    migrations: tuple[str, ...]
    tables: tuple[TableContent, ...]
    needs_keys: tuple[str, ...]
    logins: tuple[KnownLogin, ...]

    @property
    def rows(self) -> dict[str, int]:
        """How many rows there are, by table."""
        return {table.name: table.rows for table in self.tables}


def tell_nobody(what: str, amount: str) -> None:
    """Say nothing of what is done."""


def archive_name(now: datetime, *, what: str = "backup") -> str:
    """Name an archive by the moment it is made (UTC)."""
    return f"psn-{what}-{now:%Y%m%d-%H%M%S}.psn"


def write_archive(
    connection: Connection, stream: BinaryIO, *, config: HubConfig, key: Key, now: datetime, tell: Tell = tell_nobody
) -> Manifest:
    """Write every row that the connection's transaction sees.

    Args:
        connection: of the hub's owner, in a transaction in which the tables do not change.
    """
    writer = ArchiveWriter(stream, key=key)
    tables = [_write_table(connection, writer, table=table, tell=tell) for table in list_tables(connection)]
    prefix = str(ask(connection, "SELECT value FROM hub_api.setting WHERE key = 'role_prefix'")[0][0])
    manifest = Manifest(
        psn=__version__,
        created_at=now,
        kind="company" if config.is_company else "personal",
        slug=config.slug,
        prefix=prefix,
        migrations=list_migrations(connection),
        tables=tuple(tables),
        needs_keys=list_keys(connection),
        logins=_list_logins(connection, prefix=prefix),
    )
    writer.add(MANIFEST, [manifest.model_dump_json().encode()])
    writer.close()
    return manifest


def check_archive(stream: BinaryIO, *, keys: Iterable[Key]) -> Manifest:
    """Read an archive from its beginning to its end, check everything that can be checked without a hub, and say what is in it.

    Raises:
        NotReady: `backup.foreign`, `backup.newer`, `backup.damaged`, `key.unknown`, `key.wrong`.
    """
    found: dict[str, tuple[int, str]] = {}
    manifest: Manifest | None = None
    for name, blocks in read_archive(stream, keys=keys):
        if name == MANIFEST:
            manifest = _read_manifest(blocks)
        else:
            found[name] = _measure(blocks)
    if manifest is None or found != {table.name: (table.rows, table.sha256) for table in manifest.tables}:
        raise NotReady(
            "The backup does not hold what it says it holds. Nothing was changed.",
            code="backup.damaged",
            ask="Take another copy of the file, or an older backup.",
        )
    return manifest


def list_keys(connection: Connection) -> tuple[str, ...]:
    """List the ids of the keys that the hub's sealed values were sealed with."""
    here = {table.name: table.columns for table in list_tables(connection)}
    found: set[str] = set()
    for model, columns in SEALED.items():
        table = model._meta.db_table
        for column in (column for column in columns if column in here.get(table, ())):
            query = sql.SQL("SELECT DISTINCT split_part({column}, '.', 2) FROM {table} WHERE {column} <> ''")
            named = query.format(column=sql.Identifier(column), table=sql.Identifier("public", table))
            found |= {str(key) for (key,) in connection.execute(named)}
    return tuple(sorted(found))


def digest_of(blocks: Iterable[bytes | memoryview]) -> str:
    """Give the SHA-256, in hex, of all blocks together."""
    return _measure(blocks)[1]


def describe(manifest: Manifest) -> dict[str, Any]:
    """Give what is in an archive as a result's data."""
    return {
        "made_at": manifest.created_at,
        "psn": manifest.psn,
        "kind": manifest.kind,
        **({"slug": manifest.slug} if manifest.slug else {}),
        "schema": manifest.migrations[-1] if manifest.migrations else None,
        "rows": manifest.rows,
        "needs_keys": list(manifest.needs_keys),
    }


def _write_table(connection: Connection, writer: ArchiveWriter, *, table: Table, tell: Tell) -> TableContent:
    rows = 0

    def counted() -> Iterator[memoryview]:
        nonlocal rows
        for row in copy_out(connection, table):  # the driver gives whole rows
            rows += 1
            yield row

    entry = writer.add(table.name, counted())
    tell(f"read {table.name}", f"{rows} rows")
    return TableContent(name=table.name, columns=table.columns, rows=rows, sha256=entry.sha256)


def _list_logins(connection: Connection, *, prefix: str) -> tuple[KnownLogin, ...]:
    rows = ask(connection, "SELECT login_role, kind, user_id FROM logins WHERE is_active ORDER BY login_role")
    return tuple(
        KnownLogin(name=role.removeprefix(f"{prefix}_"), kind=kind, user_id=user_id) for role, kind, user_id in rows
    )


def _read_manifest(blocks: Iterator[bytes]) -> Manifest:
    raw = bytearray()
    for block in blocks:
        raw += block
        if len(raw) > MAX_MANIFEST_BYTES:
            break
    try:
        return Manifest.model_validate_json(bytes(raw))
    except ValidationError as error:
        raise NotReady(
            "The backup's list of contents cannot be read by this PSN. Update your clone: git pull.",
            code="backup.newer",
            ask="git pull",
        ) from error


def _measure(blocks: Iterable[bytes | memoryview]) -> tuple[int, str]:
    """Count rows (COPY ends every one with a line feed, and writes those inside otherwise) and digest them."""
    rows, digest = 0, hashlib.sha256()
    for block in blocks:
        rows += bytes(block).count(b"\n")
        digest.update(block)
    return rows, digest.hexdigest()
