"""What a post says, and the hash that approval is bound to (POST-4)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from hub.models import Account, Post, PostMedia, PostPart
from hub.publishing.keeping import find_row
from psn.errors import Rejected
from psn.media.facts import MediaFacts
from psn.media.sniff import EXTENSIONS
from psn.platforms.base import AccountFacts, MediaFile, Part

MEDIA = "content/media"  # below the workspace
_SHA256 = re.compile(r"[0-9a-f]{64}")


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
    """Give what is known of an account when its posts are checked; what was granted is not known to a member of a team."""
    row = find_row(account)
    return AccountFacts(capabilities=account.capabilities, scopes=frozenset(row.scopes if row else ()))


def _build_media(item: PostMedia, *, address: Callable[[Path, str], str] | None) -> MediaFile:
    path = media_path(item)
    return MediaFile(
        path=path,
        mime_type=item.mime_type,
        size_bytes=item.size_bytes,
        alt_text=item.alt_text,
        facts=MediaFacts.from_dict(item.facts) if item.facts and isinstance(item.facts, dict) else None,
        public_url=address(path, item.mime_type) if address else "",
    )


def media_path(item: PostMedia) -> Path:
    """Give the place of a file on this computer: in the media folder, under its own hash.

    Whoever wrote the row may be somebody else, so its word for the place is not followed: it must be the one place that there is.

    Raises:
        Rejected: it names another (`media.path`).
    """
    root: Path = settings.WORKSPACE.root
    if not has_own_path(item):
        raise Rejected(
            "A media file of this post does not lie where media lie. Edit the post and attach it again.",
            code="media.path",
        )
    return root / item.path


def has_own_path(item: PostMedia) -> bool:
    """Whether a row names the one place where its file may be."""
    return (
        _SHA256.fullmatch(item.sha256) is not None
        and item.mime_type in EXTENSIONS
        and item.path == stored_path(item.sha256, mime_type=item.mime_type)
    )


def stored_path(sha256: str, *, mime_type: str) -> str:
    """Name the place of a file in the workspace."""
    return f"{MEDIA}/{sha256}{EXTENSIONS[mime_type]}"


def is_intact(item: PostMedia) -> bool:
    """Whether a file is on this computer, byte for byte as its row says."""
    path = media_path(item)
    return path.is_file() and hash_file(path) == item.sha256


def hash_file(path: Path) -> str:
    """Give a file's SHA-256, hex, reading it in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
