"""Files that were uploaded: received without ever being whole in memory, processed by the clock.

A file lies in `DIR/media/` under a name of its own.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from sandbox import clock, faults
from sandbox.models import Account, Upload
from sandbox.settings import STATE_DIR
from sandbox.sniffing import SNIFF_BYTES, sniff

CHUNK_BYTES = 256 * 1024

State = Literal["open", "processing", "ready", "failed"]


def create_upload(
    account: Account,
    *,
    remote_id: str,
    mime_type: str = "",
    category: str = "",
    total_bytes: int = 0,
    data: Mapping[str, Any] | None = None,
) -> Upload:
    """Begin an upload.

    Args:
        remote_id: what the platform calls it; one account has each only once.
        mime_type: as announced; `finish_upload` finds it out where nothing was.
        total_bytes: as announced.
    """
    media_dir().mkdir(exist_ok=True)
    return Upload.objects.create(
        account=account,
        platform_media_id=remote_id,
        file=secrets.token_hex(16),
        mime_type=mime_type,
        category=category,
        total_bytes=total_bytes,
        started_at=clock.now(),
        data=dict(data or {}),
    )


def receive(request: HttpRequest, upload: Upload, *, offset: int | None = None) -> int:
    """Write a request's raw body into the file, and give the body's size in bytes.

    Args:
        offset: where it belongs; the end of what is there when left out. The same part may come again.
    """
    return write_stream(request, path=file_path(upload), offset=offset)


def receive_file(upload: Upload, file: UploadedFile[bytes]) -> int:
    """Write a multipart file into the upload's file, and give its size in bytes."""
    return write_stream(file, path=file_path(upload), offset=0)


def keep_file(upload: Upload, path: Path) -> int:
    """Move a file that was fetched into the upload's place, and give its size in bytes."""
    shutil.move(path, file_path(upload))
    return file_path(upload).stat().st_size


def finish_upload(
    request: HttpRequest,
    upload: Upload,
    *,
    processing: timedelta = timedelta(0),
    fails: bool = False,
    keep_type: bool = False,
) -> Upload:
    """Close the file and let its processing begin.

    Args:
        processing: how long it takes, unless a failure was ordered for this call.
        fails: it ends badly.
        keep_type: the announced type stays, whatever the bytes say.
    """
    now = clock.now()
    found = "" if keep_type else sniff_file(upload)
    Upload.objects.filter(id=upload.pk).update(
        finished_at=now,
        ready_at=now + faults.processing_time(request, processing),
        fails=fails or faults.processing_fails(request),
        mime_type=found or upload.mime_type,
        total_bytes=size_of(upload),
    )
    upload.refresh_from_db()
    return upload


def state_of(upload: Upload, *, now: datetime | None = None) -> State:
    """Say where an upload stands: a function of the time since it was finished."""
    if upload.finished_at is None:
        return "open"
    if upload.ready_at is not None and (now or clock.now()) < upload.ready_at:
        return "processing"
    return "failed" if upload.fails else "ready"


def get_upload(platform: str, remote_id: str, *, account: Account | None = None) -> Upload | None:
    """Give the upload with the platform's id, of this account if one is given."""
    found = Upload.objects.filter(account__platform=platform, platform_media_id=remote_id).select_related("account")
    return (found.filter(account=account) if account else found).order_by("-id").first()


def find_by_file(file: str) -> Upload | None:
    """Give the finished upload that lies under this name."""
    return Upload.objects.filter(file=file).exclude(finished_at=None).first()


def size_of(upload: Upload) -> int:
    """Give how many bytes of the file are here."""
    path = file_path(upload)
    return path.stat().st_size if path.exists() else 0


def sniff_file(upload: Upload) -> str:
    """Say what the file is, by its first bytes; empty for one that no platform takes."""
    path = file_path(upload)
    if not path.exists():
        return ""
    with path.open("rb") as file:
        return sniff(file.read(SNIFF_BYTES))


def media_url(request: HttpRequest, upload: Upload) -> str:
    """Give the address where the file can be seen."""
    return request.build_absolute_uri(media_path(upload))


def media_path(upload: Upload) -> str:
    """Give the path where the file can be seen."""
    return f"/_media/{upload.file}"


def file_path(upload: Upload) -> Path:
    """Give the file's place on disk."""
    return media_dir() / upload.file


def media_dir() -> Path:
    """Give the directory of all files."""
    return STATE_DIR / "media"


def write_stream(source: Any, *, path: Path, offset: int | None) -> int:
    """Copy what can be read into a file, at an offset or its end, and give how many bytes there were."""
    path.parent.mkdir(exist_ok=True)
    path.touch()
    written = 0
    with path.open("r+b") as target:
        target.seek(*((0, 2) if offset is None else (offset, 0)))
        while chunk := source.read(CHUNK_BYTES):
            target.write(chunk)
            written += len(chunk)
    return written
