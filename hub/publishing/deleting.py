"""Taking a live post off its platform, where that allows it (PUB-1). A person asks, the worker does it, part by part from the last.

Deleting what is gone already is no error, so it may be repeated; a worker that died over it has its work found by the sweep.
`delete_asked_at` is when a worker may begin (again): whoever begins pushes it ahead, and the others leave the post alone meanwhile.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from hub.models import Attempt, AuditEntry, Notice, Post, PostPart, Status
from hub.models.base import hub_now
from hub.models.posts import from_now
from hub.publishing import attempts
from hub.publishing.content import load_parts
from hub.publishing.endings import Telling, tell, wait_of
from hub.publishing.grants import doubt_access_token, open_adapter
from hub.publishing.patience import UNREACHABLE, release_connection, store_patiently
from hub.queue import bells
from hub.rls.identity import acting_as
from psn.errors import NeedsReconnect, Problem, RateLimited, Unavailable
from psn.platforms.base import Adapter

log = logging.getLogger(__name__)

TRIES = 5  # that failed since the person asked; then they are told
LONGEST = timedelta(days=1)  # the same, where no call could be made at all
AT_WORK = timedelta(minutes=2)  # what a worker may take before another one looks
AGAIN_SECONDS = 60.0


def delete(user_id: str, post_id: str, *, worker: str) -> None:
    """Delete a post that a person wants gone, if nobody else is at it. Repeatable."""
    with acting_as(user_id), transaction.atomic():
        wanted = Post.objects.filter(delete_asked_at__lte=Now(), deleted_at=None, status=Status.PUBLISHED)
        post = (
            wanted.select_for_update(skip_locked=True, of=("self",))
            .select_related("account")
            .filter(id=post_id)
            .first()
        )
        if post is not None:
            Post.objects.filter(id=post.id).update(delete_asked_at=from_now(AT_WORK))
    if post is not None:
        with acting_as(user_id):
            _delete(post, worker=worker)


def _delete(post: Post, *, worker: str) -> None:
    try:
        adapter = open_adapter(post.account, now=timezone.now())
        try:
            gone = _parts_gone(post)
            for part in reversed([one for one in load_parts(post) if one.id not in gone]):
                _delete_part(post, part, adapter=adapter, worker=worker)
        finally:
            adapter.close()
    except Problem as error:
        _not_deleted(post, error)
        return
    except UNREACHABLE:
        raise  # the hub is away: the sweep rings for this again
    except Exception:
        log.exception("deleting post %s broke", post.id)
        _give_up(post, Problem("PSN stumbled over a bug of its own; the worker's log has the traceback.", code="bug"))
        return
    store_patiently(partial(_deleted, post, worker=worker))


def _delete_part(post: Post, part: PostPart, *, adapter: Adapter, worker: str) -> None:
    attempt = attempts.open_attempt(
        post, part, kind=Attempt.Kind.DELETE, what=part.platform_post_id, worker=worker, reference=part.platform_post_id
    )
    release_connection()
    try:
        adapter.delete_post(part.platform_post_id)
    except Problem as error:
        store_patiently(partial(attempts.close_refused, attempt, error))
        raise
    store_patiently(partial(attempts.close_attempt, attempt, remote_id="", http_status=0, request_id=""))


def _deleted(post: Post, *, worker: str) -> None:
    with transaction.atomic():
        asked_at = Coalesce("delete_asked_at", Now())  # somebody else may have given up meanwhile; gone is gone
        if Post.objects.filter(id=post.id, deleted_at=None).update(
            deleted_at=Now(), delete_asked_at=asked_at, updated_at=Now()
        ):
            AuditEntry.objects.record(post, action="post.deleted", actor=worker)


def _not_deleted(post: Post, error: Problem) -> None:
    """Try again in a while what was not asked; tell the person of a refusal: the post is still there."""
    passing = isinstance(error, (Unavailable, RateLimited))
    if isinstance(error, NeedsReconnect):  # the token may have ended before its time, the grant not (AUTH-3)
        passing = doubt_access_token(post.account)
    if not passing or _is_hopeless(post):
        _give_up(post, error)
        return
    wait = wait_of(error).total_seconds() if isinstance(error, RateLimited) else AGAIN_SECONDS
    at = hub_now() + timedelta(seconds=wait)
    with transaction.atomic():
        if _wanted(post).update(delete_asked_at=at):
            bells.ring("delete_post", at=at, user_id=post.user_id, post_id=post.id)


def _wanted(post: Post) -> QuerySet[Post]:
    """The post's row, while somebody still wants it gone and it is not."""
    return Post.objects.filter(id=post.id, deleted_at=None, delete_asked_at__isnull=False)


def _parts_gone(post: Post) -> set[uuid.UUID]:
    """Say which parts the platform deleted already."""
    calls = Attempt.objects.filter(post_id=post.id, kind=Attempt.Kind.DELETE, outcome=Attempt.Outcome.OK)
    return set(calls.values_list("part_id", flat=True))


def _is_hopeless(post: Post) -> bool:
    """Whether it was tried often or long enough since the person asked."""
    asking = AuditEntry.objects.filter(subject="post", subject_id=str(post.id), action="post.delete_asked")
    asked_at = asking.aggregate(at=Max("at"))["at"] or hub_now()
    failed = Attempt.objects.filter(post_id=post.id, kind=Attempt.Kind.DELETE, started_at__gt=asked_at)
    return failed.exclude(outcome=Attempt.Outcome.OK).count() >= TRIES or hub_now() - asked_at > LONGEST


def _give_up(post: Post, error: Problem) -> None:
    with transaction.atomic():
        if _wanted(post).update(delete_asked_at=None, updated_at=Now()):
            message = f"The post is still live, it could not be deleted: {error.message}"
            tell(post, Telling(Notice.Level.ACT, "post.not_deleted", message))
            AuditEntry.objects.record(
                post, action="post.not_deleted", actor="watchdog", detail={"code": error.error_code}
            )
