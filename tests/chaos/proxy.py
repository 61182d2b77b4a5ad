"""A proxy between a worker and its hub's server that cuts connections in the middle of a commit (Unix sockets only).

It reads just enough of the protocol (postgresql.org/docs/18/protocol-message-formats.html) to know a client's COMMIT and which
statements it ends. `lost`: the commit never reaches the server. `unheard`: the server has carried it out, and its answer is dropped.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_LENGTH = struct.Struct("!I")
_QUERY, _PARSE, _SYNC = b"Q", b"P", b"S"


@dataclass
class Order:
    """A commit to be cut.

    Args:
        piece: SQL that only the transaction meant has.
        left: how many of its commits to let pass before.
    """

    piece: bytes
    left: int
    how: str
    struck: bool = False


@dataclass
class Proxy:
    """Listens beside the server and forwards everything, but for what is ordered."""

    folder: Path
    server: Path
    orders: list[Order] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Listen, under the name that clients look for."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / self.server.name))
        self._listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def take_order(self, transaction: bytes) -> str:
        """Say how this transaction's commit is to be cut; empty when it passes."""
        with self._lock:
            for order in self.orders:
                if order.struck or order.piece not in transaction:
                    continue
                order.left -= 1
                if order.left < 0:
                    order.struck = True
                    return order.how
        return ""

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        upstream = socket.socket(socket.AF_UNIX)
        with client, upstream:
            try:
                upstream.connect(str(self.server))
            except OSError:
                return  # as if nobody listened: the client's end is closed
            pipe = _Pipe(client=client, upstream=upstream, proxy=self)
            threading.Thread(target=pipe.bring_back, daemon=True).start()
            pipe.forward()


@dataclass
class _Pipe:
    """One client's connection."""

    client: socket.socket
    upstream: socket.socket
    proxy: Proxy
    _deaf: bool = False

    def forward(self) -> None:
        """Forward what the client says, message by message, until either side ends."""
        try:
            self._greet()
            transaction = _Transaction()
            while (message := self._read_message()) is not None:
                commits = transaction.take(message[:1], message[5:])
                how = self.proxy.take_order(bytes(transaction.statements)) if commits else ""
                if how == "lost":
                    return
                self._deaf = how == "unheard"
                self.upstream.sendall(message)
                if self._deaf:
                    self._answered.wait(5.0)
                    return
        except OSError:
            pass
        finally:
            self._hang_up()

    def bring_back(self) -> None:
        """Bring back what the server says."""
        try:
            while chunk := self.upstream.recv(65536):
                if self._deaf:
                    break
                self.client.sendall(chunk)
        except OSError:
            pass
        finally:
            self._answered.set()
            self._hang_up()

    def __post_init__(self) -> None:
        self._answered = threading.Event()

    def _greet(self) -> None:
        """Forward the first message, which has no kind."""
        head = self._read(4)
        if head is not None:
            self.upstream.sendall(head + (self._read(_LENGTH.unpack(head)[0] - 4) or b""))

    def _read_message(self) -> bytes | None:
        head = self._read(5)
        if head is None:
            return None
        body = self._read(_LENGTH.unpack(head[1:])[0] - 4)
        return None if body is None else head + body

    def _read(self, size: int) -> bytes | None:
        chunks = bytearray()
        while len(chunks) < size:
            chunk = self.client.recv(size - len(chunks))
            if not chunk:
                return None
            chunks += chunk
        return bytes(chunks)

    def _hang_up(self) -> None:
        for end in (self.client, self.upstream):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@dataclass
class _Transaction:
    """The statements of the transaction that a client is in; one without a BEGIN is a transaction of its own."""

    statements: bytearray = field(default_factory=bytearray)
    _open: bool = False
    _over: bool = False

    def take(self, kind: bytes, body: bytes) -> bool:
        """Take note of a message; say whether it commits."""
        if self._over:
            self.statements.clear()
            self._over = False
        if kind == _PARSE:
            self.statements += body
            return False
        if kind == _SYNC:
            self._over = not self._open
            return self._over and bool(self.statements)
        if kind != _QUERY:
            return False
        word = body.rstrip(b"\0").strip().upper()
        if word.startswith(b"BEGIN"):
            self._open = True
            return False
        if word in (b"COMMIT", b"ROLLBACK"):
            self._open, self._over = False, True
            return word == b"COMMIT"
        self.statements += body
        self._over = not self._open
        return self._over
