"""X's limits on what a post may hold, checked before anything is sent (PUB-11).

Sources, all read 2026-11-20: docs.x.com/fundamentals/counting-characters (text),
docs.x.com/x-api/media/quickstart/best-practices (formats and sizes), X API v2.167's `CreatePostsMedia` (how many files) and
`CreateMediaMetadataMetadataAltText` (alt text), docs.x.com/changelog 2026-04-16 (cashtags), x-api/getting-started/pricing (prices).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psn.errors import Finding
from psn.media.facts import ImageTarget, Target, VideoTarget
from psn.platforms.base import AccountFacts, Count, MediaFile, Option, Part
from psn.platforms.checks import check_options
from psn.platforms.x import counting

MAX_UNITS = 280  # weighted. counting-characters
MAX_PREMIUM_UNITS = 25_000  # likewise, for the tiers that may write long posts
LONG_TIERS = frozenset({"Basic", "Premium", "PremiumPlus"})  # `subscription_type` of the profile
SHOWN_UNITS = 280  # of a long post, before "Show more"
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

POST_USD = 0.015  # pricing: one created post,
LINK_POST_USD = 0.200  # and one with an address in it
METADATA_USD = 0.005  # the alt text of one file

OPTIONS = (
    Option("ai", "say that media were made with AI", ("yes", "no")),
    Option("replies", "who may reply", ("following", "mentionedUsers", "subscribers", "verified")),
)
_IMAGES = ImageTarget(("image/jpeg", "image/png", "image/webp"), max_bytes=5 * _MB)
_GIFS = ImageTarget(
    ("image/gif",), max_bytes=15 * _MB, max_width=1280, max_height=1080, max_frames=350, max_pixels=300_000_000
)
_VIDEOS = VideoTarget(
    ("video/mp4", "video/quicktime"),
    max_bytes=512 * _MB,
    min_seconds=0.5,
    max_seconds=140,
    min_ratio=1 / 3,
    max_ratio=3,
    min_side=32,
    max_side=1280,
    max_frame_rate=60,
)
_CASHTAG = re.compile(r"(?<![\w$])\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?!\w)")


def pick_target(mime_type: str, options: Mapping[str, str]) -> Target | None:
    """Say what X takes for a file of this type; best-practices."""
    if mime_type == "image/gif":
        return _GIFS
    if mime_type.startswith("image/"):
        return _IMAGES
    return _VIDEOS if mime_type.startswith("video/") else None


def count_text(text: str, account: AccountFacts) -> Count:
    """Count a text in X's weighted units."""
    used, limit = counting.count_text(text).units, _max_units(account)
    cut_at = _find_cut(text) if SHOWN_UNITS < used <= limit else None  # what is too long is not shown at all
    return Count(used=used, limit=limit, unit="units", cut_at=cut_at)


def estimate_price(parts: Sequence[Part]) -> float:
    """Say what X charges for publishing; a post with an address costs more than ten times the other."""
    texts = sum(LINK_POST_USD if counting.has_link(part.text) else POST_USD for part in parts)
    return texts + METADATA_USD * sum(1 for part in parts for media in part.media if media.alt_text)


def check_parts(parts: Sequence[Part], account: AccountFacts) -> list[Finding]:
    """Check a whole post against X's limits.

    Returns:
        what was found; X will take the post when nothing in it has the level `error`.
    """
    if not parts:
        return [Finding(target="x", code="post.empty", message="The post has no parts.", fix="Write a text.")]
    limit = _max_units(account)
    about_options = check_options(parts[0], OPTIONS, target="x")
    return [*about_options, *(one for part in parts for one in (*_check_text(part, limit=limit), *_check_media(part)))]


def _max_units(account: AccountFacts) -> int:
    return MAX_PREMIUM_UNITS if account.capabilities.get("subscription_type") in LONG_TIERS else MAX_UNITS


def _find_cut(text: str) -> int:
    """Find the end of what X shows of a long post: the longest beginning of at most 280 units."""
    low, high = 0, min(2 * SHOWN_UNITS, len(text))
    while high < len(text) and counting.count_text(text[:high]).units <= SHOWN_UNITS:
        low, high = high, min(2 * high, len(text))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if counting.count_text(text[:middle]).units <= SHOWN_UNITS else (low, middle - 1)
    return low


def _check_text(part: Part, *, limit: int) -> Iterable[Finding]:
    if not part.text.strip():
        if not part.media:
            yield _finding(part, "text.empty", "There is neither text nor media.", fix="Write a text or add an image.")
        return
    if _is_surely_short(part.text, limit=limit):
        yield from _check_cashtags(part)
        return
    count = counting.count_text(part.text)
    if count.units > limit:
        yield _finding(
            part,
            "text.too_long",
            f"X would count {count.units} units; it takes {limit}.",
            limit=limit,
            got=count.units,
            fix=f"Cut {count.units - limit} units, or split it into a thread. A link counts 23, an emoji 2.",
        )
    if not count.valid_characters:
        yield _finding(
            part,
            "text.invalid_characters",
            "The text holds characters that X refuses (U+FFFE, U+FEFF, U+FFFF or half a character).",
            fix="Remove them; they are invisible and often come along when pasting.",
        )
    yield from _check_cashtags(part)


def _is_surely_short(text: str, *, limit: int) -> bool:
    """Whether a text fits however X counts it: nothing weighs more than 2, and a link, which needs a dot, 23. To count costs 1 ms."""
    return text.isascii() and text.isprintable() and 2 * len(text) + 23 * text.count(".") <= limit


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
