"""Somebody on the sandbox's Bluesky."""

from __future__ import annotations

import pytest

from tests.sandbox.bluesky.people import Person, connect
from tests.sandbox.process import Sandbox


@pytest.fixture
def ana(sandbox: Sandbox) -> Person:
    """ana.bsky.social, signed in."""
    return connect(sandbox)
