"""Strikes a history where and when its plan says: at the gate, or by time."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from psn.providers.local import processes as postgres
from tests.chaos.commands import Person
from tests.chaos.gate import Crossing
from tests.chaos.lane import Lane, Worker
from tests.chaos.orders import Plan, Strike
from tests.chaos.processes import Cluster, send
from tests.chaos.record import Hit

STOP_PLATFORM_SECONDS = 0.6
WAKE_SECONDS = 60.0  # at most until what was paused goes on


@dataclass
class Nemesis:
    """Strikes where and when the plan says, and keeps what hit."""

    lane: Lane
    plan: Plan
    person: Person
    hits: list[Hit] = field(default_factory=list)
    shift: float = 0.0
    healed: bool = False
    _counts: dict[int, int] = field(default_factory=dict)
    _done: set[int] = field(default_factory=set)
    _beside: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def visit(self, crossing: Crossing) -> float:
        """Let a worker's thread pass, after what is due to happen at this point."""
        with self._lock:
            nth = self._counts[crossing.point] = self._counts.get(crossing.point, 0) + 1
            due = [
                (number, strike)
                for number, strike in enumerate(self.plan.strikes)
                if strike.point == crossing.point and strike.nth == nth and number not in self._done and not self.healed
            ]
            self._done.update(number for number, _ in due)
        for _, strike in due:
            self.strike(strike, crossing)
        return self.shift

    def strike(self, strike: Strike, crossing: Crossing) -> None:
        """Do a deed, and note that it was done."""
        verb, _, whom = strike.deed.partition(" ")
        at = time.time()
        if getattr(self, f"_{verb}")(whom, strike, crossing):
            self.hits.append(Hit(at, strike.deed, crossing.point, crossing.post_id))

    def heal(self) -> None:
        """Strike no more, and take back what was ordered and did not happen."""
        self.healed = True
        self.lane.proxy.orders = [order for order in self.lane.proxy.orders if order.struck]
        self.lane.platform.heal()

    def wait_until_awake(self) -> bool:
        """Wait for whatever was paused or is restarted; say whether there was something."""
        for thread in list(self._beside):
            thread.join(WAKE_SECONDS)
        return bool(self._beside)

    def is_busy(self) -> bool:
        """Whether something is paused or restarted just now."""
        return any(thread.is_alive() for thread in list(self._beside))

    def _kill(self, whom: str, strike: Strike, crossing: Crossing) -> bool:
        pid = self._find(whom, crossing)
        return pid is not None and send(pid, signal.SIGKILL)

    def _stop(self, whom: str, strike: Strike, crossing: Crossing) -> bool:
        pid = self._find(whom, crossing)
        if pid is None or not send(pid, signal.SIGSTOP):
            return False
        self._later(strike.seconds, pid)
        return True

    def _postgres(self, how: str, strike: Strike, crossing: Crossing) -> bool:
        if how == "restart":
            self._aside(self._restart)
            return True
        pid = postgres.find_postmaster(self.lane.server.data)
        return pid is not None and send(pid, signal.SIGKILL)

    def _cut(self, whom: str, strike: Strike, crossing: Crossing) -> bool:
        return self.lane.hub.cut_all() > 0

    def _bells(self, how: str, strike: Strike, crossing: Crossing) -> bool:
        return (self.lane.hub.delete_bells() if how == "deleted" else self.lane.hub.double_bells()) > 0

    def _clock(self, whom: str, strike: Strike, crossing: Crossing) -> bool:
        self.shift = strike.seconds
        return True

    def _platform(self, how: str, strike: Strike, crossing: Crossing) -> bool:
        platform = self.lane.platform
        if how == "kill":
            return platform.kill()
        process = platform.process
        if process is None or not send(process.pid, signal.SIGSTOP):
            return False
        self._later(STOP_PLATFORM_SECONDS, process.pid)
        return True

    def _command(self, verb: str, strike: Strike, crossing: Crossing) -> bool:
        """Race the worker with a command about its very post; beside, so that the two really race."""
        name = self.person.name_of(crossing.post_id)
        if not name:
            return False
        texts = tuple(
            f"History {self.plan.seed} {name}c{strike.point}{strike.nth}, part {number + 1}"
            for number in range(len(next(post.texts for post in self.plan.posts if post.name == name)))
        )
        deeds = {
            "cancel": lambda: self.person.cancel(name),
            "edit": lambda: self.person.edit(name, texts=texts, approves=True),
            "reschedule": lambda: self.person.reschedule(name, at=round(time.time() + 0.3, 6), approves=True),
        }
        self._aside(deeds[verb])
        return True

    def _drain(self, whom: str, strike: Strike, crossing: Crossing) -> bool:
        found = self._worker_of(crossing)
        if found is not None:
            found[0].drain()
        return found is not None

    def _find(self, whom: str, crossing: Crossing) -> int | None:
        if whom == "worker" and crossing.pid:
            return crossing.pid
        found = self._worker_of(crossing)
        return found[1].find(whom, besides=crossing.pid) if found else None

    def _worker_of(self, crossing: Crossing) -> tuple[Worker, Cluster] | None:
        """Find the worker that the process at the gate belongs to; any, when nobody is there."""
        seen = [(worker, worker.look(roles=self.lane.roles)) for worker in self.lane.workers]
        there = [(worker, cluster) for worker, cluster in seen if cluster is not None]
        ours = [one for one in there if crossing.pid in (one[1].main, *one[1].children)]
        return next(iter(ours or there), None)

    def _restart(self) -> None:
        self.lane.server.stop("fast")
        self.lane.server.wake()

    def _later(self, seconds: float, pid: int) -> None:
        timer = threading.Timer(seconds, send, (pid, signal.SIGCONT))
        timer.daemon = True
        timer.start()
        self._beside.append(timer)

    def _aside(self, deed: Callable[[], object]) -> None:
        thread = threading.Thread(target=deed, daemon=True)
        thread.start()
        self._beside.append(thread)
