"""Times whole processes in pairs, A B A B, so that a drift of the machine hits both."""

from __future__ import annotations

import os
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


def run_pairs(
    ours: Sequence[str], theirs: Sequence[str], *, runs: int, environment: dict[str, str] | None = None
) -> list[tuple[float, float]]:
    """Run two commands in turn and give the seconds of each pair; one pair before them warms the caches and is dropped."""
    pairs = [
        (run_seconds(ours, environment=environment), run_seconds(theirs, environment=environment))
        for _ in range(runs + 1)
    ]
    return pairs[1:]
