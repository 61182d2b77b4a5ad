"""Which processes work on a data directory, and what killed ones left behind.

A pid file proves nothing: after a reboot its number may be anybody's, a killed process that nobody collected still has
its number, and a machine that died can leave half a file.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from psn.errors import NotReady
from psn.providers.local.places import socket_path

PATIENCE_SECONDS = 60.0  # for a server that is starting or stopping
_ORPHAN_SECONDS = 10.0  # server processes notice within a second that their postmaster is gone
_POLL_SECONDS = 0.05
_PROC = Path("/proc")
_LSOF = "/usr/sbin/lsof"  # part of macOS


def find_postmaster(data: Path) -> int | None:
    """Find the process that serves `data`, whether or not it answers yet."""
    pid = _read_pid(data / "postmaster.pid")
    return pid if pid is not None and _is_postmaster(pid, data=data) else None


def clear_leftovers(data: Path, *, socket_dir: Path, accepting: Callable[[], bool]) -> bool:
    """Wait for a server that is starting or stopping, then remove what a killed one left. True when one answers.

    Postgres refuses to start while the number in a lock file is any live process. It still checks by itself that nobody
    uses the data directory's shared memory.

    Raises:
        NotReady: hub.start_failed, when a server runs but does not answer here.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while pid := find_postmaster(data):
        if accepting():
            return True
        _check_patience(end, pid=pid, what=f"serves {data} but does not answer in {socket_dir}")
        time.sleep(_POLL_SECONDS)
    _check_socket_is_free(socket_dir, data=data)
    for leftover in (data / "postmaster.pid", Path(f"{socket_path(socket_dir)}.lock")):
        leftover.unlink(missing_ok=True)
    _wait_for_orphans(data)
    return False


def wait_until_gone(pid: int, *, data: Path, seconds: float) -> bool:
    """Wait until `pid` serves `data` no more. False when it still does."""
    end = time.monotonic() + seconds
    while _is_postmaster(pid, data=data):
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_SECONDS / 5)
    return True


def _read_pid(path: Path) -> int | None:
    try:
        pid = int(path.read_text(errors="replace").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):  # ValueError: half a file
        return None
    return pid if pid > 0 else None


def _is_postmaster(pid: int, *, data: Path | None) -> bool:
    """Whether `pid` is a live postmaster, and with `data` the one that serves it: its working directory says so."""
    if not (_PROC / "self").exists():
        return _is_postmaster_by_lsof(pid, data=data)
    process = _PROC / str(pid)
    try:
        program = (process / "cmdline").read_bytes().partition(b"\0")[0]  # empty for a process that nobody collected
        if program.rpartition(b"/")[2] != b"postgres":
            return False
        return data is None or os.path.samefile(process / "cwd", data)
    except OSError:  # gone, or another user's: a server of ours would be readable
        return False


def _is_postmaster_by_lsof(pid: int, *, data: Path | None) -> bool:
    """Ask lsof where there is no /proc (macOS): it writes `c` and the program, `n` and the directory, a line each."""
    asked = [_LSOF, "-a", "-p", str(pid), "-d", "cwd", "-F", "cn"]
    try:
        said = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout
        lines = said.splitlines()
        folders = [line[1:] for line in lines if line.startswith("n")]
        return "cpostgres" in lines and (data is None or any(os.path.samefile(folder, data) for folder in folders))
    except OSError:
        return False


def _check_socket_is_free(socket_dir: Path, *, data: Path) -> None:
    """Refuse a socket directory in which another data directory's server is at home."""
    pid = _read_pid(Path(f"{socket_path(socket_dir)}.lock"))
    if pid is not None and _is_postmaster(pid, data=None):
        lines = Path(f"{socket_path(socket_dir)}.lock").read_text(errors="replace").splitlines()
        if len(lines) > 1 and Path(lines[1]) != data:
            raise NotReady(
                f"{socket_dir} holds the socket of the server of {lines[1]} (process {pid}). Give each hub its own.",
                code="hub.start_failed",
            )


def _wait_for_orphans(data: Path) -> None:
    end = time.monotonic() + _ORPHAN_SECONDS
    while (orphan := _find_orphan(data)) is not None:
        _check_patience(end, pid=orphan, what=f"is left over from a killed server of {data}")
        time.sleep(_POLL_SECONDS)


def _find_orphan(data: Path) -> int | None:
    for process in _PROC.glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes().startswith(b"postgres: ") and os.path.samefile(process / "cwd", data):
                return int(process.name)
        except OSError:
            continue
    return None


def _check_patience(end: float, *, pid: int, what: str) -> None:
    if time.monotonic() > end:
        raise NotReady(f"Process {pid} {what}. End it with `kill -INT {pid}` and try again.", code="hub.start_failed")
