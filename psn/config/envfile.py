"""Private `KEY=value` files: created 0600, refused when others can read them (SPEC HUB-6)."""

from __future__ import annotations

import os
import re
import stat
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import environ

from psn.errors import InvalidInput, NotReady

_LINE = re.compile(
    r"(#.*|(export )?[A-Za-z_][A-Za-z0-9_]*=.*)?"
)  # what the library takes: it logs any other line whole
_STALE_SECONDS = 60.0  # a write takes milliseconds; a temporary this old was left by a writer that died
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=~-]*")


def read_env_file(path: Path) -> dict[str, str]:
    """Read a private file; a missing one is empty.

    Raises:
        NotReady: others can read it, or it cannot be read.
        InvalidInput: a line is no `KEY=value`; the message names file and line, never the value.
    """
    try:
        text = _read_private(path)
    except FileNotFoundError:
        return {}
    for number, line in enumerate(text.splitlines(), 1):
        if not _LINE.fullmatch(line):
            raise InvalidInput(
                f"{path}, line {number}: expected KEY=value, without spaces around.", code="config.env_line"
            )

    class FileEnv(environ.Env):  # type: ignore[misc]  # untyped library
        ENVIRON: dict[str, str] = {}

    with path.open(encoding="utf-8") as stream:
        FileEnv.read_env(stream)
    return dict(FileEnv.ENVIRON)


def write_env_file(path: Path, values: Mapping[str, str], *, comment: str) -> None:
    """Replace a private file in one step: a reader or a crash sees the old one or the new one.

    Raises:
        InvalidInput: a value that no line can hold.
        NotReady: the folder is not writable.
    """
    lines = [f"# {line}" for line in comment.splitlines()]
    lines += [f"{name}={_quoted(name, value)}" for name, value in values.items()]
    write_private(path, "\n".join(lines) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a 0600 file in one step.

    The temporary's name ends as the file's does, so that whatever ignores the one ignores the other, too.

    Raises:
        NotReady: the folder is not writable, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(path)
        handle, temporary = tempfile.mkstemp(prefix=".tmp-", suffix=f".{path.name}", dir=path.parent)  # 0600
    except OSError as error:
        raise _not_writable(path, error) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise _not_writable(path, error) from error


def check_value(name: str, value: str) -> None:
    """Refuse a value that no line can hold; the value is never repeated.

    Raises:
        InvalidInput: it has quotes, backslashes or line breaks.
    """
    _quoted(name, value)


def check_private(path: Path) -> None:
    """Refuse a secret file that others can read.

    Raises:
        NotReady: its mode gives rights to group or others.
    """
    if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise NotReady(
            f"{path} holds secrets and others can read it. Run: chmod 600 '{path}'",
            code="config.not_private",
            ask=f"chmod 600 '{path}'",
        )


def _remove_stale(path: Path) -> None:
    """Remove what writers of this file left that were killed: it holds what the file holds."""
    for left in path.parent.glob(f".tmp-*.{path.name}"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                left.unlink()


def _read_private(path: Path) -> str:
    if path.is_dir():
        raise NotReady(f"{path} is a folder; it must be a file. Move the folder away.", code="config.unreadable")
    try:
        check_private(path)
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise NotReady(f"{path} cannot be read: {error}.", code="config.unreadable") from error


def _quoted(name: str, value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if any(character in value for character in "\"'\\") or len(f"{value}|".splitlines()) > 1:
        raise InvalidInput(
            f"{name}: quotes, backslashes and line breaks cannot be kept in an env file.", code="config.value"
        )
    return f"'{value}'"


def _not_writable(path: Path, error: OSError) -> NotReady:
    return NotReady(
        f"{path} cannot be written: {error.strerror}. Check the folder's owner and the free space.",
        code="config.not_writable",
    )
