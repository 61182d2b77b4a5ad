"""How posts do: numbers that grow with age and are the same for everybody who looks at the same moment."""

from __future__ import annotations

import hashlib
import math
from datetime import timedelta

HALF_WAY = timedelta(hours=6)  # at this age a post has 63 % of the views it will ever get

# share of the views; each post is better or worse at each by up to a half
RATIOS = {"like_count": 0.04, "reply_count": 0.006, "repost_count": 0.01, "quote_count": 0.002, "bookmark_count": 0.008}


def count_public(post_id: int, *, age: timedelta) -> dict[str, int]:
    """Give `public_metrics` of a post. Pure; never falls while the age grows."""
    views = _final_views(post_id) * (1 - math.exp(-max(age.total_seconds(), 0) / HALF_WAY.total_seconds()))
    counts = {name: int(views * ratio * (0.5 + _luck(post_id, name))) for name, ratio in RATIOS.items()}
    return {**counts, "impression_count": int(views)}


def count_private(post_id: int, *, age: timedelta) -> dict[str, int]:
    """Give `non_public_metrics` of a post: what only its author sees."""
    public = count_public(post_id, age=age)
    views = public["impression_count"]
    clicks, visits = int(views * 0.012 * (0.5 + _luck(post_id, "clicks"))), int(views * 0.005)
    reactions = sum(public[name] for name in RATIOS)
    return {
        "impression_count": views,
        "url_link_clicks": clicks,
        "user_profile_clicks": visits,
        "engagements": reactions + clicks + visits,
    }


def _final_views(post_id: int) -> float:
    return float(200 * 40 ** _luck(post_id, "views"))  # 200 to 8,000, most below 1,500


def _luck(post_id: int, subject: str) -> float:
    """Give a number from 0 to 1 that belongs to this post and subject."""
    return int(hashlib.sha256(f"{subject} {post_id}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
