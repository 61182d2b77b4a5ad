"""The hub's own web process, for whoever runs no server of their own: threads, WSGI, nothing to install (MEDIA-3)."""

from __future__ import annotations

import errno
import signal
import socket
import threading
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from psn.errors import Conflict

MAX_CONNECTIONS = 32  # at a time; a platform fetches a post's few files
SILENT_SECONDS = 30  # then a connection is closed


class RequestHandler(WSGIRequestHandler):
    """Django's own, patient for a while only, and without a log: an address in it would be as good as the file."""

    timeout = SILENT_SECONDS

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


class Server(ThreadedWSGIServer):
    """A thread per connection, as many as there may be."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int]) -> None:
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, RequestHandler, ipv6=":" in address[0])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve it, or hang up when there are too many: who fetches comes again."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve it, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write nothing: a client that hangs up is no error, and the application tells of its own."""


def bind_web(*, host: str, port: int) -> Server:
    """Take the address.

    Args:
        port: 0 for any free one.

    Raises:
        Conflict: somebody else has it.
    """
    try:
        server = Server((host, port))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL, socket.EAI_NONAME):
            raise
        raise Conflict(f"The web process cannot have {host}:{port}: {error.strerror}.", code="web.address") from None
    server.set_app(get_wsgi_application())
    return server


def serve_web(server: Server) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    stop.wait()
    server.shutdown()
    server.server_close()
