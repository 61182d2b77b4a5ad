"""How a video file is built at its top: whether it is all there, and whether it can be shown while it loads.

MP4 and MOV: ISO/IEC 14496-12, boxes. WebM: RFC 8794, EBML. A file that breaks off often still opens, and plays to the break.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from psn.media.files import count_file_bytes
from psn.media.layout import corrupt, truncated

MAX_BOXES = 100_000  # a fragmented MP4 has two for every few seconds
_SEGMENT = b"\x18\x53\x80\x67"


def check_boxes(stream: BinaryIO, mime_type: str) -> bool:
    """Check that nothing is missing, and say whether how to play it stands in front of what is played.

    Raises:
        InvalidInput: it breaks off (`media.truncated`), or is not built as its type is (`media.corrupt`).
    """
    if mime_type == "video/webm":
        _check_segment(stream)
        return True
    kinds = list(_walk_boxes(stream))
    if b"moov" not in kinds:
        raise truncated()  # it is written last, by most cameras
    return b"mdat" not in kinds or kinds.index(b"moov") < kinds.index(b"mdat")


def _walk_boxes(stream: BinaryIO) -> Iterator[bytes]:
    size_bytes, position = count_file_bytes(stream), 0
    for _ in range(MAX_BOXES):
        stream.seek(position)
        head = stream.read(16)
        if len(head) < 8:
            return  # some writers pad the end with a few bytes
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        least = 16 if length == 1 else 8
        length = int.from_bytes(head[8:16], "big") if length == 1 else (length or size_bytes - position)
        if length < least:
            raise corrupt("one of its boxes has no length")
        position += length
        if position > size_bytes:
            raise truncated()
        yield kind
    raise corrupt(f"it consists of over {MAX_BOXES} boxes")


def _check_segment(stream: BinaryIO) -> None:
    """Check that the segment, which is all of the file behind the header, is as long as it says; 2**n - 1 says nothing."""
    stream.seek(4)
    header_bytes = _read_number(stream)
    stream.seek(header_bytes or 0, 1)
    if header_bytes is None or stream.read(4) != _SEGMENT:
        raise corrupt("it has no segment")
    length = _read_number(stream)
    if length is not None and stream.tell() + length > count_file_bytes(stream):
        raise truncated()


def _read_number(stream: BinaryIO) -> int | None:
    """Read a number whose first bits say how many bytes it has; None when it is the one that says "unknown"."""
    first = stream.read(1)
    width = 9 - first[0].bit_length() if first else 9
    rest = stream.read(width - 1)
    if width > 8 or len(rest) < width - 1:
        raise truncated()
    number = int.from_bytes(bytes((first[0] & ((1 << (8 - width)) - 1),)) + rest, "big")
    return None if number == (1 << (7 * width)) - 1 else number
