"""What a file is, told by its first bytes and not by its name."""

from __future__ import annotations

from pathlib import Path

from psn.errors import InvalidInput

HEAD_BYTES = 32
_MP4_BRANDS = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash", b"MSNV")


def sniff_mime_type(path: Path) -> str:
    """Name the type of an image or video.

    Raises:
        InvalidInput: unreadable, empty, or of no type that any platform takes.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", code="media.unreadable") from error
    mime_type = _match(head)
    if mime_type is None:
        raise InvalidInput(f"{path} is no JPEG, PNG, GIF, WebP, MP4 or MOV file.", code="media.type")
    return mime_type


def _match(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return "video/quicktime" if head[8:12] == b"qt  " else ("video/mp4" if head[8:12] in _MP4_BRANDS else None)
    return None
