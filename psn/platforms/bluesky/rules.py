"""Bluesky's limits on what a post may hold, checked before anything is sent (PUB-11).

Sources, read 2026-11-20: the lexicons app.bsky.feed.post (text, languages), app.bsky.embed.images, .gallery, .video and
.external (files) of bluesky-social/atproto d6296a1 (2026-08-20).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from psn.errors import Finding
from psn.media.facts import ImageTarget, Target, VideoTarget
from psn.platforms.base import AccountFacts, Count, Option, Part
from psn.platforms.checks import check_media, check_options, finding
from psn.text.counting import count_bytes, count_graphemes
from psn.text.links import find_links

MAX_GRAPHEMES = 300  # feed.post: text.maxGraphemes,
MAX_TEXT_BYTES = 3000  # and text.maxLength, of UTF-8
MAX_LANGUAGES = 3  # feed.post: langs.maxLength
MAX_IMAGES = 4  # embed.images: images.maxLength
MAX_GALLERY = 10  # embed.gallery: what clients keep to; the schema's own ceiling is 20
MAX_IMAGE_BYTES = 2_000_000  # embed.images: image.maxSize
MAX_THUMB_BYTES = 1_000_000  # embed.external: thumb.maxSize
MAX_ALT_GRAPHEMES = 2000  # what Bluesky's own app lets people write; the lexicons have no limit
# embed.video takes 300 MB, but a server takes 50 MB a file unless its owner says otherwise, and larger ones need Bluesky's
# video service.
MAX_VIDEO_BYTES = 50_000_000
MAX_VIDEO_SECONDS = 180  # Bluesky's announcement of 2025-03-12

OPTIONS = (
    Option("language", "languages of the text, three at most: en or en,es"),
    Option("link", "address of the link card; the first link of the text when left out"),
    Option("title", "title of the link card"),
    Option("description", "text of the link card"),
)

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")  # BCP 47, its shape
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_STILLS = ("image/jpeg", "image/png", "image/webp")
_IMAGES = ImageTarget(_STILLS, max_bytes=MAX_IMAGE_BYTES)
_THUMBS = ImageTarget(_STILLS, max_bytes=MAX_THUMB_BYTES)
_VIDEOS = VideoTarget(("video/mp4",), max_bytes=MAX_VIDEO_BYTES, max_seconds=MAX_VIDEO_SECONDS)


def pick_target(mime_type: str, options: Mapping[str, str]) -> Target | None:
    """Say what Bluesky takes for a file of this type; with a link, the image is the card's."""
    if mime_type.startswith("image/"):
        return _THUMBS if options.get("link") else _IMAGES
    return _VIDEOS if mime_type.startswith("video/") else None


def count_text(text: str, account: AccountFacts) -> Count:
    """Count a text as people see it; in bytes where those are over first."""
    graphemes, size = count_graphemes(text), count_bytes(text)
    if size > MAX_TEXT_BYTES and graphemes <= MAX_GRAPHEMES:
        return Count(used=size, limit=MAX_TEXT_BYTES, unit="bytes")
    return Count(used=graphemes, limit=MAX_GRAPHEMES, unit="graphemes")


def check_parts(parts: Sequence[Part], account: AccountFacts) -> list[Finding]:
    """Check a whole post against Bluesky's limits.

    Returns:
        what was found; Bluesky will take the post when nothing in it has the level `error`.
    """
    if not parts:
        return [Finding(target="bluesky", code="post.empty", message="The post has no parts.", fix="Write a text.")]
    return [
        *check_options(parts[0], OPTIONS, target="bluesky"),
        *_check_languages(parts[0]),
        *_check_card(parts[0]),
        *(problem for part in parts for problem in (*_check_text(part), *_check_files(part))),
    ]


def read_languages(options: Mapping[str, str]) -> list[str]:
    """Read the languages a person chose, in their order, each once."""
    named = (name.strip() for name in options.get("language", "").split(","))
    return list(dict.fromkeys(name for name in named if name))


def card_of(part: Part) -> str:
    """Give the link that a person chose to have as a card, empty for none: the first part carries it."""
    return "" if part.index else part.options.get("link", "")


def is_web_address(link: str) -> bool:
    """Say whether a card may lead there."""
    try:
        address = urlsplit(link)
        return address.scheme in ("http", "https") and bool(address.hostname) and not re.search(r"[\s<>\"]", link)
    except ValueError:
        return False


def _check_text(part: Part) -> Iterable[Finding]:
    if not part.text.strip() and not part.media and not card_of(part):
        yield finding(
            part, "bluesky", "text.empty", "There is neither text nor media.", fix="Write a text or add an image."
        )
    if _SURROGATE.search(part.text):
        yield finding(
            part,
            "bluesky",
            "text.invalid_characters",
            "The text holds half a character.",
            fix="Remove it; it is invisible and comes along when pasting.",
        )
    for used, limit, unit in (
        (count_graphemes(part.text), MAX_GRAPHEMES, "graphemes"),
        (count_bytes(part.text), MAX_TEXT_BYTES, "bytes"),
    ):
        if used > limit:
            yield finding(
                part,
                "bluesky",
                "text.too_long",
                f"Bluesky would count {used} {unit}; it takes {limit}.",
                limit=limit,
                got=used,
                fix=f"Cut {used - limit} {unit}, or split it into a thread. A link counts as long as it is.",
            )


def _check_files(part: Part) -> Iterable[Finding]:
    yield from check_media(
        part,
        pick_target,
        target="bluesky",
        title="Bluesky",
        max_alt=MAX_ALT_GRAPHEMES,
        count_alt=count_graphemes,
        most=1 if card_of(part) else MAX_GALLERY,
        alone=("video",),
    )
    if card_of(part) and any(media.kind == "video" for media in part.media):
        yield finding(
            part,
            "bluesky",
            "media.mixed",
            "Bluesky shows either a link card or a video.",
            fix="Leave the option link out, or the video.",
        )
    if len(part.media) > MAX_IMAGES:
        yield from _check_gallery(part)


def _check_gallery(part: Part) -> Iterator[Finding]:
    """More than four images need to be measured: a gallery does not go without their shape."""
    for position, media in enumerate(part.media):
        if media.kind == "image" and (media.facts is None or media.facts.ratio is None):
            yield finding(
                part,
                "bluesky",
                "media.unmeasured",
                f"Bluesky wants to know the shape of each of more than {MAX_IMAGES} images, and this one is unknown.",
                at=f"parts.{part.index}.media.{position}",
                fix="Attach the file again: PSN measures it.",
            )


def _check_languages(part: Part) -> Iterator[Finding]:
    languages = read_languages(part.options)
    wrong = [name for name in languages if not _LANGUAGE.fullmatch(name)]
    if wrong or len(languages) > MAX_LANGUAGES:
        yield finding(
            part,
            "bluesky",
            "option.value",
            f"The option language takes up to {MAX_LANGUAGES} codes of languages.",
            at="options.language",
            limit=MAX_LANGUAGES,
            got=part.options["language"],
            fix="Write it like en, or en,es.",
        )


def _check_card(part: Part) -> Iterator[Finding]:
    link = card_of(part)
    if link and not is_web_address(link):
        yield finding(
            part,
            "bluesky",
            "option.value",
            "The option link takes the whole address of a page.",
            at="options.link",
            got=link,
            fix="Write it with https:// in front.",
        )
    for name in ("title", "description"):
        if part.options.get(name) and not has_card(part):
            yield finding(
                part,
                "bluesky",
                "option.value",
                f"The option {name} belongs to a link card, and this post has none.",
                at=f"options.{name}",
                fix="Add the option link, or leave this one out.",
            )


def has_card(part: Part) -> bool:
    """Say whether a part shows a link card: the one that was chosen, or the first link of a text without media."""
    return bool(card_of(part)) or (not part.media and bool(find_links(part.text)))
