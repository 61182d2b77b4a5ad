"""The stand-in's HTTP side."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.neon_api.faults import Fault, Faults
from tests.neon_api.routes import answer
from tests.neon_api.world import Refused, World

PREFIX = "/api/v2"
SILENT_SECONDS = 300.0


@dataclass(frozen=True)
class Call:
    """One call and its answer.

    Args:
        path: without the prefix and the query.
        status: 0 when there was no answer.
    """

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    authorization: str
    status: int
    document: Any

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class NeonApi:
    """A running stand-in.

    Args:
        url: what NEON_API_HOST must be.
        calls: everything that was asked, in order.
        watch: called with each call after it was carried out and before it is answered.
    """

    url: str
    world: World
    faults: Faults = field(default_factory=Faults)
    calls: list[Call] = field(default_factory=list)
    watch: Callable[[Call], None] | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find it."""
        return {"NEON_API_HOST": self.url, "NEON_API_KEY": self.world.key}

    def fail(self, match: str, **fault: Any) -> None:
        """Let calls go wrong; see `Fault`."""
        self.faults.add(Fault(match, **fault))

    def names(self) -> list[str]:
        """Name the calls, in order: `GET /projects`."""
        return [call.name for call in self.calls]


@contextmanager
def run_neon_api(world: World | None = None, *, port: int = 0) -> Iterator[NeonApi]:
    """Answer on loopback until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    api = NeonApi(f"http://127.0.0.1:{server.server_address[1]}{PREFIX}", world or World())
    server.api = api  # type: ignore[attr-defined]  # how a handler finds it
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.ended.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        api: NeonApi = self.server.api  # type: ignore[attr-defined]
        body = self._read_body()
        fault = api.faults.find(f"{self.command} {self._path}")
        status, document = self._decide(api, body, fault)
        call = Call(
            self.command, self._path, self._query, body, self.headers.get("authorization", ""), status, document
        )
        api.calls.append(call)
        if api.watch:
            api.watch(call)
        if fault and fault.kind == "silent":
            api.ended.wait(SILENT_SECONDS)
        if status == 0:
            self.close_connection = True
            return
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self._send(status, content, is_json=not isinstance(document, bytes))

    do_GET = do_POST = answer  # noqa: N815 (what http.server calls)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    @property
    def _path(self) -> str:
        return urlsplit(self.path).path.removeprefix(PREFIX)

    @property
    def _query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query))

    def _decide(self, api: NeonApi, body: dict[str, Any], fault: Fault | None) -> tuple[int, Any]:
        if fault and fault.kind in ("silent", "refused"):
            return 0, None
        if fault and fault.kind == "answer":
            return fault.status, _write_refusal(fault.message)
        if fault and fault.kind == "garbage":
            return fault.status, b"<html><body>Bad gateway</body></html>"
        authorization = self.headers.get("authorization", "")
        try:
            status, document = answer(
                api.world, f"{self.command} {self._path}", self._query, body, authorization=authorization
            )
        except Refused as refused:
            return refused.status, _write_refusal(refused.message, refused.code)
        return (0, document) if fault else (status, document)

    def _read_body(self) -> dict[str, Any]:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        document: dict[str, Any] = json.loads(content) if content else {}
        return document

    def _send(self, status: int, content: bytes, *, is_json: bool) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json" if is_json else "text/html")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _write_refusal(message: str, code: str = "") -> dict[str, str]:
    return {"request_id": str(uuid.uuid4()), "code": code, "message": message}
