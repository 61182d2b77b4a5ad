"""One world for all tests of a file."""

from __future__ import annotations

from typing import Any

import pytest

from hub.models import Account
from tests.hub.worlds import World, world

__all__ = ["world"]


@pytest.fixture
def my_account(world: World) -> Any:
    """An account of the person behind `default`."""
    return world.mine[Account]
