"""Hubs as database aliases, and the router that keeps an object in the hub it came from."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import Model

from psn.config.hub import get_hub_config

OWNER = "default__owner"


class HubRouter:
    """Everything lives in `default`; django-q2's own reads and writes go through `queue`; only the owner migrates."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        """Name the alias to read from."""
        instance = hints.get("instance")
        if instance is not None and instance._state.db:
            return str(instance._state.db)
        return "queue" if model._meta.app_label == "django_q" else "default"

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        """Name the alias to write to."""
        return self.db_for_read(model, **hints)

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool:
        """Allow relations inside one hub only."""
        return obj1._state.db == obj2._state.db

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Let the owner's connection alone change the schema."""
        return db in settings.MIGRATES


def reload_hub() -> None:
    """Read `config/hub.env` again, in the one process that has just written it.

    Raises:
        NotReady: there is still none.
    """
    from psn.settings import (
        load_databases,
    )  # the module behind django.conf.settings; here because settings must be loaded first

    hub = get_hub_config(settings.WORKSPACE)
    connections.close_all()
    settings.HUB = hub
    settings.SECRET_KEY = hub.secret_key
    settings.DATABASES = load_databases(hub)
    connections.settings = connections.configure_settings(settings.DATABASES)
    for alias in connections:
        with suppress(AttributeError):  # not opened by this thread
            del connections[alias]
