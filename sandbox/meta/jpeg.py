"""How large a JPEG is, from its header: the only picture that Instagram takes."""

from __future__ import annotations

from pathlib import Path
from struct import unpack

_HEAD_BYTES = 512 * 1024
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # markers that begin a frame


def read_size(path: Path) -> tuple[int, int] | None:
    """Give width and height in pixels; None when the header does not tell."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker in _FRAMES:
            height, width = unpack(">HH", head[at + 5 : at + 9])
            return (width, height) if width and height else None
        at += 2 + unpack(">H", head[at + 2 : at + 4])[0]
    return None
