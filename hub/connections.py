"""Hubs as database aliases, and the router that keeps an object in the hub it came from."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import Model

from psn.config.hub import HubConfig, get_hub_config

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


def current_hub() -> HubConfig:
    """Give the hub that this process works on.

    Raises:
        NotReady: there is none yet.
    """
    hub: HubConfig | None = settings.HUB
    return hub if hub is not None else get_hub_config(settings.WORKSPACE, settings.HUB_SLUG)


def reload_hub() -> None:
    """Read the file of this process's hub again, in the one process that has just written it.

    Raises:
        NotReady: there is still none.
    """
    switch_hub(settings.HUB_SLUG)


def switch_hub(slug: str) -> None:
    """Work on another hub of this workspace from now on: the personal one (empty), or a company's. Every connection is closed.

    Raises:
        NotReady: this workspace has no such hub.
    """
    work_on(get_hub_config(settings.WORKSPACE, slug))


def work_on(hub: HubConfig) -> None:
    """Work on a hub that no file of this workspace need describe yet. Every connection is closed."""
    # the module behind django.conf.settings; here because settings must be loaded first
    from psn.settings import find_others, load_databases, load_others

    connections.close_all()
    settings.HUB, settings.HUB_SLUG = hub, hub.slug
    os.environ["PSN_HUB"] = hub.slug  # for the processes that this one starts, and the commands that it proposes
    settings.OTHER_HUBS = find_others(hub.slug)
    settings.SECRET_KEY = hub.secret_key or "this-computer-runs-no-worker-of-it"
    settings.DATABASES = load_databases(hub) | load_others(settings.OTHER_HUBS)
    connections.settings = connections.configure_settings(settings.DATABASES)
    for alias in connections:
        with suppress(AttributeError):  # not opened by this thread
            del connections[alias]
