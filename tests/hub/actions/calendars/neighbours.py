"""A process of tests that has other hubs beside its own, or works on another one, until the end of a block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.db import connections

from psn.config.hub import HubConfig, get_hub_config
from psn.settings import load_others


def own_hub() -> HubConfig:
    """The personal hub of the tests."""
    hub = get_hub_config(settings.WORKSPACE)
    assert not hub.is_company
    return hub


@contextmanager
def beside(hubs: Mapping[str, HubConfig]) -> Iterator[None]:
    """Let these be the workspace's other hubs.

    Args:
        hubs: by alias; one of those that the tests know, for Django lets them open no others. A local hub is the tests' own, behind the
            login that the alias has there.
    """
    remote = {alias: hub for alias, hub in hubs.items() if "app" in hub.urls}
    with _changed(OTHER_HUBS=dict(hubs)), _connected(load_others(remote)):
        yield


@contextmanager
def working_on(hub: HubConfig, *, others: Mapping[str, HubConfig] | None = None) -> Iterator[None]:
    """Work on a company's hub, as a process that was started with `--hub` does; by the login in its configuration."""
    with _changed(HUB=hub, HUB_SLUG=hub.slug), _connected(load_others({"default": hub})), beside(others or {}):
        yield


@contextmanager
def _changed(**values: Any) -> Iterator[None]:
    before = {name: getattr(settings, name) for name in values}
    for name, value in values.items():
        setattr(settings, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)


@contextmanager
def _connected(databases: dict[str, Any]) -> Iterator[None]:
    """Exchange connections, and have the former ones back at the end."""
    before = connections.settings
    full = {alias: connections.configure_settings({"default": one})["default"] for alias, one in databases.items()}
    connections.settings = {**before, **full}  # not in place: it is the dictionary of the settings themselves
    _forget(databases)
    try:
        yield
    finally:
        _forget(databases)
        connections.settings = before


def _forget(aliases: Mapping[str, Any]) -> None:
    """Close this thread's connections and make new ones when they are asked for."""
    for alias in aliases:
        with suppress(AttributeError):  # not opened by this thread
            connections[alias].close()
            del connections[alias]
