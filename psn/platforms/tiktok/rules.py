"""TikTok's limits on what a post may hold, checked before anything is sent (PUB-11).

Sources, all developers.tiktok.com, read 2026-11-20: content-posting-api-reference-direct-post and -photo-post (texts, options,
number of photos), content-posting-api-media-transfer-guide (files), content-sharing-guidelines (nothing is chosen for the creator;
paid partnerships cannot be private).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from psn.errors import Finding
from psn.media.facts import ImageTarget, Target, VideoTarget
from psn.platforms.base import AccountFacts, Count, Option, Part
from psn.platforms.checks import check_length, check_media, check_options, finding
from psn.text.counting import count_utf16

MAX_CAPTION = 2200  # UTF-16 units, of a video. direct-post
MAX_TITLE, MAX_DESCRIPTION = 90, 4000  # UTF-16 units, of photos. photo-post
MAX_PHOTOS = 35
POSTS_PER_DAY = 15  # that a creator may publish through apps; TikTok says "around"

LEVELS = ("PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY")
PRIVATE = "SELF_ONLY"
_YES_NO = ("yes", "no")
OPTIONS = (
    Option(
        "format", "inbox: a draft that you finish in the app; direct: a post (inbox unless said)", ("inbox", "direct")
    ),
    Option("visibility", "who sees a direct post; you must choose", LEVELS),
    Option("comments", "let people comment on a direct post (no unless said)", _YES_NO),
    Option("duet", "let people make duets with a direct video (no unless said)", _YES_NO),
    Option("stitch", "let people cut a direct video into theirs (no unless said)", _YES_NO),
    Option("title", "of photos, up to 90 characters; the text is their description"),
    Option("ai", "say that a direct video was made with AI", _YES_NO),
    Option("brand_content", "a direct post is a paid partnership for somebody else's brand", _YES_NO),
    Option("brand_organic", "a direct post is for your own brand", _YES_NO),
)
_IMAGES = ImageTarget(
    # 1080p: upright as the app shows them.
    ("image/jpeg", "image/webp"), max_bytes=20_000_000, max_width=1080, max_height=1920,
)  # fmt: skip
_VIDEOS = VideoTarget(
    ("video/mp4", "video/quicktime", "video/webm"),
    max_bytes=4_000_000_000,
    min_seconds=3,
    max_seconds=600,  # by the API; a creator's own limit may be lower: `max_video_post_duration_sec`
    min_side=360,
    max_side=4096,
    min_frame_rate=23,
    max_frame_rate=60,
    video_codecs=("h264", "hevc", "vp8", "vp9"),
    audio_codecs=("aac", "mp3", "opus", "vorbis"),
)

# A draft takes none of these. `no` is the app's own answer to some of them, but not to comments, duets and stitches.
_DIRECT_ONLY = ("visibility", "comments", "duet", "stitch", "ai", "brand_content", "brand_organic")
_OFF_IN_APP = ("ai", "brand_content", "brand_organic")
_SWITCHED_OFF = {
    "comments": "comment_disabled",
    "duet": "duet_disabled",
    "stitch": "stitch_disabled",
}  # in creator_info


def is_direct(options: Mapping[str, str]) -> bool:
    """Say whether a post goes out by itself; otherwise it is a draft that a person finishes."""
    return options.get("format", "inbox") == "direct"


def is_on(options: Mapping[str, str], name: str) -> bool:
    """Say whether something was asked for; what nobody said is off."""
    return options.get(name) == "yes"


def has_video(part: Part) -> bool:
    """Say whether a part is a video; else it is photos."""
    return any(media.kind == "video" for media in part.media)


def pick_target(mime_type: str, options: Mapping[str, str]) -> Target | None:
    """Say what TikTok takes for a file of this type."""
    if mime_type.startswith("image/"):
        return _IMAGES
    return _VIDEOS if mime_type.startswith("video/") else None


def count_text(text: str, account: AccountFacts) -> Count:
    """Count a video's caption; photos may say more."""
    return Count(used=count_utf16(text), limit=MAX_CAPTION, unit="characters")


def check_parts(parts: Sequence[Part], account: AccountFacts) -> list[Finding]:
    """Check a whole post against TikTok's limits and the creator's own.

    Returns:
        what was found; TikTok will take the post when nothing in it has the level `error`.
    """
    if not parts:
        return [
            Finding(target="tiktok", code="post.empty", message="The post has no parts.", fix="Add a video or photos.")
        ]
    first, *further = parts
    found = [*check_options(first, OPTIONS, target="tiktok"), *_check_files(first), *_check_words(first)]
    found += _check_direct(first, account) if is_direct(first.options) else _check_inbox(first, account)
    return found + [_refuse_further(part) for part in further]


def _refuse_further(part: Part) -> Finding:
    if part.kind == "comment":
        return _finding(part, "comment.unsupported", "TikTok's API takes no comments.", fix="Write it in the app.")
    return _finding(part, "thread.unsupported", "TikTok has no threads.", fix="Make one post of it, or several.")


def _check_files(part: Part) -> Iterator[Finding]:
    if not part.media:
        yield _finding(
            part, "media.missing", "TikTok takes no text alone.", fix=f"Add one video or 1 to {MAX_PHOTOS} photos."
        )
    yield from check_media(part, pick_target, target="tiktok", title="TikTok", most=MAX_PHOTOS, alone=("video",))
    if any(media.alt_text for media in part.media):
        yield _finding(
            part, "media.alt_not_sent", "TikTok's API takes no alt texts, so they stay here.",
            fix="Say in the text what there is to see.", level="warning",
        )  # fmt: skip


def _check_words(part: Part) -> Iterable[Finding]:
    title = part.options.get("title", "")
    if has_video(part):
        if title:
            yield _option(
                part, "title", "A TikTok video has no title besides its caption.", fix="Put it into the text."
            )
        yield from check_length(part, _count(part.text, MAX_CAPTION), target="tiktok", title="TikTok")
        return
    yield from check_length(part, _count(part.text, MAX_DESCRIPTION), target="tiktok", title="TikTok")
    if count_utf16(title) > MAX_TITLE:
        yield _finding(
            part, "title.too_long", f"The title has {count_utf16(title)} characters; TikTok takes {MAX_TITLE}.",
            at="options.title", limit=MAX_TITLE, got=count_utf16(title), fix="Shorten the title; the text may be long.",
        )  # fmt: skip


def _check_inbox(part: Part, account: AccountFacts) -> Iterator[Finding]:
    for name in _DIRECT_ONLY:
        value = part.options.get(name, "")
        if value and not (name in _OFF_IN_APP and value == "no"):
            yield _option(
                part, name, f"A draft in TikTok's inbox takes no {name}: it is chosen in the app.",
                fix=f"Leave {name} out, or choose format=direct.",
            )  # fmt: skip
    if has_video(part) and part.text.strip():
        yield _finding(
            part, "text.not_sent", "TikTok takes no caption for a video draft, so the text stays here.",
            fix="Paste it in the app when you finish the draft, or choose format=direct.", level="warning",
        )  # fmt: skip
    yield from _check_scope(part, account, "video.upload")


def _check_direct(part: Part, account: AccountFacts) -> Iterator[Finding]:
    yield from _check_visibility(part, account)
    yield from _check_switches(part, account)
    yield from _check_seconds(part, account)
    yield from _check_scope(part, account, "video.publish")
    if is_on(part.options, "ai") and not has_video(part):
        yield _option(
            part, "ai", "TikTok takes the mark for AI only with videos.",
            fix="Choose format=inbox and set the mark in the app when you finish the draft.",
        )  # fmt: skip


def _check_visibility(part: Part, account: AccountFacts) -> Iterator[Finding]:
    chosen, offered = part.options.get("visibility", ""), account.capabilities.get("privacy_level_options") or LEVELS
    choices = ", ".join(offered)
    if not chosen:
        yield _option(
            part, "visibility", "Who sees a direct post on TikTok is yours to choose, and nobody chose.",
            fix=f"Choose one of: {choices}.", limit=choices, code="option.missing",
        )  # fmt: skip
    elif chosen in LEVELS and chosen not in offered:
        yield _option(
            part, "visibility", f"TikTok does not offer {chosen} to this account.",
            fix=f"Choose one of: {choices}.", limit=choices,
        )  # fmt: skip
    if chosen == PRIVATE and is_on(part.options, "brand_content"):
        yield _option(
            part,
            "visibility",
            "TikTok lets nobody hide a paid partnership.",
            fix="Choose another visibility than SELF_ONLY.",
        )


def _check_switches(part: Part, account: AccountFacts) -> Iterator[Finding]:
    for name, switch in _SWITCHED_OFF.items():
        if not is_on(part.options, name):
            continue
        if account.capabilities.get(switch):
            yield _option(
                part, name, f"This account has switched {name} off at TikTok.",
                fix=f"Leave {name} out, or switch it on in the app's privacy settings.",
            )  # fmt: skip
        elif name != "comments" and not has_video(part):
            yield _option(part, name, f"TikTok knows {name} only for videos.", fix=f"Leave {name} out.")


def _check_seconds(part: Part, account: AccountFacts) -> Iterator[Finding]:
    most = account.capabilities.get("max_video_post_duration_sec")
    for position, media in enumerate(part.media):
        seconds = media.facts.duration_seconds if media.facts else None
        if most and seconds is not None and most < seconds:
            yield _finding(
                part, "media.too_long", f"The video plays {seconds:.1f} s; TikTok takes {most} s from this account.",
                at=f"parts.{part.index}.media.{position}", limit=most, got=f"{seconds:.1f}", fix="Cut the video.",
            )  # fmt: skip


def _check_scope(part: Part, account: AccountFacts, scope: str) -> Iterator[Finding]:
    if account.scopes and scope not in account.scopes:
        yield _finding(
            part, "account.scope", f"TikTok was not asked for {scope}, or said no to it.", at="account",
            limit=scope, fix=f"Give the app {scope} in TikTok's developer portal and connect the account again.",
        )  # fmt: skip


def _count(text: str, limit: int) -> Count:
    return Count(used=count_utf16(text), limit=limit, unit="characters")


def _option(
    part: Part, name: str, message: str, *, fix: str, limit: str | None = None, code: str = "option.not_possible"
) -> Finding:
    got = part.options.get(name) or None
    return _finding(part, code, message, at=f"options.{name}", got=got, limit=limit, fix=fix)


def _finding(part: Part, code: str, message: str, **details: Any) -> Finding:
    return finding(part, "tiktok", code, message, **details)
