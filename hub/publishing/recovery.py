"""What becomes of a post whose worker cannot go on: it was killed, it was stopped for longer than its lease, or it broke.

Should the worker live on all the same, its fence is spent: it cannot write, and its next call needs an intent that it cannot write.
What it still learns of a call it made is kept as evidence.
"""

from __future__ import annotations

import uuid
from functools import partial

from django.db.models import Q

from hub.models import Attempt, Notice, Post, PostPart, Status
from hub.publishing import attempts, endings
from hub.publishing.content import load_parts
from hub.publishing.endings import RETRIES, Telling
from hub.publishing.patience import close_connection, store_patiently
from psn.errors import Problem, Unavailable, UnknownOutcome

NOT_SENT = "The worker died before it sent anything; another try follows."
MAYBE_SENT = "The worker died while it was sending this post, so it may be live."
BUG = "PSN stumbled over a bug of its own while publishing this post; the worker's log has the traceback."
GONE = "The hub could not be reached while this post was going out."


def recover(post_id: uuid.UUID) -> None:
    """End the claim of a worker that is dead, or silent for longer than its lease."""
    post = Post.objects.select_related("account").filter(id=post_id, status=Status.PUBLISHING).first()
    if post is not None:  # else it ended meanwhile
        end_orphan(post, not_sent=Unavailable(NOT_SENT, code="worker.lost"), maybe_sent=UnknownOutcome(MAYBE_SENT))


def abandon(post: Post, *, hub_is_away: bool) -> None:
    """End a claim after something broke under its worker: tried again if the hub went away, failed if it was a bug.

    When the hub is still away this ends nothing, and the sweep does when it is back.
    """
    close_connection()  # what broke may have been the connection
    end_orphan(
        post,
        not_sent=Unavailable(GONE, code="hub.unreachable") if hub_is_away else Problem(BUG, code="bug"),
        maybe_sent=UnknownOutcome(GONE if hub_is_away else BUG),
    )


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
        endings.end_with(post, maybe_sent)
    elif parts and all(part.state != PostPart.State.WAITING for part in parts):
        endings.end_published(post, first=parts[0])
    elif isinstance(not_sent, Unavailable) and post.tries <= RETRIES:  # nothing is against trying again at once
        told = Telling(Notice.Level.KNOW, not_sent.error_code, not_sent.message)
        endings.retry(post, not_sent, told=told)
    else:
        endings.end_with(post, not_sent)
