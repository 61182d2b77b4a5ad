"""Files: taken, worked on, looked at. docs.joinmastodon.org/methods/media (read 2026-11-20)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse

from sandbox import clock, uploads
from sandbox.ids import next_number
from sandbox.models import Account, Upload
from sandbox.platforms.mastodon.endpoint import HALF_HOUR, answer, endpoint, read_body
from sandbox.platforms.mastodon.entities import PLATFORM, describe_media
from sandbox.platforms.mastodon.refusals import Refusal, invalid, not_found
from sandbox.sniffing import SNIFF_BYTES, sniff

IMAGE_BYTES = 16 * 1024 * 1024
VIDEO_BYTES = 99 * 1024 * 1024
MAX_DESCRIPTION = 1500
PROCESSING = timedelta(seconds=1)  # of a video or an animation
MIME_TYPES = (
    "image/jpeg", "image/png", "image/gif", "image/heic", "image/webp", "video/webm", "video/mp4", "video/quicktime",
)  # fmt: skip


@endpoint(scope="write:media", family="media", limit=30, window=HALF_HOUR)
def upload_media(request: HttpRequest, account: Account) -> HttpResponse:
    """Take a file: a picture is ready at once (200), a video is worked on (202)."""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise invalid("File can't be blank")
    mime_type = _check_file(file)
    upload = uploads.create_upload(account, remote_id=str(next_number()), mime_type=mime_type)
    upload.alt_text = _read_description(request.POST)
    upload.save(update_fields=["alt_text"])
    uploads.receive_file(upload, file)
    is_moving = mime_type.startswith("video/") or mime_type == "image/gif"
    finished = uploads.finish_upload(request, upload, processing=PROCESSING if is_moving else timedelta(0))
    now = clock.now()
    state = uploads.state_of(finished, now=now)
    if state == "failed":
        raise Refusal(422, "Error processing thumbnail for uploaded media")
    return answer(describe_media(request, finished, now=now), status=200 if state == "ready" else 202)


@endpoint(scope="write:media")
def read_media(request: HttpRequest, account: Account, media_id: str) -> HttpResponse:
    """Say how far a file is: 206 while it is worked on."""
    upload, now = _get_own(account, media_id), clock.now()
    state = uploads.state_of(upload, now=now)
    if state == "failed":
        raise Refusal(422, "Error processing thumbnail for uploaded media")
    return answer(describe_media(request, upload, now=now), status=206 if state == "processing" else 200)


@endpoint(scope="write:media")
def change_media(request: HttpRequest, account: Account, media_id: str) -> HttpResponse:
    """Change what is said about a file."""
    upload = _get_own(account, media_id)
    upload.alt_text = _read_description(read_body(request))
    upload.save(update_fields=["alt_text"])
    return answer(describe_media(request, upload, now=clock.now()))


def _check_file(file: UploadedFile[bytes]) -> str:
    """Give the file's type by its first bytes.

    Raises:
        Refusal: an instance takes no such file, or none so large.
    """
    mime_type = sniff(file.read(SNIFF_BYTES))
    file.seek(0)
    if mime_type not in MIME_TYPES:
        raise invalid("File content type is invalid, File is invalid")
    limit = VIDEO_BYTES if mime_type.startswith("video/") else IMAGE_BYTES
    if (file.size or 0) > limit:
        raise invalid(f"File must be less than {limit // 1024 // 1024} MB")
    return mime_type


def _read_description(body: Any) -> str:
    description = str(body.get("description") or "")
    if len(description) > MAX_DESCRIPTION:
        raise invalid(f"Description is too long (maximum is {MAX_DESCRIPTION} characters)")
    return description


def _get_own(account: Account, media_id: str) -> Upload:
    upload = uploads.get_upload(PLATFORM, media_id, account=account)
    if upload is None:
        raise not_found()
    return upload
