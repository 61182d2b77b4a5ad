"""Everything that can go wrong, and what the engine makes of it: `.venv/bin/python -m benchmarks.chaos --seeds 1000 --lanes 3`.

    duplicates                  0, at every platform and by its own witness
    losses                      0: whatever was due ended, with a reason
    recovery after kill -9      from the kill to the next entry about the post it hit; with three lanes on two busy cores
                                p50 2.2 s, p99 7.3 s (X alone, measured 2026-11-20)
    against engines that are broken on purpose (`--breakages --seeds 150`): each is found out, most by the second history

A history makes posts, races its worker with commands, and strikes: kills, pauses, cut connections, a platform that lies. Then its
record is checked (`tests/chaos/checker.py`). Exit code 1 on any violation; `--seed N --platform P` repeats one history.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.breakages import NAMES
from tests.chaos.runner import Result, run_histories, sum_up
from tests.chaos.tally import render
from tests.chaos.vendors import NAMES as PLATFORMS

EVERY = 25  # histories from one line of progress to the next
ENOUGH = 12  # histories that broke a law: then the engine does not work at all


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for and give the exit code."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left then either
    if options.breakages:
        return _try_breakages(options)
    seeds = [options.seed] if options.seed is not None else range(options.start, options.start + options.seeds)
    return _run(seeds, options)


def _run(seeds: Sequence[int], options: argparse.Namespace) -> int:
    keep = Path(tempfile.mkdtemp(prefix="psn-chaos-kept-"))
    began = time.monotonic()
    results: list[Result] = []

    def tell(result: Result) -> None:
        results.append(result)
        if result.violations:
            print(f"{result}\n  kept: {keep}/seed-{result.seed}\n  void: {result.excuse or 'no'}", flush=True)
        if len(results) % EVERY == 0:
            print(f"{len(results)} of {len(seeds)} histories, {time.monotonic() - began:.0f} s", flush=True)

    try:
        run_histories(
            seeds, lanes=options.lanes, platform=options.platform, witness=options.witness, broken=options.broken, keep=keep, tell=tell,
            until=lambda _result: sum(result.broke for result in results) >= ENOUGH,
        )  # fmt: skip
    finally:  # also of a run that was stopped, or whose harness broke
        print(render(sum_up(results), seconds=time.monotonic() - began), flush=True)
        if not any(result.violations for result in results):
            keep.rmdir()
    return int(any(result.broke for result in results))


def _try_breakages(options: argparse.Namespace) -> int:
    """Run every broken engine until it is found out."""
    missed = 0
    for name, platform in NAMES.items():
        results = run_histories(
            range(options.start, options.start + options.seeds),
            lanes=options.lanes,
            platform=options.platform or platform,
            witness=options.witness,
            broken=name,
            until=lambda result: result.broke,
        )
        caught = next((result for result in results if result.broke), None)
        missed += caught is None
        print(
            f"{name}: " + (f"found out after {len(results)} histories, {caught}" if caught else "NOT found out"),
            flush=True,
        )
    return int(missed > 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many histories")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="one history alone")
    parser.add_argument("--lanes", type=int, default=2, help="side by side")
    parser.add_argument("--witness", choices=("own", "none"), default="", help="as the seed says when left out")
    parser.add_argument("--platform", choices=PLATFORMS, default="", help="as the seed says when left out")
    parser.add_argument("--broken", choices=tuple(NAMES), default="", help="run a broken engine")
    parser.add_argument("--breakages", action="store_true", help="run every broken engine until it is found out")
    return parser


if __name__ == "__main__":
    sys.exit(main())
