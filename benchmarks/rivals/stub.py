"""An HTTP server on loopback that takes one POST per task: `python -m benchmarks.rivals.stub` prints its port.

POST /                            201; the body and the time of its arrival are written down
GET  /arrivals?count=&seconds=    waits for so many arrivals, at most so long, and gives them as [[time, body], ...]
PUT  /reset?delay=                forgets the arrivals; from now on a POST is answered after so many seconds
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from urllib.parse import parse_qsl, urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Desk:
    """What arrived since the last reset."""

    def __init__(self) -> None:
        self.arrivals: list[tuple[float, str]] = []
        self.delay_seconds = 0.0

    async def wait(self, *, count: int, seconds: float) -> None:
        """Wait for so many arrivals, at most so long."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + seconds
        while len(self.arrivals) < count and loop.time() < give_up:
            await asyncio.sleep(0.01)


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rest = b""
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self._rest += data
        while (request := self._take()) is not None:
            self._answer(*request, now=now)

    def _take(self) -> tuple[str, str, bytes] | None:
        """Cut one whole request off what came: method, target, body. None when it is not whole yet."""
        head, end, rest = self._rest.partition(b"\r\n\r\n")
        length = int(found[1]) if (found := _LENGTH.search(head)) else 0
        if not end or len(rest) < length:
            return None
        self._rest = rest[length:]
        method, target, _ = head.decode("latin-1").split(" ", 2)
        return method, target, rest[:length]

    def _answer(self, method: str, target: str, body: bytes, *, now: float) -> None:
        url = urlsplit(target)
        query = dict(parse_qsl(url.query))
        if method == "POST":
            self._desk.arrivals.append((now, body.decode()))
            self._reply_later(201, {"id": len(self._desk.arrivals)})
        elif method == "PUT":
            self._desk.arrivals.clear()
            self._desk.delay_seconds = float(query.get("delay", "0"))
            self._reply(200, {})
        else:
            task = asyncio.create_task(self._tell(count=int(query["count"]), seconds=float(query["seconds"])))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell(self, *, count: int, seconds: float) -> None:
        await self._desk.wait(count=count, seconds=seconds)
        self._reply(200, self._desk.arrivals)

    def _reply_later(self, status: int, content: object) -> None:
        if self._desk.delay_seconds:
            asyncio.get_running_loop().call_later(self._desk.delay_seconds, self._reply, status, content)
        else:
            self._reply(status, content)

    def _reply(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        head = f"HTTP/1.1 {status} .\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def main(answer: type[Connection] = Connection) -> None:
    """Serve until killed."""
    desk = Desk()
    server = await asyncio.get_running_loop().create_server(lambda: answer(desk), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
