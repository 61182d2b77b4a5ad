"""What a command costs before it does anything: `.venv/bin/python -m benchmarks.startup`, in a workspace that is set up.

a process of `psn_post list` against one of Django's own `check`     at most 1.25x
the bootstrap when there is nothing to do                            under 10 ms
"""

from __future__ import annotations

import statistics
import subprocess
from pathlib import Path

from benchmarks.timing import PYTHON, ROOT, pair_ratio

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
    ours, theirs, ratio = pair_ratio(
        [PYTHON, "manage.py", "psn_post", "list"], [PYTHON, "manage.py", "check"], runs=RUNS
    )
    print(
        f"psn_post list / manage.py check: {ratio:.2f}x ({ours * 1000:.0f} ms against {theirs * 1000:.0f} ms; at most 1.25x)"
    )
    script = _BOOTSTRAP.format(root=str(ROOT))
    spent = []
    for _ in range(RUNS):
        done = subprocess.run([PYTHON, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
        spent.append(float(done.stdout))
    print(f"bootstrap with nothing to do, inside .venv: {statistics.median(spent) * 1000:.1f} ms (under 10)")
    system = str(Path(PYTHON).resolve())
    ours, theirs, _ = pair_ratio(
        [system, "manage.py", "psn_setup", "--help"],
        [PYTHON, "manage.py", "psn_setup", "--help"],
        runs=RUNS,
        environment={"PSN_NO_BOOTSTRAP": ""},
    )
    print(f"bootstrap with nothing to do, from the system's python: {(ours - theirs) * 1000:.1f} ms (under 10)")


if __name__ == "__main__":
    main()
