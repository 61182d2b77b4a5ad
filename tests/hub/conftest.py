"""A company's team, made once for the tests of a file that ask for one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hub.actions.colleagues import Team, make_team


@pytest.fixture(scope="module")
def whole_team(django_db_setup: None, django_db_blocker: Any) -> Iterator[Team]:
    """The team, with whatever the test before left of it."""
    with django_db_blocker.unblock(), make_team(f"t{secrets.token_hex(3)}") as team:
        yield team
