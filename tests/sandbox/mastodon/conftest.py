"""A connected account on the sandbox's instance."""

from __future__ import annotations

import pytest

from tests.sandbox.mastodon.people import Person, connect
from tests.sandbox.process import Sandbox


@pytest.fixture
def ann(sandbox: Sandbox) -> Person:
    """@ann, with all that publishing takes."""
    return connect(sandbox)
