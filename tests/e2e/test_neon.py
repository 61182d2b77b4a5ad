"""A hub at Neon, through the real neonctl, a stand-in of Neon's API and a real Postgres with TLS; killed and run again (HUB-5)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from psn.config.envfile import read_env_file
from tests.e2e.companies import new_slug
from tests.e2e.workspace import Workspace, make_workspace, read_outcome
from tests.neon_api import Call, NeonApi, World, run_neon_api
from tests.neon_api.postgres import Postgres
from tests.neon_api.program import need_neonctl
from tests.servers import Absent, Server, run_server

pytestmark = pytest.mark.slow
AFTER_SECONDS = 0.5  # neonctl has its answer by then, and has ended or is about to
MAX_RUNS = 15  # one call more in each; there are six or seven


@dataclass(frozen=True)
class Cloud:
    """Neon for one test: the stand-in, and the server that the first project gets."""

    api: NeonApi
    server: Server

    def open(self, workspace: Workspace) -> Workspace:
        """Let a workspace's commands find neonctl and the stand-in."""
        around = {"PATH": os.environ["PATH"], "PSN_NEONCTL": str(need_neonctl()), **self.api.environment}
        return replace(workspace, environment={**workspace.environment, **around})

    @property
    def certificates(self) -> tuple[str, str]:
        return "--ssl-root-cert", str(self.server.ca_file)

    def role_names(self) -> list[str]:
        """Name the owners of hubs that are on the server."""
        with self.server.connect() as superuser:
            found = superuser.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE '%\\_owner' ORDER BY 1")
            return [name for (name,) in found if name not in ("neondb_owner", "pg_database_owner")]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    need_neonctl()
    try:
        with run_server("18-tls") as server:
            postgres = Postgres(server.host, server.port, server.superuser, server.password)
            with run_neon_api(World(servers=[postgres], needs_org=False)) as api:
                yield Cloud(api, server)
    except Absent as reason:
        pytest.skip(str(reason))


@pytest.fixture
def workspace(cloud: Cloud) -> Iterator[Workspace]:
    made = make_workspace()
    yield cloud.open(made)
    made.remove()


def run_killed(workspace: Workspace, cloud: Cloud, *arguments: str, at: int, delay: float) -> bool:
    """Run a command and kill it (-9) at its n-th call of Neon, before the answer or a moment after; False when it ended before.

    neonctl itself lives on, as it does when a terminal is closed.
    """
    calls = len(cloud.api.calls)
    process = workspace.launch(*arguments)

    def watch(_: Call) -> None:
        if len(cloud.api.calls) - calls == at:
            threading.Timer(delay, process.kill).start() if delay else process.kill()

    cloud.api.watch = watch
    try:
        stdout, stderr = process.communicate(timeout=120)
    finally:
        cloud.api.watch = None
    if process.returncode == -signal.SIGKILL:
        return True
    assert read_outcome(process.returncode, stdout, stderr).exit_code == 0, stderr.decode()[-3000:]
    return False


def kill_through(workspace: Workspace, cloud: Cloud, *arguments: str, delay: float = 0.0) -> int:
    """Kill a command at its first call of Neon, then at the second, until one run ends by itself; gives how many were killed."""
    for number in range(1, MAX_RUNS):
        if not run_killed(workspace, cloud, *arguments, at=number, delay=delay):
            return number - 1
    raise AssertionError("it never ended")


def check_hub(workspace: Workspace, cloud: Cloud) -> None:
    """What one undisturbed set-up leaves behind, and nothing more of it."""
    (project,) = cloud.api.world.projects
    values = read_env_file(workspace.hub_env)
    assert (values["PROVIDER"], values["PROJECT"]) == ("neon", project.id)
    assert cloud.role_names() == [f"{values['PREFIX']}_owner"]
    assert workspace.ok("psn_setup", "--status")["ready"] is True
    assert [post["status"] for post in workspace.ok("psn_post", "list")["posts"]] == ["published"]
    assert [call["status"] for call in workspace.commits()] == [201]
    lines = list(workspace.processes().values())
    assert len([line for line in lines if "psn_worker run" in line]) == 1, lines
    assert not [line for line in lines if "postgres" in line or "neonctl" in line]
    check_secrets(workspace, cloud, project.password)


def check_secrets(workspace: Workspace, cloud: Cloud, password: str) -> None:
    """The key of Neon and the password of its own role are in no file."""
    for path in workspace.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert cloud.api.world.key.encode() not in content, path
            assert password.encode() not in content, path


def is_at(step: str, line: dict[str, Any]) -> bool:
    """Whether a line is of a step."""
    return bool(line.get("step") == step)


class TestAPersonalHub:
    def test_says_what_is_missing_and_then_is_made(self, workspace: Workspace, cloud: Cloud) -> None:
        command = ("psn_setup", "--provider", "neon", *cloud.certificates)
        for change, code, exit_code in (
            ({"NEON_API_KEY": ""}, "neon.no_key", 3),
            ({"NEON_API_KEY": "napi_of_somebody_else"}, "neon.bad_key", 3),
            ({"PSN_NEONCTL": "/nowhere/neonctl"}, "neon.no_cli", 3),
            ({"NEON_API_HOST": "http://127.0.0.1:9"}, "neon.unavailable", 4),
        ):
            other = replace(workspace, environment={**workspace.environment, **change})
            refused = other.refused(*command, code=code, exit_code=exit_code)
            assert "napi_" not in refused.stdout + refused.stderr
        assert not workspace.hub_env.exists()
        data = workspace.ok(*command)
        assert (data["hub"]["provider"], data["proof"]["read_back"]) == ("neon", True)
        check_hub(workspace, cloud)
        calls = len(cloud.api.calls)
        assert {step["status"] for step in workspace.ok("psn_setup")["steps"]} == {"skip"}
        assert len(cloud.api.calls) == calls, "a hub that is there needs no Neon"

    @pytest.mark.parametrize(
        ("delay", "kills"),
        [(0.0, 6), (AFTER_SECONDS, 3)],  # in half a second several calls get their answers
        ids=["before the answer", "after the answer"],
    )
    def test_is_made_once_however_often_it_is_killed(
        self, workspace: Workspace, cloud: Cloud, delay: float, kills: int
    ) -> None:
        command = ("psn_setup", "--provider", "neon", *cloud.certificates)
        assert kill_through(workspace, cloud, *command, delay=delay) >= kills
        assert cloud.api.names().count("POST /projects") == 1
        check_hub(workspace, cloud)

    def test_is_made_once_when_it_is_killed_between_steps(self, workspace: Workspace, cloud: Cloud) -> None:
        command = ("psn_setup", "--provider", "neon", *cloud.certificates)
        for number in range(2, 8):
            workspace.run_until(*command, when=partial(is_at, f"{number}/7"), delay=0.1 * number)
        assert workspace.run(*command).exit_code == 0
        check_hub(workspace, cloud)


class TestACompanysHub:
    def test_is_made_once_however_often_it_is_killed(self, workspace: Workspace, cloud: Cloud) -> None:
        slug = new_slug()
        names = ("--name", "Acme Ltd", "--admin-name", "Ada")
        command = ("psn_team", "create", slug, *names, "--provider", "neon", *cloud.certificates)
        assert kill_through(workspace, cloud, *command) >= 6
        (project,) = cloud.api.world.projects
        values = read_env_file(workspace.root / "config" / "connections" / f"{slug}.env")
        assert (values["PROVIDER"], values["PROJECT"], project.name) == ("neon", project.id, f"psn-{slug}")
        assert cloud.role_names() == [f"{slug}_owner"]
        (member,) = workspace.ok("psn_team", "list", "--hub", slug)["members"]
        assert (member["name"], member["role"]) == ("Ada", "admin")
        check_secrets(workspace, cloud, project.password)
