"""A backup is the whole hub at one moment (HUB-12)."""

from __future__ import annotations

import stat
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from hub.actions.backup import backups, tables
from hub.actions.backup.tables import LEFT_OUT, list_tables, owner_connection
from hub.models import Account, AuditEntry, User
from psn.config.hub import get_hub_config
from tests.factories import OWNER, People, make_account, make_post
from tests.hub.actions.backup.backing import (
    account,
    all_rows,
    back_up,
    home,
    manifest_of,
    other_is_there,
    refused,
    restore,
    small_files,
    two_keys,
    unchanged,
    write_large_table,
)
from tests.hub.worlds import connect_as

__all__ = ["account", "home", "other_is_there", "two_keys"]


class TestWhatIsInABackup:
    def test_is_every_table_but_those_that_say_how_the_hub_runs(self, hub: People) -> None:
        ours = {model._meta.db_table for model in apps.get_app_config("hub").get_models()}
        assert {table.name for table in list_tables(owner_connection())} == ours - set(LEFT_OUT)
        assert set(LEFT_OUT) <= ours

    def test_holds_no_table_with_numbers_that_the_database_counts(self, hub: People) -> None:
        query = """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE a.attidentity <> '' OR pg_get_serial_sequence(c.oid::regclass::text, a.attname) IS NOT NULL"""
        counted = {
            str(name)
            for (name,) in tables.ask(
                owner_connection(),
                query.replace(
                    "WHERE", "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND ("
                )
                + ")",
            )
        }
        assert counted
        assert not counted & {table.name for table in list_tables(owner_connection())}

    def test_names_what_is_referred_to_first(self, hub: People) -> None:
        order = [table.name for table in list_tables(owner_connection())]
        for before, after in (
            ("users", "accounts"),
            ("accounts", "posts"),
            ("posts", "post_parts"),
            ("post_parts", "attempts"),
        ):
            assert order.index(before) < order.index(after)


class TestABackup:
    def test_is_private_and_shows_nothing(self, account: Account, tmp_path: Path) -> None:
        file = back_up(tmp_path / "a b.psn")
        raw = file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert b"handle" not in raw
        assert [path.name for path in tmp_path.iterdir()] == ["a b.psn"]

    def test_says_what_is_in_it(self, account: Account, tmp_path: Path) -> None:
        file = back_up(tmp_path / "x.psn")
        verified = backups.verify_backup(settings.WORKSPACE, source=file)
        assert verified["rows"] == {name: len(rows) for name, rows in all_rows().items()}
        assert verified["needs_keys"] == [get_hub_config(settings.WORKSPACE).read_keys()[0].id]
        assert (verified["kind"], verified["size_bytes"]) == ("personal", file.stat().st_size)

    def test_overwrites_nothing(self, account: Account, tmp_path: Path) -> None:
        file = tmp_path / "x.psn"
        file.write_text("dear to somebody")
        with refused("backup.exists"):
            back_up(file)
        (tmp_path / "link.psn").symlink_to(tmp_path / "nowhere")
        with refused("backup.exists"):
            back_up(tmp_path / "link.psn")
        assert file.read_text() == "dear to somebody"
        assert len(list(tmp_path.iterdir())) == 2

    def test_overwrites_nothing_that_came_meanwhile(self, account: Account, tmp_path: Path) -> None:
        file = tmp_path / "x.psn"

        def come(*_: str) -> None:
            file.write_text("faster")

        with refused("backup.exists"):
            backups.backup_hub(settings.WORKSPACE, target=file, now=timezone.now(), tell=come)
        assert file.read_text() == "faster"
        assert len(list(tmp_path.iterdir())) == 1

    def test_leaves_nothing_behind_on_a_full_disk(self, account: Account, tmp_path: Path) -> None:
        with unchanged(), refused("hub.no_disk"), small_files():
            back_up(tmp_path / "x.psn")
        assert list(tmp_path.iterdir()) == []

    def test_says_that_a_folder_is_not_there(self, account: Account, tmp_path: Path) -> None:
        with refused("hub.not_writable"):
            back_up(tmp_path / "no such place" / "x.psn")

    def test_waits_for_the_end_of_a_rotation(
        self, account: Account, tmp_path: Path, two_keys: Callable[[], None]
    ) -> None:
        two_keys()
        with refused("key.rotating") as caught:
            back_up(tmp_path / "x.psn")
        assert caught.value.next_command == "psn_config keys rotate"

    def test_is_no_good_when_the_key_went_away_meanwhile(
        self, account: Account, tmp_path: Path, two_keys: Callable[[], None]
    ) -> None:
        told: list[str] = []

        def rotate(what: str, _: str) -> None:
            if not told:
                two_keys()
            told.append(what)

        with refused("key.rotating"):
            backups.backup_hub(settings.WORKSPACE, target=tmp_path / "x.psn", now=timezone.now(), tell=rotate)
        assert list(tmp_path.iterdir()) == []

    def test_is_one_moment_while_posts_are_written(self, me: User, tmp_path: Path) -> None:
        account, stop = make_account(me), threading.Event()

        def write() -> None:
            while not stop.is_set():
                with transaction.atomic(using=OWNER):
                    make_post(account, texts=("a", "b"))
            connections[OWNER].close()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            counts = [manifest_of(back_up(tmp_path / f"{number}.psn")).rows for number in range(8)]
        finally:
            stop.set()
            writer.join()
        assert all(rows["post_parts"] == 2 * rows["posts"] for rows in counts)
        assert counts[-1]["posts"] > counts[0]["posts"]

    def test_holds_nobody_up(self, account: Account, tmp_path: Path) -> None:
        def claim_now(*_: str) -> None:
            with connect_as("psn_app", autocommit=True) as person:
                person.execute("SET lock_timeout = '1s'")
                person.execute("UPDATE posts SET updated_at = now()")

        backups.backup_hub(settings.WORKSPACE, target=tmp_path / "x.psn", now=timezone.now(), tell=claim_now)

    def test_of_a_large_table_takes_little_memory(self, account: Account, tmp_path: Path) -> None:
        write_large_table(account, rows=40_000)
        tracemalloc.start()
        file = back_up(tmp_path / "x.psn")
        backed_up = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        restore(file)
        restored = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert AuditEntry.objects.using(OWNER).count() > 40_000
        assert max(backed_up, restored) < 8_000_000  # the table has fifty million bytes
