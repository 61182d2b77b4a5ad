"""Runs histories in lanes side by side, each lane a process of its own; whatever happens, nothing of them is left."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from psn.config.workspace import ROOT
from tests.chaos import pace
from tests.chaos.plan import make_plan
from tests.chaos.processes import end_all_of
from tests.chaos.tally import Tally

SET_UP_SECONDS = 120.0
HISTORY_SECONDS = 240.0  # far above the harness's own bounds
CLOSE_SECONDS = 30.0
OURS = ("PSN_", "CHAOS_", "DJANGO_")  # what a lane is not to know of its surroundings
KEPT = ("PSN_PG_OS_USER",)


@dataclass(frozen=True, slots=True)
class Result:
    """How a history ended.

    Args:
        excuse: why it proves nothing although something broke; empty for most.
    """

    seed: int
    platform: str
    witness: str
    violations: tuple[str, ...]
    excuse: str
    seconds: float
    tally: Tally

    @property
    def broke(self) -> bool:
        return bool(self.violations) and not self.excuse

    def __str__(self) -> str:
        found = "\n  ".join(self.violations)
        replay = f".venv/bin/python -m benchmarks.chaos --seed {self.seed} --platform {self.platform}"
        return f"seed {self.seed} ({self.platform}, witness {self.witness}):\n  {found}\n  replay: {replay}"


@dataclass
class _Orders:
    """What the lanes still have to do."""

    seeds: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __iter__(self) -> Iterator[int]:
        while not self.stopped.is_set():
            try:
                yield self.seeds.get_nowait()
            except queue.Empty:
                return


def run_histories(
    seeds: Iterable[int],
    *,
    lanes: int,
    platform: str = "",
    witness: str = "",
    broken: str = "",
    keep: Path | None = None,
    until: Callable[[Result], bool] = lambda _result: False,
    tell: Callable[[Result], object] = lambda _result: None,
) -> list[Result]:
    """Run a history for every seed and give their results, in the order they ended.

    Args:
        platform: one for all histories; as the seeds say when left out.
        witness: `own` or `none`; as the seed says when left out.
        broken: which breakage the workers carry.
        keep: where histories that broke a law are kept, with the workers' logs.
        until: ends the run early.
        tell: called with every result.

    Raises:
        RuntimeError: a lane could not be set up, or a history did not come to an end.
    """
    orders, results, lock = _Orders(), list[Result](), threading.Lock()
    failures: list[Exception] = []
    for seed in sorted(seeds, key=lambda one: (make_plan(one).witness == "none", one)):
        orders.seeds.put(seed)

    def take(result: Result) -> None:
        with lock:
            results.append(result)
            tell(result)
            if until(result):
                orders.stopped.set()

    def work(folder: Path) -> None:
        try:
            with _lane(folder) as lane:
                for seed in orders:
                    order: dict[str, object] = {
                        "seed": seed,
                        "platform": platform,
                        "witness": witness,
                        "broken": broken,
                    }
                    order["keep"] = str(keep or "")
                    take(_ask(lane, order, seconds=HISTORY_SECONDS + (0 if results else SET_UP_SECONDS)))
        except Exception as error:
            orders.stopped.set()
            failures.append(error)

    with _folders(lanes) as folders:
        threads = [threading.Thread(target=work, args=(folder,)) for folder in folders]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            orders.stopped.set()
    if failures:
        raise failures[0]
    return results


def sum_up(results: Sequence[Result]) -> Tally:
    """Count all results together."""
    whole = Tally()
    for result in results:
        whole.add(result.tally)
    return whole


@contextmanager
def _folders(lanes: int) -> Iterator[list[Path]]:
    """Make a folder for every lane; in the end, end every process in them and remove them."""
    base = Path(tempfile.mkdtemp(prefix="psn-chaos-"))
    base.chmod(0o711)  # as root, the server's own OS user must get through
    try:
        folders = [base / f"lane{number}" for number in range(lanes)]
        for folder in folders:
            (folder / "workspace").mkdir(parents=True)
            folder.chmod(0o711)
        yield folders
    finally:
        end_all_of(base)
        shutil.rmtree(base, ignore_errors=True)


@contextmanager
def _lane(folder: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **{name: value for name, value in os.environ.items() if name in KEPT or not name.startswith(OURS)},
        "PSN_WORKSPACE": str(folder / "workspace"),
        "PSN_HOME": str(folder / "home"),
        "PSN_NO_BOOTSTRAP": "1",
        "DJANGO_SETTINGS_MODULE": "psn.settings",
        "CHAOS_STRETCH": str(pace.choose_stretch()),
    }
    with (folder / "log").open("wb") as log:
        lane = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos", str(folder)],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, process_group=0,
        )  # fmt: skip
    assert lane.stdin is not None
    assert lane.stdout is not None
    try:
        yield lane
    finally:
        try:
            lane.stdin.close()
            lane.wait(CLOSE_SECONDS)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            lane.kill()
            lane.wait()
        lane.stdout.close()


def _ask(lane: subprocess.Popen[str], order: dict[str, object], *, seconds: float) -> Result:
    """Have a lane run one history; a lane that does not answer in time is killed."""
    assert lane.stdin is not None
    assert lane.stdout is not None
    guard = threading.Timer(seconds, lane.send_signal, (signal.SIGKILL,))
    guard.start()
    try:
        lane.stdin.write(json.dumps(order) + "\n")
        lane.stdin.flush()
        answer = lane.stdout.readline()
    except BrokenPipeError:
        answer = ""
    finally:
        guard.cancel()
    if not answer:
        log = Path(str(lane.args[-1])) / "log"  # type: ignore[index]  # a list, as we gave it
        raise RuntimeError(f"the lane ended, or did not answer, at {order}:\n{log.read_text()[-3000:]}")
    document = json.loads(answer)
    tally = Tally(Counter(document.pop("counts")), document.pop("recoveries"))
    return Result(**{**document, "violations": tuple(document["violations"])}, tally=tally)
