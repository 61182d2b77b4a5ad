"""The worker's own processes, on the test hub."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connections

from hub.actions import posts
from hub.actions.drafts import DraftPart
from hub.actions.hubs import local_server
from hub.models import Account, Post, WorkerHeartbeat
from psn.config.hub import get_hub_config, write_hub_config
from psn.config.workspace import ROOT, Workspace
from tests.factories import OWNER

START_SECONDS = 20  # patience with a busy machine; it takes about one
STOP_SECONDS = 20
PATIENCE_SECONDS = 20.0


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
        "PSN_WORKERS": "2",
        "PSN_WORKSPACE": str(workspace),
    }


@dataclass(frozen=True)
class Cluster:
    """A running cluster: `name` as in its heartbeat, and where its stderr goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


def start_cluster(
    workspace: Path,
    *,
    name: str = "tests@here",
    incarnation: str = "1a2b",
    module: Sequence[str] = ("hub.worker",),
    **environment: str,
) -> Cluster:
    """Start a cluster with the worker's login and wait for its first heartbeat.

    Args:
        module: what to run, with its arguments.
        environment: what else it is to have in its environment.
    """
    around = worker_environment(workspace, name=f"{name}:{incarnation}") | environment
    log = workspace / "cluster.log"
    with log.open("ab") as stream:
        command = [sys.executable, "-m", *module]
        process = subprocess.Popen(command, cwd=ROOT, env=around, stdin=subprocess.DEVNULL, stderr=stream)
    cluster = Cluster(name=name, process=process, log=log)
    wait_for_life(cluster, incarnation=incarnation)
    return cluster


def wait_for_life(cluster: Cluster, *, incarnation: str | None = None) -> None:
    """Wait for a worker's first heartbeat; end it when none comes."""
    rows = WorkerHeartbeat.objects.using(OWNER).filter(name=cluster.name)
    rows = rows.filter(incarnation=incarnation) if incarnation else rows
    deadline = time.monotonic() + START_SECONDS
    while not rows.exists():
        if cluster.process.poll() is not None or time.monotonic() > deadline:
            cluster.process.kill()
            cluster.process.wait()
            raise AssertionError(f"the cluster did not start: {cluster.log.read_text()}")
        time.sleep(0.02)


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


def restart_server() -> None:
    """Have the hub's server end at once, as in a crash, and start it again."""
    hub = get_hub_config(settings.WORKSPACE)
    server = local_server(hub)
    server.stop("immediate")
    connections.close_all()
    server.ensure_running()


def schedule(account: Account, text: str, *, after: timedelta = timedelta(0)) -> Post:
    """Have a person schedule a post."""
    at = datetime.now(UTC) + after
    post, _ = posts.create_post(account=str(account.id), parts=[DraftPart(text=text)], at=at, approve=True)
    return post


def wait_until(happened: Callable[[], bool], cluster: Cluster, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something happened; the cluster's log says why it did not."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, cluster.log.read_text()[-5000:]
        time.sleep(0.02)
