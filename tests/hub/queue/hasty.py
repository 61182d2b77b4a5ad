"""The worker with little patience, for tests that wait for it: `python -m tests.hub.queue.hasty cluster|supervisor [FOLDER]`.

Signs of life every half second, deaf after eight, looks at the platform after three and six seconds. All else is the product's.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

from psn.config.workspace import ROOT
from psn.daemons import Daemon

BEAT_SECONDS = 0.5
DEAF_SECONDS = 8.0
LOOKS = (timedelta(seconds=3), timedelta(seconds=6))


def main(role: str, *folder: str) -> int:
    """Be the cluster, or the supervisor of such clusters."""
    django.setup()
    return be_cluster() if role == "cluster" else be_supervisor(Path(folder[0]))


def be_cluster() -> int:
    """Do what `python -m hub.worker` does."""
    from hub import worker  # after setup, like everything that knows a model
    from hub.queue import broker
    from psn.platforms import x

    broker.BEAT_SECONDS = BEAT_SECONDS
    x.PLATFORM = replace(x.PLATFORM, witness=replace(x.WITNESS, looks=LOOKS))
    return worker.main()


def be_supervisor(folder: Path) -> int:
    """Do what `psn_worker run` does, with clusters of this kind."""
    from hub.queue import supervisor

    class Hasty(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], **options: Any) -> None:
            assert command[1:] == ["-m", "hub.worker"], command
            super().__init__([*command[:2], "tests.hub.queue.hasty", "cluster"], **options)

    subprocess.Popen = Hasty  # type: ignore[misc,assignment]
    supervisor.DEAF_SECONDS = DEAF_SECONDS
    supervisor.Supervisor(Daemon(name="worker", folder=folder, argv=[], cwd=ROOT)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
