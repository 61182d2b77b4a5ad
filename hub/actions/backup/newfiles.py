"""Files that appear whole or not at all, readable by their owner alone."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO

from psn.errors import Conflict, NotReady


@contextmanager
def new_file(target: Path) -> Iterator[BinaryIO]:
    """Write a file that its owner alone reads, whole or not at all. Nothing is ever overwritten.

    Raises:
        Conflict: it exists.
        NotReady: `hub.not_writable`, or `hub.no_disk`.
    """
    with _explaining_disk(target.parent):
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".unfinished", dir=target.parent)  # 0600
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _put_in_place(Path(name), target)
        finally:
            Path(name).unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Make a private folder, or remove what writers that were killed left in it. Only where nobody else writes just now."""
    with _explaining_disk(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in folder.glob(".*.unfinished"):
            left.unlink(missing_ok=True)


def find_free(folder: Path, name: str) -> Path:
    """Give a name in a folder that nothing has yet: this one, or with a number behind it."""
    wanted = Path(name)
    for number in count(2):
        if not os.path.lexists(folder / wanted):
            break
        wanted = Path(f"{Path(name).stem}-{number}{wanted.suffix}")
    return folder / wanted


def check_free(target: Path) -> None:
    """Refuse to write over a file.

    Raises:
        Conflict: it exists.
    """
    if os.path.lexists(target):
        raise Conflict(f"{target} exists already; a backup never overwrites one.", code="backup.exists")


def _put_in_place(written: Path, target: Path) -> None:
    """Give the file its name unless something has it; a disk that knows no links is asked first instead."""
    try:
        os.link(written, target)
    except FileExistsError:
        check_free(target)
        raise
    except OSError:
        check_free(target)
        os.rename(written, target)  # noqa: PTH104 - beside the other calls of the operating system
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Let a power cut not take the new name away."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explaining_disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise NotReady(
                f"There is too little space in {folder}. Nothing was changed. Free some, or write elsewhere.",
                code="hub.no_disk",
            ) from error
        raise NotReady(
            f"{folder} cannot be written: {error.strerror}. Correct its permissions, or write elsewhere.",
            code="hub.not_writable",
        ) from error
