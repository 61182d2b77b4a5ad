"""What a worker's predecessor on this computer left in flight when it was killed.

A restarted worker takes over at once: the supervisor's lock says that no other worker of this hub runs here, and the kernel ended
the old one's processes with it. Should one of them live on all the same, its fence is spent: it cannot write, and its next call
needs an intent that it cannot write. What a worker on another computer left behind is not touched here.
"""

from __future__ import annotations

import uuid

from django.db import connections
from django.utils import timezone

from hub.models import Attempt, Post, PostPart, Status
from hub.publishing import attempts, endings
from hub.publishing.content import load_parts
from hub.rls.identity import acting_as, acting_for_nobody
from psn.errors import Unavailable, UnknownOutcome

NOT_SENT = "The worker died before it sent anything; another try follows."
MAYBE_SENT = "The worker died while it was sending this post, so it may be live."


def take_over(*, worker: str) -> int:
    """End what earlier incarnations of this worker hold; give how many posts that were.

    Surely not sent: back to wait, as a try that failed. All parts live: published. An open intent: unknown, for a person to look.

    Args:
        worker: `name:incarnation` of the new one.
    """
    left = _held_by_predecessors(worker)
    for post_id, user_id in left:
        with acting_as(user_id):
            _end(post_id)
    return len(left)


def _held_by_predecessors(worker: str) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Ask for (post, owner): the worker's login sees nobody's rows before it acts for somebody."""
    name, _, incarnation = worker.partition(":")
    with acting_for_nobody(), connections["default"].cursor() as cursor:
        cursor.execute("SELECT id, user_id FROM hub_api.held_posts(%s, %s)", [name, incarnation])
        return list(cursor.fetchall())


def _end(post_id: uuid.UUID) -> None:
    post = Post.objects.select_related("account").filter(id=post_id, status=Status.PUBLISHING).first()
    if post is None:  # it ended meanwhile
        return
    parts = load_parts(post)
    in_doubt = Attempt.objects.filter(post_id=post.id, kind=Attempt.Kind.COMMIT, finished_at__isnull=True).exists()
    attempts.close_abandoned(post, detail=MAYBE_SENT if in_doubt else NOT_SENT)
    if in_doubt:
        endings.end_with(post, UnknownOutcome(MAYBE_SENT), now=timezone.now())
    elif all(part.state == PostPart.State.PUBLISHED for part in parts):
        endings.end_published(post, first=parts[0])
    else:
        endings.end_with(post, Unavailable(NOT_SENT, code="worker.lost"), now=timezone.now())
