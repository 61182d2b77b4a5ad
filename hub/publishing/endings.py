"""What each outcome means for the post. Every change of state is one conditional update with its audit row (P7)."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from hub.models import Account, AuditEntry, Post, PostPart, Status
from hub.publishing.grants import doubt_access_token, lose_grant
from hub.publishing.patience import store_patiently
from hub.queue import bells
from psn.errors import NeedsReconnect, PlatformError, Problem, RateLimited, Unavailable, UnknownOutcome

RETRIES = 3  # of what surely was not sent (PUB-5)
BACKOFF_SECONDS = 5.0  # 5, 25, 125
JITTER_RATIO = 0.2
# X's longest window is 24 hours (docs.x.com/x-api/fundamentals/rate-limits, read 2026-11-20). A reset that lies further ahead is
# a broken header or a wrong clock; it must not silence an account for years.
LONGEST_WAIT = timedelta(hours=24)


def end_published(post: Post, *, first: PostPart) -> bool:
    """Every part is live."""
    return _end(
        post,
        to=Status.PUBLISHED,
        published_at=Now(),
        platform_post_id=first.platform_post_id,
        url=first.url,
        error_code="",
        error_message="",
    )


def end_with(post: Post, error: Problem, *, now: datetime) -> None:
    """Decide by the class of the error: try again, wait, ask the platform, or tell a person."""
    match error:
        case UnknownOutcome():
            _end(post, to=Status.UNKNOWN, error=error)
        case RateLimited():
            _wait_for_reset(post, error, now=now)
        case Unavailable() if post.tries <= RETRIES:
            _retry(post, error, at=now + _backoff(post.tries))
        case NeedsReconnect() if post.error_code != error.error_code and store_patiently(
            partial(doubt_access_token, post.account)
        ):
            _retry(post, error, at=now)  # once: the token may have ended before its time, the grant not (AUTH-3)
        case NeedsReconnect():
            store_patiently(partial(lose_grant, post.account, reason=error.message))
            _end(post, to=Status.FAILED, error=error)
        case _:
            _end(post, to=Status.FAILED, error=error)


def _retry(post: Post, error: PlatformError, *, at: datetime, **fields: Any) -> None:
    """Send the post back to wait, and ring at its new time; never before the time a person approved."""
    assert post.scheduled_at is not None
    at = max(at, post.scheduled_at)

    def leave_and_ring() -> None:
        with transaction.atomic():
            if _leave(post, to=Status.SCHEDULED, error=error, due_at=at, **fields):
                bells.ring(user_id=post.user_id, post_id=post.id, at=at)

    store_patiently(leave_and_ring)


def _wait_for_reset(post: Post, error: RateLimited, *, now: datetime) -> None:
    """Wait until the platform's reset, a day at most; that is no failed try."""
    at = min(error.retry_at, now + LONGEST_WAIT)
    account = Account.objects.filter(id=post.account_id)
    store_patiently(partial(account.update, next_allowed_at=at))
    _retry(post, error, at=at, tries=post.tries - 1)


def _end(post: Post, *, to: Status, error: Problem | None = None, **fields: Any) -> bool:
    """Leave `publishing` for good, also when the hub is away for a moment."""
    return store_patiently(partial(_leave, post, to=to, error=error, **fields))


def _leave(post: Post, *, to: Status, error: Problem | None = None, **fields: Any) -> bool:
    """Leave `publishing`, if the claim is still ours; a late worker changes nothing."""
    if error is not None:
        fields |= {"error_code": error.error_code, "error_message": error.message}
    with transaction.atomic():
        ours = Post.objects.filter(id=post.id, fence=post.fence, status=Status.PUBLISHING)
        changed = ours.update(status=to, phase="", lease_until=None, lease_owner="", updated_at=Now(), **fields)
        if changed:
            AuditEntry.objects.create(
                user_id=post.user_id,
                actor=post.lease_owner,
                action=f"post.{to}",
                subject="post",
                subject_id=str(post.id),
                from_state=Status.PUBLISHING,
                to_state=to,
                detail={"code": error.error_code, "message": error.message} if error else {},
            )
    return bool(changed)


def _backoff(tries: int) -> timedelta:
    """5, 25, 125 seconds, a fifth more or less, so that posts which failed together do not come back together."""
    jitter = random.uniform(1 - JITTER_RATIO, 1 + JITTER_RATIO)  # noqa: S311  (no secret)
    return timedelta(seconds=BACKOFF_SECONDS ** max(tries, 1) * jitter)
