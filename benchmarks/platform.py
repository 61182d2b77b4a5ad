"""A stand-in for X that does nothing but take posts fast: `python -m benchmarks.platform` prints its port.

Like `benchmarks.rivals.stub`, whose other calls it takes too, with X's own answer to `POST /2/tweets`.
"""

from __future__ import annotations

import asyncio
import json
import time

from benchmarks.rivals.stub import Connection, main

FIRST_ID = 1_900_000_000_000_000_000


class XConnection(Connection):
    """One connection that answers like X."""

    def _answer(self, method: str, target: str, body: bytes, *, now: float) -> None:
        if method != "POST":
            super()._answer(method, target, body, now=now)
            return
        text = json.loads(body)["text"]
        self._desk.arrivals.append((time.time(), text))
        self._reply_later(201, {"data": {"id": str(FIRST_ID + len(self._desk.arrivals)), "text": text}})


if __name__ == "__main__":
    asyncio.run(main(XConnection))
