"""The local hub's server: is it up, bring it up, stop it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from psn.errors import InvalidInput, NotReady
from psn.providers.local import cluster, processes
from psn.providers.local.accounts import OsUser, get_server_account
from psn.providers.local.binaries import check_version, run_tool
from psn.providers.local.locks import locked
from psn.providers.local.places import (
    check_reachable,
    create_folders,
    create_private_folder,
    explaining,
    socket_path,
)

StopMode = Literal["smart", "fast", "immediate"]
_SIGNALS = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}  # postgresql.org/docs/18/server-shutdown.html
_START_SECONDS = 300  # replaying the log after a crash takes time
_STOP_SECONDS = 60.0
_CONNECT_SECONDS = 2.0


@dataclass(frozen=True)
class ServerStatus:
    """What is known about a server without asking it.

    Args:
        state: `missing` when there is no data directory yet.
        pid: of the postmaster, also while it starts or stops.
        version: the major version of the data directory.
        size_bytes: of the data directory on disk.
    """

    state: Literal["running", "down", "missing"]
    data: Path
    socket_dir: Path
    pid: int | None = None
    version: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True)
class LocalServer:
    """One Postgres server of this computer, reached over a Unix socket.

    Args:
        data: the data directory, absolute; its parent also holds its lock file.
        socket_dir: as `choose_socket_dir` chose it when the hub was created.
    """

    data: Path
    socket_dir: Path
    superuser: str = "postgres"

    def __post_init__(self) -> None:
        for place in (self.data, self.socket_dir):
            if not place.is_absolute():
                raise InvalidInput(f"{place} must be an absolute path.")

    def accepting(self) -> bool:
        """Whether the server takes connections: one connect, about 50 us. Also during recovery, with 57P03."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_CONNECT_SECONDS)
            try:
                if self.socket_dir.lstat().st_uid != self.data.stat().st_uid:
                    return False  # in a shared temporary directory anyone may pose as the server
                probe.connect(os.fsencode(socket_path(self.socket_dir)))
            except BlockingIOError:  # its queue is full: busy, not down
                return True
            except OSError:
                return False
            return True

    def ensure_running(self) -> bool:
        """Start the server when it is down, create it when it does not exist. Safe from many processes at once.

        Returns:
            True when this call started it.

        Raises:
            NotReady: hub.no_binaries, hub.data_foreign, hub.data_version, hub.unreachable_for_os_user,
                hub.start_failed, hub.not_writable, hub.no_disk, hub.locked, hub.socket_foreign, hub.no_os_user.
        """
        if self.accepting():
            return False
        with explaining(self._home):
            account = get_server_account(self._cluster)
            check_reachable(self._cluster, account=account)
            check_reachable(self.socket_dir, account=account)
            create_folders(self._home)
            with locked(self._lock, owner=account) as lock:
                return self._bring_up(account, lock=lock)

    def wake(self) -> bool:
        """Start the server when it is down; never create one. A hub whose disk is not mounted must not be replaced by an empty one.

        Returns:
            True when this call started it.

        Raises:
            NotReady: hub.data_missing, and what `ensure_running` raises.
        """
        if self.accepting():
            return False
        with explaining(self._home):
            if not cluster.is_complete(self._cluster):
                raise NotReady(
                    f"The hub's data directory {self.data} is not there.",
                    code="hub.data_missing",
                    ask=f"Mount the disk that holds {self.data}, or put the directory back.",
                )
        return self.ensure_running()

    def stop(self, mode: StopMode = "fast") -> bool:
        """Stop it: `smart` waits for clients, `fast` disconnects them, `immediate` leaves a recovery to the next start.

        Returns:
            False when it was not running.

        Raises:
            NotReady: hub.stop_failed, when it still runs after a minute.
        """
        with explaining(self._home):
            if not cluster.is_complete(self._cluster):
                return False
            with locked(self._lock, owner=get_server_account(self._cluster)):
                pid = processes.find_postmaster(self._cluster)
                if pid is None:
                    return False
                os.kill(pid, _SIGNALS[mode])
                if processes.wait_until_gone(pid, data=self._cluster, seconds=_STOP_SECONDS):
                    return True
        raise NotReady(
            f"The server (process {pid}) did not stop within {_STOP_SECONDS:.0f} seconds. Stop it with mode immediate.",
            code="hub.stop_failed",
        )

    def status(self) -> ServerStatus:
        """Look at the server without starting or asking it."""
        with explaining(self._home):
            if not cluster.is_complete(self._cluster):
                return ServerStatus("missing", self.data, self.socket_dir)
            return ServerStatus(
                "running" if self.accepting() else "down",
                self.data,
                self.socket_dir,
                pid=processes.find_postmaster(self._cluster),
                version=cluster.read_major(self._cluster),
                size_bytes=_measure(self._cluster),
            )

    @property
    def _cluster(self) -> Path:
        """The data directory itself, not a link to it."""
        return self.data.resolve()

    @property
    def _home(self) -> Path:
        return self._cluster.parent

    @property
    def _lock(self) -> Path:
        return self._cluster.with_name(f"{self._cluster.name}.lock")

    def _bring_up(self, account: OsUser, *, lock: int) -> bool:
        if self.accepting():
            return False
        check_version(account=account)
        if not self._cluster.exists() or not any(self._cluster.iterdir()):
            cluster.create_cluster(self._cluster, superuser=self.superuser, account=account, lock=lock)
        cluster.check_usable(self._cluster)
        create_private_folder(self.socket_dir, owner=account)
        if self._answers_or_is_gone():
            return False
        cluster.write_settings(self._cluster, socket_dir=self.socket_dir, account=account)
        self._start(account)
        return True

    def _answers_or_is_gone(self) -> bool:
        return processes.clear_leftovers(self._cluster, socket_dir=self.socket_dir, accepting=self.accepting)

    def _start(self, account: OsUser) -> None:
        """Start it in the data directory, by relative names: pg_ctl puts its arguments into a shell command."""
        log = self._cluster / "start.log"
        log.unlink(missing_ok=True)
        command = ("start", "-D", ".", "-l", log.name, "-w", "-t", str(_START_SECONDS))
        try:
            done = run_tool(
                "pg_ctl", *command, account=account, cwd=self._cluster, timeout_seconds=_START_SECONDS + 30.0
            )
            text = done.text if done.code else ""
        except subprocess.TimeoutExpired as slow:
            text = str(slow)
        if text and not self._answers_or_is_gone():  # pg_ctl also fails when one from a killed caller came first
            raise cluster.failure(
                f"{text}\n{_read_log(self._cluster)}", what="The local hub did not start", folder=self._home
            )


def _measure(folder: Path) -> int:
    """Add up the sizes of the files; those that vanish meanwhile do not count."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


def _read_log(data: Path) -> str:
    """Read the ends of the start's log and of the newest server log."""
    newest = sorted((data / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)[-1:]
    texts = [path.read_text(errors="replace")[-1000:] for path in (data / "start.log", *newest) if path.exists()]
    return "\n".join(texts)
