"""PDF files: whole or not, locked or not, and how many pages. Nothing in them is laid out or run (ISO 32000-1)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from psn.errors import InvalidInput
from psn.media.files import count_file_bytes
from psn.media.layout import corrupt, truncated

MAX_DOCUMENT_BYTES = 100 * 1024 * 1024  # LinkedIn's, and nobody else takes any; it is read into memory
MAX_UNPACKED_BYTES = 64 * 1024 * 1024  # of all streams of objects; they hold dictionaries, no pictures
_TAIL_BYTES = 2048
_NODE_BYTES = 65_536  # a node of the page tree with thousands of children is long

# A node of the page tree says how many pages hang below it: the root's number is the largest.
_NODE = re.compile(rb"/Type\s{0,9}/Pages\b")
_COUNT = re.compile(rb"/Count\s{1,9}(\d{1,7})\b")
_PAGE = re.compile(rb"/Type\s{0,9}/Page(?![A-Za-z])")
_OBJECTS = re.compile(rb"/Type\s{0,9}/ObjStm\b[^>]{0,512}>>\s{0,9}stream\r?\n")
_LOCK = re.compile(rb"/Encrypt\s{1,9}\d{1,9}\s{1,9}\d{1,9}\s{1,9}R")


def count_pages(stream: BinaryIO) -> int:
    """Count the pages.

    Raises:
        InvalidInput: it breaks off (`media.truncated`), has no pages (`media.corrupt`), wants a password (`media.locked`), or is
            too large (`media.too_large`, `media.bomb`).
    """
    size_bytes = count_file_bytes(stream)
    if size_bytes > MAX_DOCUMENT_BYTES:
        message = f"The document has {size_bytes} bytes; no platform takes over {MAX_DOCUMENT_BYTES}. Make it smaller."
        raise InvalidInput(message, code="media.too_large")
    stream.seek(0)
    content = stream.read(size_bytes)
    if content.rfind(b"%%EOF", max(size_bytes - _TAIL_BYTES, 0)) < 0:
        raise truncated()
    if _LOCK.search(content):
        raise InvalidInput("The PDF is locked. Save it without a password.", code="media.locked")
    packed = list(_unpack(content))
    pages = max(map(_read_tree, (content, *packed))) or sum(
        len(_PAGE.findall(objects)) for objects in (content, *packed)
    )
    if not pages:
        raise corrupt("no page is to be found in it")
    return pages


def _read_tree(objects: bytes) -> int:
    return max((_read_count(objects, node.start()) for node in _NODE.finditer(objects)), default=0)


def _read_count(objects: bytes, position: int) -> int:
    """Read a node's number; it stands in the same dictionary, before or behind its type."""
    earliest = max(position - _NODE_BYTES, 0)
    start = max(objects.rfind(b"<<", earliest, position), earliest)
    end = objects.find(b">>", position, position + _NODE_BYTES)
    count = _COUNT.search(objects, start, end if end > 0 else position + _NODE_BYTES)
    return int(count[1]) if count else 0


def _unpack(content: bytes) -> Iterator[bytes]:
    """Unpack the streams that hold objects (since PDF 1.5), never to more than a page tree could need."""
    left = MAX_UNPACKED_BYTES
    for objects in _OBJECTS.finditer(content):
        end = content.find(b"endstream", objects.end())
        try:
            unpacked = zlib.decompressobj().decompress(content[objects.end() : end if end > 0 else None], left)
        except zlib.error:
            continue  # packed in another way, or not at all
        left -= len(unpacked)
        if left <= 0:
            raise InvalidInput("The PDF unpacks to more than any honest one does. Save it anew.", code="media.bomb")
        yield unpacked
