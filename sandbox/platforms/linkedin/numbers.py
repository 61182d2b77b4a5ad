"""LinkedIn's numbers: what a post has been seen and what was done with it by now. Pure."""

from __future__ import annotations

from datetime import timedelta

from sandbox.metrics import count_share, count_views

# Of those who saw it. LinkedIn's `queryType`: share
_SHARES = {
    "MEMBERS_REACHED": 0.6,
    "REACTION": 0.02,
    "COMMENT": 0.004,
    "RESHARE": 0.003,
    "POST_SAVE": 0.002,
    "POST_SEND": 0.001,
    "LINK_CLICKS": 0.01,
}
QUERIES = ("IMPRESSION", *_SHARES)
SINCE_202604 = frozenset({"POST_SAVE", "POST_SEND", "LINK_CLICKS"})


def count(post_id: int, query_type: str, *, age: timedelta) -> int:
    """Give one of a post's numbers."""
    if query_type == "IMPRESSION":
        return count_views(post_id, age=age)
    return count_share(post_id, query_type, age=age, ratio=_SHARES[query_type])


def count_followers(page_id: int, *, age: timedelta) -> int:
    """Give how many follow a page."""
    return 100 + count_share(page_id, "followers", age=age, ratio=0.05)
