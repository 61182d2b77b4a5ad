"""How posts do: numbers that grow with age, never fall, and are the same for everybody who looks at the same moment."""

from __future__ import annotations

import hashlib
import math
from datetime import timedelta

HALF_WAY = timedelta(hours=6)  # at this age a post has 63 % of the views it will ever get


def count_views(seed: object, *, age: timedelta, low: int = 200, high: int = 8000) -> int:
    """Say how often something was seen by now: from `low` to `high` in the end, most far below the middle. Pure."""
    return int(_views(seed, age=age, low=low, high=high))


def count_share(seed: object, name: str, *, age: timedelta, ratio: float, low: int = 200, high: int = 8000) -> int:
    """Say how many of those who saw it did something; each post is better or worse at each by up to a half. Pure.

    Args:
        name: what they did; any word, the same each time.
        ratio: of the views, up to 2/3, so that it never exceeds them.
    """
    return int(_views(seed, age=age, low=low, high=high) * ratio * (0.5 + luck(seed, name)))


def luck(seed: object, subject: str) -> float:
    """Give a number from 0 to 1 that belongs to this post and subject."""
    return int(hashlib.sha256(f"{subject} {seed}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF


def _views(seed: object, *, age: timedelta, low: int, high: int) -> float:
    final = float(low * (high / low) ** luck(seed, "views"))
    return final * (1 - math.exp(-max(age.total_seconds(), 0) / HALF_WAY.total_seconds()))
