"""Makes a data directory and writes its configuration."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from psn.errors import NotReady
from psn.providers.local.accounts import OsUser, names_of_clients
from psn.providers.local.binaries import MAJOR, run_tool
from psn.providers.local.places import PORT, create_private_folder, no_disk

MIN_FREE_BYTES = 200_000_000  # a new cluster takes 40 MB, its first WAL segments 16 MB each, and then it grows
_INITDB_SECONDS = 300.0
_MARKER = "made-by-psn"  # in the unfinished directory: only what carries it is ever removed
_FULL_DISK = (
    "No space left on device",
    "Disk quota exceeded",
    "Check free disk space",
)  # the last is a short write
_INCLUDE = "include 'psn.conf'"

# Memory and connections for one person's computer. Statements and their parameters stay out of the log: posts are
# private until they are published. mmap: neither a small /dev/shm (containers) nor systemd's RemoveIPC can hurt.
_SETTINGS = """\
# Written by PSN at every start; changes are lost. Use ALTER SYSTEM for your own settings.
listen_addresses = ''
port = {port}
unix_socket_directories = {socket_dir}
unix_socket_permissions = 0700
cluster_name = 'psn'
max_connections = 100
shared_buffers = 64MB
dynamic_shared_memory_type = mmap
fsync = on
password_encryption = 'scram-sha-256'
timezone = 'UTC'
logging_collector = on
log_timezone = 'UTC'
log_directory = 'log'
log_filename = 'psn-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
log_statement = 'none'
log_min_duration_statement = -1
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""


def is_complete(data: Path) -> bool:
    """Whether `data` is a finished data directory, of whatever version."""
    return (data / "PG_VERSION").is_file() and (data / "global" / "pg_control").is_file()


def read_major(data: Path) -> str:
    """Read the major version that `data` was made by: `18`."""
    return (data / "PG_VERSION").read_text().strip()


def check_usable(data: Path) -> None:
    """Refuse what is no data directory of this major version.

    Raises:
        NotReady: hub.data_foreign, hub.data_version.
    """
    if not is_complete(data):
        raise NotReady(
            f"{data} is not empty and is not a Postgres data directory. "
            "Choose another place for the hub, or move it away.",
            code="hub.data_foreign",
        )
    if (major := read_major(data)) != MAJOR:
        raise NotReady(
            f"The hub in {data} was made by Postgres {major}, and this release brings {MAJOR}. "
            f"Back it up with the release that made it and restore it here, or run pg_upgrade.",
            code="hub.data_version",
        )


def create_cluster(data: Path, *, superuser: str, account: OsUser, lock: int) -> None:
    """Create the data directory: made beside it, put in its place when complete. The caller holds the lock.

    Args:
        lock: its descriptor. initdb inherits it, so a re-run waits even for the initdb of a killed process.

    Raises:
        NotReady: hub.no_disk, hub.data_foreign, hub.start_failed.
    """
    if shutil.disk_usage(data.parent).free < MIN_FREE_BYTES:
        raise no_disk(data.parent)
    unfinished = data.with_name(f"{data.name}.new")
    _remove_unfinished(unfinished)
    create_private_folder(unfinished, owner=account)
    _write(unfinished / _MARKER, text="An unfinished hub. It is removed by the next start.\n", account=account)
    _run_initdb(unfinished / "data", superuser=superuser, account=account, lock=lock)
    (unfinished / "data").rename(data)
    sync_folder(data.parent)
    _remove_unfinished(unfinished)


def write_settings(data: Path, *, socket_dir: Path, account: OsUser) -> None:
    """Write our settings and who may connect; at every start, so directories may move and users be renamed.

    Peer authentication: the kernel says which OS user connects, so there is no password, and no other OS user gets in.
    """
    # the value is a list: an element in double quotes, the whole in single quotes with backslash escapes
    element = '"' + str(socket_dir).replace('"', '""') + '"'
    quoted = "'" + element.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n") + "'"
    _write(data / "psn.conf", text=_SETTINGS.format(port=PORT, socket_dir=quoted), account=account)
    _write(data / "pg_hba.conf", text="# Written by PSN at every start.\nlocal all all peer map=psn\n", account=account)
    lines = [f'psn "{name}" all\n' for name in sorted(names_of_clients(account))]  # unquoted `all`: any role, since 16
    _write(data / "pg_ident.conf", text="".join(["# Written by PSN at every start.\n", *lines]), account=account)
    _include_settings(data / "postgresql.conf", account=account)


def failure(text: str, *, what: str, folder: Path) -> NotReady:
    """Build the refusal for a program that failed, from what it said."""
    if any(sign in text for sign in _FULL_DISK):
        return no_disk(folder)
    reason = text.strip()[-1500:]
    return NotReady(f"{what}. Correct what it says, then try again:\n{reason}", code="hub.start_failed")


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _run_initdb(target: Path, *, superuser: str, account: OsUser, lock: int) -> None:
    # The builtin provider sorts and folds the same on every system and after every upgrade of the C library.
    locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8")
    login = (f"--username={superuser}", "--auth-local=peer", "--auth-host=scram-sha-256")
    options = (*login, *locale, "--data-checksums", "--no-instructions")
    try:
        done = run_tool(
            "initdb",
            *options,
            "--pgdata",
            str(target),
            account=account,
            keep_open=(lock,),
            timeout_seconds=_INITDB_SECONDS,
        )
    except subprocess.TimeoutExpired as slow:
        raise NotReady(
            f"Creating the hub took over {slow.timeout:.0f} seconds. Try again on a faster disk.",
            code="hub.start_failed",
        ) from slow
    if done.code:
        raise failure(done.text, what="Postgres could not create the hub", folder=target.parent)


def _remove_unfinished(folder: Path) -> None:
    """Remove what a killed creation left. The marker goes last, so a killed removal can be repeated."""
    if not os.path.lexists(folder):
        return
    found = {entry.name for entry in folder.iterdir()}
    if found and not found & {_MARKER, _unfinished(folder / _MARKER).name}:
        raise NotReady(f"{folder} is in the way, and PSN did not make it. Move it away.", code="hub.data_foreign")
    if (folder / "data").exists():
        shutil.rmtree(folder / "data")
    shutil.rmtree(folder)


def _include_settings(path: Path, *, account: OsUser) -> None:
    """Without this line the server would listen on TCP with its own defaults, so it is looked for at every start."""
    text = path.read_text(errors="surrogateescape") if path.exists() else ""
    if _INCLUDE not in text.splitlines():
        _write(path, text=f"{text}\n{_INCLUDE}\n", account=account)


def _write(path: Path, *, text: str, account: OsUser) -> None:
    """Write a private file completely or not at all. Never through a link: as root the directory is another user's."""
    unfinished = _unfinished(path)
    unfinished.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(unfinished, flags, 0o600), "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
        file.flush()
        os.fchown(file.fileno(), account.uid, account.gid)
        os.fsync(file.fileno())
    unfinished.replace(path)


def _unfinished(path: Path) -> Path:
    """Where a file is written before it takes its place; a killed writer leaves it behind."""
    return path.with_name(f".{path.name}.unfinished")
