"""A cable between a client and a server on loopback that a test can cut: at a statement, after so many messages, or for good."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

HOST = "127.0.0.1"
How = Literal["lost", "unheard"]


@dataclass
class Cable:
    """Forwards bytes between whoever connects to `port` and the server.

    Args:
        sent: how often a client sent something.
        cut_after: sends that pass before the cable is cut for good; None for all.
        piece: a client's message with this in it is cut: `lost` before the server has it, `unheard` before its answer is back.
        pause: seconds before an `unheard` one reaches the server.
    """

    upstream: int
    port: int = 0
    sent: int = 0
    cut_after: int | None = None
    piece: bytes = b""
    how: How = "lost"
    struck: bool = False
    pause: float = 0.0
    _ends: list[socket.socket] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def mend(self) -> None:
        """Let everything pass from now on."""
        self.cut_after, self.piece = None, b""

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def close(self) -> None:
        """End every connection."""
        _hang_up(*self._ends)
        for end in self._ends:
            end.close()

    def _connect(self, client: socket.socket) -> None:
        if self._is_cut():
            client.close()
            return
        server = socket.create_connection((HOST, self.upstream))
        self._ends += [client, server]
        threading.Thread(target=self._bring_back, args=(client, server), daemon=True).start()
        self._forward(client, server)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while message := client.recv(1 << 20):
                with self._lock:
                    self.sent += 1
                if self._is_cut():
                    break
                if self.piece and self.piece in message:
                    self._strike(client, server, message)
                    break
                server.sendall(message)
        _hang_up(client, server)

    def _strike(self, client: socket.socket, server: socket.socket, message: bytes) -> None:
        self.struck = True
        _hang_up(client)
        if self.how == "unheard":
            time.sleep(self.pause)
            server.sendall(message)
            server.settimeout(2.0)
            with contextlib.suppress(OSError):  # until the server has carried it out
                server.recv(1)

    def _bring_back(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while answer := server.recv(1 << 20):
                client.sendall(answer)
        _hang_up(client)

    def _is_cut(self) -> bool:
        return self.cut_after is not None and self.sent > self.cut_after


@contextlib.contextmanager
def lay_cable(upstream: int) -> Iterator[Cable]:
    """Lay a cable to a port until the block ends."""
    with socket.create_server((HOST, 0)) as listener:
        cable = Cable(upstream=upstream, port=listener.getsockname()[1])
        threading.Thread(target=cable.serve, args=(listener,), daemon=True).start()
        try:
            yield cable
        finally:
            cable.close()


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
