"""Which call is answered by what."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.neon_api import documents
from tests.neon_api.documents import Document
from tests.neon_api.world import Project, Refused, World

_BESIDE_PROJECTS: Document = {"applications": {}, "integrations": {}}
Route = Callable[[World, re.Match[str], Mapping[str, str], Document], tuple[int, Document]]


def answer(
    world: World, call: str, query: Mapping[str, str], body: Document, *, authorization: str
) -> tuple[int, Document]:
    """Answer a call such as `GET /projects`, or change the world as it asks.

    Raises:
        Refused: Neon says no.
    """
    if authorization.removeprefix("Bearer ") not in world.keys:
        raise Refused(401, "supplied credentials do not pass authentication")
    for pattern, route in _ROUTES:
        if found := re.fullmatch(pattern, call):
            with world.lock:
                return route(world, found, query, body)
    raise Refused(404, f"the stand-in does not know {call}")


def _list_organisations(world: World, *_: Any) -> tuple[int, Document]:
    now = datetime.now(UTC)
    return 200, {"organizations": [documents.write_organisation(one, now=now) for one in world.organisations]}


def _list_projects(world: World, _: re.Match[str], query: Mapping[str, str], __: Document) -> tuple[int, Document]:
    found = world.list_projects(org_id=query.get("org_id", ""), search=query.get("search", ""))
    begin = next((number + 1 for number, one in enumerate(found) if one.id == query.get("cursor")), 0)
    page = found[begin : begin + int(query.get("limit", "10"))]
    pagination = {"pagination": {"cursor": page[-1].id}} if page else {}
    return 200, {"projects": [documents.write_listed(project) for project in page], **_BESIDE_PROJECTS, **pagination}


def _list_shared(*_: Any) -> tuple[int, Document]:
    return 200, {"projects": [], **_BESIDE_PROJECTS}


def _create_project(world: World, _: re.Match[str], __: Mapping[str, str], body: Document) -> tuple[int, Document]:
    asked = body.get("project", {})
    project = world.create_project(
        name=asked.get("name", ""),
        org_id=asked.get("org_id", ""),
        region_id=asked.get("region_id", ""),
        pg_version=asked.get("pg_version", 18),
    )
    return 201, documents.write_created(project)


def _of_project(write: Callable[[Project], Document]) -> Route:
    def route(world: World, found: re.Match[str], _: Mapping[str, str], __: Document) -> tuple[int, Document]:
        return 200, write(world.get_project(found[1]))

    return route


def _reveal_password(world: World, found: re.Match[str], _: Mapping[str, str], __: Document) -> tuple[int, Document]:
    project = world.get_project(found[1])
    if found[2] != project.role:
        raise Refused(404, "role not found")
    return 200, {"password": project.password}


def _operations(project: Project) -> Document:
    done = [documents.write_operation(operation, project) for operation in reversed(project.operations)]
    return {"operations": done, "pagination": {"cursor": done[-1]["created_at"]}}


_PROJECT = r"/projects/([a-z0-9-]+)"
_BRANCH = rf"{_PROJECT}/branches/br-[a-z0-9-]+"
_ROUTES: tuple[tuple[str, Route], ...] = (
    (r"GET /users/me/organizations", _list_organisations),
    (r"GET /projects", _list_projects),
    (r"GET /projects/shared", _list_shared),
    (r"POST /projects", _create_project),
    (rf"GET {_PROJECT}", _of_project(lambda project: {"project": documents.write_project(project)})),
    (rf"GET {_PROJECT}/operations", _of_project(_operations)),
    (
        rf"GET {_PROJECT}/branches",
        _of_project(lambda project: {"branches": [documents.write_branch(project)], "annotations": {}}),
    ),
    (rf"GET {_BRANCH}/endpoints", _of_project(lambda project: {"endpoints": [documents.write_endpoint(project)]})),
    (rf"GET {_BRANCH}/roles", _of_project(lambda project: {"roles": [documents.write_role(project)]})),
    (rf"GET {_BRANCH}/databases", _of_project(lambda project: {"databases": [documents.write_database(project)]})),
    (rf"GET {_BRANCH}/roles/([a-z_]+)/reveal_password", _reveal_password),
)
