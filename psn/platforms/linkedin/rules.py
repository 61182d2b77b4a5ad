"""LinkedIn's limits on what a post may hold, checked before anything is sent (PUB-11).

Sources, all read 2026-11-20, below learn.microsoft.com/linkedin/marketing/community-management/shares: posts-api (text, kinds
of content), multiimage-post-api (2 to 20), images-api, videos-api and documents-api (files), comments-api.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal
from urllib.parse import urlsplit

from psn.errors import Finding
from psn.media.facts import DocumentTarget, ImageTarget, Target, VideoTarget
from psn.platforms.base import AccountFacts, Count, MediaFile, Option, Part
from psn.platforms.checks import check_length, check_media, check_options, finding
from psn.text import littletext
from psn.text.counting import count_utf16

MAX_CHARACTERS = (
    3000  # as the reader sees them, before escaping; "characters" is not defined, so UTF-16 units to be safe
)
MAX_COMMENT_CHARACTERS = 1250  # linkedin.com/help: comments
FOLD_CHARACTERS = 210  # "…more" hides the rest; not documented, some three lines on a desktop
MAX_IMAGES = 20  # multiimage-post-api
MAX_ALT_CHARACTERS = 4086  # posts-api
MAX_TITLE_CHARACTERS = 400  # posts-api: an article's

OPTIONS = (
    Option("format", "how it is shown; left out, what is attached decides", ("post", "document", "article")),
    Option("title", "of a document, an article's card, or a single image or video"),
    Option("link", "the address an article's card leads to; one image becomes its picture"),
    Option("visibility", "who sees it; everybody when left out", ("public", "connections", "logged_in")),
)
VISIBILITIES = {"public": "PUBLIC", "connections": "CONNECTIONS", "logged_in": "LOGGED_IN"}

Format = Literal["post", "document", "article"]

# images-api: under 36,152,320 pixels, a GIF up to 250 frames. The size is not documented; other publishers meet a limit of 5 MB.
IMAGE = ImageTarget(
    ("image/jpeg", "image/png", "image/gif"), max_bytes=5_000_000, max_pixels=36_152_319, max_frames=250
)
# videos-api: 75 KB to 500 MB, 3 s to 30 min, 1:2.4 to 2.4:1.
VIDEO = VideoTarget(
    ("video/mp4",),
    max_bytes=500_000_000,
    min_bytes=75 * 1024,
    min_seconds=3,
    max_seconds=1800,
    min_ratio=1 / 2.4,
    max_ratio=2.4,
)
DOCUMENT = DocumentTarget(
    (
        "application/pdf",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    max_bytes=100_000_000,
    max_pages=300,
)  # documents-api

WRITE_SCOPES = frozenset(
    {"w_member_social", "w_member_social_feed", "w_organization_social", "w_organization_social_feed"}
)
_HALVES = re.compile(r"[\ud800-\udfff\x00]")


def pick_target(mime_type: str, options: Mapping[str, str]) -> Target | None:
    """Say what LinkedIn takes for a file; None when it takes no such file in this post."""
    if mime_type.startswith("image/"):
        return IMAGE
    if pick_format(options, has_document=False) == "article":
        return None  # its card shows a picture and nothing else
    if mime_type.startswith("video/"):
        return VIDEO
    return DOCUMENT if mime_type in DOCUMENT.mime_types else None


def pick_format(options: Mapping[str, str], *, has_document: bool) -> Format:
    """Say what a post becomes: what its options say, else what its link or its file makes of it."""
    chosen = options.get("format", "")
    if chosen in ("post", "document", "article"):
        return chosen  # type: ignore[return-value]  # mypy does not narrow a str by `in`
    if options.get("link"):
        return "article"
    return "document" if has_document else "post"


def format_of(part: Part) -> Format:
    """Say what a part becomes."""
    return pick_format(part.options, has_document=any(_is_document(media) for media in part.media))


def count_text(text: str, facts: AccountFacts) -> Count:
    """Count a text as LinkedIn does, as far as it says."""
    return Count(
        used=count_utf16(littletext.show(text)),  # of a mention, readers see the name
        limit=MAX_CHARACTERS,
        unit="characters",
        cut_at=FOLD_CHARACTERS if len(text) > FOLD_CHARACTERS else None,
    )


def check_parts(parts: Sequence[Part], facts: AccountFacts) -> list[Finding]:
    """Check a whole post against LinkedIn's limits.

    Returns:
        what was found; LinkedIn will take the post when nothing in it has the level `error`.
    """
    if not parts:
        return [Finding(target="linkedin", code="post.empty", message="The post has no parts.", fix="Write a text.")]
    return [*_check_scopes(facts), *(found for part in parts for found in _check_part(part, facts))]


def _check_scopes(facts: AccountFacts) -> Iterator[Finding]:
    if facts.scopes and not facts.scopes & WRITE_SCOPES:
        yield Finding(
            target="linkedin",
            code="account.scope",
            message="The account's grant does not allow to publish.",
            limit="w_member_social",
            got=" ".join(sorted(facts.scopes)),
            fix="Add the product Share on LinkedIn to the app, and connect the account again.",
        )


def _check_part(part: Part, facts: AccountFacts) -> Iterator[Finding]:
    if part.index and part.kind == "post":
        yield _finding(
            part,
            "thread.unsupported",
            "LinkedIn has no threads.",
            fix="Put it into the first part, or make it the first comment.",
        )
    elif part.kind == "comment":
        yield from _check_comment(part)
    else:
        yield from _check_text(part, facts)
        yield from check_options(part, OPTIONS, target="linkedin")
        yield from _check_choices(part)
        yield from _check_files(part)


def _check_comment(part: Part) -> Iterator[Finding]:
    if part.index != 1:
        yield _finding(
            part,
            "comment.place",
            "LinkedIn gets one first comment, right after the post.",
            limit=1,
            got=part.index,
            fix="Leave one comment.",
        )
    if part.media:
        yield _finding(part, "comment.media", "A comment on LinkedIn goes out without files.", fix="Remove them.")
    if not part.text.strip():
        yield _finding(part, "text.empty", "The comment has no text.", fix="Write one, or leave the comment out.")
    count = Count(used=count_utf16(part.text), limit=MAX_COMMENT_CHARACTERS, unit="characters")
    yield from check_length(part, count, target="linkedin", title="LinkedIn")
    yield from _check_characters(part)


def _check_text(part: Part, facts: AccountFacts) -> Iterator[Finding]:
    if not part.text.strip() and not part.media and format_of(part) != "article":
        yield _finding(part, "text.empty", "There is neither text nor media.", fix="Write a text or add an image.")
    yield from check_length(part, count_text(part.text, facts), target="linkedin", title="LinkedIn")
    yield from _check_characters(part)


def _check_characters(part: Part) -> Iterator[Finding]:
    if _HALVES.search(part.text):
        yield _finding(
            part,
            "text.invalid_characters",
            "The text holds half a character or a NUL.",
            fix="Remove it; it is invisible and often comes along when pasting.",
        )


def _check_choices(part: Part) -> Iterator[Finding]:
    """Check that the options go together: what LinkedIn would drop is refused."""
    kind, options = format_of(part), part.options
    title, link = options.get("title", ""), options.get("link", "")
    if kind in ("document", "article") and not title.strip():
        name = "document" if kind == "document" else "article's card"
        yield _finding(
            part, "option.missing", f"A{'n' if kind == 'article' else ''} {name} needs a title.",
            at="options.title", fix="Set the option title.",
        )  # fmt: skip
    elif title and kind == "post" and len(part.media) != 1:
        yield _unused(part, "title", "Only a document, an article or a single file has a title.")
    if count_utf16(title) > MAX_TITLE_CHARACTERS:
        yield _finding(
            part, "option.too_long", f"The title has {count_utf16(title)} characters; LinkedIn takes {MAX_TITLE_CHARACTERS}.",
            at="options.title", limit=MAX_TITLE_CHARACTERS, got=count_utf16(title), fix="Shorten the title.",
        )  # fmt: skip
    if link and kind != "article":
        yield _unused(part, "link", "Only an article has a link of its own.")
    elif kind == "article" and not _is_address(link):
        yield _finding(
            part, "option.link", "An article needs the address that its card leads to.",
            at="options.link", got=link, fix="Set the option link to an address like https://example.com/story.",
        )  # fmt: skip


def _check_files(part: Part) -> Iterator[Finding]:
    kind, number = format_of(part), len(part.media)
    if kind == "document" and not (number == 1 and _is_document(part.media[0])):
        yield _finding(
            part,
            "media.document",
            "A document post holds one PDF, Word or PowerPoint file.",
            limit=1,
            got=number,
            fix="Attach one document, or images with the option format=document: PSN makes a PDF of them.",
        )
    if kind == "post" and any(_is_document(media) for media in part.media):
        yield _unused(part, "format", "A document does not go into a post of the format `post`.")
    yield from check_media(
        part,
        pick_target,
        target="linkedin",
        title="LinkedIn",
        max_alt=MAX_ALT_CHARACTERS,
        count_alt=count_utf16,
        most=1 if kind == "article" else MAX_IMAGES,
        alone=("video", "document"),
    )


def _unused(part: Part, name: str, message: str) -> Finding:
    return _finding(
        part, "option.unused", message, at=f"options.{name}", got=part.options.get(name), fix=f"Leave {name} out, or change the format."
    )  # fmt: skip


def _is_document(media: MediaFile) -> bool:
    return media.mime_type in DOCUMENT.mime_types


def _is_address(link: str) -> bool:
    try:
        address = urlsplit(link)
        return address.scheme in ("http", "https") and bool(address.hostname) and not re.search(r"\s", link)
    except ValueError:
        return False


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
    return finding(part, "linkedin", code, message, fix=fix, at=at, limit=limit, got=got)
