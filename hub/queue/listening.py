"""Connections of their own for what a shared one cannot do: waiting for notifications."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connections
from psycopg import sql


def connect(*channels: str) -> psycopg.Connection[Any]:
    """Open a connection that commits every statement by itself and listens to these channels."""
    wrapper = connections["queue"].copy()
    connection: psycopg.Connection[Any] = wrapper.get_new_connection(wrapper.get_connection_params())
    connection.autocommit = True
    for channel in channels:
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
    return connection
