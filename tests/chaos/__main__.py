"""A lane as a process: `python -m tests.chaos FOLDER`; `tests.chaos.runner` starts it.

It reads orders from stdin, a JSON line each (`seed`, `platform`, `witness`, `broken`, `keep`), and writes a JSON line for each
history. When stdin ends it takes everything down.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from tests.chaos.processes import end_with_parent

if TYPE_CHECKING:
    from tests.chaos.lane import Lane


def main() -> int:
    """Run histories until stdin ends."""
    folder = Path(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    end_with_parent(signal.SIGTERM)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what anybody prints is no answer
    django.setup()
    from tests.chaos.lane import make_lane  # after setup

    lane = make_lane(folder)
    try:
        for line in sys.stdin:
            answers.write(json.dumps(_run(lane, **json.loads(line))) + "\n")
            answers.flush()
    finally:
        lane.close()
    return 0


def _run(lane: Lane, *, seed: int, platform: str, witness: str, broken: str, keep: str) -> dict[str, Any]:
    """Run one history; give what broke, and what it was made of."""
    from tests.chaos import checker, tally
    from tests.chaos.history import run_history
    from tests.chaos.plan import make_plan

    began = time.monotonic()
    plan = make_plan(seed, platform=platform)
    history = run_history(lane, plan, witness=witness or plan.witness, broken=broken)
    violations = checker.check(history)
    excuse = checker.find_excuse(history) if violations else ""
    counted = tally.count(history)
    counted.counts["void"] = int(bool(excuse))
    counted.counts[f"at {plan.platform}"] += 1
    counted.counts["without a witness"] = int(history.witness == "none")
    if not excuse:
        counted.counts.update(f"law {violation.law}" for violation in violations)
    if violations and keep:
        place = Path(keep) / f"seed-{seed}"
        place.mkdir(parents=True, exist_ok=True)
        document = {
            "violations": [str(one) for one in violations],
            "excuse": excuse,
            "plan": asdict(plan),
            "history": asdict(history),
        }
        (place / "history.json").write_text(json.dumps(document, indent=1))
        for worker in lane.workers:
            shutil.copyfile(worker.folder / "log", place / f"{worker.name}.log")
    return {
        "seed": seed,
        "platform": plan.platform,
        "witness": history.witness,
        "violations": [str(violation) for violation in violations],
        "excuse": excuse,
        "seconds": round(time.monotonic() - began, 2),
        "counts": counted.counts,
        "recoveries": counted.recoveries,
    }


if __name__ == "__main__":
    sys.exit(main())
