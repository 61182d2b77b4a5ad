"""Behind a transaction pooler: no session, no notification, no prepared statement, and every post goes out all the same (ENGINE 6)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connections
from pytest_django import Settings

from hub.models import Account
from hub.publishing import sweep
from hub.queue import broker as brokers
from psn import settings as psn_settings
from psn.config.hub import get_hub_config
from psn.providers.local import PORT
from psn.providers.local.accounts import get_server_account
from tests.factories import OWNER, People, make_account, make_post
from tests.hub.publishing.stage import at_once, claim, drain, look, ring, sent, worker_login
from tests.hub.queue.taking import broker, settle, take
from tests.hub.queue.test_broker import ring as ring_for
from tests.sandbox.process import Sandbox

POOLER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
START_SECONDS = 10.0

pytestmark = pytest.mark.skipif(POOLER is None, reason="pgbouncer is not installed")


@pytest.fixture
def pooler(hub: People) -> Iterator[Path]:
    """A pooler before the hub that gives a server connection for a transaction alone, two in all; the folder of its socket."""
    assert POOLER is not None
    config = get_hub_config(django_settings.WORKSPACE)
    account = get_server_account(config.local_places[0])
    with tempfile.TemporaryDirectory(prefix="psn-pooler-") as made:
        folder = Path(made)
        (folder / "users").write_text('"psn_worker" ""\n"psn_app" ""\n')
        (folder / "ini").write_text(f"""[databases]
* = host={config.local_places[1]} port={PORT}
[pgbouncer]
listen_addr =
listen_port = {PORT}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder / "users"}
pool_mode = transaction
default_pool_size = 2
ignore_startup_parameters = extra_float_digits, options
""")
        if account.process_options():
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, account.uid, account.gid)
        process = subprocess.Popen([POOLER, str(folder / "ini")], **account.process_options(), stderr=subprocess.PIPE)
        folder.chmod(0o755)
        wait_for(folder / f".s.PGSQL.{PORT}", process)
        try:
            yield folder
        finally:
            connections["queue"].close()
            process.terminate()
            process.communicate(timeout=10)


@pytest.fixture
def behind(pooler: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The worker's logins, behind the pooler, with LISTEN off as they must have it."""
    settings.LISTEN = False
    monkeypatch.setenv("PSN_WORKER", "tests:1")
    with worker_login(pool=4, behind=pooler):
        yield pooler


class TestTheSettings:
    def test_prepare_nothing_where_notifications_get_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(psn_settings, "LISTEN", False)
        databases = psn_settings.load_databases(get_hub_config(django_settings.WORKSPACE))
        assert {alias: values["OPTIONS"].get("prepare_threshold") for alias, values in databases.items()} == {
            "default": None,
            "queue": None,
            "default__owner": None,
        }


class TestThePooler:
    """It is one: what it breaks is broken here too."""

    def test_loses_notifications(self, pooler: Path) -> None:
        with connect(pooler) as listener, connect(pooler) as other:
            listener.execute("LISTEN psn_bell")
            other.execute("SELECT pg_notify('psn_bell', '')")
            assert list(listener.notifies(timeout=0.3)) == []

    def test_breaks_prepared_statements(self, pooler: Path) -> None:
        with pytest.raises((psycopg.errors.DuplicatePreparedStatement, psycopg.errors.InvalidSqlStatementName)):
            prepare_as_two(pooler)


class TestTheBroker:
    def test_finds_a_bell_within_a_second_and_a_due_one_at_its_time(self, behind: Path) -> None:
        with broker() as some, ThreadPoolExecutor(1) as pool:
            settle(some)
            waiting = pool.submit(take, some)
            time.sleep(0.1)
            rung = time.monotonic()
            ring_for("now")
            (taken,) = waiting.result(timeout=10)
            assert taken.at - rung < brokers.POLL_SECONDS + 0.5
            ring_for("later", at=datetime.now(UTC) + timedelta(seconds=0.4))
            due = time.monotonic() + 0.4
            (taken,) = take(some)
            assert -0.05 < taken.at - due < 0.5

    def test_hands_out_every_bell_once_beside_others(self, behind: Path) -> None:
        for number in range(60):
            ring_for(str(number))

        def work(_: int) -> list[str]:
            with broker() as some:
                return [taken.ids["token"] for taken in take(some, count=60, seconds=2.0)]

        shares = at_once(4, work)
        assert Counter(token for share in shares for token in share) == Counter(str(number) for number in range(60))

    def test_prepares_no_statement(self, behind: Path) -> None:
        with broker() as some:
            for number in range(12):
                ring_for(str(number))
                assert take(some)
        assert prepared(behind) == set()


class TestTheEngine:
    def test_sends_every_post_once(self, account: Account, sandbox: Sandbox, behind: Path) -> None:
        made = [make_post(account, texts=(f"{n}", f"{n} more"), status="scheduled") for n in range(6)]
        at_once(4, lambda number: drain(worker=f"tests:1:{number}"))
        drain()
        assert {look(post).status for post in made} == {"published"}
        assert len(sent(sandbox)) == 12
        assert prepared(behind) == set()

    def test_sweeps(self, account: Account, sandbox: Sandbox, behind: Path) -> None:
        post = claim(make_post(account, status="scheduled"), owner="tests:0:1")
        assert sweep.sweep() == 1
        assert (ring(post).status, len(sent(sandbox))) == ("published", 1)

    def test_tells_two_people_s_rows_apart(self, hub: People, behind: Path) -> None:
        made = [make_post(make_account(user), status="scheduled") for user in (hub.me, hub.other)]
        for post in made:
            claim(post, owner="tests:0:1")
        sweep.sweep()
        assert [look(post).status for post in made] == ["scheduled"] * 2


def connect(folder: Path, **options: Any) -> psycopg.Connection[Any]:
    database = connections[OWNER].settings_dict["NAME"]
    return psycopg.connect(host=str(folder), port=PORT, user="psn_worker", dbname=database, autocommit=True, **options)


def prepare_as_two(folder: Path) -> None:
    """Do what two clients do that believe each has a server connection of its own."""
    for _ in range(20):
        with connect(folder, prepare_threshold=0) as one, connect(folder, prepare_threshold=0) as other:
            one.execute("SELECT 1")
            other.execute("SELECT 1")


def prepared(folder: Path) -> set[str]:
    """Name what is prepared on the pooler's server connections."""
    with (
        connect(folder, prepare_threshold=None) as one,
        connect(folder, prepare_threshold=None) as other,
        one.transaction(),
        other.transaction(),  # inside one, each has a server connection of its own
    ):
        rows = [connection.execute("SELECT name FROM pg_prepared_statements").fetchall() for connection in (one, other)]
    return {row[0] for some in rows for row in some}


def wait_for(socket: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"the pooler did not start: {process.communicate()}")
        time.sleep(0.02)
