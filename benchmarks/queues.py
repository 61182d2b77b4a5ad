"""PSN's queue beside others, on one machine in one run: `python -m benchmarks.queues [--tasks N] [--repeats N] [--quick]`.

In an environment that has the dependency group `bench` (procrastinate, celery, redis) and, for Celery, `redis-server` on the PATH.
What is missing is said and left out.

    throughput   tasks that make one HTTP POST, from the first one's run until the last one is acknowledged, 2 and 4 workers. PSN's
                 bells, and Celery's tasks in the way "early", are given up before they run (a lost bell costs PSN nothing: the
                 sweep finds the post); all others afterwards
    lateness     200 delayed tasks spread over some seconds, 2 workers: how long after its time each ran

Every figure is first given as a ratio between systems measured one after the other in the same repeat: the median of all repeats, and
the lowest and the highest in brackets. A measurement begins with warm workers and, if it can, in a quiet second; one during which
others used a fifth of the machine is made again. A task that ran twice, too early or never ends the benchmark.

Postgres (embedded, one server for all), Redis and the HTTP stub are started in a temporary folder, listen on loopback, and are gone at
the end, also after Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles

from benchmarks.rivals.place import Place
from benchmarks.rivals.servers import Failed, output_of, process, serve
from benchmarks.timing import PYTHON

WORKERS = (2, 4)
LATENESS_WORKERS = 2
DISTURBED = 0.2  # of the machine, used by others


@dataclass(frozen=True, slots=True)
class System:
    """One way to run one of the systems.

    Args:
        name: of the system; where two ways share one, the better of a repeat counts.
        way: what tells them apart; its module knows it.
        needs, programs: packages, and programs on the PATH.
        split: a process per worker, instead of one with all of them.
        delays: whether lateness is measured this way.
    """

    name: str
    module: str
    way: str = ""
    needs: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    split: bool = False
    delays: bool = True

    def missing(self) -> list[str]:
        """Name what it needs and does not find."""
        packages = [name for name in self.needs if find_spec(name) is None]
        return packages + [name for name in self.programs if shutil.which(name) is None]

    def command(self, verb: str, **options: float | str) -> list[str]:
        """Give the command line of one of its processes."""
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return [PYTHON, "-m", f"benchmarks.rivals.{self.module}", verb, *words]


PSN = "psn"
_CELERY, _REDIS = ("celery", "redis"), ("redis-server",)
SYSTEMS = (
    System(PSN, "psn_cluster"),
    System("django-q2", "stock_cluster"),
    System("django-q2 tuned", "stock_cluster", "tuned", delays=False),
    System("procrastinate", "procrastinate_worker", "a process each", needs=("procrastinate",), split=True),
    System("procrastinate", "procrastinate_worker", "one process", needs=("procrastinate",), delays=False),
    System("celery+redis", "celery_worker", "late", needs=_CELERY, programs=_REDIS),
    System("celery+redis", "celery_worker", "early", needs=_CELERY, programs=_REDIS, delays=False),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one measurement gave.

    Args:
        values: the rate alone, or the lateness of every task in seconds.
        foreign: the part of the machine, 0 to 1, that other people's processes used meanwhile.
    """

    values: list[float]
    foreign: float

    def __str__(self) -> str:
        return f"{median(self.values):.5g} (others used {self.foreign:.0%} of the machine)"


Measured = dict[System, list[Figures]]  # one entry per repeat


def main() -> None:
    """Measure and print."""
    arguments = _parse()
    systems = _present()
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    print(f"{arguments.tasks} tasks, {arguments.repeats} repeats, {os.cpu_count()} cores; {_versions()}")
    try:
        with serve(redis=any(system.programs for system in systems)) as place:
            if arguments.only != "lateness":
                for workers in WORKERS:
                    print_throughput(_measure_throughput(systems, place, arguments, workers=workers), workers=workers)
            if arguments.only != "throughput":
                print_lateness(_measure_lateness(systems, place, arguments), seconds=arguments.seconds)
    except Failed as error:
        sys.exit(str(error))
    except KeyboardInterrupt as told:
        print(f"ended by {told}", file=sys.stderr)
        sys.exit(130)


def print_throughput(rates: Measured, *, workers: int) -> None:
    """Print PSN's rate against each of the others', then the rates themselves."""
    best = _best_rates(rates)
    print(f"\nthroughput with one HTTP POST a task, {workers} workers")
    for name, theirs in best.items():
        if name != PSN and PSN in best:
            print(f"  {PSN} / {name:<15} {_ratio(best[PSN], theirs)}")
    for system, repeats in rates.items():
        print(f"    {_title(system)}".ljust(34), f"{median(each.values[0] for each in repeats):7.0f} tasks/s")
    print(_noise(rates))


def print_lateness(lateness: Measured, *, seconds: float) -> None:
    """Print how much later than PSN's the others' tasks ran, then the lateness itself."""
    figures: dict[str, list[tuple[float, ...]]] = {
        system.name: [_percentiles(each.values) for each in repeats] for system, repeats in lateness.items()
    }
    print(f"\nlateness of delayed tasks spread over {seconds:g} s, {LATENESS_WORKERS} workers")
    for name, theirs in figures.items():
        if name != PSN and PSN in figures:
            p50, p99, _ = (
                _ratio([row[column] for row in theirs], [row[column] for row in figures[PSN]]) for column in range(3)
            )
            print(f"  {name:<15} / {PSN}  p50 {p50}  p99 {p99}")
    for name, rows in figures.items():
        p50, p99, most = (median(column) for column in zip(*rows, strict=True))
        print(f"    {name:<15} p50 {p50:7.1f}  p99 {p99:7.1f}  max {most:7.1f} ms")
    print(_noise(lateness))


def _measure_throughput(
    systems: Sequence[System], place: Place, arguments: argparse.Namespace, *, workers: int
) -> Measured:
    def measure(system: System) -> Figures:
        return _measure(system, place, "throughput", workers=workers, tasks=arguments.tasks, wait=arguments.wait)

    return _interleave(systems, measure, arguments=arguments, what=f"throughput with {workers} workers")


def _measure_lateness(systems: Sequence[System], place: Place, arguments: argparse.Namespace) -> Measured:
    def measure(system: System) -> Figures:
        options = {"seconds": arguments.seconds, "wait": arguments.wait}
        return _measure(system, place, "lateness", workers=LATENESS_WORKERS, **options)

    chosen = [system for system in systems if system.delays]
    return _interleave(chosen, measure, arguments=arguments, what="lateness")


def _interleave(
    systems: Sequence[System], measure: Callable[[System], Figures], *, arguments: argparse.Namespace, what: str
) -> Measured:
    """Measure all systems in turn, then again, each time beginning with another one: a drift of the machine hits all.

    A measurement that others disturbed is made again, up to so many tries in all; the least disturbed one counts.
    """
    measured: Measured = {system: [] for system in systems}
    for repeat in range(arguments.repeats):
        turn = repeat % len(systems)
        for system in (*systems[turn:], *systems[:turn]):
            tries: list[Figures] = []
            while not tries or (tries[-1].foreign > DISTURBED and len(tries) < arguments.tries):
                tries.append(measure(system))
                print(f"{what}, repeat {repeat + 1}: {_title(system)}: {tries[-1]}", file=sys.stderr, flush=True)
            measured[system].append(min(tries, key=lambda figures: figures.foreign))
    return measured


def _measure(system: System, place: Place, verb: str, *, workers: int, **options: float) -> Figures:
    with _working(system, place, workers=workers):
        command = system.command(verb, workers=workers, **options)
        document = json.loads(_run(command, place, system=system))
    return Figures(values=[float(value) for value in document["figures"]], foreign=float(document["foreign"]))


@contextmanager
def _working(system: System, place: Place, *, workers: int) -> Iterator[None]:
    """Empty the system's queue and have its workers run."""
    _run(system.command("prepare"), place, system=system)
    with ExitStack() as stack:
        for _ in range(workers if system.split else 1):
            command = system.command("work", workers=1 if system.split else workers, way=system.way)
            stack.enter_context(process(command, log=_log(place, system), environment=place.to_environment()))
        yield


def _run(command: Sequence[str], place: Place, *, system: System) -> str:
    return output_of(command, log=_log(place, system), environment=place.to_environment())


def _log(place: Place, system: System) -> Path:
    return Path(place.folder) / f"{system.module}.log"


def _title(system: System) -> str:
    return system.name if system.way in ("", "tuned") else f"{system.name}, {system.way}"


def _best_rates(rates: Measured) -> dict[str, list[float]]:
    """Give each system's rate in every repeat, by the better of its ways."""
    best: dict[str, list[float]] = {}
    for system, repeats in rates.items():
        values = [each.values[0] for each in repeats]
        best[system.name] = [max(pair) for pair in zip(values, best.get(system.name, values), strict=True)]
    return best


def _noise(measured: Measured) -> str:
    """Say how much of the machine others used while these were measured."""
    parts = [each.foreign for repeats in measured.values() for each in repeats]
    return f"    others used {median(parts):.0%} of the machine meanwhile (median), {max(parts):.0%} at most"


def _ratio(upper: Sequence[float], lower: Sequence[float]) -> str:
    """Give the median ratio of the repeats, and the range."""
    ratios = [a / b for a, b in zip(upper, lower, strict=True)]
    spread = f" ({min(ratios):.2f} to {max(ratios):.2f})" if len(ratios) > 1 else ""
    return f"{median(ratios):5.2f}x{spread}"


def _percentiles(seconds: Sequence[float]) -> tuple[float, float, float]:
    """Give p50, p99 and the maximum in milliseconds."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return cuts[49] * 1000, cuts[98] * 1000, max(seconds) * 1000


def _present() -> list[System]:
    """Give the systems whose packages and programs are here, and say which are not."""
    for system in SYSTEMS:
        if missing := system.missing():
            print(f"left out: {_title(system)}, for want of {', '.join(missing)}")
    return [system for system in SYSTEMS if not system.missing()]


def _versions() -> str:
    packages = ("django-q2", "procrastinate", "celery", "redis")
    found = [f"{name} {version(name)}" for name in packages if find_spec(name.replace("-q2", "_q")) is not None]
    if shutil.which("redis-server"):
        said = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=False).stdout
        found += [f"redis-server {word[2:]}" for word in said.split() if word.startswith("v=")]
    return ", ".join(found)


def _stop(number: int, _: object) -> None:
    """End at the first Ctrl-C; the next ones must not disturb the tidying."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt(signal.Signals(number).name)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="PSN's queue beside others; see the module's docstring.")
    parser.add_argument("--tasks", type=int, default=3000, help="per measurement of throughput (3000)")
    parser.add_argument("--repeats", type=int, default=3, help="of every measurement (3)")
    parser.add_argument("--tries", type=int, default=3, help="of a measurement that others disturb (3)")
    parser.add_argument("--wait", type=float, default=20.0, help="at most so many seconds for a quiet one (20)")
    parser.add_argument("--seconds", type=float, default=15.0, help="that the delayed tasks are spread over (15)")
    parser.add_argument("--only", choices=("throughput", "lateness"), help="one half")
    parser.add_argument(
        "--quick", action="store_true", help="600 tasks, one repeat, one try, 4 seconds, no waiting: does it work?"
    )
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.tasks, arguments.repeats, arguments.tries = 600, 1, 1
        arguments.seconds, arguments.wait = 4.0, 0.0
    return arguments


if __name__ == "__main__":
    main()
