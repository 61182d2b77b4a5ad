"""Which OS user the local server runs as.

A plain user's server runs as that user. Postgres refuses root, so root's server gets an OS user of its own, or runs as
the user whose data directory it is.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psn.errors import NotReady

USERADD = "/usr/sbin/useradd"  # by full path: services and containers often have no sbin in PATH
DEFAULT_NAME = "psnpg"
_USERADD_SECONDS = 10.0  # how long to try again while another process holds the lock of the user database


@dataclass(frozen=True)
class OsUser:
    """An account of the operating system."""

    name: str
    uid: int
    gid: int

    def process_options(self) -> dict[str, Any]:
        """Give the `subprocess` arguments that run a program as this user; only root can change user."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def find_account(uid: int) -> OsUser:
    """Find the account of `uid`. By number, not by $USER, which anyone can set.

    Raises:
        NotReady: hub.no_os_user, when the number has no name: Postgres does not run then.
    """
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise _no_os_user(f"OS user {uid} has no name in the user database. Run PSN as a user that has one.") from None
    return OsUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def get_server_account(data: Path) -> OsUser:
    """Get the OS user that the server of `data` runs as; as root it is created when missing.

    Raises:
        NotReady: hub.no_os_user, hub.not_writable when the data belongs to somebody else.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() == 0:
        return find_account(owner) if owner else _get_own_account(os.environ.get("PSN_PG_OS_USER") or DEFAULT_NAME)
    account = find_account(os.geteuid())
    if owner not in (None, account.uid):
        raise NotReady(
            f"The hub in {data} belongs to OS user {owner}, not to {account.name}. "
            "Run PSN as that user or as root, or choose another place with PSN_HOME.",
            code="hub.not_writable",
        )
    return account


def names_of_clients(account: OsUser) -> set[str]:
    """Give the OS users who may connect: the server's own, who is here now, and root, who could become either."""
    return {account.name, find_account(os.geteuid()).name, find_account(0).name}


def _get_own_account(name: str) -> OsUser:
    account = _find_by_name(name) or _create_account(name)
    if account.uid == 0:
        raise _no_os_user(f"PSN_PG_OS_USER={name} is root, and Postgres refuses root. Name another user.")
    return account


def _find_by_name(name: str) -> OsUser | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return OsUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create_account(name: str) -> OsUser:
    """Create a system user without a home or a shell; safe from several processes at once."""
    command = [USERADD, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    end = time.monotonic() + _USERADD_SECONDS
    while True:
        try:
            done = subprocess.run(
                [*command, "--shell", "/usr/sbin/nologin", "--", name],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            )  # fmt: skip
        except OSError as missing:
            raise _no_os_user(f"Cannot run {USERADD}: {missing.strerror}. {_by_hand(name)}") from missing
        if account := _find_by_name(name):  # made here, or meanwhile by another process
            return account
        if time.monotonic() > end:
            raise _no_os_user(f"The OS user {name} cannot be created: {done.stderr.strip()}. {_by_hand(name)}")
        time.sleep(0.2)


def _by_hand(name: str) -> str:
    return f"Create the OS user {name} by hand, or set PSN_PG_OS_USER to an existing one that is not root."


def _no_os_user(message: str) -> NotReady:
    return NotReady(message, code="hub.no_os_user")
