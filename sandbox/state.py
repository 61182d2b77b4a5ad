"""The state directory: one server at a time, a schema that is there, a file that says where the server is."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time
from pathlib import Path
from typing import IO, Any

from django.core.management import call_command

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_TRIES = 25
LOCK_SECONDS = 0.02


class InUse(Exception):
    """Another server has this state directory, or this port."""


def lock_state(state_dir: Path) -> IO[str]:
    """Take the state directory for this process; the lock ends with the file object.

    Raises:
        InUse: another server runs on it.
    """
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in state_dir.glob("sandbox.*"):
        path.chmod(
            0o600
        )  # an earlier version left them to the umask, and whoever opens the lock file can hold the lock
    lock = (state_dir / "sandbox.lock").open("a+")
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another sandbox, or somebody who looks for a moment whether one runs
            time.sleep(LOCK_SECONDS)
            continue
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return lock
    lock.close()
    raise InUse(f"state {state_dir} is in use by another sandbox")


def ensure_schema(database: Path) -> None:
    """Bring the database up to date; looking first costs a millisecond, migrating a tenth of a second."""
    wanted = {path.stem for path in MIGRATIONS.glob("[0-9]*.py")}
    if not wanted <= _applied_migrations(database):
        call_command("migrate", verbosity=0, interactive=False)


def write_atomically(path: Path, document: dict[str, Any]) -> None:
    """Write JSON so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(document) + "\n", encoding="utf-8")
    draft.replace(path)


def _applied_migrations(database: Path) -> set[str]:
    if not database.exists():
        return set()
    connection = sqlite3.connect(database)
    try:
        rows = connection.execute("SELECT name FROM django_migrations WHERE app = 'sandbox'").fetchall()
    except sqlite3.OperationalError:  # no such table: killed during its very first start
        return set()
    finally:
        connection.close()
    return {str(row[0]) for row in rows}
