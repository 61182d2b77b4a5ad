"""Mastodon's media upload: one call, then waiting until the instance has the file ready.

docs.joinmastodon.org/methods/media (read 2026-11-20): `POST /api/v2/media` answers 200 when the file is ready and 202 when it is
worked on; `GET /api/v1/media/{id}` then answers 206 until it is ready. A file that no status carries goes away by itself, so an
upload can be repeated (PUB-3).
"""

from __future__ import annotations

import time
from typing import IO, Protocol

from psn.errors import Rejected, Unavailable
from psn.http import Reply
from psn.platforms.base import MediaFile
from psn.platforms.mastodon import wire

PROCESSING_SECONDS = 300.0
WAIT_SECONDS = 1.0  # between the first two looks, then twice as long each time, up to
MAX_WAIT_SECONDS = 10.0
CALL_SECONDS = 60.0  # for a call with a file, and besides
SLOWEST_BYTES_PER_SECOND = 50_000  # 0.4 Mbit/s, a poor line

_ACCEPTED, _PARTIAL = 202, 206
_Files = dict[str, tuple[str, bytes | IO[bytes], str]]


class Read(Protocol):
    """The adapter's way to make a repeatable call; raises when the instance refuses."""

    def __call__(
        self,
        method: str,
        path: str,
        *,
        endpoint: str,
        form: dict[str, str] | None = None,
        files: _Files | None = None,
        timeout_seconds: float | None = None,
    ) -> Reply: ...


def send_media(media: MediaFile, *, read: Read, processing_seconds: float, wait_seconds: float = WAIT_SECONDS) -> str:
    """Upload a file with its alt text and give the instance's id of it, ready to be used.

    Raises:
        Rejected: the instance does not take the file, or it is not there.
        Unavailable: not uploaded, or not ready in time.
    """
    try:
        reply = _send(media, read=read)
    except OSError as problem:
        raise Rejected(f"{media.path.name} cannot be read: {problem.strerror}.", code="media.unreadable") from problem
    media_id = wire.read_media_id(reply)
    if reply.status in (_ACCEPTED, _PARTIAL):
        _wait_until_ready(media_id, read=read, processing_seconds=processing_seconds, wait_seconds=wait_seconds)
    return media_id


def _send(media: MediaFile, *, read: Read) -> Reply:
    with media.path.open("rb") as file:
        return read(
            "POST",
            "/api/v2/media",
            endpoint="POST /api/v2/media",
            form={"description": media.alt_text} if media.alt_text else None,
            files={"file": ("media", file, media.mime_type)},
            timeout_seconds=CALL_SECONDS + media.size_bytes / SLOWEST_BYTES_PER_SECOND,
        )


def _wait_until_ready(media_id: str, *, read: Read, processing_seconds: float, wait_seconds: float) -> None:
    give_up_at = time.monotonic() + processing_seconds
    while True:
        if time.monotonic() + wait_seconds > give_up_at:
            raise Unavailable(
                f"The instance has not got the file ready within {processing_seconds:g} s.",
                code="mastodon.media_not_ready",
            )
        time.sleep(wait_seconds)
        if read("GET", f"/api/v1/media/{media_id}", endpoint="GET /api/v1/media/{id}").status != _PARTIAL:
            return
        wait_seconds = min(wait_seconds * 2, MAX_WAIT_SECONDS)
