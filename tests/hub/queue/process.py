"""The worker's own processes, on the test hub."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings
from django.db import connections

from hub.models import WorkerHeartbeat
from psn.config.hub import get_hub_config, write_hub_config
from psn.config.workspace import ROOT, Workspace
from tests.factories import OWNER

START_SECONDS = 20  # patience with a busy machine; it takes about one
STOP_SECONDS = 20


def worker_environment(workspace: Path, *, name: str) -> dict[str, str]:
    """Make a workspace whose hub is the test database; give the environment of a worker in it.

    Args:
        workspace: an empty folder.
        name: of the worker, `name:incarnation`.
    """
    database = str(connections[OWNER].settings_dict["NAME"])
    write_hub_config(Workspace(workspace), replace(get_hub_config(settings.WORKSPACE), name=database))
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "psn.settings",
        "PSN_LOGIN": "worker",
        "PSN_NO_BOOTSTRAP": "1",
        "PSN_WORKER": name,
        "PSN_WORKSPACE": str(workspace),
    }


@dataclass(frozen=True)
class Cluster:
    """A running cluster: `name` as in its heartbeat, and where its stderr goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


def start_cluster(workspace: Path, *, name: str = "tests@here", incarnation: str = "1a2b") -> Cluster:
    """Start a cluster with the worker's login and wait for its first heartbeat."""
    environment = worker_environment(workspace, name=f"{name}:{incarnation}") | {"PSN_WORKERS": "2"}
    log = workspace / "cluster.log"
    with log.open("wb") as stream:
        command = [sys.executable, "-m", "hub.queue.cluster"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stderr=stream)
    deadline = time.monotonic() + START_SECONDS
    while not WorkerHeartbeat.objects.using(OWNER).filter(name=name).exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise AssertionError(f"the cluster did not start: {log.read_text()}")
        time.sleep(0.02)
    return Cluster(name=name, process=process, log=log)


def stop_cluster(cluster: Cluster) -> int:
    """Stop a cluster the polite way and give its exit code."""
    if cluster.process.poll() is None:
        cluster.process.terminate()
    try:
        return cluster.process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        cluster.process.kill()
        cluster.process.wait()
        raise
