"""The content of a post on its way into the hub: texts from the command line, media copied into the workspace."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from hub.models import Post, PostMedia, PostPart
from hub.publishing.content import hash_content, hash_file, load_parts
from psn.errors import InvalidInput
from psn.media.sniff import sniff_mime_type
from psn.platforms.base import MediaFile, Part

SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
}


@dataclass(frozen=True, slots=True)
class DraftPart:
    """One part as a person gave it."""

    text: str
    media: tuple[MediaFile, ...] = ()

    def to_part(self, index: int) -> Part:
        """Give it in the form that rules check."""
        return Part(index=index, text=self.text, media=self.media)


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part's row and its media rows, not saved yet."""

    part: PostPart
    media: list[PostMedia]


def read_media(path: str, *, alt_text: str = "") -> MediaFile:
    """Look at a file a person named.

    Raises:
        InvalidInput: there is no such file, or no platform takes its type.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise InvalidInput(f"There is no file {path}.", code="media.not_found")
    return MediaFile(path=file, mime_type=sniff_mime_type(file), size_bytes=file.stat().st_size, alt_text=alt_text)


def build_rows(post: Post, parts: Sequence[DraftPart], *, copy_media: bool) -> list[StoredPart]:
    """Make the rows of a post's content; media go into the workspace, so that what was approved is what is sent."""
    stored = []
    for index, draft in enumerate(parts):
        part = PostPart(user_id=post.user_id, post_id=post.id, index=index, text=draft.text)
        media = [_media_row(part, number, file, copy=copy_media) for number, file in enumerate(draft.media)]
        stored.append(StoredPart(part=part, media=media))
    return stored


def hash_rows(post: Post, stored: Sequence[StoredPart]) -> str:
    """Hash content that is not saved yet."""
    for item in stored:
        item.part._prefetched_objects_cache = {"media": item.media}  # type: ignore[attr-defined]  # as prefetch_related leaves it
    return hash_content(post, [item.part for item in stored])


def save_rows(post: Post, stored: Sequence[StoredPart]) -> None:
    """Save a new post with its content."""
    post.save(force_insert=True)
    save_parts(stored)
    post.refresh_from_db()


def save_parts(stored: Sequence[StoredPart]) -> None:
    """Save the content of a draft."""
    for item in stored:
        item.part.save(force_insert=True)
        for media in item.media:
            media.save(force_insert=True)


def replace_parts(post: Post, stored: Sequence[StoredPart]) -> None:
    """Put new content in the place of a draft's old one.

    A part keeps its row, because attempts refer to it: what was tried stays on record. Of a post with nothing live, only the
    first part can have been tried.
    """
    before = {part.index: part for part in load_parts(post)}
    for item in stored:
        if old := before.pop(item.part.index, None):
            PostMedia.objects.filter(part_id=old.id).delete()
            PostPart.objects.filter(id=old.id).update(text=item.part.text, kind=item.part.kind)
            item.part.id = old.id
        else:
            item.part.save(force_insert=True)
        for media in item.media:
            media.part_id = item.part.id
            media.save(force_insert=True)
    PostPart.objects.filter(id__in=[part.id for part in before.values()]).delete()


def _media_row(part: PostPart, index: int, file: MediaFile, *, copy: bool) -> PostMedia:
    digest = hash_file(file.path)
    return PostMedia(
        user_id=part.user_id,
        part_id=part.id,
        index=index,
        path=_keep_copy(file, digest=digest) if copy else str(file.path),
        sha256=digest,
        mime_type=file.mime_type,
        size_bytes=file.size_bytes,
        alt_text=file.alt_text,
    )


def _keep_copy(file: MediaFile, *, digest: str) -> str:
    """Copy a file into `content/media/` under its own hash, in one step; give the path relative to the workspace."""
    root: Path = settings.WORKSPACE.root
    relative = Path("content") / "media" / f"{digest}{SUFFIXES[file.mime_type]}"
    target = root / relative
    if target.is_file():
        return str(relative)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out, file.path.open("rb") as source:
            shutil.copyfileobj(source, out)
        os.replace(temporary, target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise InvalidInput(
            f"{file.path} cannot be copied into content/media: {error.strerror}.", code="media.copy_failed"
        ) from error
    return str(relative)
