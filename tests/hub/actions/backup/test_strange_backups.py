"""Backups that are older, newer, of another hub, or damaged (HUB-12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from hub.actions.backup import backups, tables
from hub.actions.backup.tables import list_tables, owner_connection
from hub.actions.people import get_me
from hub.models import Account, User
from hub.sealing import check_opens
from psn.archive import read_archive
from psn.config.hub import get_hub_config
from psn.crypto import Key, Keyring, create_key
from tests.factories import OWNER, People, make_account, make_people
from tests.hub.actions.backup.backing import (
    account,
    archive_with,
    back_up,
    everything,
    home,
    manifest_of,
    other_is_there,
    refused,
    restore,
    seal_secrets,
    two_keys,
    unchanged,
)
from tests.hub.worlds import empty_hub

__all__ = ["account", "home", "other_is_there", "two_keys"]


class TestAnOlderBackup:
    def test_is_brought_up_to_date(self, account: Account, me: User, tmp_path: Path) -> None:
        old = tmp_path / "old.psn"
        with schema_of("0006_engine"):
            archive_with(old, key=get_hub_config(settings.WORKSPACE).read_keys()[0])
        assert manifest_of(old).migrations[-1] == "0006_engine"
        present = everything()
        columns = {table.name: table.columns for table in list_tables(owner_connection())}
        handles = set(Account.objects.using(OWNER).values_list("handle", flat=True))
        told = restore(old, dry_run=True)
        assert everything() == present
        Account.objects.using(OWNER).update(handle="changed", capabilities={"changed": True})

        restored = restore(old)

        assert {name: restored[name] for name in told} == told
        assert {table.name: table.columns for table in list_tables(owner_connection())} == columns
        assert set(Account.objects.using(OWNER).values_list("handle", "profile_url")) == {
            (name, "") for name in handles
        }
        assert get_me().id == me.id

    def test_of_a_newer_psn_is_refused(self, account: Account, tmp_path: Path) -> None:
        with connections[OWNER].cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('hub', '9999_later', now())")
            try:
                file = back_up(tmp_path / "x.psn")
            finally:
                cursor.execute("DELETE FROM django_migrations WHERE name = '9999_later'")
        with unchanged(), refused("backup.newer") as caught:
            restore(file)
        assert "9999_later" in caught.value.message

    def test_is_not_restored_into_a_hub_that_is_behind(self, account: Account, tmp_path: Path) -> None:
        file = back_up(tmp_path / "x.psn")
        with schema_of("0006_engine"), refused("hub.schema") as caught:
            restore(file)
        assert caught.value.next_command == "psn_migrate"


@contextmanager
def schema_of(name: str) -> Iterator[None]:
    """Have the test hub's schema as it once was."""
    MigrationExecutor(connections[OWNER]).migrate([("hub", name)])
    try:
        yield
    finally:
        executor = MigrationExecutor(connections[OWNER])
        executor.migrate([node for node in executor.loader.graph.leaf_nodes() if node[0] == "hub"])


class TestAForeignBackup:
    @pytest.fixture
    def foreign(self, hub: People, tmp_path: Path) -> tuple[Path, Key]:
        """A backup of a hub with another key, and that key; another hub is there now."""
        key = create_key()
        seal_secrets(make_account(hub.me), Keyring(key))
        file = archive_with(tmp_path / "foreign.psn", key=key)
        connections.close_all()
        empty_hub()
        seal_secrets(make_account(make_people().me), get_hub_config(settings.WORKSPACE).keyring())
        return file, key

    def test_is_not_opened_without_its_key(self, foreign: tuple[Path, Key]) -> None:
        with unchanged(), refused("key.unknown") as caught:
            restore(foreign[0])
        assert foreign[1].id in caught.value.message
        with refused("key.unknown"):
            backups.verify_backup(settings.WORKSPACE, source=foreign[0])

    def test_is_sealed_anew_with_this_hub_s_key(self, foreign: tuple[Path, Key]) -> None:
        file, key = foreign
        before = get_hub_config(settings.WORKSPACE)
        restore(file, old_key=key)
        assert get_hub_config(settings.WORKSPACE) == before
        check_opens(OWNER)

    def test_ends_what_a_killed_restore_began(self, foreign: tuple[Path, Key], monkeypatch: pytest.MonkeyPatch) -> None:
        file, key = foreign
        before = get_hub_config(settings.WORKSPACE)

        def die(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as dying:
            dying.setattr(backups, "replace_rows", die)
            with pytest.raises(KeyboardInterrupt):
                restore(file, old_key=key)
        assert get_hub_config(settings.WORKSPACE).old_key == key.to_text()
        check_opens(OWNER)
        restore(file, old_key=key)
        assert get_hub_config(settings.WORKSPACE) == before
        check_opens(OWNER)

    def test_is_refused_while_the_key_is_rotated(self, foreign: tuple[Path, Key], two_keys: Callable[[], None]) -> None:
        two_keys()
        with unchanged(), refused("key.rotating"):
            restore(foreign[0], old_key=foreign[1])

    def test_of_another_key_of_that_name_is_refused(self, foreign: tuple[Path, Key]) -> None:
        with unchanged(), refused("key.wrong"):
            restore(foreign[0], old_key=Key(id=foreign[1].id, secret=create_key().secret))

    def test_whose_secrets_need_a_third_key_is_refused(self, hub: People, tmp_path: Path) -> None:
        key = create_key()
        seal_secrets(make_account(hub.me), Keyring(key))
        file = back_up(tmp_path / "x.psn")
        with unchanged(), refused("key.unknown") as caught:
            restore(file)
        assert key.id in caught.value.message


def damaged(file: Path, change: Callable[[bytes], bytes]) -> Path:
    changed = file.with_name(f"damaged {file.name}")
    changed.write_bytes(change(file.read_bytes()))
    return changed


class TestADamagedBackup:
    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda raw: raw[: len(raw) // 2], "backup.damaged"),
            (lambda raw: raw[:-1], "backup.damaged"),
            (lambda raw: raw[:-200] + bytes([raw[-200] ^ 1]) + raw[-199:], "backup.damaged"),
            (lambda raw: raw + b"\n", "backup.damaged"),
            (lambda raw: raw[:30] + bytes([raw[30] ^ 1]) + raw[31:], "key.wrong"),
            (lambda raw: raw[:0], "backup.foreign"),
            (lambda raw: b"PGDMP" + raw, "backup.foreign"),
            (lambda raw: b"a shopping list" + raw[:0], "backup.foreign"),
        ],
        ids=["half", "a byte short", "a bit", "a byte more", "a bit of its head", "empty", "of pg_dump", "garbage"],
    )
    def test_changes_nothing(
        self, account: Account, tmp_path: Path, change: Callable[[bytes], bytes], code: str
    ) -> None:
        file = damaged(back_up(tmp_path / "x.psn"), change)
        for dry_run in (False, True):
            with unchanged(), refused(code):
                restore(file, dry_run=dry_run)
        with refused(code):
            backups.verify_backup(settings.WORKSPACE, source=file)

    def test_that_is_no_file_is_said_so(self, account: Account, tmp_path: Path) -> None:
        with refused("backup.not_found"):
            restore(tmp_path / "nothing")
        with refused("backup.path"):
            restore(tmp_path)

    def test_that_is_exchanged_while_it_is_restored_changes_nothing(
        self, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = back_up(tmp_path / "x.psn")
        raw = file.read_bytes()

        def exchange(*_: Any) -> None:
            with file.open("r+b") as stream:
                stream.truncate(len(raw) - 1)

        monkeypatch.setattr(backups, "_check_fits", lambda *_, **__: exchange())
        with unchanged(), refused("backup.damaged"):
            restore(file)

    def test_with_rows_that_nobody_can_take_changes_nothing(
        self, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Made by hand by somebody who has the key."""
        real = tables.copy_out

        def forged(connection: tables.Connection, table: tables.Table) -> Iterator[bytes]:
            for row in real(connection, table):
                yield bytes(row).replace(b"draft", b"deaft") if table.name == "posts" else bytes(row)

        with monkeypatch.context() as forging:
            forging.setattr("hub.actions.backup.archives.copy_out", forged)
            file = back_up(tmp_path / "x.psn")
        with unchanged(), refused("hub.restore_failed") as caught:
            restore(file)
        assert "posts_status" in caught.value.message

    def test_whose_rows_arrive_otherwise_than_they_were_written_changes_nothing(
        self, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def altered(*arguments: Any, **keys: Any) -> Iterator[tuple[str, Iterator[bytes]]]:
            for name, blocks in read_archive(*arguments, **keys):
                yield name, (block.replace(b"one", b"uno") if name == "post_parts" else block for block in blocks)

        file = back_up(tmp_path / "x.psn")
        monkeypatch.setattr("hub.actions.backup.restoring.read_archive", altered)
        with unchanged(), refused("hub.restore_failed") as caught:
            restore(file)
        assert "post_parts" in caught.value.message
