"""Processes that outlive their starter, found by a lock."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from psn import daemons
from psn.daemons import Daemon, hold_lock
from psn.errors import Conflict, NotReady

pytestmark = pytest.mark.filterwarnings("ignore:subprocess [0-9]+ is still running:ResourceWarning")  # on purpose
ROOT = Path(__file__).resolve().parents[2]
LIVES = """
import os, sys, time, signal
from pathlib import Path
from psn.daemons import hold_lock
{prelude}
lock = hold_lock(Path({lock!r}))
Path({lock!r}).with_suffix(".ready").write_text(str(os.getpid()))
while True:
    time.sleep(1)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose daemon, if one is left, ends with the test."""
    yield tmp_path / "home" / "it"
    make(tmp_path / "home" / "it").stop(seconds=0)


def make(folder: Path, *, prelude: str = "") -> Daemon:
    code = LIVES.format(lock=str(folder / "it.lock"), prelude=prelude)
    return Daemon(name="it", folder=folder, argv=[sys.executable, "-c", code], cwd=ROOT, environment={"MINE": "1"})


def start(daemon: Daemon) -> bool:
    return daemon.start(is_ready=lambda: daemon.lock_path.with_suffix(".ready").exists() and daemon.is_running())


class TestADaemon:
    def test_runs_until_it_is_stopped(self, folder: Path) -> None:
        daemon = make(folder)
        assert (daemon.is_running(), daemon.pid(), daemon.stop()) == (False, None, False)
        assert start(daemon) is True
        assert start(daemon) is False
        assert daemon.pid() == int(daemon.lock_path.with_suffix(".ready").read_text())
        assert daemon.stop() is True
        assert (daemon.is_running(), daemon.pid()) == (False, None)

    def test_lives_in_a_session_of_its_own(self, folder: Path) -> None:
        daemon = make(folder)
        start(daemon)
        pid = daemon.pid()
        assert pid is not None
        assert os.getsid(pid) == pid != os.getsid(0)

    def test_is_not_found_by_a_pid_that_is_somebody_else_s_by_now(self, folder: Path) -> None:
        daemon = make(folder)
        daemon.folder.mkdir(parents=True)
        daemon.lock_path.write_text(f"{os.getpid()}\n")
        assert (daemon.is_running(), daemon.pid(), daemon.stop()) == (False, None, False)

    def test_that_was_killed_starts_again(self, folder: Path) -> None:
        daemon = make(folder)
        start(daemon)
        pid = daemon.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while daemon.is_running():
            time.sleep(0.01)
        daemon.lock_path.with_suffix(".ready").unlink()
        assert start(daemon) is True
        assert daemon.pid() != pid

    def test_that_does_not_listen_is_killed(self, folder: Path) -> None:
        daemon = make(folder, prelude="signal.signal(signal.SIGTERM, signal.SIG_IGN)")
        start(daemon)
        before = time.monotonic()
        assert daemon.stop(seconds=0.2) is True
        assert time.monotonic() - before < 5

    def test_is_one_when_many_start_it(self, folder: Path) -> None:
        daemon = make(folder)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: start(daemon), range(4)))
        assert daemon.is_running()
        assert daemon.stop() is True
        assert daemon.is_running() is False

    def test_that_ends_at_once_shows_the_end_of_its_log(self, folder: Path) -> None:
        daemon = make(folder, prelude="sys.exit('it is broken')")
        with pytest.raises(NotReady, match="it is broken") as refused:
            start(daemon)
        assert refused.value.error_code == "it.not_started"

    def test_that_is_never_ready_is_not_waited_for_forever(self, folder: Path) -> None:
        daemon = make(folder)
        with pytest.raises(NotReady, match="did not start"):
            daemon.start(is_ready=lambda: False, seconds=0.5)

    def test_gets_its_environment_and_a_private_log(self, folder: Path) -> None:
        daemon = make(folder, prelude="print(os.environ['MINE'], flush=True)")
        start(daemon)
        assert (daemon.log_path.read_text(), daemon.log_path.stat().st_mode & 0o777) == ("1\n", 0o600)

    def test_is_its_owner_s_alone_whatever_the_umask(self, folder: Path) -> None:
        """Whoever can open the lock file can hold the lock, and so keep the daemon from ever starting."""
        before = os.umask(0)
        try:
            start(make(folder))
        finally:
            os.umask(before)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.name: oct(path.stat().st_mode & 0o777) for path in folder.glob("it.lo*")} == {
            "it.lock": "0o600",
            "it.log": "0o600",
        }

    def test_closes_what_an_earlier_version_left_open(self, folder: Path) -> None:
        folder.mkdir(parents=True, mode=0o755)
        (folder / "it.lock").touch(mode=0o644)
        start(make(folder))
        assert (folder.stat().st_mode & 0o777, (folder / "it.lock").stat().st_mode & 0o777) == (0o700, 0o600)

    def test_keeps_one_old_log_at_most(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(daemons, "MAX_LOG_BYTES", 10)
        daemon = make(folder)
        daemon.folder.mkdir(parents=True)
        daemon.log_path.write_text("a long line of old\n")
        start(daemon)
        assert (daemon.log_path.read_text(), (folder / "it.log.1").read_text()) == ("", "a long line of old\n")


class TestHoldLock:
    def test_is_taken_once(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "a.lock"
        held = hold_lock(path)
        with pytest.raises(Conflict) as refused:
            hold_lock(path)
        assert refused.value.error_code == "daemon.running"
        assert path.read_text() == f"{os.getpid()}\n"
        held.close()
        hold_lock(path).close()

    def test_forgets_the_pid_before(self, tmp_path: Path) -> None:
        path = tmp_path / "a.lock"
        path.write_text("123456789012345\nmore\n")
        held = hold_lock(path)
        assert path.read_text() == f"{os.getpid()}\n"
        held.close()
