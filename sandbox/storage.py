"""A stand-in for object storage and for public media addresses: `PUT`, `GET`, `HEAD` and `DELETE` on `/_storage/<key>`.

Each call is in the journal as platform `_storage`, so a test sees which platform fetched what, and when.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from sandbox import clock
from sandbox.models import StoredFile
from sandbox.serving import serve_file
from sandbox.settings import STATE_DIR
from sandbox.sniffing import SNIFF_BYTES, sniff
from sandbox.uploads import write_stream

UNTOLD = ("text/plain", "application/octet-stream")  # what a request without a Content-Type is taken for
NAME = "_storage"  # its platform name in the journal and in orders of failures


def store(request: HttpRequest, key: str) -> HttpResponseBase:
    """Keep a file, give it back, or forget it."""
    if request.method == "PUT":
        return _put(request, key)
    found = StoredFile.objects.filter(key=key).first()
    if request.method == "DELETE":
        return _delete(found)
    if request.method not in ("GET", "HEAD"):
        return HttpResponse("Use PUT, GET, HEAD or DELETE.\n", status=405, content_type="text/plain")
    if found is None:
        return HttpResponse("There is no such file.\n", status=404, content_type="text/plain")
    return serve_file(request, storage_dir() / found.file, mime_type=found.mime_type)


def _put(request: HttpRequest, key: str) -> HttpResponse:
    storage_dir().mkdir(exist_ok=True)
    path = storage_dir() / secrets.token_hex(16)
    size = write_stream(request, path=path, offset=0)
    before = StoredFile.objects.filter(key=key).first()
    columns = {"file": path.name, "mime_type": _type_of(request, path), "size_bytes": size, "stored_at": clock.now()}
    StoredFile.objects.update_or_create(key=key, defaults=columns)
    if before:
        (storage_dir() / before.file).unlink(missing_ok=True)
    response = HttpResponse(status=201)
    response["Location"] = request.build_absolute_uri(request.path)
    return response


def _delete(found: StoredFile | None) -> HttpResponse:
    if found:
        found.delete()
        (storage_dir() / found.file).unlink(missing_ok=True)
    return HttpResponse(status=204)


def _type_of(request: HttpRequest, path: Path) -> str:
    told = request.content_type or "application/octet-stream"
    if told not in UNTOLD:
        return told[:100]
    with path.open("rb") as file:
        return sniff(file.read(SNIFF_BYTES)) or told


def storage_dir() -> Path:
    """Give the directory of all stored files."""
    return STATE_DIR / "storage"
