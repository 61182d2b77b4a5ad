"""From nothing to a published post, with the packages installed: `.venv/bin/python -m benchmarks.set_up`.

    psn_setup in a new workspace, to the published proof      under 15 s; two of them are the post's own waiting time
    the same again, when all is well                          under 3 s
    the proof post, behind its time                           under 1 s
    against what Postgres's own initdb and pg_ctl take for an empty server in the same run

Makes a workspace and a hub in a temporary directory, and stops and removes everything it started.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.timing import PYTHON, ROOT, run_seconds
from psn.providers.local import LocalServer, choose_socket_dir

RUNS = 3


def main() -> None:
    """Print medians and the ratio."""
    rows = [measure() for _ in range(RUNS)]
    first, again, late, bare = (statistics.median(column) for column in zip(*rows, strict=True))
    print(
        f"set-up to the published proof: {first:.1f} s (under 15), {first / bare:.1f}x an empty Postgres server ({bare:.2f} s)"
    )
    print(f"set-up again, all well: {again:.2f} s (under 3), {again / first:.2f}x of the first")
    print(f"the proof post, behind its time: {late:.0f} ms (under 1000)")


def measure() -> tuple[float, float, float, float]:
    """Set up once in a new place; give seconds, seconds again, lateness in ms, and the seconds of a bare server."""
    folder = Path(tempfile.mkdtemp(prefix="psn-bench-"))
    if os.geteuid() == 0:
        folder.chmod(0o711)  # the server's own OS user must get through
    environment = {"PSN_WORKSPACE": str(folder / "workspace"), "PSN_HOME": str(folder / "home")}
    (folder / "workspace").mkdir()
    try:
        started = time.perf_counter()
        done = subprocess.run(
            [PYTHON, "manage.py", "psn_setup"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )
        first = time.perf_counter() - started
        late = json.loads(done.stdout.splitlines()[-1])["data"]["proof"]["lateness_ms"]
        again = run_seconds([PYTHON, "manage.py", "psn_setup"], environment=environment)
        return first, again, float(late), bare_server_seconds(folder / "bare" / "pg")
    finally:
        for command in ("psn_worker", "psn_sandbox", "psn_hub"):
            subprocess.run(
                [PYTHON, "manage.py", command, "stop"],
                cwd=ROOT,
                check=False,
                capture_output=True,
                env={**os.environ, **environment},
            )
        shutil.rmtree(folder, ignore_errors=True)


def bare_server_seconds(data: Path) -> float:
    """Give the seconds that initdb and the first start of an empty server take."""
    server = LocalServer(data=data, socket_dir=choose_socket_dir(data))
    started = time.perf_counter()
    server.ensure_running()
    seconds = time.perf_counter() - started
    server.stop("immediate")
    return seconds


if __name__ == "__main__":
    main()
