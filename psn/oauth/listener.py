"""Waits on this machine's loopback for the browser that comes back from a platform (AUTH-1). RFC 8252 §7.3.

One answer ends it: a request for the right path with the right `state`, whether the person said yes or no. Everything else is
answered and waited past: a browser asks for icons, opens connections it never uses, and loads old tabs again. Nothing a visitor
does grows without bound: connections, bytes and seconds each have a limit.
"""

from __future__ import annotations

import hmac
import selectors
import socket
import time
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, urlsplit

from psn.errors import NotAllowed, NotReady

HOST = "127.0.0.1"
WAIT_SECONDS = 600.0  # a person signs in, finds the second factor, reads what is asked for
MAX_CONNECTIONS = 16
MAX_REQUEST_BYTES = 16 * 1024  # a code has a few hundred characters, a header line of cookies some thousands
REQUEST_SECONDS = 10.0

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>:root{{color-scheme:light dark}}body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;
margin:20vh auto;padding:0 1.5rem}}h1{{font-size:1.6rem;margin:0 0 .5rem}}p{{margin:0;opacity:.8}}</style>
<h1>{title}</h1><p>{text}</p></html>"""


@dataclass
class _Visitor:
    """A connection that has not said all yet."""

    gives_up_at: float
    got: bytearray = field(default_factory=bytearray)


class Listener:
    """A bound port; use it in a `with` block, and make it before the person sees the link.

    Args:
        redirect_uri: its port and path are what is listened for; always on 127.0.0.1.

    Raises:
        NotReady: the port is taken (`oauth.port_taken`).
    """

    def __init__(self, redirect_uri: str) -> None:
        address = urlsplit(redirect_uri)
        self._path = address.path or "/"
        try:
            self._socket = socket.create_server((HOST, address.port or 80), backlog=MAX_CONNECTIONS)
        except OSError as error:
            raise NotReady(
                f"Port {address.port} of this computer is taken, so the browser could not come back. End what uses it, "
                "or paste the address where the browser ends up: add --redirect-stdin.",
                code="oauth.port_taken",
            ) from error
        self._socket.setblocking(False)
        self._visitors: dict[socket.socket, _Visitor] = {}

    @property
    def port(self) -> int:
        """The port that is listened on."""
        port: int = self._socket.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        for visitor in self._visitors:
            visitor.close()
        self._visitors.clear()
        self._socket.close()

    def wait(self, *, state: str, seconds: float = WAIT_SECONDS) -> str:
        """Wait for the one answer, and give its address, from the path on; `psn.oauth.flow.read_redirect` reads it.

        Args:
            state: of the authorization; a request with another one is none of ours.

        Raises:
            NotAllowed: nobody came in time (`oauth.timeout`).
        """
        ends_at = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while (left := ends_at - time.monotonic()) > 0:
                for key, _ in selector.select(min(left, 1.0)):
                    if key.fileobj is self._socket:
                        self._admit(selector)
                    elif target := self._hear(key.fileobj, selector, state=state):  # type: ignore[arg-type]  # a socket
                        return target
                self._dismiss_late(selector)
        raise NotAllowed(
            f"Nobody came back from the browser within {seconds / 60:g} minutes. Connect again when there is time for it.",
            code="oauth.timeout",
        )

    def _admit(self, selector: selectors.BaseSelector) -> None:
        try:
            visitor, _ = self._socket.accept()
        except OSError:
            return
        if len(self._visitors) >= MAX_CONNECTIONS:  # the oldest has had its chance
            self._dismiss(next(iter(self._visitors)), selector)
        visitor.setblocking(False)
        self._visitors[visitor] = _Visitor(time.monotonic() + REQUEST_SECONDS)
        selector.register(visitor, selectors.EVENT_READ)

    def _hear(self, visitor: socket.socket, selector: selectors.BaseSelector, *, state: str) -> str:
        """Take what came; give the address once it is the answer."""
        said = self._visitors.get(visitor)
        if said is None:  # dismissed in this very round
            return ""
        try:
            piece = visitor.recv(MAX_REQUEST_BYTES)
        except BlockingIOError:
            return ""
        except OSError:
            piece = b""
        said.got += piece
        is_whole = b"\r\n\r\n" in said.got or b"\n\n" in said.got
        if piece and not is_whole and len(said.got) <= MAX_REQUEST_BYTES:
            return ""
        target = ""
        if len(said.got) > MAX_REQUEST_BYTES:
            _reply(
                visitor,
                431,
                "That was too much",
                "This address only takes the short visit of a browser that comes back.",
            )
        elif is_whole:
            target = self._judge(visitor, bytes(said.got), state=state)
        self._dismiss(visitor, selector)
        return target

    def _judge(self, visitor: socket.socket, request: bytes, *, state: str) -> str:
        method, target = _read_request_line(request)
        address = urlsplit(target) if target.startswith("/") else None
        if method != "GET" or address is None:
            _reply(visitor, 405, "Not like this", "This address only takes the visit of a browser that comes back.")
            return ""
        if address.path != self._path:
            _reply(visitor, 404, "Nothing here", "PSN waits for a browser that comes back from a platform.")
            return ""
        answer = parse_qs(address.query, keep_blank_values=True)
        if not hmac.compare_digest("".join(answer.get("state", [])).encode(), state.encode()):
            _reply(
                visitor,
                400,
                "This is an old page",
                "It belongs to another try. Open the newest link that PSN showed you.",
            )
            return ""
        if "code" not in answer and "error" not in answer:
            _reply(visitor, 400, "Something is missing", "The platform sent no code along. Open the link again.")
            return ""
        if "error" in answer:
            _reply(
                visitor,
                200,
                "Not connected",
                "The platform says that access was not given. PSN has noted that; close this page.",
            )
        else:
            _reply(visitor, 200, "You can close this page", "PSN has the answer and goes on in your terminal.")
        return target

    def _dismiss_late(self, selector: selectors.BaseSelector) -> None:
        now = time.monotonic()
        for visitor in [one for one, said in self._visitors.items() if said.gives_up_at < now]:
            self._dismiss(visitor, selector)

    def _dismiss(self, visitor: socket.socket, selector: selectors.BaseSelector) -> None:
        del self._visitors[visitor]
        selector.unregister(visitor)
        visitor.close()


def _read_request_line(request: bytes) -> tuple[str, str]:
    parts = request.split(b"\n", 1)[0].decode("latin-1").split()
    return (parts[0], parts[1]) if len(parts) == 3 else ("", "")


def _reply(visitor: socket.socket, status: int, title: str, text: str) -> None:
    """Show a page; nothing the visitor said stands in it."""
    body = _PAGE.format(title=title, text=text).encode()
    head = [
        f"HTTP/1.1 {status} {title}",
        "content-type: text/html; charset=utf-8",
        f"content-length: {len(body)}",
        "cache-control: no-store",
        "referrer-policy: no-referrer",  # the address of the page holds the code
        "content-security-policy: default-src 'none'; style-src 'unsafe-inline'",
        "connection: close",
    ]
    try:
        visitor.setblocking(True)
        visitor.settimeout(2.0)
        visitor.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        visitor.shutdown(socket.SHUT_WR)
    except OSError:  # it left; what it brought counts all the same
        pass
