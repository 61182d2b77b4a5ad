"""One sandbox process for the whole run, emptied for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.people import Person, connect
from tests.sandbox.process import Sandbox, start_sandbox, stop_sandbox


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that lives as long as the run."""
    sandbox = start_sandbox(tmp_path_factory.mktemp("sandbox") / "state")
    yield sandbox
    stop_sandbox(sandbox)


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """An empty sandbox."""
    sandbox_process.order("reset", confirm=True)
    return sandbox_process


@pytest.fixture
def person(sandbox: Sandbox) -> Person:
    """@sandbox, connected with all scopes."""
    return connect(sandbox)
