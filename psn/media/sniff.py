"""What a file is, told by its bytes and not by its name."""

from __future__ import annotations

from pathlib import Path

from psn.errors import InvalidInput
from psn.media.files import open_media
from psn.media.office import sniff_office

HEAD_BYTES = 64
EXTENSIONS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "application/pdf": ".pdf",
    "application/msword": ".doc",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}
_MP4_BRANDS = (
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42", b"mp71", b"avc1",
    b"M4V ", b"M4VH", b"M4VP", b"dash", b"MSNV", b"f4v ", b"XAVC", b"hvc1", b"mmp4",
)  # fmt: skip
# What people have and no platform takes: (offset, first bytes, name, what to do).
_REFUSED = (
    (0, b"BM", "a BMP image", "Save it as PNG or JPEG."),
    (0, b"II*\0", "a TIFF image or a camera's raw file", "Save it as JPEG."),
    (0, b"MM\0*", "a TIFF image or a camera's raw file", "Save it as JPEG."),
    (0, b"8BPS", "a Photoshop document", "Save it as PNG or JPEG."),
    (0, b"\0\0\1\0", "an icon", "Save it as PNG."),
    (0, b"<svg", "an SVG drawing", "Save it as PNG."),
    (0, b"<?xml", "an XML document, perhaps an SVG drawing", "Save it as PNG."),
    (8, b"AVI ", "an AVI video", "Convert it to MP4."),
    (8, b"WAVE", "a sound file", "Make a video of it."),
    (0, b"ID3", "a sound file", "Make a video of it."),
    (0, b"OggS", "an Ogg file", "Convert it to MP4."),
    (0, b"fLaC", "a sound file", "Make a video of it."),
    (0, b"PK\3\4", "a ZIP archive, and no presentation or text document", "Give the files in it."),
    (0, b"\x1f\x8b", "an archive", "Give the files in it."),
    (0, b"{\\rtf", "an RTF document", "Save it as PDF."),
)
_REFUSED_BRANDS = {
    b"heic": "HEIC", b"heix": "HEIC", b"heim": "HEIC", b"hevc": "HEIC", b"hevx": "HEIC", b"mif1": "HEIF", b"msf1": "HEIF",
    b"avif": "AVIF", b"avis": "AVIF",
}  # fmt: skip


def sniff_mime_type(path: Path) -> str:
    """Name the type of an image, a video or a document.

    Raises:
        InvalidInput: unreadable (`media.unreadable`), empty (`media.empty`), or of no type that any platform takes (`media.type`).
    """
    with open_media(path) as stream:
        head = stream.read(HEAD_BYTES)
        mime_type = _match(head) or sniff_office(stream)
    if mime_type is None:
        raise InvalidInput(f"{path} {_explain(head)}", code="media.type")
    return mime_type


def _match(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "video/webm" if b"webm" in head else None
    if head[4:8] == b"ftyp":
        return "video/quicktime" if head[8:12] == b"qt  " else ("video/mp4" if head[8:12] in _MP4_BRANDS else None)
    return None


def _explain(head: bytes) -> str:
    if head[4:8] == b"ftyp" and head[8:12] in _REFUSED_BRANDS:
        return f"is a {_REFUSED_BRANDS[head[8:12]]} image, which no platform takes. Export it as JPEG."
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "is a Matroska video, which no platform takes. Convert it to MP4."
    for offset, beginning, name, fix in _REFUSED:
        if head[offset:].lower().startswith(beginning.lower()):
            return f"is {name}, which no platform takes. {fix}"
    return "is no JPEG, PNG, GIF, WebP, MP4, MOV, WebM, PDF, Word or PowerPoint file, whatever its name says."
