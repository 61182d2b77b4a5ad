"""One sandbox process for the adapter's tests; each test uses accounts of its own."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from psn.platforms.tiktok.adapter import TikTokAdapter
from tests.psn.platforms.tiktok.accounts import grant
from tests.sandbox.process import Sandbox, start_sandbox, stop_sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that lives as long as the run."""
    started = start_sandbox(tmp_path_factory.mktemp("sandbox-tiktok") / "state")
    yield started
    stop_sandbox(started)


@pytest.fixture
def handle(request: pytest.FixtureRequest) -> str:
    """A handle that no other test uses."""
    return f"t{zlib.crc32(request.node.nodeid.encode())}"


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Callable[..., TikTokAdapter]]:
    """Make adapters that are closed afterwards, and that lose no time between two questions."""
    adapters: list[TikTokAdapter] = []

    def make(token: str, **options: Any) -> TikTokAdapter:
        base = sandbox.base("tiktok")
        given = {"processing_seconds": 5.0, "poll_seconds": 0.05, **options}
        adapters.append(TikTokAdapter(base, token=token, web_base_url=base, **given))
        return adapters[-1]

    yield make
    for adapter in adapters:
        adapter.close()


@pytest.fixture
def adapter(sandbox: Sandbox, connect: Callable[..., TikTokAdapter], handle: str) -> TikTokAdapter:
    """A connected account."""
    return connect(grant(sandbox, handle).access_token)


@pytest.fixture
def hasty(sandbox: Sandbox, connect: Callable[..., TikTokAdapter], handle: str) -> TikTokAdapter:
    """The same account, looked at by somebody who asks once and waits for nothing."""
    return connect(grant(sandbox, handle).access_token, processing_seconds=0.0)
