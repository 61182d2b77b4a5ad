"""One command of a workspace at a time makes a team's hub, joins or leaves one."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from psn.config.workspace import Workspace
from psn.errors import Conflict, NotReady

TURN_SECONDS = 180.0  # how long the second waits for the first; making a hub far away takes a minute
_POLL_SECONDS = 0.1


@contextmanager
def take_turn(workspace: Workspace) -> Iterator[None]:
    """Wait until nobody else writes connection files; the kernel ends the turn of a process that is killed.

    Raises:
        NotReady: the folder cannot be made.
        Conflict: the other one takes too long.
    """
    try:
        workspace.connections.mkdir(parents=True, exist_ok=True)
        folder = os.open(workspace.connections, os.O_RDONLY)  # the folder is its own lock: nothing is left behind
    except OSError as error:
        raise NotReady(
            f"{workspace.connections} cannot be written: {error.strerror}. Check the folder's owner.",
            code="config.not_writable",
        ) from error
    try:
        _wait_for(folder)
        yield
    finally:
        os.close(folder)


def _wait_for(descriptor: int) -> None:
    give_up = time.monotonic() + TURN_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise Conflict(
                    "Another psn_team works on this workspace's connections.",
                    code="team.running",
                    ask="Wait until the other command has ended, then run this one again.",
                ) from None
            time.sleep(_POLL_SECONDS)
