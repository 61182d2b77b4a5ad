"""The hub's server, and its backups (HUB-1, HUB-12)."""

from __future__ import annotations

import os
import shlex
import signal
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.workspace import Workspace, make_workspace


class TestTheServer:
    def test_stops_and_starts_and_says_where_it_is(self, ready: Workspace) -> None:
        status = ready.ok("psn_hub", "status")["hub"]
        assert (status["state"], status["data"]) == ("running", str(ready.hub_home / "pg"))
        try:
            assert ready.ok("psn_hub", "stop")["stopped"] is True
            assert ready.ok("psn_hub", "status")["hub"]["state"] == "down"
            assert ready.ok("psn_hub", "stop")["stopped"] is False
            assert [line for line in ready.processes().values() if "postgres" in line or "psn_worker" in line] == []
            started = ready.ok("psn_hub", "start")
            assert (started["started"], started["hub"]["state"]) == (True, "running")
        finally:
            ready.ok("psn_worker", "start")

    @pytest.mark.parametrize("command", ["psn_post list", "psn_setup", "psn_worker status"])
    def test_comes_back_by_itself_after_a_kill(
        self, ready: Workspace, create: Callable[..., str], command: str
    ) -> None:
        os.kill(ready.ok("psn_hub", "status")["hub"]["pid"], signal.SIGKILL)
        ready.ok(*command.split())
        post = create("After the crash", "--at", "+1s", "--approve")
        assert ready.ok("psn_post", "wait", post)["post"]["status"] == "published"


def after(workspace: Workspace, seconds: float, *, commands: int) -> str:
    """A span of some seconds, and of what so many commands take on this machine just now."""
    started = time.monotonic()
    workspace.ok("psn_post", "list")
    return f"+{round(seconds + commands * (time.monotonic() - started))}s"


class TestABackup:
    @pytest.fixture
    def other(self) -> Iterator[Workspace]:
        """A second workspace, as on another machine."""
        workspace = make_workspace()
        workspace.ok("psn_setup")
        yield workspace
        workspace.remove()

    @pytest.mark.slow
    def test_gives_the_same_hub_elsewhere(
        self, ready: Workspace, account: str, create: Callable[..., str], other: Workspace, tmp_path: Path
    ) -> None:
        published = create("Out before the backup", "--at", "+0s", "--approve")
        ready.ok("psn_post", "wait", published)
        overdue = create("Due between backup and restore", "--at", after(ready, 3, commands=4), "--approve")
        ahead = create("Due after the restore", "--at", after(ready, 25, commands=16), "--approve")
        draft = create("A draft")
        file = tmp_path / "a hub.psn"
        backup = ready.ok("psn_hub", "backup", "--to", str(file))["backup"]
        assert (stat.S_IMODE(file.stat().st_mode), backup["size_bytes"]) == (0o600, file.stat().st_size)
        ready.ok("psn_post", "edit", draft, "--text", "Changed since")
        ready.ok("psn_post", "cancel", ahead)
        assert ready.ok("psn_post", "wait", overdue)["post"]["status"] == "published"

        outcome = other.refused("psn_hub", "restore", str(file), "--yes", code="key.unknown", exit_code=3)
        assert outcome.result["next_action"]["needs"] == "human"
        assert "--key-stdin" in outcome.result["next_action"]["ask"]
        assert other.ok("psn_post", "list")["posts"][0]["id"] not in {published, overdue, ahead, draft}

        key = read_line(ready, "HUB_ENCRYPTION_KEY").encode()
        dry = other.ok("psn_hub", "restore", str(file), "--dry-run", "--key-stdin", stdin=key)["restored"]
        assert (dry["missed"], dry["held"]) == (1, 1)
        arguments = ("psn_hub", "restore", str(file), "--yes", "--resume", "--key-stdin")
        restored = other.ok(*arguments, stdin=key)["restored"]
        assert (restored["missed"], restored["scheduled"], restored["held"]) == (1, 1, 0)
        assert "HUB_ENCRYPTION_KEY_OLD" not in other.hub_env.read_text()
        states = {post: other.ok("psn_post", "show", post)["post"] for post in (published, overdue, ahead, draft)}
        assert [state["status"] for state in states.values()] == ["published", "missed", "scheduled", "draft"]
        assert states[draft]["parts"][0]["text"] == "A draft"
        assert states[overdue]["error"]["code"] == "restore.overdue"
        new = other.ok(
            "psn_post", "create", "--account", f"@{account}", "--text", "From elsewhere", "--at", "+0s", "--approve"
        )
        assert other.ok("psn_post", "wait", new["post"]["id"])["post"]["status"] == "published"
        assert other.ok("psn_post", "wait", ahead)["post"]["status"] == "published"
        texts = [post["text"] for post in ready.sandbox_posts(account)]
        assert texts == [
            "Out before the backup", "Due between backup and restore", "From elsewhere", "Due after the restore",
        ]  # fmt: skip
        assert other.ok("psn_validate")["summary"]["fail"] == 0

    @pytest.mark.slow
    def test_brings_back_no_post_that_was_sent_cancelled_or_changed_since(
        self, ready: Workspace, account: str, create: Callable[..., str], tmp_path: Path
    ) -> None:
        names = ("sent", "cancelled", "moved", "untouched")
        when = after(ready, 14, commands=10)
        posts = {name: create(f"Was {name}", "--at", when, "--approve") for name in names}
        file = tmp_path / "hub.psn"
        ready.ok("psn_hub", "backup", "--to", str(file))
        ready.ok("psn_post", "publish", posts["sent"], "--approve")
        ready.ok("psn_post", "wait", posts["sent"])
        ready.ok("psn_post", "cancel", posts["cancelled"])
        ready.ok("psn_post", "schedule", posts["moved"], "--at", "+2d", "--approve")

        restored = ready.ok("psn_hub", "restore", str(file), "--yes")["restored"]
        assert (restored["held"], restored["scheduled"]) == (3, 1)
        assert ready.ok("psn_post", "wait", posts["untouched"])["post"]["status"] == "published"
        for name in ("sent", "cancelled", "moved"):
            post = ready.ok("psn_post", "show", posts[name])["post"]
            assert (post["status"], post["approved"], post["error"]["code"]) == (
                "pending_approval",
                False,
                "restore.held",
            )
        assert [post["text"] for post in ready.sandbox_posts(account)] == ["Was sent", "Was untouched"]
        assert len(ready.commits(account)) == 2

    def test_that_is_none_changes_nothing(self, ready: Workspace, tmp_path: Path) -> None:
        before = ready.ok("psn_post", "list")
        (tmp_path / "foreign.psn").write_bytes(b"this is no backup")
        file = str(tmp_path / "foreign.psn")
        outcome = ready.refused("psn_hub", "restore", file, "--yes", code="backup.foreign", exit_code=3)
        assert outcome.result["next_action"]["needs"] == "human"
        assert ready.ok("psn_post", "list") == before
        assert ready.ok("psn_worker", "status")["state"] == "running"

    def test_killed_in_the_middle_of_its_restore_changes_nothing(
        self, ready: Workspace, create: Callable[..., str], tmp_path: Path
    ) -> None:
        file = str(tmp_path / "hub.psn")
        ready.ok("psn_hub", "backup", "--to", file)
        later = create("Written after the backup")
        try:
            for point in ("kept the present hub", "restored posts"):
                killed = ready.run_until("psn_hub", "restore", file, "--yes", when=is_step(point))
                assert killed, point
                assert ready.ok("psn_post", "show", later)["post"]["status"] == "draft"
        finally:
            ready.ok("psn_worker", "start")
        assert ready.ok("psn_hub", "verify", file)["verified"]["kind"] == "personal"

    def test_asks_before_it_takes_anything_s_place(self, ready: Workspace, tmp_path: Path) -> None:
        file = str(tmp_path / "hub.psn")
        ready.ok("psn_hub", "backup", "--to", file)
        outcome = ready.refused("psn_hub", "restore", file, code="approval.needed", exit_code=6)
        assert outcome.next_command == f"python3 manage.py psn_hub restore {shlex.quote(file)} --yes"
        ready.refused("psn_hub", "backup", "--to", file, code="backup.exists", exit_code=7)


class TestAMissingDataDirectory:
    def test_is_never_replaced_by_an_empty_hub(self, ready: Workspace) -> None:
        ready.ok("psn_hub", "stop")
        data, aside = ready.hub_home / "pg", ready.hub_home / "aside"
        data.rename(aside)
        try:
            for command in ("psn_post list", "psn_setup", "psn_hub start", "psn_validate"):
                outcome = ready.run(*command.split())
                assert not outcome.result["ok"]
                assert outcome.result["next_action"]["needs"] == "human", command
                assert not data.exists()
        finally:
            aside.rename(data)
            ready.ok("psn_setup")


def is_step(name: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a line says that this is done."""
    return lambda line: line.get("name") == name


def read_line(workspace: Workspace, name: str) -> str:
    """Read one line of `config/hub.env`, whole."""
    (line,) = [line for line in workspace.hub_env.read_text().splitlines() if line.startswith(f"{name}=")]
    return line
