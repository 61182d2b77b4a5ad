"""X's media upload: one call for small images, chunks for the rest, then waiting until it is ready.

docs.x.com/x-api/media/quickstart/media-upload-chunked and X API v2.167 (read 2026-11-20). Media ids live about a day, so an
upload can be repeated and a forgotten one goes away by itself (PUB-3).
"""

from __future__ import annotations

import time
from typing import Protocol

from pydantic import Field, FiniteFloat

from psn.errors import Rejected, Unavailable
from psn.http import Reply
from psn.platforms.base import MediaFile
from psn.platforms.replies import Tolerant
from psn.platforms.x.rules import MEDIA_KINDS, MediaKind
from psn.platforms.x.wire import read_answer

PART_BYTES = 4 * 1024 * 1024  # X allows 5 MB a part; smaller ones are cheaper to lose
PART_SECONDS = 180.0  # 4 MB at 0.2 Mbit/s, a poor line
PROCESSING_SECONDS = 300.0
MAX_WAIT_SECONDS = 10.0  # between two looks, whatever X proposes

_UPLOAD = "/2/media/upload"


class Read(Protocol):
    """The adapter's way to make a repeatable call; raises when X refuses."""

    def __call__(
        self,
        method: str,
        path: str,
        *,
        endpoint: str,
        params: dict[str, str] | None = None,
        json: object = None,
        form: dict[str, str] | None = None,
        files: dict[str, tuple[str, bytes, str]] | None = None,
        timeout_seconds: float | None = None,
    ) -> Reply: ...


def send_media(media: MediaFile, *, read: Read, processing_seconds: float = PROCESSING_SECONDS) -> str:
    """Upload a file with its alt text and give X's media id, ready to be used.

    Raises:
        Rejected: X does not take the file, or it is not there.
        Unavailable: not uploaded, or not ready in time.
    """
    kind = MEDIA_KINDS.get(media.mime_type)
    if kind is None:
        raise Rejected(f"X does not take {media.mime_type}.", code="media.type")
    try:
        uploaded = _send_file(media, kind, read=read)
    except OSError as problem:
        raise Rejected(f"{media.path.name} cannot be read: {problem.strerror}.", code="media.unreadable") from problem
    _wait_until_ready(uploaded, read=read, processing_seconds=processing_seconds)
    if media.alt_text:
        _send_alt_text(uploaded.id, media.alt_text, read=read)
    return uploaded.id


class _Processing(Tolerant):
    state: str = "pending"
    check_after_secs: FiniteFloat = 1.0


class _Media(Tolerant):
    id: str = Field(pattern=r"^[0-9]{1,19}$")
    processing_info: _Processing | None = None


class _Uploaded(Tolerant):
    data: _Media


def _send_file(media: MediaFile, kind: MediaKind, *, read: Read) -> _Media:
    if kind.category == "tweet_image" and media.size_bytes <= PART_BYTES:
        return _send_whole(media, kind, read=read)
    return _send_in_parts(media, kind, read=read)


def _send_whole(media: MediaFile, kind: MediaKind, *, read: Read) -> _Media:
    reply = read(
        "POST",
        _UPLOAD,
        endpoint=f"POST {_UPLOAD}",
        form={"media_category": kind.category},
        files={"media": ("media", media.path.read_bytes(), media.mime_type)},
        timeout_seconds=PART_SECONDS,
    )
    return read_answer(_Uploaded, reply).data


def _send_in_parts(media: MediaFile, kind: MediaKind, *, read: Read) -> _Media:
    size_bytes = media.path.stat().st_size
    body = {"media_type": media.mime_type, "total_bytes": size_bytes, "media_category": kind.category}
    opened = read("POST", f"{_UPLOAD}/initialize", endpoint=f"POST {_UPLOAD}/initialize", json=body)
    media_id = read_answer(_Uploaded, opened).data.id
    with media.path.open("rb") as file:
        for index, content in enumerate(iter(lambda: file.read(PART_BYTES), b"")):
            read(
                "POST",
                f"{_UPLOAD}/{media_id}/append",
                endpoint=f"POST {_UPLOAD}/{{id}}/append",
                form={"segment_index": str(index)},
                files={"media": ("media", content, "application/octet-stream")},
                timeout_seconds=PART_SECONDS,
            )
    closed = read("POST", f"{_UPLOAD}/{media_id}/finalize", endpoint=f"POST {_UPLOAD}/{{id}}/finalize")
    return read_answer(_Uploaded, closed).data


def _wait_until_ready(media: _Media, *, read: Read, processing_seconds: float) -> None:
    give_up_at = time.monotonic() + processing_seconds
    while media.processing_info is not None and media.processing_info.state != "succeeded":
        if media.processing_info.state == "failed":
            raise Rejected(
                "X could not process the file. Convert it (MP4 with H.264 and AAC) and try again.",
                code="x.media_failed",
            )
        wait_seconds = min(max(media.processing_info.check_after_secs, 0.1), MAX_WAIT_SECONDS)
        if time.monotonic() + wait_seconds > give_up_at:
            raise Unavailable(
                f"X has not got the file ready within {processing_seconds:g} s.", code="x.media_not_ready"
            )
        time.sleep(wait_seconds)
        params = {"command": "STATUS", "media_id": media.id}
        media = read_answer(_Uploaded, read("GET", _UPLOAD, endpoint=f"GET {_UPLOAD}", params=params)).data


def _send_alt_text(media_id: str, alt_text: str, *, read: Read) -> None:
    body = {"id": media_id, "metadata": {"alt_text": {"text": alt_text}}}
    read("POST", "/2/media/metadata", endpoint="POST /2/media/metadata", json=body)
