"""CIDs: names made of what they name. A record is written as DAG-CBOR and hashed, a file is hashed as it is.

ipld.io/specs/codecs/dag-cbor, atproto.com/specs/data-model (2026-11). Equal content has an equal name, whatever the order of its keys.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

_SHA_256 = b"\x12\x20"
_DAG_CBOR = b"\x01\x71"
_RAW = b"\x01\x55"
_LINK_TAG = b"\xd8\x2a"


def name_record(record: dict[str, Any]) -> str:
    """Give the CID of a record; ValueError for what the data model does not have, such as a fraction."""
    return _name(_DAG_CBOR, hashlib.sha256(encode(record)).digest())


def name_file(digest: bytes) -> str:
    """Give the CID of a file by its SHA-256."""
    return _name(_RAW, digest)


def encode(value: Any) -> bytes:
    """Write a value as DAG-CBOR."""
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case list():
            return _head(4, len(value)) + b"".join(encode(item) for item in value)
        case {"$link": str(link)} if len(value) == 1:
            content = b"\x00" + _bytes_of(link)
            return _LINK_TAG + _head(2, len(content)) + content
        case dict():
            pairs = sorted(value.items(), key=lambda pair: (len(pair[0].encode()), pair[0].encode()))
            return _head(5, len(pairs)) + b"".join(encode(name) + encode(item) for name, item in pairs)
    raise ValueError(f"The data model has no {type(value).__name__}.")


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << (8 * size):
            return bytes([kind << 5 | code]) + number.to_bytes(size, "big")
    raise ValueError("The number is too large.")


def _name(codec: bytes, digest: bytes) -> str:
    return "b" + base64.b32encode(codec + _SHA_256 + digest).decode().lower().rstrip("=")


def _bytes_of(cid: str) -> bytes:
    text = cid[1:].upper()
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        raise ValueError(f"{cid!r} is no CID.") from None
