"""What a command costs before it does anything: `.venv/bin/python -m benchmarks.startup`, in a workspace that is set up.

a process of `psn_post list` against one of Django's own `check`     at most 1.25x
the bootstrap when there is nothing to do                            under 10 ms
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from statistics import median

from benchmarks.timing import PYTHON, ROOT, run_pairs

RUNS = 15
_BOOTSTRAP = """
import sys, time
sys.path.insert(0, {root!r})
started = time.perf_counter()
from psn.bootstrap import ensure_environment
ensure_environment(["manage.py"])
print(time.perf_counter() - started)
"""


def main() -> None:
    """Print the ratios."""
    pairs = run_pairs([PYTHON, "manage.py", "psn_post", "list"], [PYTHON, "manage.py", "check"], runs=RUNS)
    ratio, ours = median(a / b for a, b in pairs), median(a for a, _ in pairs)
    print(f"psn_post list / manage.py check: {ratio:.2f}x ({ours * 1000:.0f} ms; at most 1.25x)")
    print(f"bootstrap with nothing to do, inside .venv: {median(_bootstrap_seconds()) * 1000:.1f} ms (under 10)")
    system = str(Path(PYTHON).resolve())
    idle = ["manage.py", "psn_setup", "--help"]
    pairs = run_pairs([system, *idle], [PYTHON, *idle], runs=RUNS, environment={"PSN_NO_BOOTSTRAP": ""})
    added = median(a - b for a, b in pairs)
    print(f"bootstrap with nothing to do, from the system's python: {added * 1000:.1f} ms (under 10)")


def _bootstrap_seconds() -> list[float]:
    """Time the bootstrap alone, each time in a process of its own."""
    script = _BOOTSTRAP.format(root=str(ROOT))
    command = [PYTHON, "-c", script]
    runs = [subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True) for _ in range(RUNS)]
    return [float(run.stdout) for run in runs]


if __name__ == "__main__":
    main()
