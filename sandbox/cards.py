"""One post as a person sees it: the text marked up, the files, the counts, its place in a thread."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from sandbox.models import Account, Post
from sandbox.platforms.x import metrics
from sandbox.platforms.x.rendering import attachments_of
from sandbox.platforms.x.text import show_text

MARK = re.compile(r"(?<![\w&/])[#@]\w+")


@dataclass(frozen=True, slots=True)
class Picture:
    """An attached file on a page."""

    url: str
    alt_text: str
    is_video: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One post on a page; the line of its thread reaches it from above, or goes on below."""

    post: Post
    hue: int
    body: SafeString
    age: str
    pictures: list[Picture]
    counts: list[tuple[str, str]]
    is_joined_above: bool
    is_joined_below: bool
    is_subject: bool


def arrange_posts(posts: list[Post], *, subject: Post | None, now: datetime) -> list[list[Card]]:
    """Put posts of one conversation together, oldest first; the liveliest conversation comes first."""
    threads: dict[int, list[Post]] = {}
    for post in posts:  # newest first, so a conversation stands where its newest post does
        threads.setdefault(post.conversation_id, []).insert(0, post)
    return [
        [_make_card(post, thread=thread, subject=subject, now=now) for post in thread] for thread in threads.values()
    ]


def _make_card(post: Post, *, thread: list[Post], subject: Post | None, now: datetime) -> Card:
    return Card(
        post=post,
        hue=pick_hue(post.account),
        body=_write_body(post),
        age=describe_age(now - post.created_at),
        pictures=[
            Picture(f"/x/media/{one.platform_media_id}", one.alt_text, is_video=one.mime_type.startswith("video/"))
            for one in attachments_of(post)
        ],
        counts=_count(post, now=now),
        is_joined_above=post is not thread[0],
        is_joined_below=post is not thread[-1],
        is_subject=subject is not None and post.id == subject.id and len(thread) > 1,
    )


def _write_body(post: Post) -> SafeString:
    """Give the text as HTML: everything escaped, links and tags marked."""
    shown = show_text(post.text, post_id=post.id)
    html, at = "", 0
    for url in shown.urls:
        html += _mark(shown.text[at : url["start"]])
        html += format_html(
            '<a href="{}" title="{}" rel="noreferrer nofollow">{}</a>',
            url["expanded_url"],
            url["url"],
            url["display_url"],
        )
        at = url["end"]
    return mark_safe(html + _mark(shown.text[at:]))  # noqa: S308 (every piece above is escaped)


def _mark(text: str) -> str:
    html, at = "", 0
    for found in MARK.finditer(text):
        html += escape(text[at : found.start()]) + format_html('<span class="tag">{}</span>', found.group())
        at = found.end()
    return html + escape(text[at:])


def pick_hue(account: Account) -> int:
    """Give the account's colour, in degrees."""
    return int(account.platform_account_id) % 360


def _count(post: Post, *, now: datetime) -> list[tuple[str, str]]:
    counts = metrics.count_public(post.id, age=now - post.created_at)
    names = {
        "reply_count": ("reply", "replies"),
        "repost_count": ("repost", "reposts"),
        "like_count": ("like", "likes"),
        "bookmark_count": ("bookmark", "bookmarks"),
        "impression_count": ("view", "views"),
    }
    return [(one if counts[name] == 1 else many, f"{counts[name]:,}") for name, (one, many) in names.items()]


def describe_age(age: timedelta) -> str:
    """Give an age as a feed shows it: 12s, 5m, 3h, 2d."""
    seconds = max(int(age.total_seconds()), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
