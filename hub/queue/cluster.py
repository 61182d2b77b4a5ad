"""The django-q2 cluster of a hub, as a process of its own: `python -m hub.queue.cluster`.

Every process of the cluster ends with its parent, so a killed supervisor leaves no orphans behind.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import socket
import sys
from typing import Any

import django
from django.db import connections

from psn.platforms.registry import get_platform, platform_names

BEAT_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> int:
    """Run until told to stop; give 1 when the cluster died by itself."""
    _end_with_parent()
    os.register_at_fork(after_in_child=_end_with_parent)
    django.setup()
    from django_q.cluster import Cluster  # after setup: its models need the app registry

    _warm_up()
    _take_over()
    cluster = Cluster()
    stopping: list[int] = []
    cluster.start()
    stop = signal.getsignal(signal.SIGTERM)

    def remember_and_stop(number: int, frame: Any) -> None:
        stopping.append(number)
        if callable(stop):
            stop(number, frame)

    signal.signal(signal.SIGTERM, remember_and_stop)
    signal.signal(signal.SIGINT, remember_and_stop)
    _beat_while_alive(cluster)
    return 0 if stopping else 1


def worker_name() -> str:
    """Name this computer's worker; one per computer and hub."""
    return f"psn@{socket.gethostname()}"


def _warm_up() -> None:
    """Import what publishing needs before the workers are forked; else the first post of each would wait half a second."""
    importlib.import_module("hub.tasks")  # by name, as queue rows do

    for name in platform_names():
        get_platform(name).connect("https://localhost", "warm-up").close()


def _take_over() -> None:
    """See to what a killed predecessor left, before the workers are forked; they must not inherit this connection."""
    importlib.import_module("hub.publishing.recovery").take_over(worker=os.environ["PSN_WORKER"])
    connections.close_all()


def _beat_while_alive(cluster: Any) -> None:
    from hub.queue.heartbeat import beat, forget

    while cluster.sentinel is not None and cluster.sentinel.is_alive():
        beat()
        cluster.sentinel.join(BEAT_SECONDS)
    forget()


def _end_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends (Linux); elsewhere the process group does it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
