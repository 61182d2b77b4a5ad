"""What an instance takes, checked before anything is sent (PUB-11).

Every instance sets its own limits and tells them at `GET /api/v2/instance` (docs.joinmastodon.org/entities/Instance, read
2026-11-20); until it was asked, Mastodon's own defaults stand in. How it counts: docs.joinmastodon.org/user/posting (read
2026-11-20): what people see as one character is one, a link is 23, and of a mention only the name counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psn.errors import Finding
from psn.media.facts import ImageTarget, Target, VideoTarget
from psn.platforms.base import NOTHING_KNOWN, AccountFacts, Count, MediaFile, Option, Part
from psn.platforms.checks import check_length, check_media, check_options, finding
from psn.text.counting import count_graphemes
from psn.text.links import find_links
from psn.text.tags import find_mentions

OPTIONS = (
    Option(
        "visibility",
        "who sees it; the account's own setting when left out",
        ("public", "unlisted", "private", "direct"),
    ),
    Option("spoiler", "a warning; the rest is folded away below it, and it counts as part of the text"),
    Option("sensitive", "hide the media until they are clicked", ("yes", "no")),
    Option("language", "of the text, by its ISO 639 code: en, es, pt-BR"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """An instance's limits; what stands here are the defaults of Mastodon 4.5.

    Args:
        url_characters: what any link counts.
        image_pixels, video_pixels: width times height, of a frame.
        mime_types: in the order in which they are worth converting to.
    """

    max_characters: int = 500
    url_characters: int = 23
    max_media: int = 4
    alt_characters: int = 1500
    image_bytes: int = 16 * 1024 * 1024
    image_pixels: int = 33_177_600  # 7680 x 4320
    video_bytes: int = 99 * 1024 * 1024
    video_pixels: int = 8_294_400  # 3840 x 2160
    video_frame_rate: int = 120
    mime_types: tuple[str, ...] = (
        "image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4", "video/quicktime", "video/webm",
    )  # fmt: skip


DEFAULTS = Limits()
MAX_GIF_FRAMES = 100_000  # nothing but its size limits an animation: the instance makes a video of it
MAX_SIDE = 3840  # of a video frame within `video_pixels` in the usual shapes
VIDEO_CODECS = ("h264", "hevc", "vp8", "vp9", "av1")  # the instance converts them by itself
AUDIO_CODECS = ("aac", "opus", "vorbis", "mp3")

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")
# A host with a top-level domain; `http://localhost:8000/x` is text like any other.
_PUBLIC = re.compile(r"https?://(?:[^/?#]*@)?[^/?#@]+\.[^\W\d_]{2,}(?::\d+)?(?:[/?#]|$)", re.IGNORECASE)
_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")  # half a character is no UTF-8, and its database takes no NUL
# `2.7.2 (compatible; Pleroma 2.6.0)`: other servers name themselves behind the API version they speak.
_OTHER_SOFTWARE = re.compile(r"compatible; (\w+)")
_MASTODON_VERSION = re.compile(r"[1-9]\d*\.\d+\.\d+")
_KEEPS_KEYS = frozenset({"Pleroma", "Akkoma"})


def read_limits(capabilities: Mapping[str, Any]) -> Limits:
    """Give an account's limits from what `fetch_capabilities` gave; what is not there, or makes no sense, is Mastodon's default."""
    known: dict[str, Any] = {
        name: value
        for name in Limits.__dataclass_fields__
        if isinstance(value := capabilities.get(name), int) and not isinstance(value, bool) and value > 0
    }
    taken = capabilities.get("mime_types")
    if isinstance(taken, list) and taken:
        known["mime_types"] = tuple(name for name in DEFAULTS.mime_types if name in taken)
    return Limits(**known)


def keeps_keys(version: str) -> bool:
    """Say whether a server of this version is known to keep idempotency keys.

    Pixelfed (pixelfed/pixelfed#3581), Takahē (jointakahe/takahe#618) and older GoToSocial take the header and forget it, so
    that the same call twice is two posts there. Mastodon has kept keys since 1.4.
    """
    other = _OTHER_SOFTWARE.search(version)
    return other[1] in _KEEPS_KEYS if other else _MASTODON_VERSION.match(version) is not None


def pick_target(mime_type: str, options: Mapping[str, str]) -> Target | None:
    """Say what an instance with the usual limits takes for a file of this type."""
    return _pick(mime_type, DEFAULTS)


def count_text(text: str, account: AccountFacts) -> Count:
    """Count a text as Mastodon does."""
    limits = read_limits(account.capabilities)
    return Count(used=_count(text, limits), limit=limits.max_characters, unit="characters")


def check_parts(parts: Sequence[Part], account: AccountFacts = NOTHING_KNOWN) -> list[Finding]:
    """Check a whole post against the limits of the account's instance.

    Returns:
        what was found; the instance will take the post when nothing in it has the level `error`.
    """
    if not parts:
        return [Finding(target="mastodon", code="post.empty", message="The post has no parts.", fix="Write a text.")]
    limits = read_limits(account.capabilities)
    found = [*check_options(parts[0], OPTIONS, target="mastodon"), *_check_language(parts[0])]
    for part in parts:
        found += [*_check_text(part, limits), *_check_files(part, limits)]
    return found


def _pick(mime_type: str, limits: Limits) -> Target | None:
    kind = mime_type.partition("/")[0]
    taken = tuple(name for name in limits.mime_types if name.startswith(f"{kind}/"))
    if mime_type == "image/gif" and "image/gif" in taken:
        return ImageTarget(
            ("image/gif",), max_bytes=limits.image_bytes, max_pixels=limits.image_pixels, max_frames=MAX_GIF_FRAMES
        )
    if kind == "image" and taken:
        stills = tuple(name for name in taken if name != "image/gif")
        return ImageTarget(stills, max_bytes=limits.image_bytes, max_pixels=limits.image_pixels) if stills else None
    if kind == "video" and taken:
        return VideoTarget(
            taken,
            max_bytes=limits.video_bytes,
            max_side=MAX_SIDE,
            max_frame_rate=limits.video_frame_rate,
            video_codecs=VIDEO_CODECS,
            audio_codecs=AUDIO_CODECS,
        )
    return None


def _count(text: str, limits: Limits) -> int:
    """Count characters, with every link as long as any other and mentions without their instance."""
    counted, at = 0, 0
    links = [(one.start, one.end, limits.url_characters) for one in find_links(text) if _PUBLIC.match(one.text)]
    names = [(one.start, one.end, 1 + len(one.name.partition("@")[0])) for one in find_mentions(text)]
    for start, end, length in sorted(links + names):
        counted += count_graphemes(text[at:start]) + length
        at = end
    return counted + count_graphemes(text[at:])


def _check_text(part: Part, limits: Limits) -> Iterator[Finding]:
    spoiler = part.options.get("spoiler", "")
    if not part.text.strip() and not part.media:
        yield finding(
            part, "mastodon", "text.empty", "There is neither text nor media.", fix="Write a text or add an image."
        )
    if _UNSENDABLE.search(part.text + spoiler):
        yield finding(
            part, "mastodon", "text.invalid_characters", "The text holds half a character, or a NUL.",
            fix="Remove it; it is invisible and often comes along when pasting.",
        )  # fmt: skip
    used = _count(part.text, limits) + count_graphemes(spoiler)
    count = Count(used=used, limit=limits.max_characters, unit="characters")
    hint = f"A link counts {limits.url_characters}, a warning counts too."
    yield from check_length(part, count, target="mastodon", title="The instance", hint=hint)


def _check_language(part: Part) -> Iterator[Finding]:
    language = part.options.get("language", "")
    if language and not _LANGUAGE.fullmatch(language):
        yield finding(
            part, "mastodon", "option.value", f"{language!r} is no language code.",
            at="options.language", got=language, fix="Write its ISO 639 code: en, es, pt-BR.",
        )  # fmt: skip


def _check_files(part: Part, limits: Limits) -> Iterator[Finding]:
    yield from check_media(
        part,
        lambda mime_type, _options: _pick(mime_type, limits),
        target="mastodon",
        title="The instance",
        max_alt=limits.alt_characters,
        most=limits.max_media,
        alone=("video",),
    )
    for position, media in enumerate(part.media):
        if media.kind == "video":
            yield from _check_frame(part, media, limits, at=f"parts.{part.index}.media.{position}")


def _check_frame(part: Part, media: MediaFile, limits: Limits, *, at: str) -> Iterator[Finding]:
    pixels = media.facts.width * media.facts.height if media.facts else 0
    if pixels > limits.video_pixels:
        yield finding(
            part, "mastodon", "media.too_many_pixels",
            f"A frame of the video has {pixels} pixels; the instance takes {limits.video_pixels}.",
            at=at, limit=limits.video_pixels, got=pixels, fix="Make the video smaller.",
        )  # fmt: skip
