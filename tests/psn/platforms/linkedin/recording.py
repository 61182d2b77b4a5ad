"""A relay on loopback between the adapter and the sandbox that keeps every call and its answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.sandbox.process import WEB


@dataclass(frozen=True)
class Exchange:
    """One call with its answer; the target is below the platform's base, header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes


@dataclass
class Relay:
    """Where to send calls, and what passed."""

    url: str
    exchanges: list[Exchange] = field(default_factory=list)


@contextmanager
def relay_to(upstream: str) -> Iterator[Relay]:
    """Relay until the block ends.

    Args:
        upstream: base URL of the sandbox, without a platform.
    """

    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            answer = WEB.request(self.command, f"{upstream}{self.path}", headers=self.headers.items(), content=body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            target = self.path.removeprefix("/linkedin")
            relay.exchanges.append(
                Exchange(self.command, target, headers, body, answer.status_code, dict(answer.headers), answer.content)
            )
            self.send_response_only(answer.status_code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815 (the base class looks for these names)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    relay = Relay(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield relay
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
