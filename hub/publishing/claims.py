"""Who may publish a post: the claim, its lease, and its fence.

The claim itself is one statement in the database (`hub_api.claim_posts`, migration 0006), by the database's clock. Nothing is held
in between: whoever goes on with a post shows with every write that its claim still stands.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connections

from hub.models import Post
from hub.publishing.patience import UNREACHABLE, close_connection
from hub.rls.identity import acting_as

RENEW_SECONDS = 15.0  # while a step takes longer than its lease
_CLAIM = """
SELECT id, user_id, fence FROM hub_api.claim_posts(%s, make_interval(secs => %s), make_interval(secs => %s), 1, %s::uuid)
"""


class LostClaim(Exception):
    """Somebody else holds the post now, or the lease ran out: stop without a word, another worker sees to it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A post that is ours to publish, whose it is, and the fence by which the claim is known."""

    post_id: uuid.UUID
    user_id: uuid.UUID
    fence: int


def worker_id() -> str:
    """Name this process as `name:incarnation:process`; it stands in leases, attempts and the audit."""
    return f"{os.environ.get('PSN_WORKER', 'psn')}:{os.getpid()}"


def claim(post_id: str | uuid.UUID | None, *, worker: str) -> Claim | None:
    """Take this post, if it may go out now and nobody else has it; without an id, the one that has been due longest.

    Tries are counted here, so that a post which kills its worker cannot escape its limit.
    """
    row = call(_CLAIM, [worker, _seconds(settings.LEASE), _seconds(settings.LATE), post_id and str(post_id)])
    return Claim(*row) if row else None


def call(statement: str, values: Sequence[Any]) -> Any:
    """Call one of the hub's own functions, in a statement that commits by itself; gives its row.

    It says itself for whom it acts, so nobody is named before it. Inside a transaction it is part of that.
    """
    connection = connections["default"]
    with connection.wrap_database_errors:
        connection.ensure_connection()
        return connection.connection.execute(statement, values).fetchone()


def hold(post: Post, *, lease: timedelta, phase: str) -> None:
    """Lengthen the lease and name the phase.

    Raises:
        LostClaim: it does not stand any more.
    """
    if not Post.objects.renew(post, lease=lease, phase=phase):
        raise LostClaim


@contextmanager
def renewed(post: Post) -> Iterator[None]:
    """Keep the claim standing during a step that may take longer than a lease: an upload.

    A claim that is lost meanwhile shows at the next `hold`.
    """
    done = threading.Event()
    keeper = threading.Thread(target=_renew_until, args=(done, post), name=f"lease of {post.id}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _seconds(span: timedelta) -> float:
    return span.total_seconds()


def _renew_until(done: threading.Event, post: Post) -> None:
    while not done.wait(RENEW_SECONDS):
        try:
            with acting_as(post.user_id):
                if not Post.objects.renew(post, lease=settings.LEASE, phase=Post.Phase.CLAIMED):
                    return
        except UNREACHABLE:
            pass  # the next one may get through; if none does, the lease ends
        finally:
            close_connection()
