"""The last moment for something, noticed however this computer spent the time in between.

A process that was stopped is told by the monotonic clock, a laptop that slept by the clock that counts since its start, a machine that
was frozen and moved by the wall clock that jumps ahead when it wakes. Whichever says that it is too late is believed: not to act is
always safe here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_CLOCKS: tuple[Callable[[], float], ...] = (
    time.monotonic,
    lambda: time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)),
    time.time,
)


class Deadline:
    """A moment some seconds from now.

    Args:
        seconds: from now on; negative is over already.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = [read() + seconds for read in _CLOCKS]

    def is_over(self) -> bool:
        """Whether the moment has passed by any of the clocks."""
        return any(read() > end for read, end in zip(_CLOCKS, self._ends, strict=True))

    @property
    def seconds_left(self) -> float:
        """Seconds until the moment, by the clock that says least; negative when it has passed."""
        return min(end - read() for read, end in zip(_CLOCKS, self._ends, strict=True))

    def moved(self, seconds: float) -> Deadline:
        """Give the same moment, so many seconds later; earlier when negative."""
        moved = Deadline(0.0)
        moved._ends = [end + seconds for end in self._ends]
        return moved
