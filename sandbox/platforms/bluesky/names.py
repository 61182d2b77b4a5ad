"""Names of accounts, posts and versions, as the AT Protocol writes them. atproto.com/specs (handle, did, tid, at-uri; 2026-11)."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime

POSTS = "app.bsky.feed.post"
HANDLE = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
TID = r"[234567abcdefghij][234567a-z]{12}"
MAX_HANDLE = 253

_TID_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
_URI = re.compile(r"at://([^/]+)/([^/]+)/([^/]+)")


def make_did(handle: str) -> str:
    """Give the DID of the account with this handle: the same again after a reset."""
    digest = hashlib.sha256(f"bluesky {handle}".encode()).digest()
    return "did:plc:" + base64.b32encode(digest).decode().lower()[:24]


def is_handle(text: str) -> bool:
    """Say whether this can be a handle."""
    return len(text) <= MAX_HANDLE and re.fullmatch(HANDLE, text) is not None


def make_uri(did: str, rkey: str) -> str:
    """Give the address of a post."""
    return f"at://{did}/{POSTS}/{rkey}"


def split_uri(uri: str) -> tuple[str, str, str] | None:
    """Take an address apart: repository, collection and key; None when it is none."""
    found = _URI.fullmatch(uri)
    return (found[1], found[2], found[3]) if found else None


def make_tid(now: datetime) -> str:
    """Give a key for this instant."""
    number = int(now.timestamp() * 1_000_000) << 10
    return "".join(_TID_LETTERS[number >> shift & 31] for shift in range(60, -5, -5))
