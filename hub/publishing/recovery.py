"""What a worker's predecessor on this computer left in flight when it was killed.

A restarted worker takes over at once: the supervisor's lock says that no other worker of this hub runs here, and the kernel ended
the old one's processes with it. Should one of them live on all the same, its fence is spent: it cannot write, and its next call
needs an intent that it cannot write. What a worker on another computer left behind is not touched here.
"""

from __future__ import annotations

import uuid
from functools import partial

from django.db import connections
from django.db.models import Q
from django.utils import timezone

from hub.models import Attempt, Post, PostPart, Status
from hub.publishing import attempts, endings
from hub.publishing.content import load_parts
from hub.publishing.patience import store_patiently
from hub.rls.identity import acting_as, acting_for_nobody
from psn.errors import Problem, Unavailable, UnknownOutcome

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


def end_orphan(post: Post, *, not_sent: Problem, maybe_sent: UnknownOutcome) -> None:
    """End a post that nobody publishes any more, by what is on record of its last claim.

    Args:
        not_sent: what is to be said, and whether to try again, when no commit call is in doubt.
        maybe_sent: the same when one is: its intent has no answer, or its answer was that nobody knows.
    """
    unanswered = Q(finished_at__isnull=True) | Q(outcome=Attempt.Outcome.UNKNOWN)
    calls = Attempt.objects.filter(unanswered, post_id=post.id, fence=post.fence, kind=Attempt.Kind.COMMIT)
    in_doubt = store_patiently(calls.exists)
    parts = store_patiently(partial(load_parts, post))
    store_patiently(partial(attempts.close_abandoned, post, detail=(maybe_sent if in_doubt else not_sent).message))
    if in_doubt:
        endings.end_with(post, maybe_sent, now=timezone.now())
    elif all(part.state == PostPart.State.PUBLISHED for part in parts):
        endings.end_published(post, first=parts[0])
    else:
        endings.end_with(post, not_sent, now=timezone.now())


def _end(post_id: uuid.UUID) -> None:
    post = Post.objects.select_related("account").filter(id=post_id, status=Status.PUBLISHING).first()
    if post is not None:  # else it ended meanwhile
        end_orphan(post, not_sent=Unavailable(NOT_SENT, code="worker.lost"), maybe_sent=UnknownOutcome(MAYBE_SENT))
