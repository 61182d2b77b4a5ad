"""Somebody on the sandbox's TikTok."""

from __future__ import annotations

import pytest

from tests.sandbox.process import Sandbox
from tests.sandbox.tiktok.people import Person, connect


@pytest.fixture
def person(sandbox: Sandbox) -> Person:
    """@sandbox, connected with all scopes."""
    return connect(sandbox)
