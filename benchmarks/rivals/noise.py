"""How much of the machine others use while something is measured: what the kernel counts as busy, less what the run's own processes used.

Long measurements suffer from a neighbour for longer than short ones, so on a busy machine even ratios lie. Linux only (proc(5)); elsewhere
nothing is known, and nothing is refused.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_IDLE = slice(3, 5)  # of the first line of /proc/stat: idle, iowait
_COUNTED = 8  # user nice system idle iowait irq softirq steal; guests are counted in user already
_TIMES = slice(11, 15)  # of /proc/PID/stat after the name: utime stime cutime cstime


@dataclass(frozen=True, slots=True)
class Moment:
    """Clock ticks since the machine started: of all processors, of those that were busy, and of the run's own processes."""

    passed: int
    busy: int
    own: int


def look(folder: str) -> Moment:
    """Read the counters.

    Args:
        folder: of the run; its processes work in it, or have it in their environment.
    """
    if not (_PROC / "stat").exists():
        return Moment(0, 0, 0)
    ticks = [int(word) for word in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1 : 1 + _COUNTED]]
    own = sum(_ticks_of(process, folder=folder) for process in _PROC.iterdir() if process.name.isdigit())
    return Moment(passed=sum(ticks), busy=sum(ticks) - sum(ticks[_IDLE]), own=own)


def foreign_ratio(start: Moment, end: Moment) -> float:
    """Give the part of all processors, 0 to 1, that others used between two moments."""
    if end.passed == start.passed:
        return 0.0
    return max(0.0, (end.busy - start.busy) - (end.own - start.own)) / (end.passed - start.passed)


def wait_for_quiet(folder: str, *, ratio: float, seconds: float) -> None:
    """Wait for a second in which others used little, at most so long."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        start = look(folder)
        time.sleep(1.0)
        if foreign_ratio(start, look(folder)) < ratio:
            return


def _ticks_of(process: Path, *, folder: str) -> int:
    with suppress(OSError):  # it ended meanwhile, or is another user's
        if (
            str((process / "cwd").readlink()).startswith(folder)
            or os.fsencode(folder) in (process / "environ").read_bytes()
        ):
            return sum(int(word) for word in (process / "stat").read_text().rpartition(")")[2].split()[_TIMES])
    return 0
