"""Word and PowerPoint files: which of them a file is, and how many slides it has. Nothing in them is unpacked or run."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

from psn.errors import InvalidInput
from psn.media.files import count_file_bytes

_OOXML = "application/vnd.openxmlformats-officedocument"
MAX_ENTRIES = 20_000  # files in an archive; a presentation of 300 slides has some 2000
MAX_DIRECTORY_BYTES = 4 * 1024 * 1024  # its table of contents, which is read into memory
MAX_UNPACKED_BYTES = 2 * 1024**3  # what it says it holds
MAX_RATIO = 200  # unpacked to packed; XML shrinks to a tenth
_END = struct.Struct("<4s4H2LH")  # end of central directory, APPNOTE.TXT 4.3.16
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_DIRECTORY_BYTES = 128  # an entry: its name first, in UTF-16
_SLIDE = re.compile(r"ppt/slides/slide[0-9]+\.xml")


def sniff_office(stream: BinaryIO) -> str | None:
    """Name the type of a Word or PowerPoint file, old or new; None when it is none.

    Raises:
        InvalidInput: it is one that unpacks to more than it could need (`media.bomb`).
    """
    stream.seek(0)
    head = stream.read(8)
    if head == _OLE:
        return _sniff_ole(stream)
    if head[:4] == b"PK\3\4":
        names = read_names(stream)
        if "[Content_Types].xml" not in names:
            return None
        if "word/document.xml" in names:
            return f"{_OOXML}.wordprocessingml.document"
        if "ppt/presentation.xml" in names:
            return f"{_OOXML}.presentationml.presentation"
    return None


def count_slides(stream: BinaryIO) -> int:
    """Count the slides of a new PowerPoint file; 0 for anything else: that is known to nobody without laying out the pages."""
    return sum(1 for name in read_names(stream) if _SLIDE.fullmatch(name))


def read_names(stream: BinaryIO) -> set[str]:
    """Read which files an archive holds; empty when it is broken.

    Raises:
        InvalidInput: it unpacks to more than it could need.
    """
    if not _is_modest(stream):
        return set()
    import zipfile  # here, because few posts have such a file, and every command would pay for it

    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, struct.error, NotImplementedError, EOFError, OSError):
        return set()
    unpacked, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES or unpacked > MAX_RATIO * max(packed, 1024):
        raise InvalidInput(
            f"The document unpacks to {unpacked} bytes, which no honest one does. Save it as PDF.", code="media.bomb"
        )
    return {entry.filename for entry in entries}


def _is_modest(stream: BinaryIO) -> bool:
    """Say whether its table of contents is of a size that can be read; to read any would cost memory without a bound."""
    size = count_file_bytes(stream)
    tail_bytes = min(size, _END.size + 65_535)  # a comment may follow
    stream.seek(size - tail_bytes)
    tail = stream.read(tail_bytes)
    start = tail.rfind(b"PK\5\6")
    if start < 0 or len(tail) - start < _END.size or tail[:start].endswith(b"PK\6\7", 0, max(start - 16, 0)):
        return False  # the last: numbers of 64 bits follow, for archives no document needs
    _, _, _, _, entries, directory_bytes, _, _ = _END.unpack_from(tail, start)
    return bool(entries <= MAX_ENTRIES and directory_bytes <= MAX_DIRECTORY_BYTES)


def _sniff_ole(stream: BinaryIO) -> str | None:
    """Look for the name of the main stream; the directory's first sector says where, and one sector holds 4 to 32 names."""
    stream.seek(0)
    header = stream.read(512)
    if len(header) < 512:
        return None
    sector_bytes = 1 << min(struct.unpack_from("<H", header, 30)[0], 12)
    first = struct.unpack_from("<L", header, 48)[0]
    stream.seek((first + 1) * sector_bytes)
    directory = stream.read(64 * _OLE_DIRECTORY_BYTES)
    if "PowerPoint Document".encode("utf-16-le") in directory:
        return "application/vnd.ms-powerpoint"
    if "WordDocument".encode("utf-16-le") in directory:
        return "application/msword"
    return None
