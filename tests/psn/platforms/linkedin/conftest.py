"""One sandbox process for the adapter's tests; each test uses accounts of its own."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from psn.platforms.linkedin.adapter import LinkedInAdapter
from tests.psn.platforms.linkedin.accounts import PAGE_SCOPES, find_own_page, grant
from tests.sandbox.process import Sandbox, start_sandbox, stop_sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that lives as long as the run."""
    started = start_sandbox(tmp_path_factory.mktemp("sandbox-linkedin") / "state")
    yield started
    stop_sandbox(started)


@pytest.fixture
def handle(request: pytest.FixtureRequest) -> str:
    """A handle that no other test uses."""
    return f"t{zlib.crc32(request.node.nodeid.encode())}"


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Callable[..., LinkedInAdapter]]:
    """Make adapters that are closed afterwards."""
    adapters: list[LinkedInAdapter] = []

    def make(token: str, **options: Any) -> LinkedInAdapter:
        base = sandbox.base("linkedin")
        adapters.append(LinkedInAdapter(base, token=token, web_base_url=base, **options))
        return adapters[-1]

    yield make
    for adapter in adapters:
        adapter.close()


@pytest.fixture
def adapter(sandbox: Sandbox, connect: Callable[..., LinkedInAdapter], handle: str) -> LinkedInAdapter:
    """A connected member."""
    return connect(grant(sandbox, handle).access_token)


@pytest.fixture
def page(sandbox: Sandbox, connect: Callable[..., LinkedInAdapter], handle: str) -> LinkedInAdapter:
    """A connected page that only this test's member administers."""
    token = grant(sandbox, handle, scopes=PAGE_SCOPES)
    return connect(token.access_token, account_id=find_own_page(sandbox, token))
