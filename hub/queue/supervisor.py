"""The worker's parent: one per computer and hub. It starts the cluster, starts it again when it dies, and drains it when told to stop."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
import uuid
from types import FrameType

from django.conf import settings

from hub.queue.cluster import worker_name
from psn.config.hub import HubConfig
from psn.daemons import Daemon, hold_lock

log = logging.getLogger(__name__)

DRAIN_SECONDS = 60.0  # how long a stop waits for posts that are going out
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 15.0)
STEADY_SECONDS = 60.0  # a cluster that lived this long starts again without waiting


def worker_daemon(hub: HubConfig) -> Daemon:
    """Describe the hub's worker on this computer."""
    return Daemon(
        name="worker",
        folder=hub.home / "worker",
        argv=[sys.executable, str(settings.BASE_DIR / "manage.py"), "psn_worker", "run"],
        cwd=settings.BASE_DIR,
        environment={
            "PSN_LOGIN": "worker",
            "PSN_NO_BOOTSTRAP": "1",
            "PSN_LOG_LEVEL": os.environ.get("PSN_LOG_LEVEL", "INFO"),
        },
    )


class Supervisor:
    """Keeps one cluster alive until it is told to stop."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._cluster: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; give how often the cluster had to be started again.

        Raises:
            Conflict: a worker of this hub runs on this computer already.
        """
        lock = hold_lock(self._daemon.lock_path)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        restarts, failures = 0, 0
        while not self._told_to_stop():
            started = time.monotonic()
            self._cluster = _spawn_cluster()
            self._cluster.wait()
            if self._told_to_stop():
                break
            failures = 0 if time.monotonic() - started > STEADY_SECONDS else failures + 1
            restarts += 1
            log.warning("the cluster ended with %s; starting it again", self._cluster.returncode)
            self._pause(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1] if failures else 0.0)
        lock.close()
        return restarts

    def _told_to_stop(self) -> bool:
        return self._stopping

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Let what is going out finish, then end."""
        self._stopping = True
        if self._cluster is not None and self._cluster.poll() is None:
            self._cluster.terminate()
            signal.signal(signal.SIGALRM, self._kill)
            signal.setitimer(signal.ITIMER_REAL, DRAIN_SECONDS)

    def _kill(self, number: int, frame: FrameType | None) -> None:
        if self._cluster is not None and self._cluster.poll() is None:
            self._cluster.kill()

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            time.sleep(0.05)


def _spawn_cluster() -> subprocess.Popen[bytes]:
    """Start a cluster under a new incarnation, so that what its predecessor left is known to be orphaned."""
    environment = {
        **os.environ,
        "PSN_WORKER": f"{worker_name()}:{uuid.uuid4().hex[:8]}",
        "DJANGO_SETTINGS_MODULE": "psn.settings",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "hub.queue.cluster"], cwd=settings.BASE_DIR, env=environment, stdin=subprocess.DEVNULL
    )
