"""What the platforms' adapters cost: `.venv/bin/python -m benchmarks.platforms`.

a small read, and the call that publishes, against the same requests by httpx2 alone    at most 1.5x
memory for uploading 1 GB, where a platform takes that much                             under 64 MB
counting and splitting 10,000 characters (`benchmarks.text`)                            under 50 ms

The other side is a process that answers at once with canned bytes, so that nothing but the adapter is measured. "The same requests"
are those that the adapter was seen to make, byte for byte, and the one that publishes has a connection of its own there, too.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import httpx2

from benchmarks import text
from benchmarks.timing import PYTHON, ROOT
from psn.platforms.base import Adapter
from tests.psn.platforms.canned import CASES, Case, Files, build_part, find_answer
from tests.psn.platforms.stub import Request, serve_stub

PAIRS = 200
GIGABYTE = 1_000_000_000
UPLOADS = {  # bytes, where not a whole GB
    "x": GIGABYTE,
    "linkedin": GIGABYTE,
    "instagram": GIGABYTE,
    "tiktok": GIGABYTE,
    "bluesky": 50_000_000,
    "mastodon": GIGABYTE,
}
# Where `fetch_profile` makes two requests, or keeps what it got, the read is `fetch_account_metrics`.
COUNTED = frozenset({"tiktok", "bluesky"})
Make = Callable[[Case, Adapter], Callable[[], object]]
_OWN = ("host", "content-length", "connection")  # what the client writes by itself


def main() -> None:
    """Print everything."""
    with _serving() as url:
        print("adapter against httpx2 alone, median of pairs (at most 1.5x)")
        for case in CASES:
            base = f"{url}/{case.name.replace(' ', '-')}"
            print(
                f"{case.name:14} read {_compare(case, base, _make_read)}   publish {_compare(case, base, _make_publish)}"
            )
        print("memory for an upload (under 64 MB)")
        for name, size in UPLOADS.items():
            command = [PYTHON, "-m", "benchmarks.uploads", name, f"{url}/{name}", str(size)]
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
            grown, seconds = done.stdout.split()
            print(f"{name:14} {grown:>6} MB for {size / 1_000_000:.0f} MB, in {seconds} s")
    text.main()


def _make_read(case: Case, adapter: Adapter) -> Callable[[], object]:
    return adapter.fetch_account_metrics if case.name in COUNTED else adapter.fetch_profile


def _make_publish(case: Case, adapter: Adapter) -> Callable[[], object]:
    with tempfile.TemporaryDirectory() as folder:
        part, media_ids = build_part(case, Files(Path(folder)))
    prepared = adapter.prepare_post(part, media_ids=media_ids, reply_to=None, former="")
    return lambda: adapter.create_post(part, media_ids=media_ids, reply_to=None, prepared=prepared, send_before=None)


def _compare(case: Case, base: str, make: Make) -> str:
    """Time a call and the same requests without the adapter, in turn."""
    seen = _watch(case, make)
    adapter = case.connect(base)
    ours = make(case, adapter)
    with httpx2.Client(trust_env=False) as kept, _open_anew() as own:

        def theirs() -> None:
            for request in seen:
                _repeat(own if _is_commit(case, request) else kept, base, request)

        pairs = [(_time(ours), _time(theirs)) for _ in range(PAIRS + 20)][20:]
    adapter.close()
    a, b = (median(side) * 1000 for side in zip(*pairs, strict=True))
    return f"{a / b:.2f}x ({a:.2f} ms, {len(seen)} calls)"


def _watch(case: Case, make: Make) -> list[Request]:
    """Give the requests that a call makes when it is made for the second time."""
    seen: list[Request] = []
    with serve_stub(lambda _request: None) as stub:

        def answer(request: Request) -> bytes:
            seen.append(request)
            return find_answer(case.rules, request).to_bytes(stub.url)

        stub.answer = answer
        adapter = case.connect(stub.url)
        call = make(case, adapter)
        call()
        seen.clear()
        call()
        adapter.close()
    return seen


def _repeat(client: httpx2.Client, base: str, request: Request) -> Any:
    headers = {name: value for name, value in request.headers.items() if name not in _OWN}
    reply = client.request(request.method, base + request.target, content=request.body or None, headers=headers)
    return json.loads(reply.content) if reply.content else None


def _is_commit(case: Case, request: Request) -> bool:
    method, pattern = case.commit
    return request.method == method and re.search(pattern, request.target) is not None


def _open_anew() -> httpx2.Client:
    return httpx2.Client(trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))


def _time(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


@contextlib.contextmanager
def _serving() -> Iterator[str]:
    """Give the address of a process that answers for all platforms."""
    command = [PYTHON, "-m", "benchmarks.answers"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


if __name__ == "__main__":
    main()
