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
_TABLES = ("attachment", "post", "upload", "ratewindow", "fault", "call", "storedfile")
_APPS = "app"  # jobs of this kind are apps that registered themselves: accounts go on with them
_MEDIA = ("media", "storage")
_INBOX = "inbox"  # the kind of a post that a person must finish
_COMMENT = "urn:li:comment:("
_KEY = "publish_id"  # under which TikTok knows a post before it has an id


@dataclass
class PlatformSide:
    """The sandbox of a lane."""

    state: Path
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    url: str = ""
    name: str = ""

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

    def begin(self, name: str, *, forgiving: bool) -> None:
        """Forget every post, call and failure, and be this platform from now on; accounts stay connected."""
        self.name = name
        with self._database() as database:
            for table in _TABLES:
                database.execute(f"DELETE FROM sandbox_{table}")
            database.execute("DELETE FROM sandbox_job WHERE kind <> ?", [_APPS])
        for file in (file for folder in _MEDIA for file in (self.state / folder).glob("*")):
            file.unlink(missing_ok=True)
        (self.state / REQUESTS).write_text("")
        if forgiving:
            (self.state / FORGIVING).touch()
        else:
            (self.state / FORGIVING).unlink(missing_ok=True)

    def order(self, fault: Fault) -> None:
        """Order a failure."""
        order = {**asdict(fault), "platform": self.name}
        httpx2.post(f"{self.url}/_sandbox/faults", json=order, trust_env=False, timeout=10).raise_for_status()

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
        lines = [json.loads(line) for line in (self.state / REQUESTS).read_text().splitlines()]
        said = {number: (text, key) for number, text, key in lines}
        with self._database() as database:
            rows = database.execute(
                "SELECT id, at, outcome, status, fault, post_id FROM sandbox_call WHERE platform = ? ORDER BY id",
                [self.name],
            ).fetchall()
        return [
            Request(number, _seconds(at), said[number][0], outcome, status, fault, remote, said[number][1])
            for number, at, outcome, status, fault, remote in rows
            if number in said  # else the sandbox was killed in between, before it did anything
        ]

    def read_faults(self) -> list[str]:
        """Name the failures that really hit, in order."""
        with self._database() as database:
            return [row[0] for row in database.execute("SELECT fault FROM sandbox_call WHERE fault <> '' ORDER BY id")]

    def read_live(self) -> list[Live]:
        """Read what is public, oldest first."""
        with self._database() as database:
            rows = database.execute(
                "SELECT p.remote_id, a.platform_account_id, p.text, before.remote_id, p.created_at, p.kind, p.data "
                "FROM sandbox_post p JOIN sandbox_account a ON a.id = p.account_id "
                "LEFT JOIN sandbox_post before ON before.id = p.reply_to WHERE p.deleted_at IS NULL ORDER BY p.id"
            ).fetchall()
        return [
            Live(
                remote,
                account,
                text,
                before or "",
                _seconds(at),
                kind == _INBOX,
                json.loads(data).get(_KEY, "") or _name_by_post(remote, before),
            )
            for remote, account, text, before, at, kind, data in rows
        ]

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.state / "sandbox.sqlite3", timeout=10, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()


def _name_by_post(comment: str, post: str | None) -> str:
    """Name a comment at LinkedIn by its post, which it names by the post's activity; empty for what is no such comment."""
    begins, _, number = comment.rpartition(",")
    return f"{_COMMENT}{post},{number}" if begins.startswith(_COMMENT) else ""


def _seconds(stored: str) -> float:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC).timestamp()
