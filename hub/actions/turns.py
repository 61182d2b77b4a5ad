"""One command of a workspace at a time makes its hub, or goes into and out of teams."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psn.config.workspace import Workspace
from psn.errors import Conflict, NotReady

TURN_SECONDS = 180.0  # how long the second waits for the first; making a hub far away takes a minute
_POLL_SECONDS = 0.1


@contextmanager
def take_turn(folder: Path, *, busy: Conflict) -> Iterator[None]:
    """Wait until nobody else has a turn in this folder, which is its own lock; the kernel ends the turn of a process that is killed.

    Args:
        busy: raised when the other one takes too long.

    Raises:
        NotReady: the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise NotReady(
            f"{folder} cannot be written: {error.strerror}. Clone PSN into a folder of your own.",
            code="config.not_writable",
            ask=f"Give this user the right to write {folder}, or clone PSN into a folder of your own.",
        ) from error
    try:
        _wait_for(descriptor, busy=busy)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def take_turn_at_teams(workspace: Workspace) -> Iterator[None]:
    """Wait until nobody else writes connection files.

    Raises:
        NotReady: the folder cannot be made.
        Conflict: the other one takes too long.
    """
    busy = Conflict(
        "Another psn_team works on this workspace's connections.",
        code="team.running",
        ask="Wait until the other command has ended, then run this one again.",
    )
    with take_turn(workspace.connections, busy=busy):
        yield


def _wait_for(descriptor: int, *, busy: Conflict) -> None:
    give_up = time.monotonic() + TURN_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise busy from None
            time.sleep(_POLL_SECONDS)
