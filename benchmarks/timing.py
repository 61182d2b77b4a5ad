"""Times whole processes in pairs, A B A B, so that a drift of the machine hits both."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable


def run_seconds(command: Sequence[str], *, environment: dict[str, str] | None = None) -> float:
    """Run one process to its end and give its wall time in seconds; a process that fails ends the benchmark."""
    started = time.perf_counter()
    subprocess.run(
        list(command),
        cwd=ROOT,
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    return time.perf_counter() - started


def pair_ratio(
    ours: Sequence[str], theirs: Sequence[str], *, runs: int, environment: dict[str, str] | None = None
) -> tuple[float, float, float]:
    """Run two commands in turn; give the median seconds of each and the median of the ratios, pair by pair."""
    pairs = []
    for number in range(runs + 1):
        pair = (run_seconds(ours, environment=environment), run_seconds(theirs, environment=environment))
        if number:  # the first pair warms the caches
            pairs.append(pair)
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )
