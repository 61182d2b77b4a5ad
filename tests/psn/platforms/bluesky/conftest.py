"""One sandbox process for the adapter's tests; each test uses accounts of its own."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from psn.platforms.bluesky.adapter import BlueskyAdapter
from tests.contracts.lexicons import Lexicons
from tests.contracts.specs import find_contract
from tests.psn.platforms.bluesky.accounts import grant
from tests.sandbox.process import Sandbox, start_sandbox, stop_sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that lives as long as the run."""
    started = start_sandbox(tmp_path_factory.mktemp("sandbox-bluesky") / "state")
    yield started
    stop_sandbox(started)


@pytest.fixture
def handle(request: pytest.FixtureRequest) -> str:
    """A handle that no other test uses."""
    return f"t{zlib.crc32(request.node.nodeid.encode())}.bsky.social"


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Callable[..., BlueskyAdapter]]:
    """Make adapters that are closed afterwards."""
    adapters: list[BlueskyAdapter] = []

    def make(token: str, base_url: str = "", **options: Any) -> BlueskyAdapter:
        base_url = base_url or sandbox.base("bluesky")
        adapters.append(BlueskyAdapter(base_url, token=token, web_base_url=base_url, **options))
        return adapters[-1]

    yield make
    for adapter in adapters:
        adapter.close()


@pytest.fixture
def adapter(sandbox: Sandbox, connect: Callable[..., BlueskyAdapter], handle: str) -> BlueskyAdapter:
    """A connected account."""
    return connect(grant(sandbox, handle).access_token)


@pytest.fixture(scope="session")
def lexicons() -> Lexicons:
    """Bluesky's own."""
    return Lexicons(find_contract("bluesky-lexicons/lexicons"))
