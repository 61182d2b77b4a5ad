"""Media for the tests, as a part carries them; small, and right only in their first bytes."""

from __future__ import annotations

from pathlib import Path

from psn.platforms.base import MediaFile
from tests.sandbox.files import GIF, MP4, make_png


def png(folder: Path, *, number: int = 0, alt_text: str = "") -> MediaFile:
    """An image."""
    return _write(folder / f"image-{number}.png", make_png(colour=(number % 256, 0, 0)), "image/png", alt_text)


def gif(folder: Path) -> MediaFile:
    """An image that could move."""
    return _write(folder / "image.gif", GIF, "image/gif", "")


def pdf(folder: Path) -> MediaFile:
    """A document."""
    return _write(folder / "deck.pdf", b"%PDF-1.7\n" + b"x" * 2000, "application/pdf", "")


def mp4(folder: Path, *, size_bytes: int = 5000) -> MediaFile:
    """A video."""
    return _write(folder / f"film-{size_bytes}.mp4", MP4 + bytes(size_bytes - len(MP4)), "video/mp4", "")


def _write(path: Path, content: bytes, mime_type: str, alt_text: str) -> MediaFile:
    path.write_bytes(content)
    return MediaFile(path=path, mime_type=mime_type, size_bytes=len(content), alt_text=alt_text)
