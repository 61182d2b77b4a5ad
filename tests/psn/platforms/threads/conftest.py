"""One sandbox process for the adapter's tests; each test uses accounts of its own."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from psn.platforms.threads import SETTINGS
from psn.platforms.threads.adapter import ThreadsAdapter
from tests.psn.platforms.meta.stage import grant
from tests.sandbox.process import Sandbox, start_sandbox, stop_sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that lives as long as the run."""
    started = start_sandbox(tmp_path_factory.mktemp("sandbox-threads") / "state")
    yield started
    stop_sandbox(started)


@pytest.fixture
def handle(request: pytest.FixtureRequest) -> str:
    """A handle that no other test uses."""
    return f"t.{zlib.crc32(request.node.nodeid.encode())}"


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Callable[..., ThreadsAdapter]]:
    """Make adapters that are closed afterwards; they wait by moving the sandbox's clock."""
    adapters: list[ThreadsAdapter] = []
    base, (version,) = sandbox.base("threads"), SETTINGS.values()

    def make(token: str, **options: Any) -> ThreadsAdapter:
        given = {"web_base_url": base, "version": version, "sleep": sandbox.move_clock, **options}
        adapters.append(ThreadsAdapter(base, token=token, **given))
        return adapters[-1]

    yield make
    for adapter in adapters:
        adapter.close()


@pytest.fixture
def adapter(sandbox: Sandbox, connect: Callable[..., ThreadsAdapter], handle: str) -> ThreadsAdapter:
    """A connected account."""
    return connect(grant(sandbox, "threads", handle).access_token)
