"""How platforms of the sandbox fetch media by address: from this machine only, without following anybody anywhere."""

from __future__ import annotations

import http.client
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from django.db import connection

from sandbox.journal import CALLER_PREFIX
from sandbox.settings import STATE_DIR
from sandbox.sniffing import SNIFF_BYTES, sniff

TIMEOUT_SECONDS = 10
CHUNK_BYTES = 256 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Reason = Literal["address", "unreachable", "redirect", "status", "size", "type"]


class FetchFailed(Exception):
    """A file could not be fetched.

    Attributes:
        reason: `address` no http address, or not on this machine; `unreachable` nobody answers, or not to the end;
            `redirect`; `status` anything but 200; `size` too large or empty; `type` no known kind of file.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was fetched; whoever asked for it moves or deletes it. `mime_type` is told by its bytes."""

    path: Path
    mime_type: str
    size: int


def fetch(url: str, *, platform: str, max_bytes: int) -> Fetched:
    """Fetch a file. The journal shows who fetched when the address is the sandbox's own.

    Raises:
        FetchFailed: with the reason.
    """
    if connection.in_atomic_block:  # the sandbox may fetch from itself, and its journal could not be written meanwhile
        raise RuntimeError("fetch() was called inside a transaction")
    address = _read_address(url)
    if address.scheme == "https":
        raise FetchFailed("unreachable", f"Nobody answers with a trusted certificate at {address.netloc}.")
    try:
        return _fetch(address, platform=platform, max_bytes=max_bytes)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchFailed("unreachable", f"{url} could not be fetched: {error}.") from error


def _read_address(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        is_here = address.scheme in ("http", "https") and address.hostname in LOOPBACK and address.port != 0
    except ValueError:
        is_here = False
    if not is_here:
        raise FetchFailed("address", f"{url} is no http address on this machine.")
    return address


def _fetch(address: SplitResult, *, platform: str, max_bytes: int) -> Fetched:
    client = http.client.HTTPConnection(str(address.hostname), address.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        target = f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
        client.request("GET", target, headers={"User-Agent": f"{CALLER_PREFIX}{platform}", "Accept": "*/*"})
        answer = client.getresponse()
        if 300 <= answer.status < 400:
            raise FetchFailed("redirect", "The address redirects.")
        if answer.status != 200:
            raise FetchFailed("status", f"The address answers {answer.status}.")
        return _keep(answer, max_bytes=max_bytes)
    finally:
        client.close()


def _keep(answer: http.client.HTTPResponse, *, max_bytes: int) -> Fetched:
    with tempfile.NamedTemporaryFile(dir=STATE_DIR, prefix=".fetched.", delete=False) as file:
        path, size, start = Path(file.name), 0, b""
        try:
            while chunk := answer.read(CHUNK_BYTES):
                size, start = size + len(chunk), start or chunk[:SNIFF_BYTES]
                if size > max_bytes:
                    raise FetchFailed("size", f"The file is larger than {max_bytes} bytes.")
                file.write(chunk)
            mime_type = sniff(start)
            if not size or not mime_type:
                raise FetchFailed("size" if not size else "type", "The address gives no picture and no video.")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return Fetched(path, mime_type, size)
