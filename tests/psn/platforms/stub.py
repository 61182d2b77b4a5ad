"""A server on loopback that answers what it is told, request by request, and swallows what it is sent.

For what needs many answers in little time: benchmarks and hostile answers. It knows no platform; `canned` says what each would answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

KEPT_BYTES = 1024 * 1024  # of a request's body; what is longer is counted and let go


@dataclass(frozen=True)
class Request:
    """One request.

    Args:
        target: path and query as they came.
        headers: names in lower case.
        body: its first megabyte.
    """

    method: str
    target: str
    body: bytes
    body_bytes: int
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[Request], bytes | None]


class Stub:
    """A running server. `answer` may be set at any time; it gives the whole answer, or None to hang up."""

    def __init__(self, answer: Answer, *, port: int) -> None:
        self.answer = answer
        self.url = f"http://127.0.0.1:{port}"


class _Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._got = bytearray()
        self._head: Request | None = None  # the request under way, without its body
        self._kept = b""
        self._body_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (request := self._take()) is not None:
            answer = self._answer(request)
            if answer is None:
                self._transport.close()
                return
            self._transport.write(answer)
            if b"\r\nconnection: close" in answer[:2000]:
                self._transport.close()
                return

    def _take(self) -> Request | None:
        """Give one whole request; None when it is not whole yet."""
        if self._head is None:
            head, end, rest = self._got.partition(b"\r\n\r\n")
            if not end:
                return None
            self._head = _read_head(head.decode("latin-1"))
            self._got, self._kept, self._body_bytes = rest, b"", 0
        part = bytes(self._got[: self._head.body_bytes - self._body_bytes])
        del self._got[: len(part)]
        self._body_bytes += len(part)
        self._kept += part[: KEPT_BYTES - len(self._kept)]
        if self._body_bytes < self._head.body_bytes:
            return None
        request, self._head = replace(self._head, body=self._kept), None
        return request


def _read_head(head: str) -> Request:
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, target, b"", int(headers.get("content-length", "0")), headers)


@contextlib.contextmanager
def serve_stub(answer: Answer) -> Iterator[Stub]:
    """Serve from a thread of this process until the block ends."""
    loop = asyncio.new_event_loop()

    async def listen() -> asyncio.Server:
        return await loop.create_server(lambda: _Connection(lambda request: stub.answer(request)), "127.0.0.1", 0)

    server = loop.run_until_complete(listen())
    stub = Stub(answer, port=server.sockets[0].getsockname()[1])
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def shut() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for other in others:
            other.cancel()

    try:
        yield stub
    finally:
        asyncio.run_coroutine_threadsafe(shut(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def build_answer(status: int, body: bytes, headers: tuple[str, ...] = ()) -> bytes:
    """Build a complete answer."""
    lines = [f"HTTP/1.1 {status} .", *headers]
    if status != 204:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
