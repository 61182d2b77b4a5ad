"""Files for browsers and for platforms that fetch: right type, in pieces when asked for (RFC 9110 §14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

CHUNK_BYTES = 256 * 1024
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
# a file is shown, never run: somebody else made it
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Accept-Ranges": "bytes",
}


def serve_file(request: HttpRequest, path: Path, *, mime_type: str) -> HttpResponseBase:
    """Give a file, or the one range of it that was asked for."""
    size = path.stat().st_size
    begin, end = _read_range(request.headers.get("Range", ""), size=size)
    if begin >= size > 0:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    is_part = (begin, end) != (0, size)
    headers = {**HEADERS, "Content-Length": str(end - begin)}
    if is_part:
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    body = iter(()) if request.method == "HEAD" else _read(path, begin=begin, end=end)
    return StreamingHttpResponse(
        body, status=206 if is_part else 200, content_type=mime_type or "application/octet-stream", headers=headers
    )


def _read_range(header: str, *, size: int) -> tuple[int, int]:
    """Give begin and end (not included); the whole file where the header says nothing that is understood."""
    found = RANGE.fullmatch(header.strip())
    if not found or not any(found.groups()):
        return 0, size
    first, last = found.groups()
    if not first:  # the last so many bytes
        return max(size - int(last), 0), size
    if last and int(last) < int(first):
        return 0, size
    return int(first), min(int(last) + 1, size) if last else size


def _read(path: Path, *, begin: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(begin)
        while begin < end and (chunk := file.read(min(CHUNK_BYTES, end - begin))):
            begin += len(chunk)
            yield chunk
