"""Bluesky's uploads: one call a file. com.atproto.repo.uploadBlob (read 2026-11-20).

A blob is named by its content, so a repeat is the same blob; one that no record names is dropped after a while (PUB-3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol

from psn.errors import Rejected
from psn.http import Reply
from psn.platforms.base import MediaFile
from psn.platforms.bluesky import wire
from psn.platforms.bluesky.rules import MAX_IMAGE_BYTES, MAX_VIDEO_BYTES

PIECE_BYTES = 256 * 1024
SECONDS = 60.0  # for a small file,
BYTES_PER_SECOND = 50_000  # and on top of that, on a poor line


class Send(Protocol):
    """The adapter's way to make a repeatable call; raises when Bluesky refuses."""

    def __call__(
        self, method: str, nsid: str, *, content: Iterable[bytes], headers: dict[str, str], timeout_seconds: float
    ) -> Reply: ...


def send_media(media: MediaFile, *, send: Send) -> str:
    """Upload a file and give its blob as text, as `wire.read_media_id` reads it.

    Raises:
        Rejected: the server does not take the file, or it is not there.
        Unavailable: not uploaded.
    """
    try:
        with media.path.open("rb") as file:
            size = media.path.stat().st_size
            _check_size(media, size)
            reply = send(
                "POST",
                "com.atproto.repo.uploadBlob",
                content=_cut(file),
                headers={"content-type": media.mime_type, "content-length": str(size)},
                timeout_seconds=SECONDS + size / BYTES_PER_SECOND,
            )
    except OSError as problem:
        raise Rejected(f"{media.path.name} cannot be read: {problem.strerror}.", code="media.unreadable") from problem
    return wire.read_blob(reply)


def _check_size(media: MediaFile, size: int) -> None:
    limit = MAX_VIDEO_BYTES if media.kind == "video" else MAX_IMAGE_BYTES
    if size <= limit:
        return
    why = "larger videos need its video service, which PSN does not use" if media.kind == "video" else "make it smaller"
    raise Rejected(
        f"{media.path.name} has {size} bytes; Bluesky's servers take {limit}: {why}.", code="media.too_large"
    )


def _cut(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(PIECE_BYTES), b"")
