"""PSN's own cluster and broker, on a hub as set-up makes it, with the benchmark's tasks beside PSN's.

The cluster is the product's, with all it does besides: its loop that sweeps, its heartbeat, its supervision of its own processes. Its
broker gives up a bell when it takes it, not when the task has run; what was lost that way is found by the sweep.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import django
import psycopg

from benchmarks.rivals import jobs
from benchmarks.rivals.place import Place
from benchmarks.rivals.program import run
from psn.config.hub import HubConfig, get_hub_config, write_hub_config
from psn.config.workspace import Workspace
from psn.crypto import create_key

DATABASE = "psn"


class Psn:
    def prepare(self, place: Place) -> None:
        workspace = _workspace(place)
        if not workspace.hub_env.exists():
            _describe_hub(place, workspace)
        _set_up(place)
        from hub.actions import hubs  # after django.setup: models need the app registry

        hubs.create_hub(workspace)
        hubs.migrate_hub(name="Bench", timezone="UTC")
        with psycopg.connect(place.conninfo(get_hub_config(workspace).name), autocommit=True) as admin:
            admin.execute("TRUNCATE django_q_ormq, django_q_task")

    def work(self, place: Place, *, workers: int, way: str) -> None:
        os.environ |= {"PSN_LOGIN": "worker", "PSN_WORKER": "bench:1", "PSN_WORKERS": str(workers)}
        _set_up(place)
        from hub import worker  # after django.setup

        sys.exit(worker.main())

    def connect(self, place: Place) -> None:
        _set_up(place)
        self._admin = psycopg.connect(place.conninfo(DATABASE), autocommit=True)

    def ring(self, count: int) -> None:
        from django.db import transaction  # after django.setup

        from hub.queue import bells

        with transaction.atomic():
            for number in range(count):
                bells.ring("bench_post", number=str(number))

    def ring_later(self, dues: Sequence[float]) -> None:
        from hub.queue import bells  # after django.setup

        for due in dues:
            bells.ring("bench_stamp", at=datetime.fromtimestamp(due, UTC), due=repr(due))

    def left(self) -> int:
        row = self._admin.execute("SELECT count(*) FROM django_q_ormq WHERE payload LIKE '%bench_%'").fetchone()
        return int(row[0]) if row else 0


def _workspace(place: Place) -> Workspace:
    return Workspace(Path(place.folder) / "workspace")


def _describe_hub(place: Place, workspace: Workspace) -> None:
    data, socket_dir = Path(place.data), Path(place.socket_dir)
    key = create_key().to_text()
    write_hub_config(
        workspace, HubConfig(data=data, socket_dir=socket_dir, name=DATABASE, key=key, secret_key="of a benchmark")
    )


def _set_up(place: Place) -> None:
    """Be a process of the hub, and let the benchmark's tasks stand beside PSN's."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "psn.settings",
        "PSN_HOME": str(Path(place.data).parent),
        "PSN_NO_BOOTSTRAP": "1",
        "PSN_WORKSPACE": str(_workspace(place).root),
    }
    django.setup()
    from hub import tasks  # after django.setup
    from hub.queue import bells

    bells.TASKS |= {"bench_post", "bench_stamp"}
    vars(tasks).update(bench_post=jobs.post, bench_stamp=jobs.stamp)


if __name__ == "__main__":
    run(Psn())
