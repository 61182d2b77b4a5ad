"""The processes of a worker, told apart by their place in the tree (Linux)."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Family:
    """A supervisor and what it started. The sentinel starts its workers first, then the monitor, then the pusher."""

    supervisor: int
    main: int
    sentinel: int
    workers: tuple[int, ...]
    monitor: int
    pusher: int

    @property
    def cluster(self) -> set[int]:
        """Every process of the cluster."""
        return {self.main, self.sentinel, *self.workers, self.monitor, self.pusher}


def read_family(supervisor: int) -> Family | None:
    """Look at a supervisor's processes; None while they are not all there."""
    mains = children_of(supervisor)
    sentinels = children_of(mains[0]) if len(mains) == 1 else []
    rest = children_of(sentinels[0]) if len(sentinels) == 1 else []
    if len(rest) != 4:
        return None
    *workers, monitor, pusher = rest
    return Family(supervisor, mains[0], sentinels[0], tuple(workers), monitor, pusher)


def children_of(pid: int) -> list[int]:
    """Give the ids of a process's living children, in the order in which they were started."""
    found = []
    for task in (PROC / str(pid) / "task").glob("*/children"):  # any of its threads may have started one
        with suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return sorted(child for child in found if lives(child))


def lives(pid: int) -> bool:
    """Whether a process is there, and more than an entry that nobody has read yet."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def living_in(workspace: Path) -> set[int]:
    """Find every living process that was started for a workspace."""
    wanted = f"PSN_WORKSPACE={workspace}".encode()
    found = set()
    for place in PROC.iterdir():
        if place.name.isdigit() and int(place.name) != os.getpid():
            with suppress(OSError):
                if wanted in (place / "environ").read_bytes().split(b"\0") and lives(int(place.name)):
                    found.add(int(place.name))
    return found
