"""A hub whose person has an account at a real sandbox, connected through its OAuth."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.actions.connecting import connect_sandbox
from hub.models import Account
from tests.factories import People
from tests.sandbox.conftest import sandbox, sandbox_process
from tests.sandbox.process import Sandbox

__all__ = ["sandbox", "sandbox_process"]


@pytest.fixture
def account(hub: People, sandbox: Sandbox) -> Account:
    """The person's account, connected."""
    return connect_sandbox(platform="x", sandbox_url=sandbox.url, now=datetime.now(UTC))
