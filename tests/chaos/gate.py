"""The gate between a worker's threads and the harness: at each numbered point of the walk the worker stops and asks to go on.

What the harness does meanwhile (kills, cuts, faults) happens exactly there. A worker that finds nobody at the gate goes on.

| point | where a post is |
|---|---|
| 1, 2 | before its claim; after it |
| 3, 4 | prepared, before the intent; the intent is committed, before the call |
| 5, 6 | every byte left, no answer yet; the answer was read and is not stored |
| 7, 8 | the answer of a part that is not the last is stored; that of the last, and the post's end |
| 9 | an upload begins, or the preparation of the call |
| 10, 11 | the platform was looked at, nothing decided; decided |
| 12 | an orphan was found, nothing decided |
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

POINTS = range(1, 13)
WAIT_SECONDS = 20.0  # at most; no deed takes longer


@dataclass(frozen=True, slots=True)
class Crossing:
    """A worker's thread at a point.

    Args:
        post_id: empty where the worker looks for any post.
    """

    point: int
    pid: int
    post_id: str


@dataclass
class Shift:
    """By how much this process's clock is wrong, in seconds."""

    seconds: float = 0.0


shift = Shift()


def cross(point: int, post_id: object = "") -> None:
    """Ask to go on, and learn how wrong the clock is to be."""
    with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(WAIT_SECONDS)
        line.connect(os.environ["CHAOS_GATE"])
        line.sendall(json.dumps([point, os.getpid(), str(post_id or "")]).encode() + b"\n")
        answer = line.makefile("rb").readline()
        shift.seconds = float(json.loads(answer))


class Gate:
    """The harness's side.

    Args:
        visit: called for each crossing, in a thread of its own; gives by how many seconds the worker's clock is to be wrong.
    """

    def __init__(self, path: Path, visit: Callable[[Crossing], float]) -> None:
        self.path = path

        class Visit(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError, ValueError):  # whoever asked was killed
                    answer = visit(Crossing(*json.loads(self.rfile.readline())))
                    self.wfile.write(json.dumps(answer).encode() + b"\n")

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(str(path), Visit)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def close(self) -> None:
        """Let everybody pass from now on."""
        self._server.shutdown()
        self._server.server_close()
        self.path.unlink(missing_ok=True)
