"""A video's way to TikTok: in pieces, one after the other, of which the last makes the post.

developers.tiktok.com/doc/content-posting-api-media-transfer-guide (read 2026-11-20): pieces of 5 to 64 MB, at most 1000, and as
many as whole ones fit: what is left over belongs to the last. An upload without its last piece publishes nothing, and its
address dies after an hour, so everything before that piece can be repeated (PUB-3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psn.deadline import Deadline
from psn.errors import InvalidInput, Rejected, Unavailable
from psn.http import Http, Reply
from psn.platforms.base import MediaFile
from psn.platforms.tiktok import refusals

# TikTok's least, whether its MB has 1000 or 1024 KB. The last piece is the call that cannot be taken back and must arrive within
# that call's time, so it shall be small: with these it is under 10 MiB.
MIN_PIECE_BYTES = 5 * 1024 * 1024
MAX_PIECES = 1000
PIECE_SECONDS = 180.0  # a piece at 0.25 Mbit/s, a poor line

_ADDRESS = re.compile(r"[\x21-\x7e]{1,8192}")  # what can stand in a request line


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file is cut.

    Args:
        piece_bytes: of all pieces but the last.
    """

    total_bytes: int
    piece_bytes: int
    pieces: int

    @property
    def last_begins(self) -> int:
        """Where the last piece begins, in bytes."""
        return self.piece_bytes * (self.pieces - 1)


@dataclass(frozen=True, slots=True)
class LastPiece:
    """What is still to be sent, and where to; never stored.

    Args:
        begins: in bytes.
        total_bytes: of the whole file.
    """

    upload_url: str
    begins: int
    total_bytes: int

    def to_handle(self) -> str:
        """Write it down for the call."""
        return json.dumps(asdict(self))

    @classmethod
    def from_handle(cls, handle: str) -> LastPiece:
        """Read what `to_handle` wrote."""
        return cls(**json.loads(handle))


def plan_pieces(total_bytes: int) -> Plan:
    """Cut a file so that the last piece is small; what is under two least pieces goes whole."""
    if total_bytes < 2 * MIN_PIECE_BYTES:
        return Plan(total_bytes=total_bytes, piece_bytes=total_bytes, pieces=1)
    piece_bytes = max(MIN_PIECE_BYTES, -(-total_bytes // MAX_PIECES))
    return Plan(total_bytes=total_bytes, piece_bytes=piece_bytes, pieces=total_bytes // piece_bytes)


def measure(media: MediaFile) -> int:
    """Give the file's size in bytes, as it is now.

    Raises:
        Rejected: it is not there, or empty.
    """
    with _readable(media.path):
        size_bytes = media.path.stat().st_size
    if not size_bytes:
        raise Rejected(f"{media.path.name} is empty. Choose the file again.", code="media.empty")
    return size_bytes


def send_first_pieces(media: MediaFile, plan: Plan, *, upload_url: str) -> LastPiece:
    """Send all pieces but the last, one at a time in memory.

    Raises:
        Rejected: TikTok does not take one, or the file cannot be read.
        Unavailable: one did not arrive.
    """
    last = LastPiece(upload_url=upload_url, begins=plan.last_begins, total_bytes=plan.total_bytes)
    with _open_upload(upload_url) as (http, path), _readable(media.path), media.path.open("rb") as file:
        for begins in range(0, plan.last_begins, plan.piece_bytes):
            content = _read_piece(file.read(plan.piece_bytes), media, wanted_bytes=plan.piece_bytes)
            headers = _build_headers(media, content, begins=begins, total_bytes=plan.total_bytes)
            reply = http.read("PUT", path, content=content, headers=headers, timeout_seconds=PIECE_SECONDS)
            refusals.check_piece(reply, now=datetime.now(UTC))
    return last


def send_last_piece(
    media: MediaFile, last: LastPiece, *, send_before: Deadline | None, timeout_seconds: float
) -> Reply:
    """Send the piece that makes the post: the one call that cannot be taken back.

    Raises:
        UnknownOutcome: it may have arrived.
        Unavailable: surely not sent, or the upload is not open any more.
        Rejected: TikTok does not take it, or the file cannot be read.
    """
    wanted_bytes = last.total_bytes - last.begins
    with _readable(media.path), media.path.open("rb") as file:
        file.seek(last.begins)
        content = _read_piece(file.read(wanted_bytes + 1), media, wanted_bytes=wanted_bytes)
    headers = _build_headers(media, content, begins=last.begins, total_bytes=last.total_bytes)
    with _open_upload(last.upload_url, timeout_seconds=timeout_seconds) as (http, path):
        reply = http.commit("PUT", path, content=content, headers=headers, send_before=send_before)
    refusals.check_piece(reply, now=datetime.now(UTC), last=True)
    return reply


@contextmanager
def _open_upload(upload_url: str, **options: Any) -> Iterator[tuple[Http, str]]:
    """Give the way to an address that TikTok handed out. It carries its own permission, so our token does not go there."""
    try:
        address = urlsplit(upload_url if _ADDRESS.fullmatch(upload_url) else "")
        http = Http(f"{address.scheme}://{address.netloc}", **options)
    except (InvalidInput, ValueError) as problem:
        raise Unavailable(
            "TikTok handed out an upload address that is not safe to use.", code="tiktok.upload_address"
        ) from problem
    with http:
        yield http, f"{address.path or '/'}?{address.query}"


def _build_headers(media: MediaFile, content: bytes, *, begins: int, total_bytes: int) -> dict[str, str]:
    return {
        "content-type": media.mime_type,
        "content-range": f"bytes {begins}-{begins + len(content) - 1}/{total_bytes}",
    }


def _read_piece(content: bytes, media: MediaFile, *, wanted_bytes: int) -> bytes:
    if len(content) != wanted_bytes:
        raise Rejected(f"{media.path.name} changed while it was being sent. Schedule it again.", code="media.changed")
    return content


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise Rejected(f"{path.name} cannot be read: {problem.strerror}.", code="media.unreadable") from problem
