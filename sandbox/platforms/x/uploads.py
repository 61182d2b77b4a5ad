"""Uploads as X describes them, and which of them a post may carry.

The parts of an open upload lie beside its file, in `DIR/media/{file}.parts/`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.http import HttpRequest

from sandbox import clock, ids, uploads
from sandbox.models import Account, Upload
from sandbox.platforms.x import filetypes, problems, rendering

UPLOAD_LIFE = timedelta(hours=24)
PROCESSING_FOR = timedelta(seconds=2)  # a video waits for the first half of it, and is worked on for the second


def start_upload(account: Account, *, mime_type: str, category: str, total_bytes: int) -> Upload:
    limit = filetypes.MAX_BYTES.get(mime_type)
    if limit is None:
        message = "The media type is not one of jpeg, png, webp, gif, mp4, quicktime."
        raise problems.invalid_request(message, parameter="media_type", value=mime_type)
    if total_bytes > limit:
        message = f"The file is larger than {limit} bytes."
        raise problems.invalid_request(message, parameter="total_bytes", value=total_bytes)
    return uploads.create_upload(
        account, remote_id=str(ids.next_number()), mime_type=mime_type, category=category, total_bytes=total_bytes
    )


def finish_upload(request: HttpRequest, started: Upload) -> Upload:
    mime_type = uploads.sniff_file(started)
    is_broken, is_moving = mime_type != started.mime_type, filetypes.is_moving(started.mime_type)
    if is_broken and not is_moving:
        message = f"The file is not what was announced: {started.mime_type}."
        raise problems.invalid_request(message, parameter="media", value=started.platform_media_id)
    processing = PROCESSING_FOR if is_moving else timedelta(0)
    return uploads.finish_upload(request, started, processing=processing, fails=is_broken, keep_type=True)


def get_usable(account: Account, *, media_ids: list[str]) -> list[Upload]:
    """Give the uploads a new post may carry, in order.

    Raises:
        Refusal: one is unknown, of somebody else, expired, unfinished or broken, or they do not go together.
    """
    found = {
        one.platform_media_id: one for one in Upload.objects.filter(account=account, platform_media_id__in=media_ids)
    }
    known, now = [found[media_id] for media_id in media_ids if media_id in found], clock.now()
    usable = [one for one in known if _state(one, now=now) == "succeeded" and one.started_at + UPLOAD_LIFE > now]
    moving = [one for one in usable if filetypes.is_moving(one.mime_type)]
    fits_together = not moving or len(usable) == 1
    if len(usable) != len(media_ids) or len(set(media_ids)) != len(media_ids) or not fits_together:
        raise problems.invalid_request(
            "Your media IDs are invalid.", parameter="media.media_ids", value=",".join(media_ids)
        )
    return known


def get_upload(account: Account, media_id: str, *, parameter: str) -> Upload:
    found = uploads.get_upload("x", media_id, account=account)
    if found is None:
        raise problems.not_found("media", parameter=parameter, value=media_id)
    return found


def get_open(account: Account, media_id: str) -> Upload:
    found = get_upload(account, media_id, parameter="id")
    if found.finished_at is not None:
        raise problems.invalid_request("The upload is finished already.", parameter="id", value=media_id)
    return found


def _state(upload: Upload, *, now: datetime) -> str:
    """Say where the processing stands, in X's words."""
    state = uploads.state_of(upload, now=now)
    if state != "processing":
        return {"ready": "succeeded"}.get(state, state)
    assert upload.finished_at is not None
    assert upload.ready_at is not None
    return "pending" if now < upload.finished_at + (upload.ready_at - upload.finished_at) / 2 else "in_progress"


def describe_upload(upload: Upload, *, now: datetime) -> dict[str, Any]:
    state = _state(upload, now=now)
    described: dict[str, Any] = {
        "id": upload.platform_media_id,
        "media_key": rendering.media_key(upload),
        "expires_after_secs": max(int((upload.started_at + UPLOAD_LIFE - now).total_seconds()), 0),
    }
    if state != "open":
        described["size"] = upload.total_bytes
    if state != "open" and filetypes.is_moving(upload.mime_type):
        progress = {"pending": 0, "in_progress": 50}.get(state, 100)
        described["processing_info"] = {"state": state, "progress_percent": progress}
        if state in ("pending", "in_progress"):
            described["processing_info"]["check_after_secs"] = 1
    return described


def file_path(upload: Upload) -> Path:
    return uploads.file_path(upload)


def parts_path(upload: Upload) -> Path:
    return uploads.media_dir() / f"{upload.file}.parts"
