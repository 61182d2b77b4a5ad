"""A raw server on loopback that answers byte for byte what a test tells it, and remembers what it got."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Act = Callable[["Line"], None]


@dataclass
class Line:
    """One accepted connection."""

    socket: socket.socket
    requests: list[bytes]

    def read_request(self) -> bytes:
        """Read one request with its body; empty when the client hung up."""
        got = b""
        while b"\r\n\r\n" not in got:
            chunk = self.socket.recv(65536)
            if not chunk:
                return b""
            got += chunk
        head, _, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and len(body) < int(length[1]):
            chunk = self.socket.recv(65536)
            if not chunk:
                return b""
            body += chunk
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def reset(self) -> None:
        """Close with an RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@dataclass
class RawServer:
    """Accepts connections and plays one act on each; the last act repeats."""

    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def serve(*acts: Act, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Serve on a free port until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = RawServer(port=listener.getsockname()[1])
    open_sockets: list[socket.socket] = []

    def play(connection: socket.socket, act: Act) -> None:
        with contextlib.suppress(OSError):
            if tls:
                connection = tls.wrap_socket(connection, server_side=True)
                open_sockets.append(connection)
            act(Line(connection, server.requests))
            connection.close()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_sockets.append(connection)
                act = acts[min(server.connections, len(acts) - 1)]
                server.connections += 1
                threading.Thread(target=play, args=(connection, act), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for connection in open_sockets:
            connection.close()


def build_reply(status: int = 200, body: bytes = b"{}", *headers: str) -> bytes:
    """Build a complete answer."""
    lines = [f"HTTP/1.1 {status} X", "content-type: application/json", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer(content: bytes) -> Act:
    """Read one request, send these bytes, close."""

    def act(line: Line) -> None:
        line.read_request()
        line.send(content)

    return act


def answer_all(content: bytes) -> Act:
    """Answer every request of the connection."""

    def act(line: Line) -> None:
        while line.read_request():
            line.send(content)

    return act


def drip(content: bytes, *, pause_seconds: float) -> Act:
    """Read one request and answer a byte at a time."""

    def act(line: Line) -> None:
        line.read_request()
        for byte in content:
            line.send(bytes([byte]))
            time.sleep(pause_seconds)

    return act


def stay_silent(line: Line) -> None:
    """Read the request and say nothing until the client hangs up."""
    line.read_request()
    line.socket.recv(1)


def hang_up(line: Line) -> None:
    """Close before reading anything."""
    line.socket.close()


def hang_up_after_request(line: Line) -> None:
    """Read the request and close without a word."""
    line.read_request()


def reset_after_request(line: Line) -> None:
    """Read the request and break the connection."""
    line.read_request()
    line.reset()
