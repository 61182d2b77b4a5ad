"""Workspaces for tests: one that is set up once and shared, and fresh ones."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.workspace import WEB, Workspace, make_workspace, new_handle, set_up_workspace

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]  # they look at /proc


@pytest.fixture(scope="session")
def shared() -> Iterator[Workspace]:
    """A workspace in which `psn_setup` ran once."""
    with set_up_workspace() as workspace:
        yield workspace


@pytest.fixture
def ready(shared: Workspace) -> Iterator[Workspace]:
    """The shared workspace as it should be: worker and sandbox run, and no failure waits from the test before."""
    yield shared
    WEB.delete(f"{shared.sandbox_url}/_sandbox/faults").raise_for_status()


@pytest.fixture
def fresh() -> Iterator[Workspace]:
    """A workspace in which nothing was done yet."""
    workspace = make_workspace()
    yield workspace
    workspace.remove()


@pytest.fixture
def account(ready: Workspace) -> str:
    """The handle, without @, of an account of its own: limits, duplicates and pauses of other tests do not touch it."""
    handle = new_handle("tester")
    ready.ok("psn_account", "connect", "x", "--sandbox", "--handle", handle)
    return handle


@pytest.fixture
def create(ready: Workspace, account: str) -> Callable[..., str]:
    """Draft a post of the test's account and give its id."""

    def create(text: str = "Hello", *more: str) -> str:
        post = ready.ok("psn_post", "create", "--account", f"@{account}", "--text", text, *more)["post"]
        return str(post["id"])

    return create
