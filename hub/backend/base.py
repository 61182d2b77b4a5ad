"""Django's PostgreSQL backend, with two additions: it starts the local hub, and it binds who is acting.

A local hub is started by the first connection that needs it, never by importing settings. Connections of service logins refuse
statements outside `acting_as`, and name the acting person as the first statement of every transaction.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.backends.postgresql import base

from hub.rls import identity
from psn.providers.local import LocalServer

RECOVERY_SECONDS = 60.0
_STARTING = "57P03"  # cannot_connect_now: starting up, shutting down, in recovery


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection to a hub."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options = self.settings_dict.get("PSN", {})
        self.binds_identity = options.get("identity") == "setting"
        self._local = (
            LocalServer(data=Path(options["data"]), socket_dir=Path(options["socket_dir"]))
            if options.get("data")
            else None
        )
        if self.binds_identity:
            self.execute_wrappers.append(self._guard)

    def get_new_connection(self, conn_params: Any) -> Any:
        """Connect; start a local server first when it is down, and wait while it recovers.

        Raises:
            NotReady: the local server cannot be started.
        """
        if self._local is not None:
            self._local.wake()
        give_up = time.monotonic() + RECOVERY_SECONDS
        while True:
            try:
                return super().get_new_connection(conn_params)
            except self.Database.OperationalError as error:
                if not is_starting(error) or time.monotonic() > give_up:
                    raise
                time.sleep(0.05)
                if self._local is not None:
                    self._local.wake()

    def _set_autocommit(self, autocommit: bool) -> None:
        if autocommit or not self.binds_identity:
            super()._set_autocommit(autocommit)  # type: ignore[misc]  # not in the stubs
            return
        with self.wrap_database_errors:
            identity.begin(self)

    def _guard(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Run one statement as the acting person; outside a transaction it gets one of its own."""
        if self.in_atomic_block or not self.get_autocommit():
            return execute(sql, params, many, context)
        if identity.acting_user() is None:
            raise identity.NoIdentity(f"a statement on {self.alias} outside acting_as(): {sql[:80]}")
        with transaction.atomic(using=self.alias):
            return execute(sql, params, many, context)


def is_starting(error: Exception) -> bool:
    """Whether a refused connection is one to wait for: the server starts, recovers from a crash, or stops.

    A refusal while connecting carries no code, only "the database system is starting up", "… in recovery mode", "… shutting
    down", "… not yet accepting connections" (Postgres 18, `canAcceptConnections`).
    """
    return getattr(error, "sqlstate", None) == _STARTING or "the database system is" in str(error)
