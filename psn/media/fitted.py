"""A file that a platform takes, and the way changed files are written: whole or not at all, named for what is in them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from psn.errors import InvalidInput
from psn.media.facts import MediaFacts
from psn.media.sniff import EXTENSIONS

_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fitted:
    """A file that a platform takes.

    Args:
        path: the file itself when nothing had to be changed.
        changes: what was done to it, one sentence each, for people.
    """

    path: Path
    mime_type: str
    facts: MediaFacts
    changes: list[str]


@contextmanager
def working_file(out_dir: Path, *, extension: str = "") -> Iterator[Path]:
    """Give a path to write to; what still lies there at the end is thrown away.

    Raises:
        InvalidInput: the disk is full, or cannot be written to (`media.unwritable`).
    """
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".psn-", suffix=extension, dir=out_dir)
    except OSError as problem:
        raise unwritable(out_dir, problem) from problem
    os.close(descriptor)
    path = Path(name)
    try:
        yield path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def keep_file(path: Path, *, mime_type: str) -> Path:
    """Give a working file the name of its content, beside itself: the same content twice is one file."""
    with path.open("rb") as stream:
        digest = hashlib.sha256()
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    kept = path.with_name(f"{digest.hexdigest()[:32]}{EXTENSIONS[mime_type]}")
    os.replace(path, kept)
    return kept


def unwritable(path: Path, problem: OSError) -> InvalidInput:
    """Say that a file cannot be written."""
    return InvalidInput(
        f"{path} cannot be written: {problem.strerror}. Make room, or allow it.", code="media.unwritable"
    )
