"""The verbs of a system's process: `python -m benchmarks.rivals.<system> prepare | work | throughput | lateness`.

A measurement begins when every worker has run a task, so that nobody's start is measured. Tasks become due at the same instant, by one
commit or one Redis command, while the workers wait; writing them down is not measured.
"""

from __future__ import annotations

import argparse
import http.client
import json
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from benchmarks.rivals import noise
from benchmarks.rivals.place import Place, find_place

WARM_UP_SECONDS = 30.0
PATIENCE_SECONDS = 60.0
QUIET = 0.1  # of the machine, used by others: quiet enough to begin
_SLOWEST = 30.0  # tasks a second; slower than this is stuck
_EARLY_SECONDS = 0.001  # two clocks on one machine, and rounding
DELAYED = 200  # tasks of a measurement of lateness
_AHEAD_SECONDS = 2.0  # from writing the delayed tasks down to the first one's time
_WARM_UP_DELAY = 0.02  # seconds a warm-up POST takes, so that one worker cannot take them all


class Rival(Protocol):
    """One system, as the processes of a run use it."""

    def prepare(self, place: Place) -> None:
        """Make the system's queue, or empty it."""

    def work(self, place: Place, *, workers: int, way: str) -> None:
        """Be its workers until SIGTERM, in one of the ways it knows."""

    def connect(self, place: Place) -> None:
        """Get ready for the three below."""

    def ring(self, count: int) -> None:
        """Make tasks `jobs.post` 0 to `count` due, all at the same instant."""

    def ring_later(self, dues: Sequence[float]) -> None:
        """Write down a task `jobs.stamp` for each of these times (Unix time)."""

    def left(self) -> int:
        """Count the tasks of the last ring that nobody has acknowledged."""


def run(rival: Rival) -> None:
    """Carry out the verb on the command line; a measurement prints its figures, and what others used meanwhile, as a line of JSON."""
    arguments = _parse()
    place = find_place()
    if arguments.verb == "prepare":
        rival.prepare(place)
    elif arguments.verb == "work":
        rival.work(place, workers=arguments.workers, way=arguments.way)
    else:
        rival.connect(place)
        warm_up(rival, place, workers=arguments.workers)
        noise.wait_for_quiet(place.folder, ratio=QUIET, seconds=arguments.wait)
        if arguments.verb == "throughput":
            figures, foreign = measure_rate(rival, place, tasks=arguments.tasks)
        else:
            figures, foreign = measure_lateness(rival, place, seconds=arguments.seconds)
        print(json.dumps({"figures": figures, "foreign": foreign}))


def warm_up(rival: Rival, place: Place, *, workers: int) -> None:
    """Ring until every worker has run a task and the queue is empty again."""
    tell_stub(place, "PUT", f"/reset?delay={_WARM_UP_DELAY}")
    deadline = time.monotonic() + WARM_UP_SECONDS
    rung, seen = 0, set[str]()
    while len(seen) < workers:
        rival.ring(10 * workers)
        rung += 10 * workers
        arrivals = wait_for_arrivals(place, count=rung, seconds=WARM_UP_SECONDS)
        seen = {body.split()[1] for _, body in arrivals}
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(seen)} of {workers} workers work")
    _wait_until(lambda: rival.left() == 0)
    tell_stub(place, "PUT", "/reset")


def measure_rate(rival: Rival, place: Place, *, tasks: int) -> tuple[list[float], float]:
    """Give tasks a second, from the first one's POST to the last one's acknowledgement; each must have run exactly once."""
    patience = PATIENCE_SECONDS + tasks / _SLOWEST
    before = noise.look(place.folder)
    rival.ring(tasks)
    wait_for_arrivals(place, count=tasks, seconds=patience)
    _wait_until(lambda: rival.left() == 0, seconds=patience)
    ended = time.time()
    foreign = noise.foreign_ratio(before, noise.look(place.folder))
    arrivals = wait_for_arrivals(place, count=0, seconds=0)
    if sorted(int(body.split()[0]) for _, body in arrivals) != list(range(tasks)):
        raise RuntimeError(f"{len(arrivals)} POSTs for {tasks} tasks, or some twice and some never")
    return [tasks / (ended - arrivals[0][0])], foreign


def measure_lateness(rival: Rival, place: Place, *, seconds: float) -> tuple[list[float], float]:
    """Spread delayed tasks over some seconds; give by how many seconds each ran late."""
    place.stamps.write_bytes(b"")
    first = time.time() + _AHEAD_SECONDS
    dues = [first + seconds * number / DELAYED for number in range(DELAYED)]
    rival.ring_later(dues)
    if time.time() > first:
        raise RuntimeError("writing the delayed tasks down took too long")
    before = noise.look(place.folder)
    time.sleep(max(0.0, dues[-1] - time.time()))
    _wait_until(lambda: place.stamps.read_bytes().count(b"\n") >= DELAYED, every=0.1)
    foreign = noise.foreign_ratio(before, noise.look(place.folder))
    stamps = [tuple(map(float, line.split())) for line in place.stamps.read_text().splitlines()]
    if sorted(due for due, _ in stamps) != dues:
        raise RuntimeError(f"{len(stamps)} runs of {DELAYED} delayed tasks, or some twice and some never")
    late = [now - due for due, now in stamps]
    if min(late) < -_EARLY_SECONDS:
        raise RuntimeError(f"a task ran {-min(late):.3f} s before its time")
    return late, foreign


def wait_for_arrivals(place: Place, *, count: int, seconds: float) -> list[tuple[float, str]]:
    """Give what arrived at the stub, when that is at least so much."""
    arrivals = tell_stub(place, "GET", f"/arrivals?count={count}&seconds={seconds}", seconds=seconds + 30)
    if len(arrivals) < count:
        raise TimeoutError(f"{len(arrivals)} of {count} tasks ran in {seconds:.0f} s")
    return [(at, body) for at, body in arrivals]


def tell_stub(place: Place, method: str, target: str, *, seconds: float = 30) -> list[tuple[float, str]]:
    """Make one request to the stub, and give its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", place.stub_port, timeout=seconds)
    try:
        connection.request(method, target)
        answer: list[tuple[float, str]] = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


def _wait_until(holds: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS, every: float = 0.002) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the queue was not emptied")
        time.sleep(every)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=("prepare", "work", "throughput", "lateness"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--way", default="")
    parser.add_argument("--tasks", type=int, default=3000)
    parser.add_argument("--wait", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=15.0)
    return parser.parse_args()
