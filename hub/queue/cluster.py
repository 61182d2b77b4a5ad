"""The django-q2 cluster of a hub, made crash-only.

Any process of it that dies by a signal takes the whole cluster with it, and the supervisor starts a new one. django-q2 alone would
put a new process in the dead one's place, which may wait for ever for a lock that the dead one held; or, when its sentinel dies,
leave orphans that work on unwatched. Every process ends with its parent.
"""

from __future__ import annotations

import ctypes
import importlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from hub.queue import heartbeat
from psn.platforms.registry import get_platform, platform_names

log = logging.getLogger(__name__)

CRASHED = 70
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LOOK_SECONDS = 1.0

Loop = Callable[[threading.Event], None]
_stopping = multiprocessing.RawValue("b", 0)  # seen by all processes; without a lock, which a killed one could keep


def run_cluster(loop: Loop) -> int:
    """Run until told to stop; give 0 then, and `CRASHED` when the cluster died by itself.

    Args:
        loop: what this process does beside; ends when its event is set.
    """
    _end_with_parent(int(os.environ.get("PSN_PARENT_PID", 0)) or os.getppid())
    _end_children_with_this_one()
    _warm_up()
    heartbeat.started_at()
    os.environ["PSN_CLUSTER_PID"] = str(os.getpid())
    cluster, stopping = _make_cluster(), threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        _stopping.value = 1
        stopping.set()
        cluster.sig_handler(number, frame)

    cluster.start()  # forks: nothing may have opened a connection or a thread before it
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    beside = threading.Thread(target=loop, args=(stopping,), name="loop", daemon=True)
    beside.start()
    while cluster.sentinel.is_alive():
        cluster.sentinel.join(_LOOK_SECONDS)
    told_early = cluster.stop_event is None  # while it started, by django-q2's own handler
    if not (stopping.is_set() or told_early):
        return CRASHED
    beside.join(_LOOK_SECONDS)
    heartbeat.forget()
    return 0


def is_stopping() -> bool:
    """Whether this cluster was told to stop: what is going out is finished, and nothing is begun."""
    return bool(_stopping.value)


def _make_cluster() -> Any:
    """Make django-q2's cluster with a sentinel of ours."""
    from django_q import cluster as q  # here: its models need the app registry

    class CrashOnly(q.Sentinel):  # type: ignore[misc]  # the library has no types
        """Watches the children; one that dies by a signal ends them all."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            signal.signal(signal.SIGCHLD, self._look)
            os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGCHLD, signal.SIG_DFL))
            super().__init__(*args, **kwargs)

        def _look(self, number: int, frame: FrameType | None) -> None:
            children = [child for child in (*self.pool, self.monitor, self.pusher) if child is not None]
            dead = next((child for child in children if child.exitcode is not None and child.exitcode < 0), None)
            if dead is None:
                return
            log.critical("process %s died by signal %s: ending the cluster", dead.pid, -dead.exitcode)
            for child in children:
                child.kill()
            os._exit(CRASHED)

    q.Sentinel = CrashOnly
    return q.Cluster()


def _warm_up() -> None:
    """Import what publishing needs before the workers are forked; else the first post of each would wait half a second."""
    importlib.import_module("hub.tasks")  # by name, as queue rows do
    for name in platform_names():
        get_platform(name).connect("https://localhost", "warm-up").close()


def _end_children_with_this_one() -> None:
    parent: list[int] = []

    def remember() -> None:
        parent[:] = [os.getpid()]

    os.register_at_fork(before=remember, after_in_child=lambda: _end_with_parent(parent[0]))


def _end_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends (Linux); elsewhere the process group does it."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os._exit(CRASHED)
