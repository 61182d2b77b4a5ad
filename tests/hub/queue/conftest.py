"""A sandbox, an account at it, and a real cluster on the test hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import People
from tests.hub.publishing.conftest import account, sandbox, sandbox_process
from tests.hub.queue.process import Cluster, start_cluster, stop_cluster

__all__ = ["account", "sandbox", "sandbox_process"]


@pytest.fixture
def cluster(hub: People, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that is at work."""
    started = start_cluster(tmp_path / "worker")
    yield started
    stop_cluster(started)
