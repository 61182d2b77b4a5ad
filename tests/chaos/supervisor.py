"""The supervisor of a history: `python -m tests.chaos.supervisor FOLDER NAME`. The product's own, over workers with gates."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import django

from psn.config.workspace import ROOT
from psn.daemons import Daemon
from tests.chaos import pace
from tests.chaos.processes import end_with_parent


def main() -> int:
    """Keep a cluster alive until told to stop, or until the lane is gone."""
    folder, name = Path(sys.argv[1]), sys.argv[2]
    end_with_parent()
    django.setup()
    from hub.queue import supervisor  # after setup

    def spawn(beat_file: Path) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PSN_WORKER": f"{name}:{uuid.uuid4().hex[:8]}",
            "PSN_BEAT_FILE": str(beat_file),
            "PSN_PARENT_PID": str(os.getpid()),
        }
        command = [sys.executable, "-m", "tests.chaos.worker"]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, process_group=0)

    supervisor.spawn_cluster = spawn
    supervisor.DEAF_SECONDS = pace.DEAF_SECONDS
    supervisor.BACKOFF_SECONDS = (0.0,) * 6  # many crashes in a row are what this is about
    supervisor.Supervisor(Daemon(name=name, folder=folder, argv=[], cwd=ROOT)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
