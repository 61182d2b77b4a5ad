"""A process of the worker's login that wants an access token: `python -m tests.hub.publishing.renewer ACCOUNT USER POINT`.

It says `ready` when everything is imported, begins at the first line on its stdin, and writes what it got as one line of JSON. At
POINT something befalls it; see `POINTS`.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

LEASE_SECONDS = 2.0  # short, so that nobody waits long for the lease of a dead process


def main(account_id: str, user_id: str, point: str) -> None:
    """Get a token, and let any error end the process."""
    django.setup()
    from django.utils import timezone  # after setup: what follows needs the app registry

    from hub.models import Account
    from hub.publishing import keeping, renewing
    from hub.publishing.grants import fresh_access_token
    from hub.rls.identity import acting_as
    from psn.errors import Problem

    renewing.LEASE, renewing.MARGIN_SECONDS, renewing.WAIT_SECONDS = timedelta(seconds=LEASE_SECONDS), 1.7, 10.0
    when, module, function, befall = POINTS[point]
    when({"renewing": renewing, "keeping": keeping}[module], function, befall)
    importlib.import_module("psn.oauth.flow")  # what takes a second on a busy machine comes before the start
    importlib.import_module("psn.platforms.bluesky.session")
    print("ready", flush=True)
    sys.stdin.readline()
    with acting_as(user_id):
        try:
            got = {"token": fresh_access_token(Account.objects.get(id=account_id), now=timezone.now())}
        except Problem as error:
            got = {"error": error.error_code}
    print(json.dumps(got), flush=True)


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _before(module: Any, name: str, befall: Callable[[], None]) -> None:
    """Have something happen right before a function of the module."""
    function = getattr(module, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        befall()
        return function(*arguments, **options)

    setattr(module, name, wrapped)


def _after(module: Any, name: str, befall: Callable[[], None]) -> None:
    """Have something happen right after a function of the module."""
    function = getattr(module, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        befall()
        return result

    setattr(module, name, wrapped)


def _cut_once() -> Callable[[], None]:
    """End the connections of the worker's login, the first time."""
    left = [True]

    def cut() -> None:
        if left.pop() if left else False:
            import psycopg
            from django.db import connections

            where = connections["default"].settings_dict
            with psycopg.connect(
                host=where["HOST"], port=where["PORT"], user="postgres", dbname="postgres", autocommit=True
            ) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = 'psn_worker'"
                )

    return cut


# What befalls the process: when, at which function of which module, and what.
POINTS: dict[str, tuple[Callable[..., None], str, str, Callable[..., None]]] = {
    "nothing": (_before, "renewing", "_ask", lambda: None),
    "killed before the call": (_before, "renewing", "_ask", _die),
    "killed after the answer": (_after, "renewing", "_ask", _die),
    "killed while storing": (_after, "keeping", "get_row", _die),  # the last thing in that transaction
    "killed after storing": (_after, "renewing", "replace_tokens", _die),
    "cut before storing": (_after, "renewing", "_ask", _cut_once()),
    "cut while storing": (_before, "keeping", "get_row", _cut_once()),
}

if __name__ == "__main__":
    main(*sys.argv[1:])
