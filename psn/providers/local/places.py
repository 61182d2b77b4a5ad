"""Where the local hub's files lie, and who can reach them.

Nothing here widens the permissions of a directory that existed before: what cannot be reached is refused.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psn.errors import NotReady
from psn.providers.local.accounts import OsUser

PORT = 5432  # only names the socket file; nothing listens on TCP
SYSTEM_HOME = Path("/var/lib/psn")  # as root, when the home directory is closed to other OS users

# sockaddr_un.sun_path less its final zero: unix(7) on Linux, sys/un.h on macOS
SOCKET_PATH_BYTES = 103 if sys.platform == "darwin" else 107


def default_home() -> Path:
    """Give the directory below which hubs live; it need not exist.

    $PSN_HOME, else the user's data directory (XDG base directory specification 0.8), else, as root with a home that
    the server's OS user cannot enter, `/var/lib/psn`.
    """
    if home := os.environ.get("PSN_HOME"):
        return Path(home).expanduser().absolute()
    folder = _user_data_dir() / "psn"
    if os.geteuid() != 0 or _open_to_others(folder):
        return folder
    return SYSTEM_HOME


def choose_socket_dir(data: Path) -> Path:
    """Choose where the socket of `data` goes: beside it, or in the temporary directory when that path is too long.

    Or when it has a comma: clients take that for several hosts (postgresql.org/docs/18/libpq-connect.html).

    Choose once, when the hub is created, and store the answer: the temporary directory differs between a shell, cron
    and systemd.
    """
    short = f"psn-{os.geteuid()}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    beside = data.parent / f"{data.name}.run"
    for folder in (beside, Path(tempfile.gettempdir()) / short):
        if len(os.fsencode(socket_path(folder))) <= SOCKET_PATH_BYTES and "," not in str(folder):
            return folder
    return Path("/tmp") / short  # noqa: S108 - private, and its owner is checked before use


def socket_path(socket_dir: Path) -> Path:
    """Give the socket's own path, as Postgres names it."""
    return socket_dir / f".s.PGSQL.{PORT}"


def create_folders(folder: Path) -> None:
    """Create `folder` and its missing parents: for us alone; as root traversable, for the server's OS user."""
    missing = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    for place in reversed(missing):
        try:
            place.mkdir()
        except FileExistsError:  # another process was faster
            continue
        place.chmod(0o711 if os.geteuid() == 0 else 0o700)  # not mkdir's mode: the umask takes bits away


def create_private_folder(folder: Path, *, owner: OsUser) -> None:
    """Make sure that `folder` is a directory of `owner` which nobody else may enter.

    Raises:
        NotReady: hub.socket_foreign, when it is somebody else's or no directory.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        _check_owner(folder, owner=owner)
    else:
        os.chown(folder, owner.uid, owner.gid)
    if stat.S_IMODE(folder.lstat().st_mode) != 0o700:
        folder.chmod(0o700)


def check_reachable(folder: Path, *, account: OsUser) -> None:
    """Refuse, as root, a place whose parents `account` cannot pass. Anyone else is told by the operating system itself.

    Raises:
        NotReady: hub.unreachable_for_os_user.
    """
    if os.geteuid() == 0 and (blocked := find_blocked_parent(folder, account=account)):
        raise NotReady(
            f"Postgres does not run as root but as OS user {account.name}, and that user cannot enter {blocked}. "
            f"Put the hub elsewhere: PSN_HOME={SYSTEM_HOME}.",
            code="hub.unreachable_for_os_user",
        )


def find_blocked_parent(folder: Path, *, account: OsUser) -> Path | None:
    """Find the outermost existing directory above `folder` that `account` may not traverse."""
    written, real = folder.absolute(), folder.resolve()  # a link needs both ways open
    for parent in (*reversed(written.parents), *reversed(real.parents)):
        if parent.is_dir() and not _may_enter(parent.stat(), account=account):
            return parent
    return None


@contextmanager
def explaining(folder: Path) -> Iterator[None]:
    """Turn the operating system's refusals around `folder` into a `NotReady` that says what to do.

    Raises:
        NotReady: hub.no_disk for a full disk or quota, otherwise hub.not_writable.
    """
    try:
        yield
    except OSError as refusal:
        if refusal.errno in (errno.ENOSPC, errno.EDQUOT):
            raise no_disk(folder) from refusal
        reason = f"{refusal.strerror}: {refusal.filename or folder}"
        raise NotReady(
            f"The directory {folder} cannot be used ({reason}). "
            "Correct its permissions, or choose another place (for hubs with PSN_HOME).",
            code="hub.not_writable",
        ) from refusal


def no_disk(folder: Path) -> NotReady:
    """Build the refusal for a full disk."""
    return NotReady(
        f"There is too little space on the disk that holds {folder}. Free at least 200 MB and try again.",
        code="hub.no_disk",
    )


def _user_data_dir() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    chosen = os.environ.get("XDG_DATA_HOME", "")
    if Path(chosen).is_absolute():  # the specification: a relative one is void
        return Path(chosen)
    return Path.home() / ".local" / "share"


def _open_to_others(folder: Path) -> bool:
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents) if place.exists())


def _may_enter(folder: os.stat_result, *, account: OsUser) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == account.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def _check_owner(folder: Path, *, owner: OsUser) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.uid:
        raise NotReady(
            f"{folder} is not a directory of OS user {owner.name}, so the hub's socket is not put there. "
            "Remove it, or have its owner remove it, and try again.",
            code="hub.socket_foreign",
        )
