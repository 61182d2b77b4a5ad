"""What goes wrong at the stand-in, and at which calls."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["answer", "garbage", "silent", "refused", "lost"]


@dataclass
class Fault:
    """What goes wrong with some calls.

    Args:
        match: a regular expression over `METHOD /path`, found at its beginning.
        kind: `answer` is an error with `status` and `message`; `garbage` is a page with `status` that is no JSON; `silent` never
            answers; `refused` hangs up before anything was done; `lost` does what was asked and hangs up then.
        skip: so many matching calls go well first.
        times: so many go wrong; for ever when negative.
    """

    match: str
    kind: Kind = "answer"
    status: int = 500
    message: str = "internal server error"
    skip: int = 0
    times: int = -1

    def hits(self, call: str) -> bool:
        """Whether this call goes wrong; it counts."""
        if not re.match(self.match, call) or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Faults:
    """The faults of one stand-in; the first that matches a call wins."""

    faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        """Let calls go wrong from now on."""
        with self._lock:
            self.faults.append(fault)

    def clear(self) -> None:
        """Let everything go well from now on."""
        with self._lock:
            self.faults.clear()

    def find(self, call: str) -> Fault | None:
        """Find what goes wrong with a call."""
        with self._lock:
            return next((fault for fault in self.faults if fault.hits(call)), None)
