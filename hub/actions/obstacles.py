"""What a due post waits for: the conditions of the claim (`hub_api.claim_posts`, migration 0006), one by one, so that they can be told."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.conf import settings

from hub.models import Post


class Obstacle(StrEnum):
    """Why a due post is not claimed, though a worker lives."""

    TOO_LATE = "too_late"  # past the account's grace: the sweep gives it up
    PAUSED = "paused"  # the platform wants nothing from the account for a while
    CATCH_UP = "catch_up"  # an outage held it up: one after the other, with a gap (PUB-12)
    BEHIND_ANOTHER = "behind_another"  # another post of the account is going out


def find_obstacle(post: Post, *, now: datetime, in_flight: bool) -> Obstacle | None:
    """Say what is in the way of a post that is due; None when nothing is, so that a worker should take it.

    Args:
        post: scheduled and due, with its account.
        in_flight: whether another post of its account is being published.
    """
    account = post.account
    if post.scheduled_at is not None and post.scheduled_at <= now - account.grace:
        return Obstacle.TOO_LATE
    if account.next_allowed_at is not None and account.next_allowed_at > now:
        return Obstacle.PAUSED
    if in_flight:
        return Obstacle.BEHIND_ANOTHER
    if is_held_up(post, now=now) and account.next_catch_up_at is not None and account.next_catch_up_at > now:
        return Obstacle.CATCH_UP
    return None


def is_held_up(post: Post, *, now: datetime) -> bool:
    """Whether a post is so late that an outage must have held it up."""
    return post.due_at is not None and post.due_at <= now - settings.LATE
