"""The walk of one post: claim, prepare, write the intent, send, store the answer.

What must hold at each step stands beside it; the database refuses the rest (migration 0003).
"""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from hub.models import Account, Attempt, AuditEntry, Post, PostPart, Status
from hub.publishing import attempts, endings, recovery
from hub.publishing.content import build_part, check_media_unchanged, hash_content, load_parts
from hub.publishing.grants import open_adapter
from hub.publishing.patience import UNREACHABLE, close_connection, store_patiently
from hub.queue import bells
from psn.errors import ApprovalNeeded, Problem, Unavailable, UnknownOutcome
from psn.platforms.base import Adapter, MediaFile, Published

log = logging.getLogger(__name__)

DRAIN_SECONDS = 45.0  # how long one bell may go on with what else is due; the queue ends a task at 600
MARGIN_SECONDS = 5.0  # between the last moment a byte may leave and the end of the lease


class LostClaim(Exception):
    """Somebody else holds the post now, or the lease ran out: stop without a word, another worker sees to it."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A commit call that is written down and may be made.

    Args:
        send_before: `time.monotonic()` instant after which no byte may leave any more.
    """

    attempt: Attempt
    send_before: float


def publish(post_id: str, *, worker: str) -> None:
    """Publish what is due for a post's account, the longest due first; usually that is this post, or nothing.

    Posts of one account go out one after the other. Whoever finds the account busy leaves its post to the one that keeps it busy;
    so a bell also serves posts whose own bells have rung in vain.

    Args:
        worker: `name:incarnation:process`, unlike any other process's; it stands in the lease, the attempts and the audit.
    """
    stop_at = time.monotonic() + DRAIN_SECONDS
    account_id = Post.objects.filter(id=post_id).values_list("account_id", flat=True).first()
    while account_id and (following := _find_due(account_id)):
        if time.monotonic() > stop_at:
            _ring_now(following)
            return
        if not _publish_one(following.id, worker=worker):
            return


def abandon(error: Exception, *, worker: str) -> None:
    """End what this worker still holds after something broke under it.

    When surely nothing was sent: tried again if the hub went away, failed if it was a bug. When a call is in doubt: unknown. That
    need not be the post whose bell rang. The account's next post gets a bell, because nobody keeps the account busy any more.
    """
    bug = "PSN stumbled over a bug of its own while publishing this post; the worker's log has the traceback."
    gone = "The hub could not be reached while this post was going out."
    is_gone = isinstance(error, UNREACHABLE)
    not_sent = Unavailable(gone, code="hub.unreachable") if is_gone else Problem(bug, code="bug")
    close_connection()  # what broke may have been the connection
    left = Post.objects.select_related("account").filter(status=Status.PUBLISHING, lease_owner=worker)
    for post in store_patiently(lambda: list(left.all())):
        recovery.end_orphan(post, not_sent=not_sent, maybe_sent=UnknownOutcome(gone if is_gone else bug))
        if following := _find_due(post.account_id):
            _ring_now(following)


def _publish_one(post_id: uuid.UUID, *, worker: str) -> bool:
    """Say whether the post was ours to publish, however it ended."""
    post = _claim(post_id, worker=worker)
    if post is None:
        return False
    try:
        _send(post)
    except LostClaim:
        return False
    except Problem as error:
        endings.end_with(post, error, now=timezone.now())
    return True


def _find_due(account_id: uuid.UUID) -> Post | None:
    """Find the post that has been due longest for an account; None while one of its posts is in flight."""
    return Post.objects.due().filter(account_id=account_id).order_by("due_at", "id").first()


def _ring_now(post: Post) -> None:
    bells.ring(user_id=post.user_id, post_id=post.id, at=timezone.now())


def _claim(post_id: uuid.UUID, *, worker: str) -> Post | None:
    """Take the post: one conditional update, raising the fence, and its audit row."""
    with transaction.atomic():
        if not Post.objects.claim(post_id, owner=worker, lease=settings.LEASE):
            return None
        post = Post.objects.select_related("account").get(id=post_id)
        AuditEntry.objects.create(
            user_id=post.user_id,
            actor=worker,
            action="post.claimed",
            subject="post",
            subject_id=str(post.id),
            from_state=Status.SCHEDULED,
            to_state=Status.PUBLISHING,
            detail={"fence": post.fence, "try": post.tries},
        )
    return post


def _send(post: Post) -> None:
    """Send every part that is not live yet, each after the one before it."""
    parts = load_parts(post)
    _check_approved(post, parts)
    adapter = open_adapter(post.account, now=timezone.now())
    try:
        for index, part in enumerate(parts):
            if part.state == PostPart.State.WAITING:
                _send_part(post, part, adapter=adapter, reply_to=parts[index - 1].platform_post_id if index else None)
    finally:
        adapter.close()
    if not endings.end_published(post, first=parts[0]):
        raise LostClaim


def _check_approved(post: Post, parts: list[PostPart]) -> None:
    """Compare what would be sent with what was approved, byte for byte (POST-4)."""
    if hash_content(post, parts) != post.approved_hash:
        raise ApprovalNeeded(
            "The content is not what was approved, so it was not sent. Look at it and approve it again.",
            code="approval.void",
        )
    for part in parts:
        check_media_unchanged(part)


def _send_part(post: Post, part: PostPart, *, adapter: Adapter, reply_to: str | None) -> None:
    content = build_part(part)
    media_ids = [_upload(post, part, media, adapter=adapter) for media in content.media]
    intent = _write_intent(post, part)
    try:
        published = adapter.create_post(content, media_ids=media_ids, reply_to=reply_to, send_before=intent.send_before)
    except Problem as error:
        store_patiently(partial(attempts.close_refused, intent.attempt, error))
        raise
    try:
        store_patiently(lambda: _store_answer(post, part, intent.attempt, published))
    except UNREACHABLE:
        log.error("%s is live as %s, and the hub could not be told", part, published.platform_post_id)  # noqa: TRY400
        raise


def _upload(post: Post, part: PostPart, media: MediaFile, *, adapter: Adapter) -> str:
    """Upload one file; harmless to repeat, so the claim stays takeable."""
    _hold(post, lease=settings.LEASE, phase=Post.Phase.CLAIMED)
    attempt = attempts.open_attempt(post, part, kind=Attempt.Kind.UPLOAD, what=str(media.path))
    try:
        media_id = adapter.upload_media(media)
    except Problem as error:
        store_patiently(partial(attempts.close_refused, attempt, error))
        raise
    store_patiently(partial(attempts.close_attempt, attempt, remote_id=media_id, http_status=0, request_id=""))
    return media_id


def _write_intent(post: Post, part: PostPart) -> Intent:
    """Lengthen the lease past the call's time-out and write the attempt down; both committed before a byte leaves."""
    call = settings.CALL_TIMEOUT_SECONDS
    lease = timedelta(seconds=call) + settings.LEASE
    started = time.monotonic()
    with transaction.atomic():
        _hold(post, lease=lease, phase=Post.Phase.SENDING)
        attempt = attempts.open_attempt(post, part, kind=Attempt.Kind.COMMIT, what=part.text)
    return Intent(attempt, send_before=started + lease.total_seconds() - call - MARGIN_SECONDS)


def _store_answer(post: Post, part: PostPart, attempt: Attempt, published: Published) -> None:
    """Close the attempt and store the remote id together, right after the part is live (PUB-4). Harmless to repeat."""
    with transaction.atomic():
        attempts.close_attempt(
            attempt,
            remote_id=published.platform_post_id,
            http_status=published.http_status,
            request_id=published.request_id,
        )
        live = {"state": PostPart.State.PUBLISHED, "platform_post_id": published.platform_post_id, "url": published.url}
        PostPart.objects.filter(id=part.id, state=PostPart.State.WAITING).update(published_at=Now(), **live)
    part.platform_post_id, part.url, part.state = published.platform_post_id, published.url, PostPart.State.PUBLISHED
    Account.objects.filter(id=post.account_id, next_allowed_at__isnull=False, next_allowed_at__lte=Now()).update(
        next_allowed_at=None
    )


def _hold(post: Post, *, lease: timedelta, phase: str) -> None:
    if not Post.objects.renew(post, lease=lease, phase=phase):
        raise LostClaim
