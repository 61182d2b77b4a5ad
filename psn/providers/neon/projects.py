"""Projects at Neon: made once, found again after whatever went wrong, and asked for their address."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

from psn.config.database import DatabaseUrl, read_url
from psn.deadline import Deadline
from psn.errors import Conflict, InvalidInput, NotReady, Problem, Unavailable
from psn.providers.neon import wire
from psn.providers.neon.program import Program, check_key, find_neonctl
from psn.providers.neon.refusals import NEEDS_ORG, read_garbage, read_refusal

ROLE = "neondb_owner"  # what Neon calls them where nobody says otherwise (neon.com/docs/manage/roles, 2026-11)
DATABASE = "neondb"
READY_SECONDS = 180.0  # a new project takes some; an overloaded region takes longer
_POLL_SECONDS = 1.0
_Read = TypeVar("_Read")


def _say_nothing(_: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project at Neon, which is one Postgres of its own.

    Args:
        created: by this call; it was there otherwise.
    """

    id: str
    name: str
    created: bool = False


@dataclass
class NeonCli:
    """Neon, as `neonctl` reaches it.

    Args:
        project_id: the project to use, whatever its name (PSN_NEON_PROJECT).
        org_id: the organisation to work in (PSN_NEON_ORG); the account's only one when empty.
        region: of a new project, such as `aws-eu-central-1` (PSN_NEON_REGION); Neon's choice when empty.
        tell: hears in a sentence what takes long.
    """

    program: Program
    project_id: str = ""
    org_id: str = ""
    region: str = ""
    tell: Callable[[str], None] = field(default=_say_nothing)
    ready_seconds: float = READY_SECONDS

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str],
        *,
        folder: Path,
        key: str = "",
        project_id: str = "",
        tell: Callable[[str], None] = _say_nothing,
    ) -> Self:
        """Find the program, the key and what else was chosen.

        Args:
            environment: NEON_API_KEY, PSN_NEONCTL, PSN_NEON_PROJECT, PSN_NEON_ORG, PSN_NEON_REGION.
            folder: the same one at every run of a workspace, private; see `Program`.
            key: the saved one, for where NEON_API_KEY is not set.
            project_id: of a hub that was begun, for where PSN_NEON_PROJECT is not set.

        Raises:
            NotReady: neon.no_key, neon.bad_key, neon.no_cli.
            InvalidInput: neon.bad_id, an id that is none.
        """
        key = check_key(environment.get("NEON_API_KEY", "") or key)
        return cls(
            Program(find_neonctl(environment), key=key, folder=folder, environment=environment),
            project_id=_read_id(environment, "PSN_NEON_PROJECT") or project_id,
            org_id=_read_id(environment, "PSN_NEON_ORG"),
            region=_read_id(environment, "PSN_NEON_REGION"),
            tell=tell,
        )

    def ensure_project(self, name: str, *, region: str | None = None, pg_version: int | None = None) -> Project:
        """Find the project of this name, or make it: the same call again after a failure makes no second one.

        Args:
            region: in the place of the one that was chosen before. Only a new project gets it.
            pg_version: the major version; Neon's choice when left out.

        Raises:
            Conflict: neon.which_project, several have that name; neon.which_org, the account has several organisations.
            InvalidInput: neon.no_project, neon.refused.
            Problem: as of `read_refusal`.
        """
        if self.project_id:
            return self._get_chosen()
        found = [project for project in self._list_projects() if project.name == name]
        if len(found) > 1:
            raise Conflict(
                f"Neon has {len(found)} projects called {name}: {', '.join(project.id for project in found)}.",
                code="neon.which_project",
                ask="Set PSN_NEON_PROJECT to the id of the one to use, then run the same command again.",
            )
        if found:
            return Project(found[0].id, name)
        self.tell(f"Making the project {name} at Neon.")
        return Project(self._create(name, region=region or self.region, pg_version=pg_version).id, name, created=True)

    def connection_url(self, project_id: str) -> DatabaseUrl:
        """Wait until a project is there, and give the address of its owner, past the pooler.

        Raises:
            Unavailable: neon.unavailable, it is not ready in time.
            NotReady: neon.half_made, Neon gave up on it.
            Problem: as of `read_refusal`.
        """
        self._wait_until_ready(project_id)
        asked = ("--project-id", project_id, "--role-name", ROLE, "--database-name", DATABASE)
        try:
            text = self._ask(wire.read_address, "connection-string", *asked, "--ssl", "verify-full", "--extended")
        except NotReady as refusal:
            if refusal.error_code != "neon.cli_failed":
                raise
            raise _half_made(f"The project {project_id} at Neon is not as PSN makes one. {refusal.message}") from None
        return read_url(text).direct()

    def _get_chosen(self) -> Project:
        try:
            project = self._ask(wire.read_project, "projects", "get", self.project_id)
        except InvalidInput as refusal:
            raise InvalidInput(
                f"Neon gives this key no project {self.project_id}. {refusal.message}",
                code="neon.no_project",
            ) from None
        return Project(project.id, project.name)

    def _list_projects(self) -> list[wire.Named]:
        try:
            return self._ask(wire.read_projects, "projects", "list", *self._of_org())
        except InvalidInput as refusal:
            if self.org_id or NEEDS_ORG not in refusal.message:
                raise
        self.org_id = self._only_org()
        return self._ask(wire.read_projects, "projects", "list", *self._of_org())

    def _only_org(self) -> str:
        found = self._ask(wire.read_organisations, "orgs", "list")
        if len(found) == 1:
            return found[0].id
        if not found:
            raise NotReady(
                "Neon wants an organisation, and this account has none.",
                code="neon.no_org",
                ask="Make an organisation in Neon's console, or a key of the organisation you are in.",
            )
        names = ", ".join(f"{org.name} ({org.id})" for org in found)
        raise Conflict(
            f"This account has {len(found)} organisations at Neon: {names}.",
            code="neon.which_org",
            ask="Set PSN_NEON_ORG to the id of the one to use, then run the same command again.",
        )

    def _create(self, name: str, *, region: str, pg_version: int | None) -> wire.Named:
        chosen = (*self._of_org(), *(("--region-id", region) if region else ()))
        version = ("--pg-version", str(pg_version)) if pg_version else ()
        return self._ask(wire.read_created, "projects", "create", f"--name={name}", "--no-secrets", *chosen, *version)

    def _wait_until_ready(self, project_id: str) -> None:
        deadline = Deadline(self.ready_seconds)
        while True:
            operations = self._ask(wire.read_operations, "operations", "list", "--project-id", project_id)
            pending = [operation for operation in operations if operation.is_pending]
            if not pending:
                return _check_made(operations, project_id=project_id)
            if deadline.is_over():
                raise Unavailable(
                    f"Neon is still at work on the project {project_id} ({pending[0].action}). "
                    "Run the same command again later: it goes on from here.",
                    code="neon.unavailable",
                )
            self.tell(f"Neon is at work on the project ({pending[0].action}).")
            time.sleep(_POLL_SECONDS)

    def _of_org(self) -> tuple[str, ...]:
        return ("--org-id", self.org_id) if self.org_id else ()

    def _ask(self, read: Callable[[str], _Read], *arguments: str) -> _Read:
        finished = self.program.run(*arguments, tell=self.tell)
        if finished.code:
            refusal: Problem = read_refusal(finished, now=datetime.now(UTC))
            raise refusal
        try:
            return read(finished.output)
        except ValueError:
            raise read_garbage(finished) from None


def _read_id(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if value and not re.fullmatch(wire.ID, value):
        raise InvalidInput(f"{name} is no id of Neon's: small letters, digits and hyphens.", code="neon.bad_id")
    return value


def _check_made(operations: list[wire.Operation], *, project_id: str) -> None:
    failed = wire.find_failed(operations)
    if failed:
        raise _half_made(f"Neon could not finish the project {project_id}: {failed.action} failed.")


def _half_made(message: str) -> NotReady:
    return NotReady(
        message,
        code="neon.half_made",
        ask="Look at the project in Neon's console: delete it, or name another one with PSN_NEON_PROJECT. "
        "Then run the same command again.",
    )
