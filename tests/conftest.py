"""What every test may use: a real hub, its people, and a clean database after each test."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.db.models.signals import pre_migrate
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from hub.actions.hubs import local_server
from hub.models import User
from hub.rls import roles
from psn.config.hub import get_hub_config
from psn.providers.local import PORT
from tests import factories


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Start a server, make the roles, and have the schema of the functions before the first migration."""
    hub = get_hub_config(settings.WORKSPACE)
    server = local_server(hub)
    server.ensure_running()
    with psycopg.connect(
        host=str(server.socket_dir), port=PORT, user="postgres", dbname="postgres", autocommit=True
    ) as admin:
        roles.create_roles(admin)
        admin.execute(
            "ALTER ROLE psn_owner CREATEDB"
        )  # only here: Django's test runner makes the database as the owner
        for login, group in (("psn_app", "member"), ("psn_another", "member"), ("psn_worker", "service")):
            roles.create_login(admin, login, group=f"psn_{group}")

    def make_schema(using: str, **_: Any) -> None:
        connection = connections[using]
        connection.ensure_connection()
        roles.open_database(connection.connection, prefix=roles.PERSONAL)
        roles.create_schema(connection.connection)

    pre_migrate.connect(make_schema, weak=False, dispatch_uid="tests")
    yield
    server.stop("immediate")


def pytest_unconfigure() -> None:
    """Remove the folder that `tests.settings` made, whether a test used the hub or not."""
    if settings.configured:
        shutil.rmtree(settings.WORKSPACE.root.parent, ignore_errors=True)


def pytest_configure() -> None:
    """Time nothing that a busy machine makes slow, and let Ctrl-C reach the commands that tests start."""
    hypothesis_settings.register_profile("psn", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    hypothesis_settings.load_profile("psn")
    # A run in a shell's background inherits that it is ignored.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test that asks for a hub real transactions on all of its connections."""
    for item in items:
        if "hub" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db(transaction=True, databases="__all__"))


@pytest.fixture
def hub(_django_db_marker: None) -> Iterator[factories.People]:
    """A hub with two people and a worker; `default` is the first person's own login."""
    yield factories.make_people()
    connections.close_all()


@pytest.fixture
def me(hub: factories.People) -> User:
    """The person behind the `default` connection."""
    return hub.me


@pytest.fixture
def workspace() -> Path:
    """The workspace's root, emptied of media after the test."""
    root: Path = settings.WORKSPACE.root
    return root
