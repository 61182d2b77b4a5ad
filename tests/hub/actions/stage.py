"""Posts in the states that only the engine brings about, reached through the engine's own functions, without a platform."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import connections
from django.db.models.functions import Now

from hub.models import Account, Attempt, AuditEntry, Post, PostPart
from hub.publishing import attempts, claims, endings
from psn.errors import Problem, UnknownOutcome
from tests.factories import OWNER, make_post

WORKER = "psn@here:1a2b:7"
LOST = "The connection ended without an answer."
T = TypeVar("T")


def now() -> datetime:
    return datetime.now(UTC)


def make_claimed(account: Account, *, texts: tuple[str, ...] = ("Hello",)) -> Post:
    """Make a post that a worker has just taken."""
    post = make_post(account, status="scheduled", texts=texts)
    return claim(post)


def claim(post: Post) -> Post:
    """Let a worker take a post that is due."""
    assert claims.claim(post.id, worker=WORKER) is not None
    return read(post)


def make_ended(account: Account, error: Problem, *, texts: tuple[str, ...] = ("Hello",), live: int = 0) -> Post:
    """Make a post whose next part was sent and ended with this error.

    Args:
        live: how many parts before it are live.
    """
    post = make_claimed(account, texts=texts)
    for index in range(live):
        send(post, index)
    claims.hold(post, lease=settings.LEASE, phase=Post.Phase.SENDING)
    attempt = attempts.open_attempt(post, part_of(post, live), kind=Attempt.Kind.COMMIT, what="x")
    attempts.close_refused(attempt, error)
    endings.end_with(post, error)
    return read(post)


def make_unknown(account: Account, *, texts: tuple[str, ...] = ("Hello",), live: int = 0, looking: bool = True) -> Post:
    """Make a post that may be out.

    Args:
        looking: whether PSN still asks the platform about it; else a person must tell.
    """
    post = make_ended(account, UnknownOutcome(LOST), texts=texts, live=live)
    if not looking:
        Post.objects.using(OWNER).filter(id=post.id).update(look_at=None)
    return read(post)


def send(post: Post, index: int) -> PostPart:
    """Let the platform accept a part."""
    part = part_of(post, index)
    claims.hold(post, lease=settings.LEASE, phase=Post.Phase.SENDING)
    attempt = attempts.open_attempt(post, part, kind=Attempt.Kind.COMMIT, what="x")
    remote_id = str(1000 + index)
    attempts.close_attempt(attempt, remote_id=remote_id, http_status=201, request_id="r1")
    PostPart.objects.filter(id=part.id).update(state="published", platform_post_id=remote_id, published_at=Now())
    return part


def part_of(post: Post, index: int = 0) -> PostPart:
    return PostPart.objects.using(OWNER).get(post_id=post.id, index=index)


def read(post: Post) -> Post:
    """Read a post with its account, as its person sees it."""
    return Post.objects.select_related("account").get(id=post.id)


def actions_of(post: Post) -> list[str]:
    return list(
        AuditEntry.objects.filter(subject="post", subject_id=str(post.id))
        .order_by("at")
        .values_list("action", flat=True)
    )


def long_ago(post: Post, **columns: timedelta) -> Post:
    """Move instants of a post into the past, with the laws disabled as only a fault of the clock could."""
    with connections[OWNER].cursor() as cursor:
        cursor.execute("ALTER TABLE posts DISABLE TRIGGER USER")
        for column, span in columns.items():
            cursor.execute(
                f"UPDATE posts SET {column} = now() - make_interval(secs => %s) WHERE id = %s",
                [span.total_seconds(), post.id],
            )
        cursor.execute("ALTER TABLE posts ENABLE TRIGGER USER")
    return read(post)


def at_once(*actions: Callable[[], T]) -> list[T | BaseException]:
    """Do things at the same instant, each on connections of its own; give what they gave or raised."""
    barrier = threading.Barrier(len(actions))

    def act(action: Callable[[], T]) -> T | BaseException:
        try:
            barrier.wait(timeout=10)
            return action()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))
