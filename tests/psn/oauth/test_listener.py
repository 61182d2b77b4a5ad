"""The listener takes one answer, and is neither fooled nor worn out by anything else that visits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from psn.errors import NotAllowed, NotReady
from psn.oauth import listener
from psn.oauth.listener import MAX_CONNECTIONS, MAX_REQUEST_BYTES, Listener

ANSWER = "/callback?code=c0de&state=s"


@dataclass
class Waiting:
    """A listener that waits in a thread."""

    port: int
    answer: Future[str]

    def visit(self, target: str, *, method: str = "GET") -> str:
        """Ask as a browser does, and give everything that comes back."""
        return self.say(f"{method} {target} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\n\r\n".encode())

    def say(self, request: bytes) -> str:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as visitor:
            visitor.sendall(request)
            got = b""
            try:
                while piece := visitor.recv(65536):
                    got += piece
            except ConnectionResetError:
                pass
            return got.decode()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)


@contextmanager
def waiting(*, seconds: float = 10.0) -> Iterator[Waiting]:
    with Listener("http://127.0.0.1:0/callback") as heard, ThreadPoolExecutor(1) as pool:
        yield Waiting(heard.port, pool.submit(heard.wait, state="s", seconds=seconds))


class TestTheOneAnswer:
    def test_is_given_with_everything_that_it_says(self) -> None:
        with waiting() as here:
            page = here.visit(ANSWER)
            assert here.answer.result(5) == ANSWER
        assert page.startswith("HTTP/1.1 200 ")
        assert "You can close this page" in page

    def test_may_be_a_no(self) -> None:
        with waiting() as here:
            page = here.visit("/callback?error=access_denied&state=s")
            assert "error=access_denied" in here.answer.result(5)
        assert "Not connected" in page

    def test_never_shows_what_came_nor_lets_it_be_kept(self) -> None:
        with waiting() as here:
            page = here.visit("/callback?code=c0de&state=s&x=<script>")
            here.answer.result(5)
        assert "c0de" not in page
        assert "script" not in page
        assert "cache-control: no-store" in page
        assert "referrer-policy: no-referrer" in page
        assert "default-src 'none'" in page

    def test_may_come_in_pieces(self) -> None:
        with waiting() as here, here.connect() as visitor:
            for piece in (b"GET /callback?code=c0de", b"&state=s HTTP/1.1\r\n", b"host: x\r\n", b"\r\n"):
                visitor.sendall(piece)
                time.sleep(0.02)
            assert here.answer.result(5) == ANSWER

    def test_counts_though_the_browser_does_not_wait_for_the_page(self) -> None:
        with waiting() as here:
            with here.connect() as visitor:
                visitor.sendall(f"GET {ANSWER} HTTP/1.1\r\n\r\n".encode())
            assert here.answer.result(5) == ANSWER


VISITS: dict[str, tuple[Callable[[Waiting], str], str]] = {
    "an icon": (lambda here: here.visit("/favicon.ico"), "404"),
    "another path": (lambda here: here.visit("/?code=c0de&state=s"), "404"),
    "a longer path": (lambda here: here.visit("/callback/x?code=c0de&state=s"), "404"),
    "another state": (lambda here: here.visit("/callback?code=c0de&state=t"), "400"),
    "no state": (lambda here: here.visit("/callback?code=c0de"), "400"),
    "two states": (lambda here: here.visit("/callback?code=c0de&state=s&state=s"), "400"),
    "no code": (lambda here: here.visit("/callback?state=s"), "400"),
    "a form": (lambda here: here.visit(ANSWER, method="POST"), "405"),
    "no HTTP": (lambda here: here.say(b"\x16\x03\x01 hello\r\n\r\n"), "405"),
    "a whole address": (lambda here: here.visit(f"http://evil.example{ANSWER}"), "405"),
    "too much": (lambda here: here.say(b"GET /callback?" + b"x" * (MAX_REQUEST_BYTES + 10)), ""),
}


class TestAnythingElse:
    @pytest.mark.parametrize(("visit", "status"), VISITS.values(), ids=VISITS.keys())
    def test_is_turned_away_and_waited_past(self, visit: Callable[[Waiting], str], status: str) -> None:
        with waiting() as here:
            got = visit(here)
            assert got == "" or got.split()[1] == (status or "431")
            assert not here.answer.done()
            here.visit(ANSWER)
            assert here.answer.result(5) == ANSWER

    def test_that_says_nothing_keeps_nobody_waiting(self) -> None:
        with waiting() as here, here.connect(), here.connect() as half:
            half.sendall(b"GET /callb")
            here.visit(ANSWER)
            assert here.answer.result(5) == ANSWER

    def test_that_comes_in_crowds_keeps_nobody_out(self) -> None:
        with waiting() as here:
            crowd = [here.connect() for _ in range(MAX_CONNECTIONS * 3)]
            here.visit(ANSWER)
            assert here.answer.result(5) == ANSWER
            for visitor in crowd:
                visitor.close()

    def test_that_dawdles_is_dismissed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listener, "REQUEST_SECONDS", 0.1)
        with waiting() as here, here.connect() as visitor:
            visitor.sendall(b"GET /callb")
            assert visitor.recv(100) == b""
            here.visit(ANSWER)
            here.answer.result(5)


class TestTheListener:
    def test_gives_up_in_time(self) -> None:
        began = time.monotonic()
        with waiting(seconds=0.2) as here, pytest.raises(NotAllowed) as caught:
            here.answer.result(5)
        assert caught.value.error_code == "oauth.timeout"
        assert time.monotonic() - began < 3

    def test_says_when_its_port_is_taken(self) -> None:
        with Listener("http://127.0.0.1:0/callback") as first, pytest.raises(NotReady) as caught:
            Listener(f"http://127.0.0.1:{first.port}/callback")
        assert caught.value.error_code == "oauth.port_taken"
        assert "--redirect-stdin" in caught.value.message

    def test_is_reached_from_this_machine_alone(self) -> None:
        with Listener("http://127.0.0.1:0/callback") as heard:
            assert heard._socket.getsockname()[0] == "127.0.0.1"

    def test_leaves_the_port_to_the_next_one(self) -> None:
        with waiting() as here:
            here.visit(ANSWER)
            here.answer.result(5)
        with Listener(f"http://127.0.0.1:{here.port}/callback"):
            pass
        assert threading.active_count() < 20
