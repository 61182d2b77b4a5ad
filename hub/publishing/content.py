"""What a post says, and the hash that approval is bound to (POST-4)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from hub.models import Account, OAuthToken, Post, PostMedia, PostPart
from psn.errors import Rejected
from psn.media.facts import MediaFacts
from psn.platforms.base import AccountFacts, MediaFile, Part


def load_parts(post: Post) -> list[PostPart]:
    """Read a post's parts with their media, in order."""
    return list(PostPart.objects.filter(post_id=post.id).prefetch_related("media").order_by("index"))


def hash_content(post: Post, parts: Sequence[PostPart]) -> str:
    """Hash everything a person approves: account, time, texts, and media byte for byte.

    Returns:
        SHA-256, hex, of canonical JSON. The version is part of it: a change of form voids approvals, never widens them.
    """
    document: dict[str, Any] = {
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
    if post.options:  # left out when there are none, as before there were any
        document["options"] = post.options
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def build_part(part: PostPart, *, post: Post, address: Callable[[Path, str], str] | None = None) -> Part:
    """Give a part in the form adapters take.

    Args:
        address: makes the public address of a file of a MIME type, for platforms that fetch.
    """
    return Part(
        index=part.index,
        text=part.text,
        media=tuple(_build_media(item, address=address) for item in part.media.all()),
        kind="comment" if part.kind == PostPart.Kind.COMMENT else "post",
        options=post.options,
    )


def build_parts(post: Post) -> list[Part]:
    """Give all of a post's parts in the form that checks take."""
    return [build_part(part, post=post) for part in load_parts(post)]


def facts_of(account: Account) -> AccountFacts:
    """Give what is known of an account when its posts are checked."""
    scopes = OAuthToken.objects.filter(account_id=account.id).values_list("scopes", flat=True).first()
    return AccountFacts(capabilities=account.capabilities, scopes=frozenset(scopes or ()))


def _build_media(item: PostMedia, *, address: Callable[[Path, str], str] | None) -> MediaFile:
    path = media_path(item.path)
    return MediaFile(
        path=path,
        mime_type=item.mime_type,
        size_bytes=item.size_bytes,
        alt_text=item.alt_text,
        facts=MediaFacts.from_dict(item.facts) if item.facts else None,
        public_url=address(path, item.mime_type) if address else "",
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
