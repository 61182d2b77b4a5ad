"""How posts do, in X's words."""

from __future__ import annotations

from datetime import timedelta

from sandbox.metrics import count_share, count_views, luck

# share of the views; each post is better or worse at each by up to a half
RATIOS = {"like_count": 0.04, "reply_count": 0.006, "repost_count": 0.01, "quote_count": 0.002, "bookmark_count": 0.008}


def count_public(post_id: int, *, age: timedelta) -> dict[str, int]:
    """Give `public_metrics` of a post. Pure; never falls while the age grows."""
    counts = {name: count_share(post_id, name, age=age, ratio=ratio) for name, ratio in RATIOS.items()}
    return {**counts, "impression_count": count_views(post_id, age=age)}


def count_private(post_id: int, *, age: timedelta) -> dict[str, int]:
    """Give `non_public_metrics` of a post: what only its author sees."""
    public = count_public(post_id, age=age)
    views = public["impression_count"]
    clicks, visits = int(views * 0.012 * (0.5 + luck(post_id, "clicks"))), int(views * 0.005)
    reactions = sum(public[name] for name in RATIOS)
    return {
        "impression_count": views,
        "url_link_clicks": clicks,
        "user_profile_clicks": visits,
        "engagements": reactions + clicks + visits,
    }
