"""What the tasks do, the same for every system. Arguments are strings, as the ids in PSN's own queue rows are."""

from __future__ import annotations

import http.client
import os
import threading
import time

from benchmarks.rivals.place import find_place

_mine = threading.local()


def post(*, number: str) -> None:
    """Make one HTTP POST, on a connection that this thread keeps."""
    connection = _connection()
    connection.request("POST", "/", body=f"{number} {os.getpid()}.{threading.get_ident()}".encode())
    reply = connection.getresponse()
    reply.read()
    if reply.status != 201:
        raise RuntimeError(f"the stub answered {reply.status}")


def stamp(*, due: str) -> None:
    """Write down when this ran."""
    now = time.time()
    if not hasattr(_mine, "stamps"):
        _mine.stamps = os.open(find_place().stamps, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(_mine.stamps, f"{due} {now!r}\n".encode())


def _connection() -> http.client.HTTPConnection:
    if not hasattr(_mine, "connection"):
        _mine.connection = http.client.HTTPConnection("127.0.0.1", find_place().stub_port, timeout=30)
    connection: http.client.HTTPConnection = _mine.connection
    return connection
