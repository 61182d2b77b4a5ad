"""Opening media files: plain files only, and what was opened is what is read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from psn.errors import InvalidInput

# A link could point elsewhere after it was looked at, and a pipe would be waited for. Not every system has these.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_media(path: Path) -> BinaryIO:
    """Open a media file for reading.

    Raises:
        InvalidInput: it is not there, not readable, not a plain file (`media.unreadable`), or empty (`media.empty`).
    """
    if path.is_symlink():
        raise InvalidInput(f"{path} is a link to another file. Give that file itself.", code="media.unreadable")
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as problem:
        raise InvalidInput(f"{path} cannot be read: {problem.strerror}.", code="media.unreadable") from problem
    try:
        _check_plain(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def count_file_bytes(stream: BinaryIO) -> int:
    """Tell how large an open file is."""
    return os.fstat(stream.fileno()).st_size


def _check_plain(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise InvalidInput(
            f"{path} is not a plain file. Give an image, a video or a document.", code="media.unreadable"
        )
    if not status.st_size:
        raise InvalidInput(f"{path} is empty. Choose the file again.", code="media.empty")
