"""The worker's own process: `python -m hub.worker`. Its cluster runs the tasks; its loop looks for what is stuck."""

from __future__ import annotations

import sys
import threading

import django


def main() -> int:
    """Run until told to stop; the exit code says whether it was."""
    django.setup()
    from hub.publishing import sweep  # after setup: its models need the app registry
    from hub.queue.cluster import run_cluster

    def loop(stopping: threading.Event) -> None:
        sweep.sweep_until(stopping)

    return run_cluster(loop)


if __name__ == "__main__":
    sys.exit(main())
