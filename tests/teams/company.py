"""A company's hub on a real server, made by the product's own steps, and everybody's way into it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from psn.config.database import DatabaseUrl
from psn.config.hub import HubConfig, get_hub_config
from psn.config.workspace import ROOT, Workspace
from tests.servers import Server

MAKING_SECONDS = 120  # patience with a busy machine; it takes about four


@dataclass(frozen=True)
class Member:
    """Somebody of the team, with a login of his own."""

    name: str
    id: UUID
    login: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Invited:
    """An invite that nobody redeemed yet."""

    id: UUID
    login: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Company:
    """A company's hub.

    Args:
        door: how members come in: the server itself, or a pooler before it.
        ann: the admin who made it.
        workspace: where it was made, with the owner's, the worker's and the admin's logins.
    """

    slug: str
    server: Server
    door: Server
    config: HubConfig
    id: UUID
    ann: Member
    workspace: Path

    @property
    def database(self) -> str:
        return self.config.name

    def enter(self, who: Member | Invited, *, direct: bool = False, **options: Any) -> psycopg.Connection[Any]:
        """Connect as a member, or with an invite, as a hostile client would: with the bare driver."""
        door = self.server if direct else self.door
        pooled: dict[str, Any] = {} if direct or self.door is self.server else {"prepare_threshold": None}
        return door.connect(who.login, who.password, self.database, **(pooled | options))

    def enter_as_worker(self, **options: Any) -> psycopg.Connection[Any]:
        """Connect with the worker's login."""
        return self._enter_with(self.config.url("worker"), **options)

    def enter_as_owner(self, **options: Any) -> psycopg.Connection[Any]:
        """Connect as the hub's owner, who sees every row."""
        return self._enter_with(self.config.url("owner"), options="-c app.maintenance=on", **options)

    def enter_as_superuser(self, **options: Any) -> psycopg.Connection[Any]:
        """Connect as who may do everything, on the server itself."""
        return self.server.connect(database=self.database, **options)

    def invite(self, name: str, role: str = "member", *, ttl: str = "7 days", by: Member | None = None) -> Invited:
        """Invite somebody, by an admin's own hands."""
        with self.enter(by or self.ann) as admin:
            asked = "SELECT invite_id, login_role, one_time_password FROM hub_api.create_invite(%s, %s, %s::interval)"
            row = admin.execute(asked, [name, role, ttl]).fetchone()
            assert row is not None
            return Invited(*row)

    def join(self, name: str, role: str = "member", *, by: Member | None = None) -> Member:
        """Invite somebody and have him redeem it."""
        return self.redeem(self.invite(name, role, by=by), name=name)

    def redeem(self, invited: Invited, *, name: str) -> Member:
        """Exchange an invite for a membership."""
        with self.enter(invited) as joiner:
            row = joiner.execute("SELECT member_id, password FROM hub_api.redeem()").fetchone()
            assert row is not None
            return Member(name=name, id=row[0], login=invited.login, password=row[1])

    def _enter_with(self, url: DatabaseUrl, **options: Any) -> psycopg.Connection[Any]:
        return self.server.connect(url.user, url.password, url.name, **options)


@contextlib.contextmanager
def make_company(
    server: Server, *, slug: str, neon_like: bool = False, door: Server | None = None
) -> Iterator[Company]:
    """Make a company's hub on a server; drop its database and its roles at the end.

    Args:
        neon_like: the role that it is made with is built as Neon builds it.
        door: a pooler before that server.
    """
    folder = Path(tempfile.mkdtemp(prefix="psn-team-"))
    host = f"{slug}_host"
    admin = server.make_admin(host, neon_like=neon_like)
    try:
        workspace = Workspace(folder)
        _run_steps(folder, slug=slug, admin=admin, server=server)
        config = get_hub_config(workspace, slug)
        yield _find_people(server, door or server, config, workspace=workspace)
    finally:
        server.drop(host, f"{slug}_")
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def copy_company(company: Company, name: str) -> Iterator[Company]:
    """Copy the hub's database, to be spoilt; its roles are the same ones. Nobody may be connected to the hub meanwhile.

    Rights on a database itself are not copied with it, so they are given again.
    """
    with company.server.connect() as admin:
        names = {"copy": sql.Identifier(name), "hub": sql.Identifier(company.database)}
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {copy} WITH (FORCE)").format(**names))
        admin.execute(sql.SQL("CREATE DATABASE {copy} TEMPLATE {hub}").format(**names))
        admin.execute(
            "UPDATE pg_database SET datacl = (SELECT datacl FROM pg_database WHERE datname = %s), "
            "datdba = (SELECT datdba FROM pg_database WHERE datname = %s) WHERE datname = %s",
            [company.database, company.database, name],
        )
    config = company.config
    urls = {login: replace(url, name=name) for login, url in config.urls.items()}
    try:
        yield replace(company, config=replace(config, name=name, urls=urls))
    finally:
        with company.server.connect() as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def environment_of(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a process of the product in a workspace."""
    around = {name: value for name, value in os.environ.items() if name not in ("PSN_HUB", "PSN_LOGIN", "PSN_WORKER")}
    around |= {"DJANGO_SETTINGS_MODULE": "psn.settings", "PSN_NO_BOOTSTRAP": "1"}
    return around | {"PSN_WORKSPACE": str(folder), "PSN_HOME": str(folder / "home")} | more


def _run_steps(folder: Path, *, slug: str, admin: str, server: Server) -> None:
    asked = json.dumps({"slug": slug, "admin": admin, "ca": str(server.ca_file or "")})
    done = subprocess.run(
        [sys.executable, "-m", "tests.teams.making"],
        cwd=ROOT, env=environment_of(folder), input=asked, capture_output=True, text=True, timeout=MAKING_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"the company was not made:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


def _find_people(server: Server, door: Server, config: HubConfig, *, workspace: Workspace) -> Company:
    own = config.url("app")
    with server.connect(own.user, own.password, own.name) as admin:
        row = admin.execute("SELECT hub_api.current_user_id(), hub_api.current_company_id()").fetchone()
    assert row is not None
    assert None not in row, "the admin's own login is nobody's"
    ann = Member(name="Ann", id=row[0], login=own.user, password=own.password)
    return Company(
        slug=config.slug, server=server, door=door, config=config, id=row[1], ann=ann, workspace=workspace.root
    )
