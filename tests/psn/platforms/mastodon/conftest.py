"""One sandbox process for the adapter's tests; each test uses accounts of its own."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from psn.platforms.mastodon.adapter import MastodonAdapter
from tests.psn.platforms.mastodon.accounts import grant
from tests.sandbox.process import Sandbox, start_sandbox, stop_sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that lives as long as the run."""
    started = start_sandbox(tmp_path_factory.mktemp("sandbox-mastodon") / "state")
    yield started
    stop_sandbox(started)


@pytest.fixture
def base_url(sandbox: Sandbox) -> str:
    """The instance."""
    return sandbox.base("mastodon")


@pytest.fixture
def handle(request: pytest.FixtureRequest) -> str:
    """A handle that no other test uses."""
    return f"t{zlib.crc32(request.node.nodeid.encode())}"


@pytest.fixture
def connect(base_url: str) -> Iterator[Callable[..., MastodonAdapter]]:
    """Make adapters that are closed afterwards."""
    adapters: list[MastodonAdapter] = []

    def make(token: str, **options: Any) -> MastodonAdapter:
        adapters.append(MastodonAdapter(base_url, token=token, wait_seconds=0.01, **options))
        return adapters[-1]

    yield make
    for adapter in adapters:
        adapter.close()


@pytest.fixture
def adapter(base_url: str, connect: Callable[..., MastodonAdapter], handle: str) -> MastodonAdapter:
    """A connected account."""
    return connect(grant(base_url, handle).access_token)
