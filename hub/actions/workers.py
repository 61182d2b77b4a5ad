"""The worker of this computer: start, stop, look."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from hub.actions import health, hubs
from hub.queue.broker import BEAT_SECONDS
from hub.queue.heartbeat import FRESH, living_workers
from hub.queue.supervisor import Supervisor, worker_daemon
from psn import __version__
from psn.config.hub import HubConfig
from psn.daemons import Daemon
from psn.errors import Conflict, NotReady

STOP_SECONDS = 90.0  # more than the supervisor gives to the posts that are going out
POLL_SECONDS = 0.2


def start_worker(hub: HubConfig) -> dict[str, Any]:
    """Start the worker and wait for its sign of life. One that runs and has been silent for a minute is started anew.

    Raises:
        NotReady: it did not come up; the message carries the end of its log.
    """
    daemon = worker_daemon(hub)
    if _is_silent(daemon):
        daemon.stop(seconds=STOP_SECONDS)
    started = daemon.start(is_ready=lambda: bool(living_workers()) and daemon.is_running(), seconds=60.0)
    return {"started": started, "pid": daemon.pid(), "log": str(daemon.log_path)}


def stop_worker(hub: HubConfig) -> bool:
    """Let the worker finish what is going out, then stop it. False when it was not running."""
    return worker_daemon(hub).stop(seconds=STOP_SECONDS)


def run_worker(hub: HubConfig) -> int:
    """Be the worker until told to stop; give how often its cluster had to be started again.

    Raises:
        Conflict: this computer has a worker of this hub already.
    """
    daemon = worker_daemon(hub)
    if daemon.is_running():
        raise Conflict(
            "A worker of this hub runs on this computer already.",
            code="worker.running",
            next_command="psn_worker status",
        )
    return Supervisor(daemon).run()


def worker_is_well(hub: HubConfig) -> bool:
    """Whether a worker runs on this computer and has given a sign of life."""
    return worker_daemon(hub).is_running() and bool(living_workers())


def worker_status(hub: HubConfig, *, now: datetime) -> dict[str, Any]:
    """Tell whether a worker lives, how the engine does, and what waits for it.

    Returns:
        `state`: `running` (here), `elsewhere` (on another computer), `deaf` (a worker runs here and has given no sign of life for a
        minute), `down`. The rest is described in `hub.actions.health`.
    """
    daemon = worker_daemon(hub)
    return {
        "state": _state(daemon),
        "pid": daemon.pid(),
        "log": str(daemon.log_path),
        "workers": health.describe_workers(now=now),
        **health.describe_posts(now=now),
        "queue": health.describe_queue(),
        "lateness_ms": health.describe_lateness(),
        "unseen_notices": health.describe_notices(),
    }


def check_worker() -> None:
    """Refuse when nobody would publish.

    Raises:
        NotReady: no worker has given a sign of life for a minute.
    """
    if not living_workers():
        raise NotReady("No worker lives, so nothing goes out.", code="worker.down", next_command="psn_worker start")


def _is_silent(daemon: Daemon) -> bool:
    """Whether a worker runs here that has had a minute for a sign of life, and a beat more, and gave none.

    A beat more, because a computer that just woke up has old signs of life and a worker that is well.
    """
    give_up = time.monotonic() + BEAT_SECONDS + 5
    while daemon.is_running() and not living_workers():
        try:
            began = daemon.lock_path.stat().st_mtime  # it wrote its pid there when it began
        except FileNotFoundError:
            return False
        if time.time() - began < FRESH.total_seconds():
            return False
        if time.monotonic() > give_up:
            return True
        time.sleep(POLL_SECONDS)
    return False


def _state(daemon: Daemon) -> str:
    lives, runs = living_workers().exists(), daemon.is_running()
    if lives:
        return "running" if runs else "elsewhere"
    return "deaf" if runs else "down"


def stop_with_hub(hub: HubConfig) -> bool:
    """Stop the worker, then the hub's server; a worker without a hub would only start it again."""
    stop_worker(hub)
    return hubs.stop_hub(hub)


def worker_is_current() -> bool:
    """Whether every living worker runs this PSN's version; true when none lives."""
    return all(worker.version == __version__ for worker in living_workers())
