"""The HTTP server: threaded, HTTP/1.1 with keep-alive, loopback only, able to drop a connection on purpose."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import django
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from sandbox.state import InUse, ensure_schema, lock_state, write_atomically

HOST = "127.0.0.1"
# keys of the WSGI environ, each a callable
DROP_CONNECTION = "sandbox.drop_connection"  # cut the client off now
END_CONNECTION = "sandbox.end_connection"  # answer, then close: WSGI forbids an application to send `Connection: close`


class RequestHandler(WSGIRequestHandler):
    """Django's own, plus a way to cut the client off."""

    disable_nagle_algorithm = True  # head and body are written apart: Nagle would cost 40 ms on a kept connection

    def get_environ(self) -> dict[str, Any]:
        """Give the WSGI environ, with the means to drop or end this connection."""
        return {**super().get_environ(), DROP_CONNECTION: self._drop, END_CONNECTION: self._end}

    def _end(self) -> None:
        self.close_connection = True

    def _drop(self) -> None:
        self.close_connection = True
        cast(socket.socket, self.connection).shutdown(socket.SHUT_RDWR)  # what is written from here on goes nowhere


class Server(ThreadedWSGIServer):
    """A thread per connection, ended with the process."""

    request_queue_size = 128


def serve(*, state_dir: Path, port: int, ready_file: Path | None) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        port: 0 for any free one.
        ready_file: gets the same document as `sandbox.json` once the server answers.

    Raises:
        InUse: the port or the state directory belongs to somebody else.
    """
    os.umask(0o077)  # what people post here, and their tokens, are for its owner alone
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with lock_state(state_dir), _bind(port) as server:
        _start_django(state_dir)
        server.set_app(get_wsgi_application())
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        _announce(server, paths=[state_dir / "sandbox.json", *([ready_file] if ready_file else [])])
        stop.wait()
        server.shutdown()


def _bind(port: int) -> Server:
    try:
        return Server((HOST, port), RequestHandler)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise InUse(f"port {port} is taken") from None


def _start_django(state_dir: Path) -> None:
    os.environ["PSN_SANDBOX_STATE"] = str(state_dir)
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
    django.setup()
    ensure_schema(state_dir / "sandbox.sqlite3")
    from sandbox import clock  # here, because its models exist only after django.setup()

    clock.load()


def _announce(server: Server, *, paths: list[Path]) -> None:
    port = server.server_address[1]
    document = {
        "url": f"http://{HOST}:{port}",
        "port": port,
        "pid": os.getpid(),
        "started_at": datetime.now(UTC).isoformat(),
    }
    for path in paths:
        write_atomically(path, document)
