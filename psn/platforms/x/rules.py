"""X's limits on what a post may hold, checked before anything is sent (PUB-11).

Sources, all read 2026-11-20: docs.x.com/fundamentals/counting-characters (text),
docs.x.com/x-api/media/quickstart/best-practices (formats and sizes), X API v2.167's `CreatePostsMedia` (how many files) and
`CreateMediaMetadataMetadataAltText` (alt text), docs.x.com/changelog 2026-04-16 (cashtags).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psn.errors import Finding
from psn.platforms.base import MediaFile, Part
from psn.platforms.x.counting import count_text

MAX_UNITS = 280  # weighted; Premium accounts may write more, which nothing here knows of. counting-characters
MAX_IMAGES = 4  # or one GIF, or one video. CreatePostsMedia, best-practices
MAX_ALT_CHARACTERS = 1000  # CreateMediaMetadataMetadataAltText
MAX_CASHTAGS = 1  # for apps on self-serve access. changelog 2026-04-16

_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MediaKind:
    """One of X's media categories with its limit. best-practices."""

    category: str
    max_bytes: int


_IMAGE = MediaKind("tweet_image", 5 * _MB)
MEDIA_KINDS = {
    "image/jpeg": _IMAGE,
    "image/png": _IMAGE,
    "image/webp": _IMAGE,
    "image/gif": MediaKind("tweet_gif", 15 * _MB),
    "video/mp4": MediaKind("tweet_video", 512 * _MB),
    "video/quicktime": MediaKind("tweet_video", 512 * _MB),
}

_CASHTAG = re.compile(r"(?<![\w$])\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?!\w)")


def check_parts(parts: Sequence[Part]) -> list[Finding]:
    """Check a whole post against X's limits.

    Returns:
        what was found; X will take the post when nothing in it has the level `error`.
    """
    if not parts:
        return [Finding(target="x", code="post.empty", message="The post has no parts.", fix="Write a text.")]
    return [finding for part in parts for finding in (*_check_text(part), *_check_media(part))]


def _check_text(part: Part) -> Iterable[Finding]:
    if not part.text.strip():
        if not part.media:
            yield _finding(part, "text.empty", "There is neither text nor media.", fix="Write a text or add an image.")
        return
    count = count_text(part.text)
    if count.units > MAX_UNITS:
        yield _finding(
            part,
            "text.too_long",
            f"X would count {count.units} units; it takes {MAX_UNITS}.",
            limit=MAX_UNITS,
            got=count.units,
            fix=f"Cut {count.units - MAX_UNITS} units, or split it into a thread. A link counts 23, an emoji 2.",
        )
    if not count.valid_characters:
        yield _finding(
            part,
            "text.invalid_characters",
            "The text holds characters that X refuses (U+FFFE, U+FEFF, U+FFFF or half a character).",
            fix="Remove them; they are invisible and often come along when pasting.",
        )
    yield from _check_cashtags(part)


def _check_cashtags(part: Part) -> Iterable[Finding]:
    cashtags = len(_CASHTAG.findall(part.text))
    if cashtags > MAX_CASHTAGS:
        yield Finding(
            target="x",
            code="text.too_many_cashtags",
            message=f"There are {cashtags} cashtags; X takes {MAX_CASHTAGS} a post from apps on self-serve access.",
            level="warning",
            at=f"parts.{part.index}",
            limit=MAX_CASHTAGS,
            got=cashtags,
            fix="Keep one cashtag, or have bigger access.",
        )


def _check_media(part: Part) -> Iterable[Finding]:
    for position, media in enumerate(part.media):
        yield from _check_file(part, media, at=f"parts.{part.index}.media.{position}")
    kinds = [MEDIA_KINDS[media.mime_type].category for media in part.media if media.mime_type in MEDIA_KINDS]
    if len(part.media) > 1 and any(kind != "tweet_image" for kind in kinds):
        yield _finding(
            part,
            "media.mixed",
            "X takes up to four images, or one GIF, or one video.",
            got=", ".join(sorted(set(kinds))),
            fix="Leave one GIF or one video, or images only.",
        )
    elif len(part.media) > MAX_IMAGES:
        yield _finding(
            part,
            "media.too_many",
            f"There are {len(part.media)} images; X takes {MAX_IMAGES}.",
            limit=MAX_IMAGES,
            got=len(part.media),
            fix="Remove some, or spread them over a thread.",
        )


def _check_file(part: Part, media: MediaFile, *, at: str) -> Iterable[Finding]:
    kind = MEDIA_KINDS.get(media.mime_type)
    if kind is None:
        yield _finding(
            part,
            "media.type",
            f"X does not take {media.mime_type}.",
            at=at,
            limit=", ".join(MEDIA_KINDS),
            got=media.mime_type,
            fix="Convert it: images to JPEG or PNG, video to MP4.",
        )
    elif not 0 < media.size_bytes <= kind.max_bytes:
        yield _finding(
            part,
            "media.too_large" if media.size_bytes else "media.empty",
            f"The file has {media.size_bytes} bytes; X takes 1 to {kind.max_bytes}.",
            at=at,
            limit=kind.max_bytes,
            got=media.size_bytes,
            fix="Make it smaller." if media.size_bytes else "Choose the file again: this one is empty.",
        )
    if len(media.alt_text) > MAX_ALT_CHARACTERS:
        yield _finding(
            part,
            "media.alt_too_long",
            f"The alt text has {len(media.alt_text)} characters; X takes {MAX_ALT_CHARACTERS}.",
            at=at,
            limit=MAX_ALT_CHARACTERS,
            got=len(media.alt_text),
            fix="Shorten the alt text.",
        )


def _finding(
    part: Part,
    code: str,
    message: str,
    *,
    fix: str,
    at: str | None = None,
    limit: int | str | None = None,
    got: int | str | None = None,
) -> Finding:
    at = at or f"parts.{part.index}"
    return Finding(target="x", code=code, message=message, at=at, limit=limit, got=got, fix=fix)
