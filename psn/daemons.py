"""Processes that outlive the command that starts them: found by a lock, not by a pid that may be anybody's by now.

The process itself holds `<name>.lock` for as long as it lives and writes its pid into it; the kernel lets go of the lock when the
process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from psn.errors import Conflict, NotReady

MAX_LOG_BYTES = 5_000_000
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Daemon:
    """One detached process of a hub.

    Args:
        folder: holds its lock and log.
        argv: what to start.
        environment: added to this process's.
        cwd: where it starts.
    """

    name: str
    folder: Path
    argv: Sequence[str]
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def lock_path(self) -> Path:
        return self.folder / f"{self.name}.lock"

    @property
    def log_path(self) -> Path:
        return self.folder / f"{self.name}.log"

    def is_running(self) -> bool:
        """Whether the process lives."""
        try:
            with self.lock_path.open("r") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def pid(self) -> int | None:
        """Give the living process's id; None when there is none."""
        if not self.is_running():
            return None
        try:
            return int(self.lock_path.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def start(self, *, is_ready: Callable[[], bool], seconds: float = 30.0) -> bool:
        """Start the process, detached, and wait until it is ready. False when it was running already.

        Raises:
            NotReady: it ended at once, or was not ready in time; the message carries the end of its log.
        """
        if self.is_running():
            self._wait(is_ready, None, seconds=seconds)
            return False
        self._wait(is_ready, self._spawn(), seconds=seconds)
        return True

    def stop(self, *, seconds: float = 30.0) -> bool:
        """Ask the process to end, and end it when it does not. False when it was not running."""
        if not self.is_running():
            return False
        give_up = time.monotonic() + seconds
        asked = None
        while self.is_running():
            pid = self.pid()
            late = time.monotonic() > give_up
            if pid is not None and (pid != asked or late):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
                asked = pid
            time.sleep(_POLL_SECONDS)
        return True

    def _spawn(self) -> subprocess.Popen[bytes]:
        _make_private_folder(self.folder)
        if self.log_path.exists() and self.log_path.stat().st_size > MAX_LOG_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        handle = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(
                list(self.argv),
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                cwd=self.cwd,
                env={**_kept(os.environ), **self.environment},
                start_new_session=True,  # a closed terminal or Ctrl-C does not reach it
            )
        finally:
            os.close(handle)

    def _wait(self, is_ready: Callable[[], bool], process: subprocess.Popen[bytes] | None, *, seconds: float) -> None:
        give_up = time.monotonic() + seconds
        while not is_ready():
            ended = process is not None and process.poll() is not None
            if (ended and not self.is_running()) or time.monotonic() > give_up:
                raise NotReady(
                    f"The {self.name} did not start. The end of {self.log_path}:\n{self._log_tail()}",
                    code=f"{self.name}.not_started",
                )
            time.sleep(_POLL_SECONDS)

    def _log_tail(self) -> str:
        try:
            return self.log_path.read_text(errors="replace")[-800:].strip()
        except OSError:
            return "(there is no log)"


def _kept(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what only a command needs: whoever owns Neon's key owns every hub there."""
    return {name: value for name, value in environment.items() if name != "NEON_API_KEY"}


def hold_lock(path: Path) -> IO[str]:
    """Take a daemon's lock for this process and write its pid into it; the lock ends with the process.

    Raises:
        Conflict: another process holds it.
    """
    _make_private_folder(path.parent)
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+")
    os.fchmod(file.fileno(), 0o600)
    for _ in range(50):  # somebody who merely looks holds the lock for a moment too
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(_POLL_SECONDS)
    else:
        file.close()
        raise Conflict(f"Another process is this one already: it holds {path}.", code="daemon.running")
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def _make_private_folder(folder: Path) -> None:
    """Make a folder that its owner alone enters: whoever opens a lock file can hold the lock."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
