"""A go-between on loopback that writes down what an adapter says and what the sandbox answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

_HOP = {"connection", "transfer-encoding", "content-encoding", "date", "server"}  # belong to one connection each


@dataclass(frozen=True)
class Exchange:
    """One call and its answer.

    Args:
        path: without the query.
        body: of the request, as it was.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        is_form = self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True)) if is_form else {}

    @property
    def parameters(self) -> dict[str, str]:
        """What was asked for, wherever it stood."""
        return {**self.query, **self.form}

    @property
    def document(self) -> Any:
        """The answer's JSON."""
        return json.loads(self.answer)


@dataclass
class Recording:
    """What passed through."""

    url: str
    exchanges: list[Exchange] = field(default_factory=list)


@contextmanager
def record(target: str) -> Iterator[Recording]:
    """Pass every call on to a server on loopback until the block ends.

    Args:
        target: scheme, host and port.
    """
    client = httpx2.Client(trust_env=False, timeout=20)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = client.request(
                self.command, f"{target}{self.path}", content=body, headers=_without(headers, {"accept-encoding"})
            )
            address = urlsplit(self.path)
            exchange = Exchange(
                self.command,
                address.path,
                dict(parse_qsl(address.query)),
                headers,
                body,
                reply.status_code,
                reply.content,
            )
            recording.exchanges.append(exchange)
            self.send_response(reply.status_code)
            for name, value in _without(dict(reply.headers), {"content-length"}).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        do_GET = do_POST = do_PUT = do_DELETE = pass_on  # noqa: N815 (what http.server calls)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    recording = Recording(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield recording
    finally:
        server.shutdown()
        server.server_close()
        client.close()


def _without(headers: dict[str, str], names: set[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP | names}
