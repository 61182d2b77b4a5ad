"""The files X takes, told by their first bytes.

Source: docs.x.com/x-api/media/quickstart/best-practices (2026-11).
"""

from __future__ import annotations

MEGABYTE = 1024 * 1024
MAX_BYTES = {
    "image/jpeg": 5 * MEGABYTE,
    "image/png": 5 * MEGABYTE,
    "image/webp": 5 * MEGABYTE,
    "image/gif": 15 * MEGABYTE,
    "video/mp4": 512 * MEGABYTE,
    "video/quicktime": 512 * MEGABYTE,
}
SNIFF_BYTES = 16

_STARTS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"))


def sniff(content: bytes) -> str:
    """Give the MIME type of a file's first bytes; empty for one X does not take."""
    for start, mime_type in _STARTS:
        if content.startswith(start):
            return mime_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return "video/quicktime" if content[8:10] == b"qt" else "video/mp4"
    return ""


def is_moving(mime_type: str) -> bool:
    """Say whether X processes such a file before it can be posted, and lets it stand only alone."""
    return mime_type == "image/gif" or mime_type.startswith("video/")
