"""Bodies of requests: taken off the wire whole before anything is done about a call, and never whole into memory."""

from __future__ import annotations

import hashlib
import tempfile
from typing import IO, Any, cast

from django.http import HttpRequest

from sandbox.settings import DATA_UPLOAD_MAX_MEMORY_SIZE, STATE_DIR

MEMORY_BYTES = 1024 * 1024  # a larger body waits on disk
CHUNK_BYTES = 256 * 1024
MAX_BYTES = 5 * 1024**3  # the largest file any platform takes is 4 GB
BODY_SHA256 = "sandbox.body_sha256"  # key of META
# what can only be read whole must be small
WHOLE = ("application/json", "application/x-www-form-urlencoded")


class TooLarge(Exception):
    """A body that the sandbox does not take."""


class CutShort(Exception):
    """The client went away before its body was here."""


def spool(request: HttpRequest) -> None:
    """Take a body off the wire and put it where views can read it from the start; its SHA-256 stands in META.

    Raises:
        TooLarge: nothing was read.
        CutShort: fewer bytes came than were announced.
    """
    length = _length_of(request)
    if length > (DATA_UPLOAD_MAX_MEMORY_SIZE if request.content_type in WHOLE else MAX_BYTES):
        raise TooLarge
    stream = tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES, dir=str(STATE_DIR))  # noqa: SIM115 (ends with the request)
    digest, here = hashlib.sha256(), 0
    while chunk := request.read(CHUNK_BYTES):
        stream.write(chunk)
        digest.update(chunk)
        here += len(chunk)
    if here != length:
        raise CutShort
    stream.seek(0)
    _replace_stream(request, stream)
    request.META[BODY_SHA256] = digest.hexdigest()


def _length_of(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() else 0


def _replace_stream(request: HttpRequest, stream: Any) -> None:
    """Let Django read this instead of the socket, as if nothing had been read before."""
    inner = cast(Any, request)
    inner._stream, inner._read_started = stream, False
    request.META["wsgi.input"] = cast(IO[bytes], stream)
