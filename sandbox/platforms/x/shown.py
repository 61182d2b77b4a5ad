"""X's posts as the feed shows them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.platforms.registry import Link, ShownText
from sandbox.platforms.x import metrics, text

if TYPE_CHECKING:  # read before Django is set up
    from sandbox.models import Post


def show_text(post: Post) -> ShownText:
    """Show a post's text, each link by its host and beginning, with its t.co form as a tooltip."""
    shown = text.show_text(post.text, post_id=post.id)
    links = [Link(u["start"], u["end"], u["expanded_url"], u["url"], u["display_url"]) for u in shown.urls]
    return ShownText(shown.text, links)


def show_counts(post: Post, age: timedelta) -> list[tuple[str, int]]:
    """Give a post's counts in the order of its page."""
    counts = metrics.count_public(post.id, age=age)
    names = {
        "reply_count": "replies",
        "repost_count": "reposts",
        "like_count": "likes",
        "bookmark_count": "bookmarks",
        "impression_count": "views",
    }
    return [(label, counts[name]) for name, label in names.items()]
