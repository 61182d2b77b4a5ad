"""How an image file is built: its size, its frames, and which of its bytes are the picture.

Reads headers and jumps over the rest: nothing is decoded, so an image that would unpack to gigabytes costs nothing here. What
does not follow its format to the end is refused. What is neither picture nor colour (places, cameras, authors, thumbnails,
whatever hangs on behind the end) is known by not being `kept`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from psn.errors import InvalidInput
from psn.media.facts import MediaFacts
from psn.media.files import count_file_bytes

MAX_IMAGE_BYTES = 100 * 1024 * 1024
EXIF_BYTES = 65_536  # more than the orientation, which is among the first, is not looked for
MAX_BLOCKS = 200_000  # more make no image larger, only slower to read
MAX_FRAMES = 10_000
MAX_PIXELS = 50_000_000  # decoded, four bytes each; X's and LinkedIn's largest have 36 million
MAX_JPEG_PIXELS = 120_000_000  # phones make them with 108 million; a JPEG can be decoded at a fraction of its size


@dataclass(slots=True)
class Layout:
    """What is known of an image without decoding it.

    Args:
        width, height: pixels as stored, before orientation.
        orientation: Exif's, 1 to 8; 1 is upright.
        seconds: of an animation; 0 for a still.
        kept: the file without what is neither picture nor colour: places in it, (start, end), and bytes in their stead.
    """

    width: int = 0
    height: int = 0
    frames: int = 0
    seconds: float = 0.0
    orientation: int = 1
    kept: list[tuple[int, int] | bytes] = field(default_factory=list)

    def keep(self, start: int, end: int) -> None:
        """Keep a range of the file."""
        last = self.kept[-1] if self.kept else b""
        if isinstance(last, tuple) and last[1] == start:
            self.kept[-1] = (last[0], end)
        else:
            self.kept.append((start, end))

    def grow(self, width: int, height: int) -> None:
        """Take a frame's size in."""
        self.width, self.height = max(self.width, width), max(self.height, height)

    def add_frame(self, seconds: float = 0.0) -> None:
        """Count a frame."""
        self.frames += 1
        self.seconds += seconds
        if self.frames > MAX_FRAMES:
            raise InvalidInput(
                f"The animation has over {MAX_FRAMES} frames. Make a video of it.", code="media.too_many_frames"
            )

    @property
    def shown_size(self) -> tuple[int, int]:
        """Give width and height as it would be shown."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)

    def to_facts(self) -> MediaFacts:
        """Give what platforms ask about."""
        width, height = self.shown_size
        if self.frames <= 1:
            return MediaFacts(width=width, height=height)
        rate = round(self.frames / self.seconds, 3) if self.seconds else None
        seconds = round(self.seconds, 3) or None
        return MediaFacts(width=width, height=height, frames=self.frames, duration_seconds=seconds, frame_rate=rate)

    def is_whole(self, size_bytes: int) -> bool:
        """Say whether all of the file is kept."""
        return self.kept == [(0, size_bytes)]


def read_layout(stream: BinaryIO, mime_type: str) -> Layout:
    """Read how an image is built.

    Raises:
        InvalidInput: it breaks off (`media.truncated`), is not what it says it is (`media.corrupt`), or is larger than any
            platform takes (`media.too_large`, `media.too_many_pixels`, `media.too_many_frames`).
    """
    size_bytes = count_file_bytes(stream)
    if size_bytes > MAX_IMAGE_BYTES:
        raise InvalidInput(
            f"The image has {size_bytes} bytes; no platform takes over {MAX_IMAGE_BYTES}. Make it smaller.",
            code="media.too_large",
        )
    reader = _Reader(stream, size_bytes)
    layout = Layout()
    _READ[mime_type](reader, layout)
    _check_pixels(layout, MAX_JPEG_PIXELS if mime_type == "image/jpeg" else MAX_PIXELS)
    return layout


def read_orientation(exif: bytes) -> int:
    """Read how a picture is to be turned: tag 0x0112 of Exif's first directory (TIFF 6.0). 1, upright, when it says nothing."""
    exif = exif.removeprefix(b"Exif\0\0")
    order: Literal["little", "big"] = "little" if exif[:2] == b"II" else "big"

    def number(offset: int, count: int) -> int:
        return int.from_bytes(exif[offset : offset + count], order)

    if exif[:2] not in (b"II", b"MM") or number(2, 2) != 42:
        return 1
    start = number(4, 4)
    for entry in range(start + 2, start + 2 + 12 * min(number(start, 2), 512), 12):
        if number(entry, 2) == 0x0112:
            orientation = number(entry + 8, 2)
            return orientation if 1 <= orientation <= 8 else 1
    return 1


def write_kept(stream: BinaryIO, layout: Layout, out: BinaryIO) -> None:
    """Write an image without what is neither picture nor colour."""
    for piece in layout.kept:
        if isinstance(piece, bytes):
            out.write(piece)
            continue
        start, end = piece
        stream.seek(start)
        while start < end:
            block = stream.read(min(_SCAN_BYTES, end - start))
            if not block:
                raise truncated()  # somebody cut it since it was looked at
            out.write(block)
            start += len(block)


def _check_pixels(layout: Layout, most: int) -> None:
    if not (layout.width and layout.height):
        raise corrupt("it has no size")
    if layout.width * layout.height > most:
        raise InvalidInput(
            f"The image is {layout.width} x {layout.height}; PSN opens up to {most // 1_000_000} million pixels. Make it smaller.",
            code="media.too_many_pixels",
        )


def corrupt(why: str) -> InvalidInput:
    """Say that a file is broken."""
    return InvalidInput(f"The file is broken: {why}. Export or download it again.", code="media.corrupt")


def truncated() -> InvalidInput:
    """Say that a file breaks off."""
    return InvalidInput("The file breaks off before its end. Copy or download it again.", code="media.truncated")


class _Reader:
    """Reads exactly, or says that the file breaks off."""

    def __init__(self, stream: BinaryIO, size_bytes: int) -> None:
        self._stream = stream
        self.size_bytes = size_bytes
        self._blocks = 0
        stream.seek(0)

    @property
    def position(self) -> int:
        return self._stream.tell()

    @property
    def left(self) -> int:
        return self.size_bytes - self.position

    def take(self, count: int) -> bytes:
        taken = self._stream.read(count)
        if len(taken) < count:
            raise truncated()
        return taken

    def skip(self, count: int) -> None:
        if count > self.left:
            raise truncated()
        self._stream.seek(count, 1)

    def goto(self, position: int) -> None:
        self._stream.seek(position)

    def number(self, count: int, *, little: bool = False) -> int:
        return int.from_bytes(self.take(count), "little" if little else "big")

    def count_block(self) -> None:
        self._blocks += 1
        if self._blocks > MAX_BLOCKS:
            raise corrupt(f"it consists of over {MAX_BLOCKS} pieces")


# PNG (W3C, third edition): which chunks are picture or colour. Text, time and Exif are neither, nor what nobody knows.
_PNG_KEPT = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD",
     b"hIST", b"pHYs", b"sPLT", b"acTL", b"fcTL", b"fdAT")
)  # fmt: skip

_PNG_READ = {b"IHDR": 13, b"fcTL": 26, b"eXIf": EXIF_BYTES}


def _read_png(reader: _Reader, layout: Layout) -> None:
    reader.skip(8)
    layout.keep(0, 8)
    kind, length = b"", 0
    while kind != b"IEND":
        reader.count_block()
        start = reader.position
        length, kind = reader.number(4), reader.take(4)
        if start == 8 and kind != b"IHDR":
            raise corrupt("a PNG begins with its header")
        body = reader.take(min(length, _PNG_READ.get(kind, 0)))
        reader.skip(length - len(body) + 4)
        _read_png_chunk(kind, body, layout)
        if kind in _PNG_KEPT or kind[:1].isupper():
            layout.keep(start, reader.position)
    layout.frames = max(layout.frames, 1)


def _read_png_chunk(kind: bytes, body: bytes, layout: Layout) -> None:
    if kind == b"eXIf":
        layout.orientation = read_orientation(body)
    elif kind == b"IHDR" and len(body) == 13:
        layout.grow(int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"))
    elif kind == b"fcTL" and len(body) == 26:  # of an animated PNG
        numerator, denominator = int.from_bytes(body[20:22], "big"), int.from_bytes(body[22:24], "big")
        layout.add_frame(numerator / (denominator or 100))


# WebP (RFC 9649).
_WEBP_DROPPED = (b"EXIF", b"XMP ")
_WEBP_METADATA_FLAGS = 0x0C  # of VP8X: Exif and XMP


def _read_webp(reader: _Reader, layout: Layout) -> None:
    reader.skip(4)
    end = 8 + reader.number(4, little=True)
    reader.skip(4)
    if end > reader.size_bytes + 1:  # the last chunk's padding may be missing
        raise truncated()
    pieces = list(_walk_webp(reader, layout, min(end, reader.size_bytes)))
    count = sum(len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in pieces)
    if count + 12 == reader.size_bytes and all(isinstance(piece, tuple) for piece in pieces):
        layout.keep(0, reader.size_bytes)
    else:
        layout.kept = [b"RIFF" + (count + 4).to_bytes(4, "little") + b"WEBP", *pieces]
    layout.frames = max(layout.frames, 1)


def _walk_webp(reader: _Reader, layout: Layout, end: int) -> Iterator[tuple[int, int] | bytes]:
    while reader.position + 8 <= end:
        reader.count_block()
        start = reader.position
        kind, length = reader.take(4), reader.number(4, little=True)
        following = start + 8 + length + length % 2
        if following > end + length % 2:
            raise truncated()
        body = reader.take(min(length, EXIF_BYTES if kind == b"EXIF" else 24))
        if kind == b"VP8X" and length != 10:
            raise corrupt("its header has another length than WebP's")
        _read_webp_chunk(kind, body, layout)
        reader.goto(min(following, end))
        if kind == b"VP8X" and body and body[0] & _WEBP_METADATA_FLAGS:
            yield kind + length.to_bytes(4, "little") + bytes((body[0] & ~_WEBP_METADATA_FLAGS,)) + body[1:length]
        elif kind not in _WEBP_DROPPED:
            yield start, min(following, end)


def _read_webp_chunk(kind: bytes, body: bytes, layout: Layout) -> None:
    if kind == b"EXIF":
        layout.orientation = read_orientation(body)
    elif kind == b"VP8X" and len(body) >= 10:
        layout.grow(_number24(body, 4) + 1, _number24(body, 7) + 1)
    elif kind == b"ANMF" and len(body) >= 15:
        layout.grow(2 * _number24(body, 0) + _number24(body, 6) + 1, 2 * _number24(body, 3) + _number24(body, 9) + 1)
        layout.add_frame(_number24(body, 12) / 1000)
    elif kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        layout.grow(int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF)
    elif kind == b"VP8L" and body[:1] == b"\x2f":
        sides = int.from_bytes(body[1:5], "little")
        layout.grow((sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1)


def _number24(body: bytes, offset: int) -> int:
    return int.from_bytes(body[offset : offset + 3], "little")


# GIF89a (CompuServe).
_LOOPING = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_NO_DELAY = 1  # hundredths of a second; up to here browsers and platforms take this instead:
_DEFAULT_DELAY = 0.1  # seconds


def _read_gif(reader: _Reader, layout: Layout) -> None:
    reader.skip(6)
    layout.grow(reader.number(2, little=True), reader.number(2, little=True))
    _skip_colours(reader, reader.take(3)[0])
    layout.keep(0, reader.position)
    delay = _DEFAULT_DELAY
    while reader.left:
        reader.count_block()
        start = reader.position
        mark = reader.take(1)
        if mark == b";":
            layout.keep(start, reader.position)
            break
        if mark == b"!":
            kept, seconds = _read_gif_extension(reader)
            delay = delay if seconds is None else seconds
        elif mark == b",":
            _read_gif_image(reader, layout, delay)
            kept, delay = True, _DEFAULT_DELAY
        elif mark == b"\0":
            kept = False
        else:
            raise corrupt("there is something between its images")
        if kept:
            layout.keep(start, reader.position)
    else:
        layout.kept.append(b";")  # many encoders forget it
    if not layout.frames:
        raise truncated()
    layout.seconds = layout.seconds if layout.frames > 1 else 0.0


def _read_gif_extension(reader: _Reader) -> tuple[bool, float | None]:
    label = reader.take(1)
    first = _read_sub_blocks(reader)
    if label == b"\xf9" and len(first) >= 4:
        delay = int.from_bytes(first[1:3], "little")
        return True, delay / 100 if delay > _NO_DELAY else _DEFAULT_DELAY
    return label == b"\xff" and first in _LOOPING, None


def _read_gif_image(reader: _Reader, layout: Layout, delay: float) -> None:
    left, top, width, height = (reader.number(2, little=True) for _ in range(4))
    layout.grow(left + width, top + height)
    _skip_colours(reader, reader.take(1)[0])
    reader.skip(1)
    _read_sub_blocks(reader)
    layout.add_frame(delay)


def _skip_colours(reader: _Reader, flags: int) -> None:
    if flags & 0x80:
        reader.skip(3 << ((flags & 7) + 1))


def _read_sub_blocks(reader: _Reader) -> bytes:
    """Jump over a chain of sub-blocks and give the first."""
    length = reader.number(1)
    first = reader.take(length)
    while length:
        length = reader.number(1)
        reader.skip(length)
    return first


# JPEG (ITU T.81). Which application segments are picture or colour: JFIF, an ICC profile, and Adobe's kind of colours.
_JPEG_KEPT = ((0xE0, b"JFIF\0"), (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe"))
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOS, _EOI, _COM, _APP1 = 0xDA, 0xD9, 0xFE, 0xE1
_BARE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a length
_SCAN_BYTES = 64 * 1024


def _read_jpeg(reader: _Reader, layout: Layout) -> None:
    reader.skip(2)
    layout.keep(0, 2)
    marker = 0
    while marker != _EOI:
        reader.count_block()
        start = reader.position
        marker = _read_marker(reader)
        kept = True
        if marker not in _BARE and marker != _EOI:
            kept = _read_segment(reader, marker, layout)
        if marker == _SOS:
            _skip_scan(reader)
        if kept:
            layout.keep(start, reader.position)
    layout.frames = 1


def _read_marker(reader: _Reader) -> int:
    if reader.take(1) != b"\xff":
        raise corrupt("there is something between its segments")
    marker = 0xFF
    while marker == 0xFF:  # any number of them may fill
        marker = reader.number(1)
    return marker


def _read_segment(reader: _Reader, marker: int, layout: Layout) -> bool:
    """Jump over a segment and say whether it is picture or colour."""
    length = reader.number(2) - 2
    if length < 0:
        raise corrupt("one of its segments has no length")
    head = reader.take(min(length, EXIF_BYTES if marker == _APP1 else 16))
    reader.skip(length - len(head))
    if marker in _SOF and len(head) >= 5:
        layout.grow(int.from_bytes(head[3:5], "big"), int.from_bytes(head[1:3], "big"))
    if marker == _APP1 and head.startswith(b"Exif\0"):
        layout.orientation = read_orientation(head)
    if 0xE0 <= marker <= 0xEF:
        return any(marker == kept and head.startswith(beginning) for kept, beginning in _JPEG_KEPT)
    return marker != _COM


def _skip_scan(reader: _Reader) -> None:
    """Jump over the picture itself: to the next marker that is none of its own."""
    while True:
        start = reader.position
        block = reader.take(min(_SCAN_BYTES, reader.left))
        if len(block) < 2:
            raise truncated()
        found = block.find(b"\xff")
        while 0 <= found < len(block) - 1 and (block[found + 1] == 0 or 0xD0 <= block[found + 1] <= 0xD7):
            found = block.find(b"\xff", found + 2)
        if 0 <= found < len(block) - 1:
            reader.goto(start + found)
            return
        reader.goto(start + (found if found > 0 else len(block)))


_READ: dict[str, Callable[[_Reader, Layout], None]] = {
    "image/png": _read_png,
    "image/webp": _read_webp,
    "image/gif": _read_gif,
    "image/jpeg": _read_jpeg,
}
