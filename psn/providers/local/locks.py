"""One process at a time creates, starts or stops a hub's server."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psn.errors import NotReady
from psn.providers.local.accounts import OsUser

LOCK_SECONDS = 120.0  # longer than creating a hub takes on a slow disk
_POLL_SECONDS = 0.05


@contextmanager
def locked(path: Path, *, owner: OsUser) -> Iterator[int]:
    """Hold the lock file `path`, and give its descriptor.

    The kernel lets go of the lock when the last process that has the descriptor ends, so a killed one leaves nothing
    behind. The file stays: removing it would let two processes lock two files of one name.

    Raises:
        NotReady: hub.locked, when another process keeps it longer than `LOCK_SECONDS`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_uid != owner.uid:
            os.fchown(descriptor, owner.uid, owner.gid)  # made by root: the owner of the data needs it later
        _wait_for(descriptor, path=path)
        yield descriptor
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, *, path: Path) -> None:
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise NotReady(
                    f"Another process has been creating, starting or stopping the hub for over {LOCK_SECONDS:.0f} "
                    f"seconds (it holds {path}). Wait for it or end it, then try again.",
                    code="hub.locked",
                ) from None
            time.sleep(_POLL_SECONDS)
