"""Uploads as the sandbox keeps them: their files, their processing, which of them a post may carry.

A file lies in `DIR/media/{id}` once it is finished, its parts in `DIR/media/{id}.parts/` until then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max

from sandbox import clock
from sandbox.models import Account, Upload
from sandbox.platforms.x import filetypes, ids, problems, rendering
from sandbox.settings import STATE_DIR

UPLOAD_LIFE = timedelta(hours=24)
PENDING_FOR = timedelta(seconds=1)  # a video waits this long,
PROCESSING_FOR = timedelta(seconds=1)  # and is worked on this long


def start_upload(account: Account, *, mime_type: str, category: str, total_bytes: int) -> Upload:
    limit = filetypes.MAX_BYTES.get(mime_type)
    if limit is None:
        message = "The media type is not one of jpeg, png, webp, gif, mp4, quicktime."
        raise problems.invalid_request(message, parameter="media_type", value=mime_type)
    if total_bytes > limit:
        message = f"The file is larger than {limit} bytes."
        raise problems.invalid_request(message, parameter="total_bytes", value=total_bytes)
    now = clock.now()
    _media_dir().mkdir(exist_ok=True)
    with transaction.atomic():
        last = Upload.objects.aggregate(last=Max("id"))["last"]
        after = int(Upload.objects.get(id=last).platform_media_id) if last else None
        return Upload.objects.create(
            account=account,
            platform_media_id=str(ids.make_id(now, after=after)),
            mime_type=mime_type,
            category=category,
            total_bytes=total_bytes,
            started_at=now,
        )


def finish_upload(started: Upload) -> Upload:
    with file_path(started).open("rb") as file:
        mime_type = filetypes.sniff(file.read(filetypes.SNIFF_BYTES))
    broken = mime_type != started.mime_type
    if broken and not filetypes.is_moving(started.mime_type):
        message = f"The file is not what was announced: {started.mime_type}."
        raise problems.invalid_request(message, parameter="media", value=started.platform_media_id)
    Upload.objects.filter(id=started.pk).update(finished_at=clock.now(), broken=broken)
    started.refresh_from_db()
    return started


def get_usable(account: Account, *, media_ids: list[str], now: datetime) -> list[Upload]:
    """Give the uploads a new post may carry, in order.

    Raises:
        Refusal: one is unknown, of somebody else, expired, unfinished or broken, or they do not go together.
    """
    found = {
        one.platform_media_id: one for one in Upload.objects.filter(account=account, platform_media_id__in=media_ids)
    }
    uploads = [found[media_id] for media_id in media_ids if media_id in found]
    usable = [one for one in uploads if _state(one, now=now) == "succeeded" and one.started_at + UPLOAD_LIFE > now]
    moving = [one for one in usable if filetypes.is_moving(one.mime_type)]
    fits_together = not moving or len(usable) == 1
    if len(usable) != len(media_ids) or len(set(media_ids)) != len(media_ids) or not fits_together:
        raise problems.invalid_request(
            "Your media IDs are invalid.", parameter="media.media_ids", value=",".join(media_ids)
        )
    return uploads


def find_file(media_id: str) -> tuple[Path, str] | None:
    """Give the path and type of a finished file, for the feed."""
    found = Upload.objects.filter(platform_media_id=media_id).exclude(finished_at=None).first()
    return (file_path(found), found.mime_type) if found else None


def get_upload(account: Account, media_id: str, *, parameter: str) -> Upload:
    found = Upload.objects.filter(account=account, platform_media_id=media_id).first()
    if found is None:
        raise problems.not_found("media", parameter=parameter, value=media_id)
    return found


def get_open(account: Account, media_id: str) -> Upload:
    found = get_upload(account, media_id, parameter="id")
    if found.finished_at is not None:
        raise problems.invalid_request("The upload is finished already.", parameter="id", value=media_id)
    return found


def _state(upload: Upload, *, now: datetime) -> str:
    """Say where the processing stands: a pure function of the time since `finalize`."""
    if upload.finished_at is None:
        return "open"
    age = now - upload.finished_at
    if not filetypes.is_moving(upload.mime_type):
        return "succeeded"
    if age < PENDING_FOR:
        return "pending"
    if age < PENDING_FOR + PROCESSING_FOR:
        return "in_progress"
    return "failed" if upload.broken else "succeeded"


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


def _media_dir() -> Path:
    return STATE_DIR / "media"


def file_path(upload: Upload) -> Path:
    return _media_dir() / upload.platform_media_id


def parts_path(upload: Upload) -> Path:
    return _media_dir() / f"{upload.platform_media_id}.parts"
