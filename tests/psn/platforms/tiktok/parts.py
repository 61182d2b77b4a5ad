"""Parts and files for TikTok's tests."""

from __future__ import annotations

import struct
from pathlib import Path

from psn.media.facts import MediaFacts
from psn.platforms.base import MediaFile, Part

PIECE = 5 * 1024 * 1024
DIRECT = {"format": "direct", "visibility": "SELF_ONLY"}
PUBLIC = {"format": "direct", "visibility": "PUBLIC_TO_EVERYONE"}
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + b"\x00" * 64 + b"\xff\xd9"


def make_video(path: Path, *, size_bytes: int = 5000, seconds: float = 12.0, mime_type: str = "video/mp4") -> MediaFile:
    """Write a file that looks like a video from outside; every MB of it differs."""
    head = struct.pack(">I", 24) + b"ftypisom" + struct.pack(">I", 512) + b"isommp42"
    body = b"".join(bytes([number % 251]) * 1_000_000 for number in range(size_bytes // 1_000_000 + 1))
    path.write_bytes((head + body)[:size_bytes])
    facts = MediaFacts(
        width=1080, height=1920, duration_seconds=seconds, frame_rate=30, video_codec="h264", audio_codec="aac"
    )
    return MediaFile(path, mime_type, size_bytes, facts=facts)


def make_photo(path: Path, *, public_url: str = "", mime_type: str = "image/jpeg") -> MediaFile:
    """Write a file that looks like a photo from outside."""
    path.write_bytes(JPEG)
    return MediaFile(path, mime_type, len(JPEG), facts=MediaFacts(width=1080, height=1080), public_url=public_url)


def imagine(mime_type: str, **facts: float) -> MediaFile:
    """Give a file that is on no disk."""
    return MediaFile(Path("imagined"), mime_type, 5000, facts=MediaFacts(**facts) if facts else None)  # type: ignore[arg-type]


def video_part(media: MediaFile | None = None, text: str = "", /, **options: str) -> Part:
    """Give a part with one video."""
    return Part(0, text, (media or imagine("video/mp4"),), options=options)


def photo_part(*media: MediaFile, text: str = "", **options: str) -> Part:
    """Give a part with photos; with one, when none is named."""
    return Part(0, text, media or (imagine("image/jpeg"),), options=options)
