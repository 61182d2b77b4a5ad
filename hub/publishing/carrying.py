"""Media on their way through a hub: from the computer where a draft is written to those of its worker and its approvers.

A local hub and its worker share one media folder, so there is nothing to carry. In any other hub a draft's files are stored with it, in
one transaction, as pieces; whoever needs a file puts it together in a media folder of its own and believes nothing but its SHA-256. Every
uploader has pieces of its own, so wrong bytes under somebody's hash stand in the way of nobody's right ones. What only ended posts refer
to is forgotten after a week (HUB-11).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from hub.models import Post, PostMedia
from hub.models.base import new_id
from hub.publishing.content import is_intact, load_parts, media_path
from hub.publishing.patience import release_connection
from hub.rls.identity import acting_as, acting_for_nobody
from hub.rls.refusals import refused
from psn.errors import InvalidInput, Rejected, Unavailable

PIECE_BYTES = 1024**2
MAX_BYTES = 100 * PIECE_BYTES  # of one file: what is larger belongs into object storage
KEEP = timedelta(days=7)  # after the end of the last post that needs a file
KEEP_STOPPED = timedelta(days=30)  # after a post failed or was missed: a person may send it again
LOCK_SECONDS = 10.0
_LOCK = int.from_bytes(b"psnmedia")  # savers share it; who forgets holds it alone

_SAVING = "SELECT pg_try_advisory_xact_lock_shared(%s)"
_FORGETTING = "SELECT pg_try_advisory_xact_lock(%s)"
_PUT = """
INSERT INTO media_chunks (id, user_id, uploaded_by_id, sha256, index, content, created_at) VALUES (%s, %s, %s, %s, %s, %s, now())
ON CONFLICT DO NOTHING
"""
_FIND_WHOLE = """
SELECT uploaded_by_id FROM media_chunks WHERE user_id = %s AND sha256 = %s GROUP BY uploaded_by_id
HAVING count(*) = %s AND max(index) = %s AND sum(octet_length(content)) = %s
ORDER BY uploaded_by_id <> %s, min(created_at), uploaded_by_id
"""
_READ = "SELECT content FROM media_chunks WHERE user_id = %s AND uploaded_by_id = %s AND sha256 = %s AND index = %s"
_FORGET = """
DELETE FROM media_chunks c WHERE c.user_id = %s AND c.created_at < now() - make_interval(secs => %s) AND NOT EXISTS (
  SELECT FROM post_media m
  JOIN post_parts q ON (q.user_id, q.id) = (m.user_id, m.part_id) JOIN posts p ON (p.user_id, p.id) = (q.user_id, q.post_id)
  WHERE m.user_id = c.user_id AND m.sha256 = c.sha256
    AND NOT (p.status IN ('published', 'delivered', 'cancelled') AND p.updated_at < now() - make_interval(secs => %s))
    AND NOT (p.status IN ('failed', 'missed') AND p.updated_at < now() - make_interval(secs => %s)))
"""

# What a command says meanwhile: a file's name, how many bytes are through, and of how many.
Tell = Callable[[str, int, int], None]
_tell: ContextVar[Tell | None] = ContextVar("psn_media_tell", default=None)


@contextmanager
def telling(tell: Tell) -> Iterator[None]:
    """Have it told how far a file is, after every piece, for everything inside."""
    token = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(token)


def carries() -> bool:
    """Whether media of this process's hub travel through it: any computer may be its worker's."""
    return settings.HUB is not None and not settings.HUB.is_local


def check_size(name: str, size_bytes: int) -> None:
    """Refuse a file that is too large for the hub to carry.

    Raises:
        InvalidInput: `media.too_large_to_carry`.
    """
    if carries() and size_bytes > MAX_BYTES:
        raise InvalidInput(
            f"{name} has {size_bytes / 1e6:.0f} MB, and this hub carries files of up to {MAX_BYTES / 1e6:.0f} MB to its worker. "
            "Make it smaller or shorter. Larger files need object storage, which PSN does not carry drafts through yet; a hub on this "
            "computer (provider `local`) has no such limit.",
            code="media.too_large_to_carry",
        )


def put(item: PostMedia) -> None:
    """Store a file in the hub, unless this person has done that already. Part of the transaction that saves its row.

    Raises:
        InvalidInput: it changed since it was attached, it is too large, or this person has no room left in the hub.
    """
    if not carries():
        return
    check_size(item.path, item.size_bytes)
    with connections["default"].cursor() as cursor, refused():
        _keep_from_forgetting(cursor)
        cursor.execute("SELECT hub_api.current_user_id()")
        (me,) = cursor.fetchone()
        if me in _find_whole(item, first=me):
            return
        digest, done = hashlib.sha256(), 0
        with media_path(item).open("rb") as stream:
            for index, piece in enumerate(_cut(stream)):
                cursor.execute(_PUT, [new_id(), item.user_id, me, item.sha256, index, piece])
                digest.update(piece)
                done += len(piece)
                _say(item, done)
    if digest.hexdigest() != item.sha256:
        raise InvalidInput(f"{item.path} changed while it was stored. Attach it again.", code="media.changed")


def put_missing(post: Post) -> None:
    """See to it that every file of a post can be had from the hub, from this computer if need be.

    Raises:
        InvalidInput: one is neither here nor there (`media.missing`).
    """
    if not carries():
        return
    for item in _media_of(post):
        whole = _find_whole(item, first=post.author_id or post.user_id)
        if post.author_id in whole or post.user_id in whole:
            continue
        if is_intact(item):
            put(item)
        elif not whole:
            raise InvalidInput(
                f"The media file {item.path} is neither on this computer nor in the hub. Edit the post and attach it again.",
                code="media.missing",
                next_command=f"psn_post show {post.id}",
            )


def bring(post: Post, items: Iterable[PostMedia] | None = None) -> None:
    """Have a post's files on this computer, exactly as its rows say; those that are there already are left alone.

    Args:
        items: some of them; all when left out.

    Raises:
        Rejected: one is nowhere (`media.missing`), or all there is of it are other bytes (`media.changed`).
        Unavailable: this computer cannot store it.
    """
    for item in _media_of(post) if items is None else items:
        if not is_intact(item):
            _bring(item, author=post.author_id or post.user_id)


def forget_ended() -> int:
    """Delete from the hub what no post needs any more; give how many pieces that were. Harmless to repeat."""
    with acting_for_nobody(), connections["default"].cursor() as cursor:
        cursor.execute("SELECT user_id FROM hub_api.find_chunk_owners()")
        owners = [owner for (owner,) in cursor.fetchall()]
    return sum(_forget_of(owner) for owner in owners)


def _forget_of(owner: uuid.UUID) -> int:
    with acting_as(owner), transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute(_FORGETTING, [_LOCK])
        if not cursor.fetchone()[0]:  # somebody is saving a draft: tomorrow is soon enough
            return 0
        keep, keep_stopped = KEEP.total_seconds(), KEEP_STOPPED.total_seconds()
        cursor.execute(_FORGET, [owner, keep, keep, keep_stopped])
        return int(cursor.rowcount)


def _keep_from_forgetting(cursor: CursorWrapper) -> None:
    """Have nothing forgotten from here to the end of the transaction.

    Whoever holds the lock for longer than it takes to forget is not forgetting, and then nobody is: it is safe to go on.
    """
    give_up = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < give_up:
        cursor.execute(_SAVING, [_LOCK])
        if cursor.fetchone()[0]:
            return
        time.sleep(0.1)


def _media_of(post: Post) -> list[PostMedia]:
    return [item for part in load_parts(post) for item in part.media.all()]


def _find_whole(item: PostMedia, *, first: uuid.UUID) -> list[uuid.UUID]:
    """Name whose pieces make a file of the right size, one person before all others."""
    count = -(-item.size_bytes // PIECE_BYTES)
    with connections["default"].cursor() as cursor:
        cursor.execute(_FIND_WHOLE, [item.user_id, item.sha256, count, count - 1, item.size_bytes, first])
        return [uploader for (uploader,) in cursor.fetchall()]


def _bring(item: PostMedia, *, author: uuid.UUID) -> None:
    was_here = media_path(item).is_file()
    if not carries():
        raise _changed(item) if was_here else _missing(item, "is gone")
    whole = _find_whole(item, first=author)
    if not any(_assemble(item, uploader) for uploader in whole):
        raise _changed(item) if whole else _missing(item, "is neither on this computer nor in the hub")


def _assemble(item: PostMedia, uploader: uuid.UUID) -> bool:
    """Put a file together from one person's pieces, in one step; False when they make another file."""
    target = media_path(item)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                is_right = _write(item, uploader, out)
            if is_right:
                os.replace(temporary, target)
            return is_right
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(
            f"{item.path} cannot be stored on this computer: {error.strerror}.", code="media.no_room"
        ) from error


def _write(item: PostMedia, uploader: uuid.UUID, out: BinaryIO) -> bool:
    """Write a file's pieces, one in memory at a time; say whether they are the file."""
    digest, done = hashlib.sha256(), 0
    for index in range(-(-item.size_bytes // PIECE_BYTES)):
        with connections["default"].cursor() as cursor:
            cursor.execute(_READ, [item.user_id, uploader, item.sha256, index])
            row = cursor.fetchone()
        release_connection()  # to write takes a while too, and others publish meanwhile
        if row is None:  # forgotten meanwhile
            return False
        out.write(row[0])
        digest.update(row[0])
        done += len(row[0])
        _say(item, done)
    return digest.hexdigest() == item.sha256


def _cut(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(PIECE_BYTES):
        yield piece


def _say(item: PostMedia, done: int) -> None:
    tell = _tell.get()
    if tell is not None:
        tell(item.path, done, item.size_bytes)


def _missing(item: PostMedia, where: str) -> Rejected:
    return Rejected(f"The media file {item.path} {where}. Edit the post and attach it again.", code="media.missing")


def _changed(item: PostMedia) -> Rejected:
    return Rejected(
        f"The media file {item.path} was changed after it was approved. Edit the post and approve it again.",
        code="media.changed",
    )
