"""The worker of a history: `python -m tests.chaos.worker`. The product's own, with short times and a gate at every point."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

from tests.chaos import pace


def main() -> int:
    """Prepare this process, then be `hub.worker`; what it forks is prepared like it."""
    django.setup()
    from hub import worker  # after setup, like everything that knows a model
    from tests.chaos import breakages, points

    pace.check_relations()
    _shorten()
    points.make_clock_shiftable()
    points.use_witnesses(none=os.environ["CHAOS_WITNESS"] == "none")
    if broken := os.environ.get("CHAOS_BREAK"):
        breakages.break_engine(broken)
    points.put_gates()
    _tell_roles(Path(os.environ["CHAOS_ROLES"]))
    return worker.main()


def _shorten() -> None:
    """Set the times that are no settings; a name that is gone is an error."""
    from hub.publishing import claims, endings, looks, patience, walk
    from hub.queue import broker

    for module, times in (
        (claims, {"RENEW_SECONDS": pace.RENEW_SECONDS}),
        (walk, {"MARGIN_SECONDS": pace.MARGIN_SECONDS}),
        (endings, {"BACKOFF_SECONDS": pace.BACKOFF_SECONDS}),
        (looks, {"LOOK_AGAIN": timedelta(seconds=pace.LOOK_AGAIN_SECONDS)}),
        (looks, {"LOOK_FOR": timedelta(seconds=pace.LOOK_FOR_SECONDS)}),
        (broker, {"BEAT_SECONDS": pace.BEAT_SECONDS}),
    ):
        for name, value in times.items():
            assert hasattr(module, name), name
            setattr(module, name, value)
    defaults = patience.store_patiently.__kwdefaults__
    assert defaults is not None
    assert "seconds" in defaults
    defaults["seconds"] = pace.STORE_SECONDS


def _tell_roles(folder: Path) -> None:
    """Have each child of the sentinel leave its role under its process id: all of them look alike from outside."""
    from django_q import cluster

    spawn: Callable[..., Any] = cluster.Sentinel.spawn_process

    def spawn_and_tell(sentinel: Any, target: Callable[..., Any], *arguments: Any) -> Any:
        process = spawn(sentinel, target, *arguments)
        (folder / str(process.pid)).write_text(target.__name__)
        return process

    cluster.Sentinel.spawn_process = spawn_and_tell


if __name__ == "__main__":
    sys.exit(main())
