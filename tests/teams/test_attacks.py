"""A hostile member with psql changes nothing and reads nothing that is not his, on every ground (SPEC HUB-9, TEAM-1, POST-4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.teams.attacks import ATTACKS, Attack, Watch
from tests.teams.stage import Stage


@pytest.fixture(scope="module", autouse=True)
def anns_session(stage: Stage) -> Iterator[psycopg.Connection[Any]]:
    """An admin at work meanwhile, whose session and words somebody may be after."""
    with stage.company.enter(stage.people["ann"], direct=True) as connection:
        connection.execute("SELECT 'something private'")
        stage.names["anns_pid"] = str(connection.info.backend_pid)
        yield connection
        assert connection.execute("SELECT 'she is still there'").fetchone()


@pytest.fixture(scope="module")
def watch(stage: Stage, superuser: psycopg.Connection[Any]) -> Watch:
    return Watch(stage, superuser)


class TestNobody:
    @pytest.mark.parametrize("tried", ATTACKS.values(), ids=ATTACKS.keys())
    def test_may(self, tried: Attack, watch: Watch) -> None:
        assert watch.run(tried) in tried.ends
