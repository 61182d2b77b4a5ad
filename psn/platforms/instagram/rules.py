"""Instagram's limits on what a post may hold, checked before anything is sent (PUB-11).

Sources, read 2026-11-20: developers.facebook.com/documentation/instagram-platform, pages content-publishing, ig-user/media (formats,
sizes, captions) and changelog (2026-06-22: the label for what AI made).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from psn.errors import Finding
from psn.media.facts import ImageTarget, Target, VideoTarget
from psn.platforms.base import AccountFacts, Count, Option, Part
from psn.platforms.checks import check_length, check_media, check_options, finding
from psn.platforms.instagram.oauth import COMMENTS_SCOPE
from psn.text.counting import count_utf16
from psn.text.tags import find_hashtags, find_mentions

NAME, TITLE = "instagram", "Instagram"

MAX_CAPTION = 2200  # "characters", which nobody defines: UTF-16 units are never fewer
MAX_HASHTAGS = 30
MAX_MENTIONS = 20
MAX_ALT_CHARACTERS = 1000
MIN_CAROUSEL, MAX_CAROUSEL = 2, 10
MAX_IMAGE_BYTES = 8_000_000  # pages differ between 8 MB and 8 MiB
_MB = 1024 * 1024

Shape = Literal["image", "reel", "story", "carousel"]

OPTIONS = (
    Option("format", "what to make of it: a post, a Reel, a Story, a carousel", ("post", "reel", "story", "carousel")),
    Option("ai", "label it as made with AI", ("yes", "no")),
    Option("share_to_feed", "show a Reel in the profile's feed too", ("yes", "no")),
    Option("cover_at_ms", "the moment of a Reel to show as its cover, in milliseconds from its start"),
)

# From 4:5 to 1.91:1; what is narrower than 320 or wider than 1440 pixels is scaled by Instagram itself.
_FEED_IMAGE = ImageTarget(
    mime_types=("image/jpeg",), max_bytes=MAX_IMAGE_BYTES, min_ratio=0.8, max_ratio=1.91, max_width=1440
)
_STORY_IMAGE = ImageTarget(mime_types=("image/jpeg",), max_bytes=MAX_IMAGE_BYTES, max_width=1440)
_VIDEO_TYPES = ("video/mp4", "video/quicktime")
_REEL = VideoTarget(
    mime_types=_VIDEO_TYPES,
    max_bytes=300 * _MB,
    min_seconds=3,
    max_seconds=15 * 60,
    min_ratio=0.01,
    max_ratio=10,
    max_width=1920,
    min_frame_rate=23,
    max_frame_rate=60,
    video_codecs=("h264", "hevc"),
)
_STORY_VIDEO = VideoTarget(
    mime_types=_VIDEO_TYPES,
    max_bytes=100 * _MB,
    min_seconds=3,
    max_seconds=60,
    min_ratio=0.1,
    max_ratio=10,
    max_width=1920,
    min_frame_rate=23,
    max_frame_rate=60,
    video_codecs=("h264", "hevc"),
)


def pick_target(mime_type: str, options: Mapping[str, str]) -> Target | None:
    """Say what Instagram takes for a file; None when it takes no such file. PNG and the like become JPEG."""
    is_story = options.get("format") == "story"
    if mime_type in ("image/jpeg", "image/png", "image/webp"):
        if options.get("format") == "reel":
            return None
        return _STORY_IMAGE if is_story else _FEED_IMAGE
    if mime_type.startswith("video/"):
        return _STORY_VIDEO if is_story else _REEL
    return None


def pick_shape(part: Part) -> Shape:
    """Say what becomes of a part: what its options ask for, or what its files are."""
    if part.options.get("format") == "story":
        return "story"
    if len(part.media) > 1 or part.options.get("format") == "carousel":
        return "carousel"
    return "reel" if part.media and part.media[0].kind == "video" else "image"


def count_text(text: str, account: AccountFacts) -> Count:
    """Count a caption; the app hides what comes after some 125 characters behind "more"."""
    return Count(used=count_utf16(text), limit=MAX_CAPTION, unit="characters", cut_at=125 if len(text) > 125 else None)


def check_parts(parts: Sequence[Part], account: AccountFacts) -> list[Finding]:
    """Check a whole post against Instagram's limits.

    Returns:
        what was found; Instagram will take the post when nothing in it has the level `error`.
    """
    if not parts:
        return [
            Finding(target=NAME, code="post.empty", message="The post has no parts.", fix="Add an image or a video.")
        ]
    found = [*check_options(parts[0], OPTIONS, target=NAME), *_check_post(parts[0]), *_check_quota(parts[0], account)]
    for part in parts[1:]:
        found += _check_comment(part, parts, account) if part.kind == "comment" else _refuse_thread(part)
    return found


def _check_post(part: Part) -> Iterator[Finding]:
    if not part.media:
        yield finding(
            part, NAME, "media.missing", "Instagram takes no post without an image or a video.",
            limit=1, got=0, fix="Add an image or a video.",
        )  # fmt: skip
    yield from _check_words(part)
    yield from check_media(
        part, pick_target, target=NAME, title=TITLE, max_alt=MAX_ALT_CHARACTERS, count_alt=count_utf16
    )
    yield from _check_shape(part)
    yield from _check_alt_place(part)


def _check_words(part: Part) -> Iterator[Finding]:
    yield from check_length(part, count_text(part.text, AccountFacts()), target=NAME, title=TITLE)
    for spans, limit, code, word in (
        (find_hashtags(part.text), MAX_HASHTAGS, "text.too_many_hashtags", "hashtags"),
        (find_mentions(part.text), MAX_MENTIONS, "text.too_many_mentions", "mentions"),
    ):
        if len(spans) > limit:
            yield finding(
                part, NAME, code, f"There are {len(spans)} {word}; Instagram takes {limit}.",
                limit=limit, got=len(spans), fix=f"Remove {len(spans) - limit} {word}.",
            )  # fmt: skip


def _check_shape(part: Part) -> Iterator[Finding]:
    wanted, count = part.options.get("format", ""), len(part.media)
    shape = pick_shape(part)
    if shape == "carousel" and wanted in ("", "post", "carousel"):
        if part.media and not MIN_CAROUSEL <= count <= MAX_CAROUSEL:
            yield finding(
                part, NAME, "media.too_many" if count > MAX_CAROUSEL else "media.too_few",
                f"There are {count} files; a carousel takes {MIN_CAROUSEL} to {MAX_CAROUSEL}.",
                limit=MAX_CAROUSEL if count > MAX_CAROUSEL else MIN_CAROUSEL, got=count,
                fix="Remove some." if count > MAX_CAROUSEL else "Add one, or leave the format out.",
            )  # fmt: skip
    elif count > 1:
        yield finding(
            part, NAME, "media.too_many", f"There are {count} files; a {wanted} takes one.", limit=1, got=count,
            fix="Leave one file.",
        )  # fmt: skip
    if shape == "story" and part.text.strip():
        yield finding(
            part, NAME, "story.text", "A Story shows no caption.", limit=0, got=len(part.text),
            fix="Leave the text out, or put the words into the picture.",
        )  # fmt: skip
    yield from _check_reel_options(part, is_reel=shape == "reel")


def _check_reel_options(part: Part, *, is_reel: bool) -> Iterator[Finding]:
    for name in ("share_to_feed", "cover_at_ms"):
        if name in part.options and not is_reel:
            yield finding(
                part, NAME, "option.reel_only", f"The option {name} is for Reels only.", at=f"options.{name}",
                fix="Leave it out, or publish one video.",
            )  # fmt: skip
    cover = part.options.get("cover_at_ms", "0")
    if not (re.fullmatch(r"[0-9]{1,9}", cover) and int(cover) <= _last_moment_ms(part)):
        yield finding(
            part, NAME, "option.value", "The video has no such moment.", at="options.cover_at_ms", got=cover,
            limit=_last_moment_ms(part), fix="Give milliseconds from the start, inside the video.",
        )  # fmt: skip


def _last_moment_ms(part: Part) -> int:
    facts = part.media[0].facts if part.media else None
    seconds = facts.duration_seconds if facts and facts.duration_seconds is not None else 15 * 60
    return int(seconds * 1000)


def _check_alt_place(part: Part) -> Iterable[Finding]:
    """Alt texts are for images in the feed. Said as a warning: the same file may carry one for another platform."""
    story = pick_shape(part) == "story"
    for position, media in enumerate(part.media):
        if media.alt_text and (story or media.kind == "video"):
            yield finding(
                part, NAME, "media.alt_unused", "Instagram has no place for the alt text of a video or a Story.",
                at=f"parts.{part.index}.media.{position}", level="warning", fix="Describe it in the caption.",
            )  # fmt: skip


def _check_comment(part: Part, parts: Sequence[Part], account: AccountFacts) -> Iterator[Finding]:
    if part.index > 1 or parts[0].options.get("format") == "story":
        what = (
            "A Story takes no comment." if parts[0].options.get("format") == "story" else "There is one first comment."
        )
        yield finding(part, NAME, "comment.unsupported", what, fix="Leave this part out.")
    if part.media:
        yield finding(
            part, NAME, "comment.media", "A comment on Instagram is text only.", limit=0, got=len(part.media),
            fix="Remove the files from the comment.",
        )  # fmt: skip
    if not part.text.strip():
        yield finding(part, NAME, "text.empty", "The comment is empty.", fix="Write a text, or leave the part out.")
    if account.scopes and COMMENTS_SCOPE not in account.scopes:
        yield finding(
            part, NAME, "scope.missing", "The account was connected without permission to comment.",
            limit=COMMENTS_SCOPE, fix="Connect the account again, with that permission.",
        )  # fmt: skip
    yield from _check_words(part)


def _refuse_thread(part: Part) -> Iterator[Finding]:
    yield finding(
        part, NAME, "thread.unsupported", "Instagram has no threads.", limit=1, got=part.index + 1,
        fix="Put everything into one post, or make the second part its first comment.",
    )  # fmt: skip


def _check_quota(part: Part, account: AccountFacts) -> Iterator[Finding]:
    """Warn when the day's publications were used up when last asked; a scheduled post may come later."""
    left, total = account.capabilities.get("quota_left"), account.capabilities.get("quota_total")
    if left == 0:
        yield finding(
            part, NAME, "quota.spent", f"Instagram let this account publish {total} times in 24 hours, and all were used.",
            level="warning", limit=total if isinstance(total, int) else None, got=0, fix="Schedule it for tomorrow.",
        )  # fmt: skip
