"""Waiting for a post's end: by looking at its row, because that is where everything that happens to it is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from hub.actions.posts import get_post
from hub.models import Post, Status
from hub.models.posts import ENDED
from psn.errors import Conflict

POLL_SECONDS = 0.1
SETTLED_SECONDS = 2.0  # a time that changes within one state is told when it stands: while PSN looks, it moves twice


@dataclass(frozen=True, slots=True)
class Moment:
    """How a post stood when it was looked at.

    Args:
        has_ended: nothing more happens to it by itself.
        is_over: the time for waiting was over. An unknown post that PSN still asks about is given like this.
    """

    post: Post
    has_ended: bool
    is_over: bool = False


def watch_post(post_id: str, *, timeout_seconds: float, poll_seconds: float = POLL_SECONDS) -> Iterator[Moment]:
    """Give how a post stands now and after every change, until it has ended or the time is over.

    An unknown outcome that PSN still asks the platform about is no end; one that waits for a person is.

    Raises:
        Conflict: it had neither ended nor was its outcome unknown when the time was over.
    """
    give_up = time.monotonic() + timeout_seconds
    told, state, since = None, None, 0.0
    while not has_ended(post := get_post(post_id)):
        now = time.monotonic()
        if now > give_up:
            yield _too_long(post, timeout_seconds)
            return
        if state != (state := (post.status, post.due_at, post.look_at)):
            since = now
        is_new = told is None or told[0] != post.status or (told != state and now - since >= SETTLED_SECONDS)
        if is_new:
            told = state
            yield Moment(post, has_ended=False)
        time.sleep(poll_seconds)
    yield Moment(post, has_ended=True)


def has_ended(post: Post) -> bool:
    """Whether nothing more happens to a post unless a person wants it."""
    return post.status in ENDED and not (post.status == Status.UNKNOWN and post.look_at is not None)


def _too_long(post: Post, seconds: float) -> Moment:
    if post.status == Status.UNKNOWN:
        return Moment(post, has_ended=False, is_over=True)
    raise Conflict(
        f"Post {post.id} is still {post.status} after {seconds:g} seconds.",
        code="post.not_ended",
        next_command=f"psn_post why {post.id}",
    )
