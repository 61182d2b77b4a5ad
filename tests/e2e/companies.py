"""Companies' hubs for tests, made and joined by the commands that people use."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from psn.config.bundles import Bundle
from psn.config.database import read_url
from psn.config.envfile import read_env_file
from tests.e2e.workspace import Outcome, Workspace, make_workspace
from tests.servers import Server

CREATE = ("create", "--name", "Acme Ltd", "--admin-name", "Ada")


@dataclass(frozen=True)
class Company:
    """A company's hub and the workspace of the admin who made it.

    Args:
        admin_url: of who may create roles on the server.
    """

    slug: str
    server: Server
    admin: Workspace
    admin_url: str

    def file(self, workspace: Workspace | None = None) -> dict[str, str]:
        """Read a workspace's file of this hub."""
        return read_env_file((workspace or self.admin).root / "config" / "connections" / f"{self.slug}.env")

    def team(self, *arguments: str, workspace: Workspace | None = None, stdin: bytes = b"") -> Outcome:
        """Run a verb of psn_team on this hub."""
        return (workspace or self.admin).run("psn_team", *arguments, "--hub", self.slug, stdin=stdin)

    def invite(self, name: str, *more: str) -> str:
        """Make an invite and give its line."""
        return str(self.team("invite", name, *more).data["invite"]["bundle"])

    def invite_quickly(self, name: str, *, role: str = "member") -> Bundle:
        """Make an invite as its admin, without a process."""
        with self.connect() as admin:
            row = admin.execute(
                "SELECT login_role, one_time_password, expires_at FROM hub_api.create_invite(%s, %s, interval '7 days')",
                [name, role],
            ).fetchone()
        assert row is not None
        url = read_url(self.file()["DATABASE_URL"]).with_login(row[0], row[1])
        return Bundle(slug=self.slug, url=url, expires_at=row[2])

    def keep_only(self, name: str) -> None:
        """Remove everybody else from the team."""
        with self.connect() as admin:
            admin.execute(
                "SELECT hub_api.remove_member(id) FROM users WHERE kind = 'person' AND is_active AND name <> %s", [name]
            )

    def connect(self, workspace: Workspace | None = None) -> psycopg.Connection[Any]:
        """Connect with the login that a workspace keeps, with the bare driver."""
        return psycopg.connect(self.file(workspace)["DATABASE_URL"], autocommit=True)

    def count(self, query: str) -> int:
        """Count something past every policy."""
        with self.server.connect(database=self.slug) as everything:
            row = everything.execute(query).fetchone()
            assert row is not None
            return int(row[0])


def new_slug() -> str:
    """Give a short name that nobody has on the server."""
    return f"t{secrets.token_hex(3)}"


def create(workspace: Workspace, slug: str, admin_url: str, *more: str) -> Outcome:
    """Run `psn_team create`."""
    return workspace.run("psn_team", *CREATE, slug, *more, stdin=admin_url.encode())


@contextmanager
def found(server: Server, *more: str, neon_like: bool = False) -> Iterator[Company]:
    """Make a company's hub on a server; take it away at the end."""
    slug, workspace = new_slug(), make_workspace()
    admin_url = server.make_admin(slug, neon_like=neon_like)
    try:
        outcome = create(workspace, slug, admin_url, *more)
        assert outcome.exit_code == 0, f"{outcome.result}\n{outcome.stderr[-3000:]}"
        yield Company(slug=slug, server=server, admin=workspace, admin_url=admin_url)
    finally:
        workspace.remove()
        server.drop(slug, f"{slug}_")


@contextmanager
def another_workspace() -> Iterator[Workspace]:
    """Make a workspace in which nothing was done yet."""
    workspace = make_workspace()
    try:
        yield workspace
    finally:
        workspace.remove()


def join(workspace: Workspace, line: str, *more: str) -> Outcome:
    """Run `psn_team join`."""
    return workspace.run("psn_team", "join", *more, stdin=line.encode())


def kill_during(
    workspace: Workspace, *arguments: str, stdin: str, when: Callable[[dict[str, Any]], bool], delay: float
) -> None:
    """Run a command and kill it (-9) a moment after the first line that `when` knows; it may end before."""
    with workspace.launch("psn_team", *arguments) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(stdin.encode())
        process.stdin.close()
        for line in process.stdout:
            if when(json.loads(line)):
                time.sleep(delay)
                process.kill()
