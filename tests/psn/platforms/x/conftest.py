"""One sandbox process for the adapter's tests; each test uses accounts of its own."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from psn.platforms.x.adapter import XAdapter
from tests.psn.platforms.x.accounts import grant
from tests.sandbox.process import Sandbox, start_sandbox, stop_sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that lives as long as the run."""
    started = start_sandbox(tmp_path_factory.mktemp("sandbox-x") / "state")
    yield started
    stop_sandbox(started)


@pytest.fixture(autouse=True)
def _no_waiting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What X is at work on ends by the sandbox's clock, so nobody waits for it."""
    if "sandbox" in request.fixturenames:
        move_clock = request.getfixturevalue("sandbox").move_clock
        clock = SimpleNamespace(monotonic=time.monotonic, sleep=move_clock)
        monkeypatch.setattr("psn.platforms.x.upload.time", clock)


@pytest.fixture
def handle(request: pytest.FixtureRequest) -> str:
    """A handle that no other test uses."""
    return f"t{zlib.crc32(request.node.nodeid.encode())}"


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Callable[..., XAdapter]]:
    """Make adapters that are closed afterwards."""
    adapters: list[XAdapter] = []

    def make(token: str, **options: Any) -> XAdapter:
        adapters.append(XAdapter(sandbox.x, token=token, web_base_url=sandbox.x, **options))
        return adapters[-1]

    yield make
    for adapter in adapters:
        adapter.close()


@pytest.fixture
def adapter(sandbox: Sandbox, connect: Callable[..., XAdapter], handle: str) -> XAdapter:
    """A connected account."""
    return connect(grant(sandbox, handle).access_token)
