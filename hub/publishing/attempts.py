"""Every outgoing call: written down before it is made, closed with what came back (PUB-10)."""

from __future__ import annotations

import hashlib

from django.db.models.functions import Now

from hub.models import Attempt, Post, PostPart
from psn.errors import PlatformError, Problem, RateLimited, Unavailable, UnknownOutcome

Outcome = Attempt.Outcome


def make_attempt(
    post: Post, part: PostPart, *, kind: Attempt.Kind, what: str, worker: str = "", reference: str = ""
) -> Attempt:
    """Describe what is about to be sent.

    Args:
        what: the content of the call; its hash is stored, never the content itself.
        worker: who makes it; whoever holds the post when left out.
        reference: what tells this call from any other at the platform.
    """
    return Attempt(
        user_id=post.user_id,
        post_id=post.id,
        part_id=part.id,
        kind=kind,
        fence=post.fence,
        worker=worker or post.lease_owner,
        fingerprint=hashlib.sha256(what.encode()).hexdigest()[:32],
        reference=reference,
    )


def open_attempt(
    post: Post, part: PostPart, *, kind: Attempt.Kind, what: str, worker: str = "", reference: str = ""
) -> Attempt:
    """Write down what is about to be sent; `make_attempt` says how."""
    attempt = make_attempt(post, part, kind=kind, what=what, worker=worker, reference=reference)
    attempt.save(force_insert=True)
    return attempt


def close_attempt(attempt: Attempt, *, remote_id: str, http_status: int, request_id: str) -> None:
    """Store that the platform accepted the call."""
    Attempt.objects.filter(id=attempt.id, finished_at__isnull=True).update(
        finished_at=Now(),
        outcome=Outcome.OK,
        remote_id=remote_id,
        http_status=http_status or None,
        request_id=request_id,
    )


def close_refused(attempt: Attempt, error: Problem) -> None:
    """Store why the call did not succeed, or that nobody knows."""
    answer = error if isinstance(error, PlatformError) else None
    learned = error.reference if isinstance(error, UnknownOutcome) else ""
    Attempt.objects.filter(id=attempt.id, finished_at__isnull=True).update(
        finished_at=Now(),
        outcome=classify(error),
        reference=learned or attempt.reference,
        http_status=answer.http_status if answer else None,
        request_id=(answer.request_id if answer else None) or "",
        retry_at=error.retry_at if isinstance(error, RateLimited) else None,
        detail=error.message,
    )


def close_abandoned(post: Post, *, detail: str) -> None:
    """Close what a bug left open under this claim: nobody knows what became of it.

    An open commit would be in the way of the next one for ever, also of the one that a person decides on.
    """
    Attempt.objects.filter(post_id=post.id, fence=post.fence, finished_at__isnull=True).update(
        finished_at=Now(), outcome=Outcome.UNKNOWN, detail=detail
    )


def classify(error: Problem) -> Attempt.Outcome:
    """Name the outcome that an error means. What PSN itself refuses was not sent and will not be."""
    match error:
        case UnknownOutcome():
            return Outcome.UNKNOWN
        case Unavailable():
            return Outcome.NOT_SENT
        case RateLimited():
            return Outcome.LIMITED
        case _:
            return Outcome.REFUSED
