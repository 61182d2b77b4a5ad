"""Threads' limits on what a post may hold, checked before anything is sent (PUB-11).

Sources, read 2026-11-20: developers.facebook.com/documentation/threads, pages posts (2026-04-14), overview (2025-12-22: links) and
Meta's Postman collection (who may reply).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from psn.errors import Finding
from psn.media.facts import ImageTarget, Target, VideoTarget
from psn.platforms.base import AccountFacts, Count, Option, Part
from psn.platforms.checks import check_length, check_media, check_options, finding
from psn.platforms.threads.oauth import REPLIES_SCOPE
from psn.text.counting import count_emoji_bytes, count_utf16
from psn.text.links import find_links

NAME, TITLE = "threads", "Threads"

MAX_CHARACTERS = 500  # an emoji counts its bytes of UTF-8
MAX_LINKS = 5  # different ones, the attached one among them
MAX_TOPIC_CHARACTERS = 50
MAX_ALT_CHARACTERS = 1000
MIN_CAROUSEL, MAX_CAROUSEL = 2, 20

OPTIONS = (
    Option("format", "a post, or a carousel of several files", ("post", "carousel")),
    Option("link", "an address shown as a card below a post without files"),
    Option("topic", "the topic to post it under: 1 to 50 characters, no dots, no ampersands"),
    Option(
        "reply_control",
        "who may reply",
        ("everyone", "accounts_you_follow", "mentioned_only", "parent_post_author_only", "followers_only"),
    ),
)

_IMAGE = ImageTarget(
    mime_types=("image/jpeg", "image/png"), max_bytes=8_000_000, min_ratio=0.1, max_ratio=10, max_width=1440
)
_VIDEO = VideoTarget(
    mime_types=("video/mp4", "video/quicktime"),
    max_bytes=1024**3,
    max_seconds=5 * 60,
    min_ratio=0.01,
    max_ratio=10,
    max_width=1920,
    min_frame_rate=23,
    max_frame_rate=60,
    video_codecs=("h264", "hevc"),
)


def pick_target(mime_type: str, options: Mapping[str, str]) -> Target | None:
    """Say what Threads takes for a file; None when it takes no such file. WebP becomes JPEG."""
    if mime_type in ("image/jpeg", "image/png", "image/webp"):
        return _IMAGE
    return _VIDEO if mime_type.startswith("video/") else None


def count_text(text: str, account: AccountFacts) -> Count:
    """Count a text as Threads does: an emoji by its bytes."""
    return Count(used=count_emoji_bytes(text), limit=MAX_CHARACTERS, unit="characters")


def check_parts(parts: Sequence[Part], account: AccountFacts) -> list[Finding]:
    """Check a whole post against Threads' limits; comments are parts of the thread there.

    Returns:
        what was found; Threads will take the post when nothing in it has the level `error`.
    """
    if not parts:
        return [Finding(target=NAME, code="post.empty", message="The post has no parts.", fix="Write a text.")]
    found = [*check_options(parts[0], OPTIONS, target=NAME), *_check_choices(parts[0])]
    for part in parts:
        found += [*_check_words(part), *_check_files(part)]
    if len(parts) > 1:
        found += _check_replies(parts[1], account)
    return found + list(_check_quota(parts, account))


def _check_words(part: Part) -> Iterator[Finding]:
    if not part.text.strip() and not part.media:
        yield finding(part, NAME, "text.empty", "There is neither text nor media.", fix="Write a text or add an image.")
    yield from check_length(
        part, count_text(part.text, AccountFacts()), target=NAME, title=TITLE, hint="An emoji counts 4 or more."
    )
    links = {link.text for link in find_links(part.text)} | ({_link_of(part)} - {""})
    if len(links) > MAX_LINKS:
        yield finding(
            part, NAME, "text.too_many_links", f"There are {len(links)} different links; Threads takes {MAX_LINKS}.",
            limit=MAX_LINKS, got=len(links), fix=f"Remove {len(links) - MAX_LINKS}, or spread them over a thread.",
        )  # fmt: skip


def _check_files(part: Part) -> Iterator[Finding]:
    yield from check_media(
        part,
        pick_target,
        target=NAME,
        title=TITLE,
        max_alt=MAX_ALT_CHARACTERS,
        count_alt=count_utf16,
        most=MAX_CAROUSEL,
    )
    if part.index == 0 and part.options.get("format") == "carousel" and len(part.media) < MIN_CAROUSEL:
        yield finding(
            part, NAME, "media.too_few", f"There are {len(part.media)} files; a carousel takes {MIN_CAROUSEL} at least.",
            limit=MIN_CAROUSEL, got=len(part.media), fix="Add files, or leave the format out.",
        )  # fmt: skip


def _check_choices(part: Part) -> Iterator[Finding]:
    link, topic = part.options.get("link"), part.options.get("topic")
    if link is not None and part.media:
        yield finding(
            part, NAME, "option.link_media", "Threads shows no link card beside files.", at="options.link",
            fix="Leave the link out, or write it into the text.",
        )  # fmt: skip
    if link is not None and [found.text for found in find_links(link)] != [link]:
        yield finding(
            part, NAME, "option.value", "The link is not an address.", at="options.link", got=link,
            fix="Give one that begins with https://.",
        )  # fmt: skip
    if topic is not None and (not 1 <= len(topic.strip()) <= MAX_TOPIC_CHARACTERS or set(topic) & set(".&")):
        yield finding(
            part, NAME, "option.value", "Threads does not take this topic.", at="options.topic",
            limit=MAX_TOPIC_CHARACTERS, got=topic, fix="Use 1 to 50 characters, without dots and ampersands.",
        )  # fmt: skip


def _check_replies(part: Part, account: AccountFacts) -> Iterator[Finding]:
    if account.scopes and REPLIES_SCOPE not in account.scopes:
        yield finding(
            part, NAME, "scope.missing", "The account was connected without permission to reply, so it can post no thread.",
            limit=REPLIES_SCOPE, fix="Connect the account again, with that permission.",
        )  # fmt: skip


def _check_quota(parts: Sequence[Part], account: AccountFacts) -> Iterator[Finding]:
    """Warn when the day's publications were used up when last asked; a scheduled post may come later."""
    needed = {"quota_left": 1, "replies_left": len(parts) - 1}
    for name, number in needed.items():
        left = account.capabilities.get(name)
        if isinstance(left, int) and left < number:
            yield finding(
                parts[0], NAME, "quota.spent", f"Threads took {left} more from this account in 24 hours; this needs {number}.",
                level="warning", limit=left, got=number, fix="Schedule it for tomorrow.",
            )  # fmt: skip


def _link_of(part: Part) -> str:
    return part.options.get("link", "") if part.index == 0 else ""
