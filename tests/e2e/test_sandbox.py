"""The sandbox as a process that moves: its accounts go with it, whoever started it (PLAT-4)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable

from tests.e2e.workspace import Workspace


class TestAMovedSandbox:
    def test_takes_its_accounts_along_though_the_command_that_moved_it_was_killed(
        self, ready: Workspace, account: str, create: Callable[..., str]
    ) -> None:
        before = ready.ok("psn_account", "show", f"@{account}")["account"]
        ready.ok("psn_sandbox", "stop")
        port = free_port()
        moved = launch_sandbox(ready, port=port)  # as the command did before it was killed
        try:
            started = wait_for_start(ready, port=port)
            assert started == {"url": f"http://127.0.0.1:{port}", "started": False}
            after = ready.ok("psn_account", "show", f"@{account}")["account"]
            assert (after["id"], after["base_url"]) == (before["id"], f"http://127.0.0.1:{port}/x")
            again = ready.ok("psn_account", "connect", "x", "--sandbox", "--handle", account)["account"]
            assert again["id"] == before["id"]
            post = create("From the new port", "--at", "+0s", "--approve")
            assert ready.ok("psn_post", "wait", post)["post"]["status"] == "published"
        finally:
            ready.ok("psn_sandbox", "stop")
            moved.wait(timeout=20)
            ready.ok("psn_sandbox", "start")


def launch_sandbox(workspace: Workspace, *, port: int) -> subprocess.Popen[bytes]:
    """Start the sandbox with nobody who tells the hub."""
    state = workspace.hub_home / "sandbox"
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", "serve", "--state", str(state), "--port", str(port)],
        cwd=workspace.repository,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "sandbox.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for_start(workspace: Workspace, *, port: int) -> dict[str, object]:
    """Have the sandbox started once it answers."""
    for _ in range(100):
        status = workspace.ok("psn_sandbox", "status")
        if status["url"] == f"http://127.0.0.1:{port}":
            return workspace.ok("psn_sandbox", "start")
    raise AssertionError("the sandbox did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
