"""`psn_setup` from nothing to one post out, killed anywhere, in odd places (HUB-1, HUB-3)."""

from __future__ import annotations

import os
import pwd
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.workspace import WEB, Outcome, Workspace, copy_clone, make_workspace, read_outcome, tree_of

STEPS = ["environment", "hub", "schema", "config", "worker", "sandbox", "proof"]
ACCOUNTS_FOR_TESTS = "psntest"
OF_PIP = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_CERT", "REQUESTS_CA"))}


def check_end_state(workspace: Workspace) -> None:
    """What one undisturbed set-up leaves behind, and nothing more of it."""
    data = workspace.ok("psn_setup", "--status")
    assert data["ready"] is True
    (account,) = workspace.ok("psn_account", "list")["accounts"]
    assert (account["handle"], account["status"]) == ("@sandbox", "active")
    posts = workspace.ok("psn_post", "list")["posts"]
    assert [post["status"] for post in posts] == ["published"]
    assert count_rows(workspace, "users", "logins") == [1, 2]
    shown = workspace.sandbox_posts("sandbox")
    assert [post["id"] for post in shown] == [posts[0]["parts"][0]["platform_post_id"]]
    assert [call["status"] for call in workspace.commits()] == [201]
    check_processes(workspace)
    assert len(list(workspace.home.glob("hub-*"))) == 1


def check_processes(workspace: Workspace) -> None:
    """One server, one supervisor with one cluster, one sandbox."""
    lines = list(workspace.processes().values())
    assert len([line for line in lines if "psn_worker run" in line]) == 1, lines
    assert len([line for line in lines if "sandbox serve" in line]) == 1, lines
    assert len([line for line in lines if "/bin/postgres -D" in line]) == 1, lines


def count_rows(workspace: Workspace, *tables: str) -> list[int]:
    """Count rows as the hub's owner, past every policy."""
    code = (
        "import django; django.setup(); from django.db import connections\n"
        f"c = connections['default__owner'].cursor(); tables = {list(tables)!r}\n"
        "print(*[c.execute(f'SELECT count(*) FROM {table}').fetchone()[0] for table in tables])"
    )
    environment = {
        **os.environ,
        "PSN_WORKSPACE": str(workspace.root),
        "PSN_HOME": str(workspace.home),
        "DJANGO_SETTINGS_MODULE": "psn.settings",
    }
    own = workspace.repository / ".venv" / "bin" / "python"  # where the clone made an environment of its own
    done = subprocess.run(
        [*workspace.prefix, own if own.exists() else workspace.python, "-c", code],
        env=environment, cwd=workspace.repository, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [int(word) for word in done.stdout.split()]


def at_step(number: int, status: str) -> Any:
    return lambda line: line["type"] == "progress" and line["step"] == f"{number}/7" and line["status"] == status


class TestAFreshClone:
    """In the shared workspace, whose fixture ran the first set-up."""

    def test_ends_with_a_post_that_the_feed_shows(self, fresh: Workspace) -> None:
        outcome = fresh.run("psn_setup")
        data = outcome.data
        assert [step["name"] for step in data["steps"]] == STEPS
        assert {step["status"] for step in data["steps"]} == {"done"}
        assert (data["hub"]["provider"], data["hub"]["state"]) == ("local", "running")
        assert data["proof"]["read_back"] is True
        assert 0 <= data["proof"]["lateness_ms"] < 1000
        text = fresh.ok("psn_post", "show", data["proof"]["post_id"])["post"]["parts"][0]["text"]
        for url in (data["proof"]["url"], data["web"]["url"]):
            page = WEB.get(url)
            assert (page.status_code, text in page.text) == (200, True)
        check_end_state(fresh)

    def test_is_told_to_people_on_stderr(self, shared: Workspace) -> None:
        outcome = shared.run("psn_setup")
        assert "[1/7] Preparing the workspace … skip" in outcome.stderr


class TestRunningItAgain:
    def test_skips_every_step_and_keeps_the_proof(self, ready: Workspace) -> None:
        before = ready.ok("psn_setup", "--status")["proof"]
        data = ready.ok("psn_setup")
        assert [(step["name"], step["status"]) for step in data["steps"]] == [(name, "skip") for name in STEPS]
        assert data["proof"] == before | {"read_back": True}

    @pytest.mark.parametrize("flag", ["--only", "--from"])
    def test_takes_one_step_or_the_rest(self, ready: Workspace, flag: str) -> None:
        names = [step["name"] for step in ready.ok("psn_setup", flag, "worker")["steps"]]
        assert names == (["worker"] if flag == "--only" else ["worker", "sandbox", "proof"])

    def test_brings_back_what_was_stopped(self, ready: Workspace) -> None:
        ready.ok("psn_sandbox", "stop")
        ready.ok("psn_hub", "stop")
        steps = {step["name"]: step["status"] for step in ready.ok("psn_setup")["steps"]}
        assert (steps["config"], steps["worker"], steps["sandbox"]) == ("skip", "done", "done")
        check_processes(ready)


class TestLooking:
    @pytest.mark.parametrize("flag", ["--plan", "--status"])
    def test_has_no_effect_on_a_fresh_workspace(self, fresh: Workspace, flag: str) -> None:
        before = tree_of(fresh.folder)
        data = fresh.ok("psn_setup", flag)
        assert data["ready"] is False
        assert [(step["name"], step["status"]) for step in data["steps"]] == [(name, "to do") for name in STEPS]
        assert tree_of(fresh.folder) == before
        assert fresh.processes() == {}

    @pytest.mark.parametrize("flag", ["--plan", "--status"])
    def test_has_no_effect_on_a_ready_one(self, ready: Workspace, flag: str) -> None:
        mine = [name for name in ready.processes().values() if "postgres" not in name]
        before = tree_of(ready.root), sorted(mine), ready.commits()
        data = ready.ok("psn_setup", flag)
        assert data["ready"] is True
        mine = [name for name in ready.processes().values() if "postgres" not in name]
        assert (tree_of(ready.root), sorted(mine), ready.commits()) == before

    def test_starts_nothing_that_was_stopped(self, ready: Workspace) -> None:
        ready.ok("psn_hub", "stop")
        try:
            data = ready.ok("psn_setup", "--status")
            assert data["ready"] is False
            assert not [line for line in ready.processes().values() if "postgres" in line or "psn_worker" in line]
        finally:
            ready.ok("psn_setup")


class TestRefusals:
    @pytest.mark.parametrize("flag", ["--only", "--from"])
    def test_name_the_steps_there_are(self, ready: Workspace, flag: str) -> None:
        outcome = ready.refused("psn_setup", flag, "everything", code="setup.step", exit_code=5)
        assert all(name in outcome.result["error"]["message"] for name in STEPS)
        assert outcome.next_command

    @pytest.mark.parametrize("more", [[], ["--plan"]], ids=["run", "plan"])
    def test_name_the_providers_there_are(self, fresh: Workspace, more: list[str]) -> None:
        before = tree_of(fresh.folder)
        outcome = fresh.refused("psn_setup", "--provider", "neom", *more, code="provider.unknown", exit_code=5)
        assert outcome.next_command == "python3 manage.py psn_setup --provider local"
        assert tree_of(fresh.folder) == before

    def test_come_also_when_everything_is_done_already(self, ready: Workspace) -> None:
        ready.refused("psn_setup", "--provider", "neom", code="provider.unknown", exit_code=5)

    @pytest.mark.parametrize("step", STEPS[2:])
    def test_say_that_an_earlier_step_is_missing(self, fresh: Workspace, step: str) -> None:
        outcome = fresh.refused("psn_setup", "--only", step, code="hub.missing", exit_code=3)
        assert outcome.next_command == "python3 manage.py psn_setup"


class TestKilledAnywhere:
    """One workspace, killed at every step in turn, so that each run goes on from what the one before left."""

    @pytest.mark.slow
    def test_ends_the_same_when_killed_right_after_each_step(self, fresh: Workspace) -> None:
        for number in range(1, 8):
            assert fresh.run_until("psn_setup", when=at_step(number, "done"))
        fresh.ok("psn_setup")
        check_end_state(fresh)

    @pytest.mark.slow
    def test_ends_the_same_when_killed_in_the_middle_of_each_step(self, fresh: Workspace) -> None:
        chance = random.Random()  # another moment in every run: there are many, and no state may be the wrong one
        for number in range(1, 7):
            fresh.run_until("psn_setup", when=at_step(number, "start"), delay=chance.choice([0, 0.02, 0.1, 0.4]))
        fresh.run_until("psn_setup", when=at_step(7, "start"), delay=0.5)  # the proof is scheduled and not out yet
        fresh.ok("psn_setup")
        check_end_state(fresh)

    @pytest.mark.slow
    def test_ends_the_same_when_killed_often_while_the_hub_is_made(self, fresh: Workspace) -> None:
        for delay in (0.05, 0.5, 1.0):
            fresh.run_until("psn_setup", when=at_step(2, "start"), delay=delay)
        fresh.ok("psn_setup")
        check_end_state(fresh)


class TestTwoAtOnce:
    def test_leave_one_hub_and_one_proof(self, fresh: Workspace) -> None:
        processes = [fresh.launch("psn_setup") for _ in range(2)]
        outcomes = [read_outcome(p.wait(), out, err) for p in processes for out, err in [p.communicate(timeout=120)]]
        assert {outcome.exit_code for outcome in outcomes} <= {0, 7}, [outcome.result for outcome in outcomes]
        fresh.ok("psn_setup")
        check_end_state(fresh)


class TestPlaces:
    @pytest.mark.parametrize(
        "name",
        ["with a space", "año/日本/" + "/".join(["directory-with-a-name"] * 5)],
        ids=["a space", "over 107 bytes and not ASCII"],
    )
    def test_may_have_any_name(self, name: str) -> None:
        workspace = make_workspace(name)
        try:
            workspace.ok("psn_setup")
            assert {step["status"] for step in workspace.ok("psn_setup")["steps"]} == {"skip"}
            check_processes(workspace)
        finally:
            workspace.remove()


@pytest.fixture(scope="module")
def plain() -> Iterator[Workspace]:
    """A workspace of a plain OS user, with a clone of that user's own.

    Where that user cannot reach the tests' environment (a checkout below /root), the clone makes its own, as for anybody.
    """
    if os.geteuid() != 0:
        pytest.skip("the tests run as a plain user already")
    try:
        user = pwd.getpwnam(ACCOUNTS_FOR_TESTS)
    except KeyError:
        made = subprocess.run(["/usr/sbin/useradd", "--no-create-home", "--", ACCOUNTS_FOR_TESTS], capture_output=True)
        if made.returncode:
            pytest.skip(f"no plain user can be made: {made.stderr!r}")
        user = pwd.getpwnam(ACCOUNTS_FOR_TESTS)
    become = ("/usr/sbin/runuser", "-u", ACCOUNTS_FOR_TESTS, "--")
    workspace = replace(make_workspace(), prefix=become)
    if subprocess.run([*become, sys.executable, "-c", "import django"], capture_output=True, cwd="/").returncode:
        workspace = replace(workspace, python="/usr/bin/python3", environment={"PSN_NO_BOOTSTRAP": ""} | OF_PIP)
    workspace = replace(workspace, repository=copy_clone(workspace.folder / "clone"))
    for path in (workspace.folder, *workspace.folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
    yield workspace
    workspace.remove()


class TestAPlainUser:
    def test_needs_no_root(self, plain: Workspace) -> None:
        plain.ok("psn_setup")
        check_end_state(plain)
        assert (plain.hub_home / "pg").stat().st_uid == pwd.getpwnam(ACCOUNTS_FOR_TESTS).pw_uid

    def test_is_told_which_directory_cannot_be_written(self, plain: Workspace) -> None:
        closed = Path(tempfile.mkdtemp(prefix="psn-e2e-"))
        try:
            closed.chmod(0o755)
            outcome: Outcome = replace(plain, root=closed).refused("psn_setup", code="config.not_writable", exit_code=3)
            assert str(closed) in outcome.result["error"]["message"]
            assert outcome.result["next_action"]["needs"] == "human"
        finally:
            closed.rmdir()
