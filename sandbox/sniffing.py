"""What a file is, told by its first bytes."""

from __future__ import annotations

SNIFF_BYTES = 16

_STARTS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),  # old Office files are all of one kind
    (b"WEBVTT", "text/vtt"),
)


def sniff(content: bytes) -> str:
    """Give the MIME type of a file's first bytes; empty for one that no platform takes."""
    for start, mime_type in _STARTS:
        if content.startswith(start):
            return mime_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return _sniff_boxes(content[8:12])
    return ""


def _sniff_boxes(brand: bytes) -> str:
    if brand.startswith(b"qt"):
        return "video/quicktime"
    return "image/heic" if brand in (b"heic", b"heix", b"mif1") else "video/mp4"
