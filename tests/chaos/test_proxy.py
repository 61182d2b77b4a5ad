"""The proxy cuts the commit that was meant, before it or after it, and nothing else."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.proxy import Order, Proxy

GREETING = struct.pack("!II", 8, 196608)
ANSWER = b"Z\x00\x00\x00\x05I"


def message(kind: bytes, text: str = "") -> bytes:
    body = text.encode() + b"\0" if text else b""
    return kind + struct.pack("!I", len(body) + 4) + body


class Server:
    """Answers every question alike, a parsed one when it is asked to with a sync, and remembers what it heard."""

    def __init__(self, path: Path) -> None:
        self.heard = bytearray()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        line, _ = self._listener.accept()
        with line:
            while chunk := line.recv(65536):
                self.heard += chunk
                if not chunk.startswith(b"P") or chunk.endswith(message(b"S")):
                    line.sendall(ANSWER)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / ".s.PGSQL.1")
    yield server
    server.close()


@pytest.fixture
def proxy(tmp_path: Path, server: Server) -> Iterator[Proxy]:
    (tmp_path / "proxy").mkdir()
    proxy = Proxy(folder=tmp_path / "proxy", server=tmp_path / ".s.PGSQL.1")
    proxy.start()
    yield proxy
    proxy.close()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(proxy.folder / ".s.PGSQL.1"))
        client.sendall(GREETING)
        assert client.recv(100) == ANSWER
        yield client


def say(client: socket.socket, *parts: bytes) -> bytes:
    client.sendall(b"".join(parts))
    return client.recv(100)


class TestTheProxy:
    def test_forwards_what_nobody_ordered_to_be_cut(self, client: socket.socket, server: Server) -> None:
        assert say(client, message(b"Q", "SELECT 1")) == ANSWER
        assert server.heard == GREETING + message(b"Q", "SELECT 1")

    def test_drops_a_commit_before_the_server_hears_it(
        self, client: socket.socket, server: Server, proxy: Proxy
    ) -> None:
        proxy.orders = [Order(b"posts", 0, "lost")]
        say(client, message(b"Q", "BEGIN"))
        say(client, message(b"Q", "UPDATE posts"))
        assert say(client, message(b"Q", "COMMIT")) == b""
        assert b"COMMIT" not in server.heard

    def test_drops_the_answer_to_a_commit_that_the_server_carried_out(
        self, client: socket.socket, server: Server, proxy: Proxy
    ) -> None:
        proxy.orders = [Order(b"posts", 0, "unheard")]
        say(client, message(b"Q", "BEGIN"))
        say(client, message(b"Q", "UPDATE posts"))
        assert say(client, message(b"Q", "COMMIT")) == b""
        assert b"COMMIT" in server.heard

    def test_cuts_a_statement_that_commits_by_itself(self, client: socket.socket, server: Server, proxy: Proxy) -> None:
        proxy.orders = [Order(b"claim", 0, "unheard")]
        assert say(client, message(b"P", "SELECT claim"), message(b"S")) == b""
        assert server.heard.endswith(message(b"S"))

    def test_lets_other_transactions_and_earlier_ones_pass(self, client: socket.socket, proxy: Proxy) -> None:
        proxy.orders = [Order(b"posts", 1, "lost")]
        for statement in ("UPDATE parts", "UPDATE posts"):
            say(client, message(b"Q", "BEGIN"))
            say(client, message(b"Q", statement))
            assert say(client, message(b"Q", "COMMIT")) == ANSWER
        say(client, message(b"Q", "BEGIN"))
        say(client, message(b"Q", "UPDATE posts"))
        assert say(client, message(b"Q", "COMMIT")) == b""

    def test_leaves_a_rollback_alone(self, client: socket.socket, proxy: Proxy) -> None:
        proxy.orders = [Order(b"posts", 0, "lost")]
        say(client, message(b"Q", "BEGIN"))
        say(client, message(b"Q", "UPDATE posts"))
        assert say(client, message(b"Q", "ROLLBACK")) == ANSWER
