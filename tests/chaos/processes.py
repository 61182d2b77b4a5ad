"""Processes of a lane: ended with their parent, found by their folder, told apart by their place in the tree (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The processes of one worker; what is not there just now is missing from them."""

    supervisor: int
    main: int | None
    sentinel: int | None
    children: dict[int, str]  # of the sentinel, with their roles

    def find(self, victim: str, *, besides: int) -> int | None:
        """Give the process a role is played by; `idle` is a worker process other than `besides`."""
        if victim in ("supervisor", "main", "sentinel"):
            pid: int | None = getattr(self, victim)
            return pid
        role = "worker" if victim == "idle" else victim
        return next((pid for pid, played in self.children.items() if played == role and pid != besides), None)


def end_with_parent(number: int = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when its parent is gone."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def read_cluster(supervisor: int, *, roles: Path) -> Cluster:
    """Look at a worker's processes."""
    main = next(iter(children_of(supervisor)), None)
    sentinel = next(iter(children_of(main)), None) if main else None
    played = {}
    for pid in children_of(sentinel) if sentinel else ():
        with suppress(FileNotFoundError):
            played[pid] = (roles / str(pid)).read_text()
    return Cluster(supervisor=supervisor, main=main, sentinel=sentinel, children=played)


def children_of(pid: int) -> list[int]:
    """Give the ids of a process's children."""
    try:
        return [int(child) for child in (_PROC / str(pid) / "task" / str(pid) / "children").read_text().split()]
    except OSError:
        return []


def send(pid: int, number: int) -> bool:
    """Send a signal; False when there is no such process any more."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def belonging_to(folder: Path) -> set[int]:
    """Find every process with this folder in its environment or as its working directory, but for this one."""
    wanted = os.fsencode(folder)
    found = set()
    for place in _PROC.iterdir():
        if place.name.isdigit() and int(place.name) != os.getpid():
            with suppress(OSError):
                here = (place / "environ").read_bytes() + b"\0" + os.fsencode((place / "cwd").readlink())
                if wanted in here:
                    found.add(int(place.name))
    return found


def end_all_of(folder: Path, *, seconds: float = 10.0) -> None:
    """Kill, one by one, what belongs to a folder that nobody else knows."""
    give_up = time.monotonic() + seconds
    while (left := belonging_to(folder)) and time.monotonic() < give_up:
        for pid in left:
            send(pid, signal.SIGKILL)
        time.sleep(0.05)
