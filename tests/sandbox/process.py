"""Starts the sandbox as the process it is, and talks to its control API."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

REPOSITORY = Path(__file__).resolve().parents[2]
WEB = httpx2.Client(trust_env=False, timeout=20)  # one for the run: making one takes longer than most calls
START_SECONDS = 15  # patience with a busy machine; it takes well under one


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    url: str
    state_dir: Path
    process: subprocess.Popen[str]

    @property
    def x(self) -> str:
        """X's base URL."""
        return f"{self.url}/x"

    def base(self, platform: str) -> str:
        """Give a platform's base URL."""
        return f"{self.url}/{platform}"

    def ask(self, path: str, /, **query: str) -> Any:
        """Read from the control API."""
        return WEB.get(f"{self.url}/_sandbox/{path}", params=query).raise_for_status().json()

    def order(self, path: str, **order: Any) -> Any:
        """Give the control API an order."""
        return WEB.post(f"{self.url}/_sandbox/{path}", json=order).raise_for_status().json()

    def fail(self, kind: str, match: str = "POST /2/tweets", **order: Any) -> Any:
        """Order a failure."""
        return self.order("faults", kind=kind, match=match, **order)

    def move_clock(self, seconds: float) -> None:
        """Move the sandbox's clock ahead."""
        self.order("clock", advance_seconds=seconds)

    def last_call(self) -> dict[str, Any]:
        """Read the newest entry of the journal."""
        entry: dict[str, Any] = self.ask("calls", limit="1")[0]
        return entry


def start_sandbox(state_dir: Path, *, port: int = 0, module: str = "sandbox") -> Sandbox:
    """Start a sandbox and wait until it answers."""
    ready_file = state_dir.parent / f"{state_dir.name}.ready.{time.monotonic_ns()}.json"
    process = launch(state_dir, "--port", str(port), "--ready-file", str(ready_file), module=module)
    deadline = time.monotonic() + START_SECONDS
    while not ready_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"the sandbox did not start: {process.communicate()}")
        time.sleep(0.01)
    return Sandbox(url=json.loads(ready_file.read_text())["url"], state_dir=state_dir, process=process)


def launch(state_dir: Path, *arguments: str, module: str = "sandbox") -> subprocess.Popen[str]:
    """Run `python -m sandbox serve`, ready or not."""
    command = [sys.executable, "-m", module, "serve", "--state", str(state_dir), *arguments]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def rush(action: Callable[[httpx2.Client, int], httpx2.Response], *, callers: int = 24) -> list[httpx2.Response]:
    """Let callers act at the same instant, each on a connection that is already open."""
    barrier = threading.Barrier(callers)

    def act(number: int) -> httpx2.Response:
        with httpx2.Client(trust_env=False, timeout=20) as client:
            barrier.wait()
            return action(client, number)

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(act, range(callers)))


@contextmanager
def writing_stopped(sandbox: Sandbox) -> Iterator[None]:
    """Keep the sandbox from writing, though not from reading, so that calls in flight meet at their next write."""
    connection = sqlite3.connect(sandbox.state_dir / "sandbox.sqlite3", timeout=10, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def stop_sandbox(sandbox: Sandbox) -> int:
    """Stop a sandbox the polite way and give its exit code."""
    sandbox.process.terminate()
    sandbox.process.communicate(timeout=10)
    return sandbox.process.returncode
