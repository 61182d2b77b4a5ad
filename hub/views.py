"""The hub's web process shows one thing: a media file, to whoever has its signed address, until that ends (MEDIA-3).

No login, no list, no database. Whoever has no address learns nothing, not even whether a file is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from hub.publishing.addresses import read_token
from psn.errors import NotFound

CHUNK_BYTES = 256 * 1024
# A file is shown, never run; no cache and no search engine keeps it.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Accept-Ranges": "bytes",
}

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@require_safe
def show_media(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show a file, or the one range of it that was asked for (RFC 9110 §14)."""
    try:
        signed = read_token(token, now=datetime.now(UTC))
    except NotFound as problem:
        return _refuse(410 if problem.error_code == "media.ended" else 404, problem.message)
    if signed.path is None:  # the hub asks itself whether it can be reached
        return HttpResponse(status=204, headers=HEADERS)
    try:
        size = signed.path.stat().st_size
    except OSError:
        return _refuse(404, "There is no such file.")
    return _serve(request, signed.path, size=size, mime_type=signed.mime_type)


def _serve(request: HttpRequest, path: Path, *, size: int, mime_type: str) -> HttpResponseBase:
    span = _read_range(request.headers.get("Range", ""), size=size)
    if span is None:
        return HttpResponse(status=416, headers={**HEADERS, "Content-Range": f"bytes */{size}"})
    begin, end = span
    headers = {**HEADERS, "Content-Length": str(end - begin)}
    if is_part := (begin, end) != (0, size):
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    body = iter(()) if request.method == "HEAD" else _read(path, begin=begin, end=end)
    return StreamingHttpResponse(body, status=206 if is_part else 200, content_type=mime_type, headers=headers)


def _read_range(header: str, *, size: int) -> tuple[int, int] | None:
    """Give begin and end (not included) of what was asked for: all where the header says nothing that is understood, None for
    what lies behind the end.
    """
    found = _RANGE.fullmatch(header.strip())
    if not found or not any(found.groups()):
        return 0, size
    first, last = found.groups()
    if not first:  # the last so many bytes
        return (max(size - int(last), 0), size) if int(last) and size else None
    if int(first) >= size:
        return None
    if last and int(last) < int(first):
        return 0, size
    return int(first), min(int(last) + 1, size) if last else size


def _read(path: Path, *, begin: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(begin)
        while begin < end and (chunk := file.read(min(CHUNK_BYTES, end - begin))):
            begin += len(chunk)
            yield chunk


def _refuse(status: int, message: str) -> HttpResponse:
    return HttpResponse(f"{message}\n", status=status, content_type="text/plain; charset=utf-8", headers=HEADERS)
