"""What the harness reads of the sandbox and orders from it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from psn.config.workspace import ROOT
from tests.chaos.orders import Fault
from tests.chaos.platform import FORGIVING, REQUESTS
from tests.chaos.record import Live, Request

START_SECONDS = 30.0
STILL_SECONDS = 5.0
_TABLES = ("attachment", "post", "upload", "ratewindow", "fault", "call")


@dataclass
class PlatformSide:
    """The sandbox of a lane."""

    state: Path
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    url: str = ""

    def start(self) -> None:
        """Start it, where it was before, and wait until it answers."""
        ready = self.state.with_suffix(".ready")
        ready.unlink(missing_ok=True)
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "tests.chaos.platform", "serve", "--state", str(self.state), "--port", port]
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(
                [*command, "--ready-file", str(ready)], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                env={**self.environment, "PSN_SANDBOX_STATE": str(self.state)},
            )  # fmt: skip
        give_up = time.monotonic() + START_SECONDS
        while not ready.exists():
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"the sandbox did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)
        document: dict[str, Any] = json.loads(ready.read_text())
        self.url = document["url"]

    def kill(self) -> bool:
        """Kill it in the middle of whatever it does; False when it does not run."""
        if self.process is None or self.process.poll() is not None:
            return False
        self.process.kill()
        return True

    def close(self) -> None:
        """End it for good."""
        if self.kill() and self.process is not None:
            self.process.wait(START_SECONDS)

    def ensure(self) -> None:
        """Start it again if it was killed; calls it was at are over, without an answer.

        For the main thread alone: the kernel ends the process with the thread that started it.
        """
        if self.process is None or self.process.poll() is None:
            return
        with self._database() as database:
            database.execute("UPDATE sandbox_call SET outcome = 'dropped' WHERE outcome = 'accepted'")
        self.start()

    def begin(self, *, forgiving: bool) -> None:
        """Forget every post, call and failure; accounts stay connected."""
        with self._database() as database:
            for table in _TABLES:
                database.execute(f"DELETE FROM sandbox_{table}")
        (self.state / REQUESTS).write_text("")
        if forgiving:
            (self.state / FORGIVING).touch()
        else:
            (self.state / FORGIVING).unlink(missing_ok=True)

    def order(self, fault: Fault) -> None:
        """Order a failure."""
        httpx2.post(f"{self.url}/_sandbox/faults", json=asdict(fault), trust_env=False, timeout=10).raise_for_status()

    def heal(self) -> None:
        """Take every ordered failure back."""
        with self._database() as database:
            database.execute("DELETE FROM sandbox_fault")

    def wait_until_still(self) -> None:
        """Wait until every call is over."""
        give_up = time.monotonic() + STILL_SECONDS
        while time.monotonic() < give_up:
            with self._database() as database:
                (going,) = database.execute("SELECT count(*) FROM sandbox_call WHERE outcome = 'accepted'").fetchone()
            if not going:
                return
            time.sleep(0.05)

    def read_requests(self) -> list[Request]:
        """Read every commit call that arrived whole, oldest first."""
        texts = dict(json.loads(line) for line in (self.state / REQUESTS).read_text().splitlines())
        with self._database() as database:
            rows = database.execute(
                "SELECT id, at, handle, outcome, status, fault, post_id FROM sandbox_call "
                "WHERE method = 'POST' AND path = '/2/tweets' ORDER BY id"
            ).fetchall()
        return [
            Request(number, _seconds(at), handle, texts[number], outcome, status, fault, remote)
            for number, at, handle, outcome, status, fault, remote in rows
            if number in texts  # else the sandbox was killed in between, before it did anything
        ]

    def read_faults(self) -> list[str]:
        """Name the failures that really hit, in order."""
        with self._database() as database:
            return [row[0] for row in database.execute("SELECT fault FROM sandbox_call WHERE fault <> '' ORDER BY id")]

    def read_live(self) -> list[Live]:
        """Read what is public, oldest first."""
        with self._database() as database:
            rows = database.execute(
                "SELECT p.id, a.handle, p.text, p.reply_to, p.created_at FROM sandbox_post p "
                "JOIN sandbox_account a ON a.id = p.account_id ORDER BY p.id"
            ).fetchall()
        return [
            Live(str(number), handle, text, str(reply_to or ""), _seconds(at))
            for number, handle, text, reply_to, at in rows
        ]

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.state / "sandbox.sqlite3", timeout=10, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()


def _seconds(stored: str) -> float:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC).timestamp()
