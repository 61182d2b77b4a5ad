"""Vendors' keys and the hub's own: never seen again, and never lost (HUB-7, HUB-8)."""

from __future__ import annotations

import json
import random
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from psn.providers.local import PORT, binary
from tests.e2e.workspace import Outcome, Workspace, new_handle
from tests.sandbox.people import connect
from tests.sandbox.process import Sandbox

CANARY = "canary-7f3a9e21-value"


def dump(workspace: Workspace) -> str:
    """The whole hub as text, the queue's rows included."""
    values = dict(line.split("=", 1) for line in workspace.hub_env.read_text().splitlines() if "=" in line)
    socket_dir = values["SOCKET_DIR"].strip("'")
    done = subprocess.run(
        [binary("pg_dump"), "-h", socket_dir, "-p", str(PORT), "-U", "postgres", "--inserts", "psn"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def sandbox_of(workspace: Workspace) -> Sandbox:
    """The workspace's sandbox, to connect people at it past PSN."""
    return Sandbox(url=workspace.sandbox_url, state_dir=workspace.hub_home / "sandbox", process=cast(Any, None))


def logs(workspace: Workspace) -> str:
    return "\n".join(path.read_text(errors="replace") for path in workspace.home.rglob("*.log"))


class TestAVendorsKey:
    def test_is_stored_and_never_shown_again(self, ready: Workspace, create: Callable[..., str]) -> None:
        said: list[Outcome] = [
            ready.run("psn_config", "keys", "set", "VENDOR_KEY", stdin=f"{CANARY}\n".encode()),
            ready.run("psn_config", "keys", "list"),
            ready.run("psn_validate"),
        ]
        post = create("With a key", "--at", "+0s", "--approve")
        said.append(ready.run("psn_post", "wait", post))
        assert [outcome.exit_code for outcome in said] == [0, 0, 0, 0]
        assert said[1].data["keys"] == [{"name": "VENDOR_KEY", "in_file": True, "in_hub": True}]
        assert all(CANARY not in outcome.stdout + outcome.stderr for outcome in said)
        keys_env = ready.root / "config" / "keys.env"
        assert f"VENDOR_KEY={CANARY}" in keys_env.read_text()
        assert stat.S_IMODE(keys_env.stat().st_mode) == 0o600
        rows = dump(ready)
        assert "django_q_ormq" in rows  # the queue's rows are in it
        assert "VENDOR_KEY" in rows
        assert CANARY not in rows + logs(ready)
        assert ready.ok("psn_config", "keys", "remove", "VENDOR_KEY") == {"removed": "VENDOR_KEY"}
        assert "VENDOR_KEY" not in keys_env.read_text()
        assert ready.ok("psn_config", "keys", "list")["keys"] == []

    def test_that_the_hub_lacks_fails_the_validation(self, ready: Workspace) -> None:
        keys_env = ready.root / "config" / "keys.env"
        before = keys_env.read_text()
        keys_env.write_text(f"{before}BY_HAND={CANARY}\n")
        try:
            outcome = ready.refused("psn_validate", code="validation.failed", exit_code=5)
            assert outcome.next_command == "python3 manage.py psn_config keys set BY_HAND"
            assert CANARY not in outcome.stdout + outcome.stderr
        finally:
            keys_env.write_text(before)

    def test_is_a_token_in_the_same_way(self, ready: Workspace) -> None:
        document = json.dumps({"access_token": CANARY, "refresh_token": f"{CANARY}-2"}).encode()
        outcome = ready.run(
            "psn_account", "connect", "x", "--token-stdin", "--base-url", f"{ready.sandbox_url}/x", stdin=document
        )
        assert (outcome.exit_code, outcome.code) == (4, "account.needs_reconnect")
        assert CANARY not in outcome.stdout + outcome.stderr + logs(ready) + dump(ready)


class TestARehearsal:
    """`--dry-run` checks what the thing itself checks, and changes nothing."""

    def test_of_a_key_stores_nothing(self, ready: Workspace) -> None:
        keys_env = (ready.root / "config" / "keys.env").read_bytes()
        said = ready.run("psn_config", "keys", "set", "REHEARSED", "--dry-run", stdin=CANARY.encode())
        assert said.data == {"key": {"name": "REHEARSED", "in_file": False, "in_hub": False}, "dry_run": True}
        assert CANARY not in said.stdout + said.stderr
        assert ready.ok("psn_config", "keys", "list")["keys"] == []
        assert (ready.root / "config" / "keys.env").read_bytes() == keys_env

    def test_of_a_removal_keeps_the_key(self, ready: Workspace) -> None:
        ready.ok("psn_config", "keys", "set", "KEPT", stdin=CANARY.encode())
        assert ready.ok("psn_config", "keys", "remove", "KEPT", "--dry-run") == {"removed": "KEPT", "dry_run": True}
        assert ready.ok("psn_config", "keys", "list")["keys"] == [{"name": "KEPT", "in_file": True, "in_hub": True}]
        assert ready.ok("psn_config", "keys", "remove", "KEPT") == {"removed": "KEPT"}

    def test_of_a_rotation_counts_and_keeps_the_key(self, ready: Workspace) -> None:
        before = ready.hub_env.read_bytes()
        rotation = ready.ok("psn_config", "keys", "rotate", "--dry-run")["rotation"]
        assert rotation["key"] == key_of(ready).current.split(":")[0]
        assert rotation["sealed"] >= 2  # access and refresh token of one account at least
        assert ready.hub_env.read_bytes() == before

    def test_of_a_token_asks_the_platform_and_stores_nothing(self, ready: Workspace) -> None:
        handle = new_handle("other")
        tokens = connect(sandbox_of(ready), handle=handle).tokens
        document = json.dumps({"access_token": tokens["access_token"]}).encode()
        before = ready.ok("psn_account", "list")["accounts"]
        arguments = [
            "psn_account",
            "connect",
            "x",
            "--token-stdin",
            "--base-url",
            f"{ready.sandbox_url}/x",
            "--dry-run",
        ]
        data = ready.ok(*arguments, stdin=document)
        assert (data["account"]["handle"], data["dry_run"]) == (f"@{handle}", True)
        assert ready.ok("psn_account", "list")["accounts"] == before


class TestRotation:
    def test_replaces_the_key_and_keeps_every_account(self, ready: Workspace, create: Callable[..., str]) -> None:
        before = key_of(ready)
        data = ready.ok("psn_config", "keys", "rotate")["rotation"]
        assert data["sealed"] >= 2  # access and refresh token of one account at least
        assert key_of(ready).current not in (before.current, "")
        assert (key_of(ready).current.split(":")[0], key_of(ready).old) == (data["key"], "")
        post = create("After the rotation", "--at", "+0s", "--approve")
        assert ready.ok("psn_post", "wait", post)["post"]["status"] == "published"
        assert f".{before.current.split(':')[0]}." not in dump(ready)

    @pytest.mark.parametrize("seed", [1, 2])
    def test_survives_being_killed(self, ready: Workspace, create: Callable[..., str], seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(4):
            process = ready.launch("psn_config", "keys", "rotate")
            try:
                process.communicate(timeout=chance.uniform(0.2, 0.8))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        ready.ok("psn_config", "keys", "rotate")
        assert key_of(ready).old == ""
        post = create("Killed and rotated", "--at", "+0s", "--approve")
        assert ready.ok("psn_post", "wait", post)["post"]["status"] == "published"
        accounts = [check for check in ready.ok("psn_validate")["checks"] if check["name"].startswith("accounts:")]
        assert {check["status"] for check in accounts if "tester" not in check["name"]} == {"pass"}


@dataclass(frozen=True)
class Keys:
    """The hub's own keys as `config/hub.env` has them."""

    current: str
    old: str


def key_of(workspace: Workspace) -> Keys:
    values = dict(line.split("=", 1) for line in Path(workspace.hub_env).read_text().splitlines() if "=" in line)
    return Keys(values["HUB_ENCRYPTION_KEY"], values.get("HUB_ENCRYPTION_KEY_OLD", ""))
