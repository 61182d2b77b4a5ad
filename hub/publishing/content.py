"""What a post says, and the hash that approval is bound to (POST-4)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from hub.models import Post, PostPart
from psn.errors import Rejected
from psn.platforms.base import MediaFile, Part


def load_parts(post: Post) -> list[PostPart]:
    """Read a post's parts with their media, in order."""
    return list(PostPart.objects.filter(post_id=post.id).prefetch_related("media").order_by("index"))


def hash_content(post: Post, parts: Sequence[PostPart]) -> str:
    """Hash everything a person approves: account, time, texts, and media byte for byte.

    Returns:
        SHA-256, hex, of canonical JSON. The version is part of it: a change of form voids approvals, never widens them.
    """
    document = {
        "v": 1,
        "account": str(post.account_id),
        "scheduled_at": post.scheduled_at.isoformat() if post.scheduled_at else None,
        "parts": [
            {
                "index": part.index,
                "kind": part.kind,
                "text": part.text,
                "media": [[media.sha256, media.mime_type, media.alt_text] for media in part.media.all()],
            }
            for part in parts
        ],
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def build_part(part: PostPart) -> Part:
    """Give a part in the form adapters take."""
    media = tuple(
        MediaFile(
            path=media_path(item.path), mime_type=item.mime_type, size_bytes=item.size_bytes, alt_text=item.alt_text
        )
        for item in part.media.all()
    )
    return Part(
        index=part.index, text=part.text, media=media, kind="comment" if part.kind == PostPart.Kind.COMMENT else "post"
    )


def media_path(stored: str) -> Path:
    """Give the file of a stored path, which is relative to the workspace."""
    root: Path = settings.WORKSPACE.root
    return root / stored


def check_media_unchanged(part: PostPart) -> None:
    """Refuse to send a file that is gone or is not the one that was approved.

    Raises:
        Rejected: with the file's name.
    """
    for item in part.media.all():
        path = media_path(item.path)
        if not path.is_file():
            raise Rejected(
                f"The media file {item.path} is gone. Edit the post and attach it again.", code="media.missing"
            )
        if hash_file(path) != item.sha256:
            raise Rejected(
                f"The media file {item.path} was changed after it was approved. Edit the post and approve it again.",
                code="media.changed",
            )


def hash_file(path: Path) -> str:
    """Give a file's SHA-256, hex, reading it in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
