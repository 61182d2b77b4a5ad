"""The worker's parent: one per computer and hub. It starts the cluster, starts it again when it is dead or deaf, and drains it when
told to stop.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.db import connections

from hub.queue.heartbeat import FRESH, UNREACHABLE
from hub.rls.identity import acting_for_nobody
from psn.config.hub import HubConfig
from psn.daemons import Daemon, hold_lock

log = logging.getLogger(__name__)

DRAIN_SECONDS = 60.0  # how long a stop waits for posts that are going out
DEAF_SECONDS = FRESH.total_seconds()  # without a beat that went through the queue
BACKOFF_SECONDS = (
    0.0,
    0.5,
    1.0,
    2.0,
    5.0,
    15.0,
)  # the first crash is most likely an accident: a kill, the kernel short of memory
STEADY_SECONDS = 60.0  # a cluster that lived this long starts again without waiting
LOOK_SECONDS = 1.0


def worker_daemon(hub: HubConfig) -> Daemon:
    """Describe the hub's worker on this computer."""
    return Daemon(
        name="worker",
        folder=hub.home / "worker",
        argv=[sys.executable, str(settings.BASE_DIR / "manage.py"), "psn_worker", "run"],
        cwd=settings.BASE_DIR,
        environment={
            "PSN_LOGIN": "worker",
            "PSN_HUB": hub.slug,
            "PSN_NO_BOOTSTRAP": "1",
            "PSN_LOG_LEVEL": os.environ.get("PSN_LOG_LEVEL", "INFO"),
        },
    )


class Supervisor:
    """Keeps one cluster alive and listening until it is told to stop."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._beat_file = daemon.folder / "beat"
        self._cluster: subprocess.Popen[bytes] | None = None
        self._stop_by: float | None = None
        self._waker, self._woken = socket.socketpair()

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; give how often the cluster had to be started again.

        Raises:
            Conflict: a worker of this hub runs on this computer already.
        """
        lock = hold_lock(self._daemon.lock_path)
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes the loop
        restarts, failures = 0, 0
        while not self._told_to_stop():
            started = time.monotonic()
            self._cluster = spawn_cluster(self._beat_file)
            self._watch(self._cluster)
            if self._told_to_stop():
                break
            failures = 0 if time.monotonic() - started > STEADY_SECONDS else failures + 1
            restarts += 1
            log.warning("the cluster ended with %s; starting it again", self._cluster.returncode)
            self._pause(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)] if failures > 1 else 0.0)
        lock.close()
        return restarts

    def _told_to_stop(self) -> bool:
        return self._stop_by is not None

    def _watch(self, cluster: subprocess.Popen[bytes]) -> None:
        """Wait until the cluster has ended; end one that is deaf, and one that does not drain in time."""
        beat, heard = _last_beat(self._beat_file), time.monotonic()
        while cluster.poll() is None:
            self._sleep(LOOK_SECONDS)
            latest = _last_beat(self._beat_file)
            if latest != beat:
                beat, heard = latest, time.monotonic()
            if self._stop_by is not None:
                if time.monotonic() > self._stop_by:
                    _kill(cluster)
            elif time.monotonic() - heard > DEAF_SECONDS:
                if _hub_answers():
                    log.error("no bell went through the queue for %.0f s: ending the cluster", DEAF_SECONDS)
                    _kill(cluster)
                heard = time.monotonic()  # a hub that is away is no fault of the cluster
        _kill(cluster)  # whatever of its group is left

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Let what is going out finish, then end."""
        self._stop_by = self._stop_by or time.monotonic() + DRAIN_SECONDS
        if self._cluster is not None and self._cluster.poll() is None:
            self._cluster.terminate()

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._told_to_stop() and time.monotonic() < until:
            self._sleep(until - time.monotonic())

    def _sleep(self, seconds: float) -> None:
        """Wait, but no longer than until the next signal."""
        select.select([self._woken], [], [], max(seconds, 0.0))
        with suppress(BlockingIOError):
            self._woken.recv(4096)


def spawn_cluster(beat_file: Path) -> subprocess.Popen[bytes]:
    """Start a cluster in a process group of its own, under a new incarnation: what its predecessor left is known to be orphaned."""
    environment = {
        **os.environ,
        "PSN_WORKER": f"{worker_name(beat_file.parent)}:{uuid.uuid4().hex[:8]}",
        "PSN_BEAT_FILE": str(beat_file),
        "PSN_PARENT_PID": str(os.getpid()),
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "psn.settings"),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "hub.worker"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        process_group=0,
    )


def worker_name(folder: Path) -> str:
    """Name this computer's worker: the same at every start, and no other computer's, though it be called alike.

    A worker takes over at once what an earlier one of its name held, so two that live must never share one.
    """
    file = folder / "name"
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_text(f"psn@{socket.gethostname().replace(':', '-')}-{uuid.uuid4().hex[:4]}\n")
        os.replace(fresh, file)
        return file.read_text().strip()


def _last_beat(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _hub_answers() -> bool:
    try:
        with acting_for_nobody(), connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
    except UNREACHABLE:
        return False
    finally:
        connections.close_all()
    return True


def _kill(cluster: subprocess.Popen[bytes]) -> None:
    """End the cluster's whole group."""
    with suppress(ProcessLookupError):
        os.killpg(cluster.pid, signal.SIGKILL)
