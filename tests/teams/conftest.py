"""A team on every kind of server, each made once for all tests that want one."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.servers import POOLER, Kind, need_server, pgbouncer
from tests.teams.company import make_company
from tests.teams.stage import Stage, set_up


@dataclass(frozen=True)
class Ground:
    """Where a hub stands: on which server, made by which kind of role, entered through a pooler or not."""

    kind: Kind
    neon_like: bool = False
    pooled: bool = False


GROUNDS = {
    "18": Ground("18"),
    "18-neon": Ground("18", neon_like=True),
    "16": Ground("16"),
    "16-neon": Ground("16", neon_like=True),
    "18-pooled": Ground("18", pooled=True),
}

_FAILED: dict[Ground, str] = {}


@contextlib.contextmanager
def make_stage(ground: Ground) -> Iterator[Stage]:
    """Make a team's hub with rows in it; everything is gone at the end."""
    server = need_server(ground.kind)
    with contextlib.ExitStack() as stack:
        door = stack.enter_context(pgbouncer(server)) if ground.pooled else None
        slug = f"t{secrets.token_hex(4)}"
        yield set_up(stack.enter_context(make_company(server, slug=slug, neon_like=ground.neon_like, door=door)))


@pytest.fixture(scope="session", params=[*GROUNDS.values()], ids=[*GROUNDS])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The team, on every ground in turn."""
    if request.param.pooled and POOLER is None:
        pytest.skip("pgbouncer is not installed")
    if request.param in _FAILED:  # once is enough: making a hub takes seconds
        pytest.fail(_FAILED[request.param])
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(make_stage(request.param))
        except AssertionError as error:
            _FAILED[request.param] = str(error)
            raise
        yield made


@pytest.fixture(scope="session")
def superuser(stage: Stage) -> Iterator[psycopg.Connection[Any]]:
    """Who sees everything, for looking."""
    with stage.company.enter_as_superuser() as connection:
        yield connection
