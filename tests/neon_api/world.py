"""What a customer has at Neon: organisations, projects and the work that Neon does on them."""

from __future__ import annotations

import secrets
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.neon_api.postgres import DATABASE, ROLE, Postgres, make_database

NOWHERE = Postgres("127.0.0.1", 1)


class Refused(Exception):
    """Neon refuses a call."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


@dataclass(frozen=True)
class Organisation:
    """One of the customer's organisations."""

    id: str
    name: str


@dataclass
class Operation:
    """Something that Neon does to a project.

    Args:
        looks: so many times it is seen running before it has finished; for ever when negative.
    """

    action: str
    looks: int = 0
    failed: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def status(self) -> str:
        """Look at it."""
        if self.failed:
            return "failed"
        if self.looks == 0:
            return "finished"
        self.looks -= 1
        return "running"


@dataclass
class Project:
    """One project with one branch, one compute, one role and one database."""

    id: str
    name: str
    org_id: str
    server: Postgres
    password: str = field(repr=False)
    pg_version: int = 18
    region_id: str = "aws-eu-central-1"
    role: str = ROLE
    database: str = DATABASE
    operations: list[Operation] = field(default_factory=list)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def branch_id(self) -> str:
        return f"br-{self.id}"

    @property
    def endpoint_id(self) -> str:
        return f"ep-{self.id}"

    @property
    def host(self) -> str:
        """Of its compute; Neon's have no port."""
        return f"{self.server.host}:{self.server.port}"


@dataclass
class World:
    """Everything the stand-in remembers.

    Args:
        keys: what it accepts as an API key.
        organisations: the customer's; an account of today has at least one.
        needs_org: a personal key must name the organisation; an organisation's own key must not.
        servers: one for each project that can be made, in that order; with none, projects have an address where nobody answers.
        limit: of projects.
        looks: so many times a new project's work is seen running; for ever when negative.
    """

    keys: set[str] = field(default_factory=lambda: {f"napi_{secrets.token_hex(24)}"})
    organisations: list[Organisation] = field(default_factory=lambda: [Organisation("org-quiet-moss-12345678", "Ana")])
    needs_org: bool = True
    servers: list[Postgres] = field(default_factory=list)
    limit: int = 100
    looks: int = 0
    projects: list[Project] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def key(self) -> str:
        return next(iter(self.keys))

    def list_projects(self, *, org_id: str, search: str = "") -> list[Project]:
        """List the projects of an organisation."""
        self._check_org(org_id)
        return [project for project in self.projects if project.org_id == org_id and search in project.name]

    def create_project(
        self, *, name: str, org_id: str = "", region_id: str = "", pg_version: int = 18, database: str = DATABASE
    ) -> Project:
        """Make a project, and its role and database on its server."""
        self._check_org(org_id)
        if len(self.projects) >= self.limit:
            raise Refused(422, "projects limit exceeded", "PROJECTS_LIMIT_EXCEEDED")
        if region_id not in ("", "aws-eu-central-1", "aws-us-east-2"):
            raise Refused(404, "region not found")
        server = self._next_server()
        password = make_database(server) if server is not NOWHERE else "npg_nobody"
        made = f"quiet-moss-{secrets.randbelow(10**8):08d}"
        operations = [Operation("create_timeline", self.looks), Operation("start_compute", self.looks)]
        project = Project(
            made, name or made, org_id, server, password,
            pg_version=pg_version, region_id=region_id or "aws-eu-central-1", database=database, operations=operations,
        )  # fmt: skip
        self.projects.append(project)
        return project

    def get_project(self, project_id: str) -> Project:
        """Get a project."""
        for project in self.projects:
            if project.id == project_id:
                return project
        raise Refused(404, "project not found")

    def _check_org(self, org_id: str) -> None:
        if not org_id and self.needs_org:
            raise Refused(400, "org_id is required, you can find it on your organization settings page")
        if org_id and org_id not in {organisation.id for organisation in self.organisations}:
            raise Refused(404, "organization not found")

    def _next_server(self) -> Postgres:
        if not self.servers:
            return NOWHERE
        if len(self.projects) >= len(self.servers):
            raise Refused(422, "projects limit exceeded", "PROJECTS_LIMIT_EXCEEDED")
        return self.servers[len(self.projects)]
