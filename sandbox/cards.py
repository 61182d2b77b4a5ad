"""One post as a person sees it: the text marked up, the files, the counts, its place in a thread."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from sandbox import metrics
from sandbox.models import Account, Post, Upload
from sandbox.platforms.registry import Link, SandboxPlatform, ShownText, get_platform
from sandbox.posts import attachments_of
from sandbox.uploads import media_path

MARK = re.compile(r"(?<![\w&/])[#@]\w+")
ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]']")
LABELS = {
    "comment": "comment",
    "story": "story",
    "reel": "reel",
    "carousel": "carousel",
    "document": "document",
    "article": "article",
    "inbox": "waits in the app's inbox",
}
MARK_LENGTH = 4  # letters of a file's type
VISIBLE_TO_ALL = ("", "public", "everyone", "public_to_everyone")
VISIBLE_TO_NONE = ("inbox", "self_only")


@dataclass(frozen=True, slots=True)
class Picture:
    """An attached file on a page: `image`, `video` or `document`."""

    url: str
    alt_text: str
    kind: str
    name: str
    mark: str


@dataclass(frozen=True, slots=True)
class LinkCard:
    """A link that stands below a text as a card."""

    url: str
    host: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Card:
    """One post on a page; the line of its thread reaches it from above, goes on below, or passes it by."""

    post: Post
    platform: SandboxPlatform
    url: str
    profile_url: str
    hue: int
    title: str
    spoiler: str
    body: SafeString
    age: str
    badges: list[str]
    pictures: list[Picture]
    link: LinkCard | None
    counts: list[tuple[str, str]]
    is_comment: bool
    is_waiting: bool
    is_passed: bool
    is_joined_above: bool
    is_joined_below: bool
    is_subject: bool


def arrange_posts(posts: list[Post], *, subject: Post | None, now: datetime) -> list[list[Card]]:
    """Put posts of one conversation together, oldest first; the liveliest conversation comes first."""
    threads: dict[int, list[Post]] = {}
    for post in posts:  # newest first, so a conversation stands where its newest post does
        threads.setdefault(post.conversation_id, []).insert(0, post)
    return [_arrange_thread(thread, subject=subject, now=now) for thread in threads.values()]


def _arrange_thread(thread: list[Post], *, subject: Post | None, now: datetime) -> list[Card]:
    """Give a conversation's cards: its posts joined by a line, each comment right below what it is about."""
    ordered: list[Post] = []
    for post in thread:
        place = len(ordered) if post.kind != "comment" else _place_below(ordered, post)
        ordered.insert(place, post)
    among = len(ordered)
    return [_make_card(post, index=index, among=among, subject=subject, now=now) for index, post in enumerate(ordered)]


def _place_below(ordered: Sequence[Post], comment: Post) -> int:
    """Say where a comment goes: behind its post and that post's earlier comments."""
    family = {comment.reply_to}
    place = len(ordered)
    for index, post in enumerate(ordered):
        if post.id in family or (post.kind == "comment" and post.reply_to in family):
            family.add(post.id)
            place = index + 1
    return place


def _make_card(post: Post, *, index: int, among: int, subject: Post | None, now: datetime) -> Card:
    """Make one card.

    Args:
        index: its place in the conversation.
        among: how many cards that has.
    """
    platform = get_platform(post.account.platform)
    age, is_comment = now - post.created_at, post.kind == "comment"
    return Card(
        post=post,
        platform=platform,
        url=f"/{platform.name}{platform.post_path(post)}",
        profile_url=f"/{platform.name}{platform.profile_path(post.account.handle)}",
        hue=pick_hue(post.account),
        title=_find_title(post),
        spoiler=str(post.data.get("spoiler") or ""),
        body=write_body(platform.show_text(post) if platform.show_text else find_links(post.text)),
        age=describe_age(age),
        badges=_list_badges(post, is_below=index > 0),
        pictures=[_show_file(upload) for upload in attachments_of(post)],
        link=_show_link(post.data.get("link")),
        counts=_list_counts(post, platform=platform, age=age),
        is_comment=is_comment,
        is_waiting=post.kind == "inbox",
        is_passed=is_comment and index < among - 1,
        is_joined_above=not is_comment and index > 0,
        is_joined_below=not is_comment and index < among - 1,
        is_subject=subject is not None and post.id == subject.id and among > 1,
    )


def _find_title(post: Post) -> str:
    """Give the title, unless it is the beginning of the text anyway."""
    title = str(post.data.get("title") or "")
    return "" if post.text.startswith(title) else title


def _list_badges(post: Post, *, is_below: bool) -> list[str]:
    """Say in a word or two what is special about a post; a comment that stands below its post needs no word."""
    badges = [LABELS[post.kind]] if post.kind in LABELS and not (is_below and post.kind == "comment") else []
    visibility = str(post.data.get("visibility") or "").lower()
    if visibility not in (*VISIBLE_TO_ALL, post.kind):
        badges.append(visibility.replace("_", " "))
    if post.data.get("topic_tag"):
        badges.append(f"#{post.data['topic_tag']}")
    if post.data.get("sensitive"):
        badges.append("sensitive")
    if post.made_with_ai:
        badges.append("made with AI")
    return badges


def _show_file(upload: Upload) -> Picture:
    kind = upload.mime_type.partition("/")[0]
    mark = upload.mime_type.rpartition("/")[2].upper()
    mark = mark if len(mark) <= MARK_LENGTH else "FILE"
    return Picture(
        url=media_path(upload),
        alt_text=upload.alt_text,
        kind=kind if kind in ("image", "video") else "document",
        name=str(upload.data.get("name") or f"{upload.total_bytes:,} bytes"),
        mark=mark,
    )


def _show_link(link: Any) -> LinkCard | None:
    if not isinstance(link, dict) or not link.get("url"):
        return None
    address = urlsplit(str(link["url"]))
    if address.scheme not in ("http", "https"):  # somebody's `javascript:` stays a text
        return None
    title = str(link.get("title") or address.netloc)
    return LinkCard(str(link["url"]), address.netloc, title, str(link.get("description") or ""))


def find_links(text: str) -> ShownText:
    """Show a text as it is, its http links marked."""
    return ShownText(text, [Link(found.start(), found.end(), found.group()) for found in ADDRESS.finditer(text)])


def write_body(shown: ShownText) -> SafeString:
    """Give a text as HTML: everything escaped, links and tags marked."""
    html, at = "", 0
    for link in shown.links:
        html += _mark(shown.text[at : link.start]) + _write_link(link, words=shown.text[link.start : link.end])
        at = link.end
    return mark_safe(html + _mark(shown.text[at:]))  # noqa: S308 (every piece above is escaped)


def _write_link(link: Link, *, words: str) -> str:
    if urlsplit(link.url).scheme not in ("http", "https"):
        return _mark(link.shown or words)
    return format_html(
        '<a href="{}" title="{}" rel="noreferrer nofollow">{}</a>',
        link.url,
        link.title or link.url,
        link.shown or words,
    )


def _mark(text: str) -> str:
    html, at = "", 0
    for found in MARK.finditer(text):
        html += escape(text[at : found.start()]) + format_html('<span class="tag">{}</span>', found.group())
        at = found.end()
    return html + escape(text[at:])


def pick_hue(account: Account) -> int:
    """Give the account's colour, in degrees."""
    return int.from_bytes(account.platform_account_id.encode()[-4:]) % 360


def _list_counts(post: Post, *, platform: SandboxPlatform, age: timedelta) -> list[tuple[str, str]]:
    if post.kind in ("inbox", "comment") or str(post.data.get("visibility")).lower() in VISIBLE_TO_NONE:
        return []
    counts = platform.show_counts(post, age) if platform.show_counts else _usual_counts(post, age)
    return [(name_count(name, count), f"{count:,}") for name, count in counts]


def _usual_counts(post: Post, age: timedelta) -> list[tuple[str, int]]:
    return [
        ("likes", metrics.count_share(post.id, "likes", age=age, ratio=0.04)),
        ("views", metrics.count_views(post.id, age=age)),
    ]


def name_count(plural: str, count: int) -> str:
    """Give a count's label: `replies`, but 1 `reply`."""
    if count != 1:
        return plural
    return f"{plural[:-3]}y" if plural.endswith("ies") else plural.removesuffix("s")


def describe_age(age: timedelta) -> str:
    """Give an age as a feed shows it: 12s, 5m, 3h, 2d."""
    seconds = max(int(age.total_seconds()), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
