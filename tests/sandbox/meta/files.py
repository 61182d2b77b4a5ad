"""Small files of the kinds Meta takes."""

from __future__ import annotations

import io

from PIL import Image

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"  # what looks like a video to who reads its first bytes


def draw(width: int = 400, height: int = 400, *, kind: str = "JPEG") -> bytes:
    """Draw a picture of one colour."""
    stream = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 60)).save(stream, kind)
    return stream.getvalue()
