"""The walk of one post: claim, prepare, write the intent, send, store the answer.

What must hold at each step stands beside it; the database refuses the rest (migrations 0003 and 0006). No transaction and no
connection is held while a platform answers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.utils import timezone

from hub.models import Attempt, Post, PostPart
from hub.publishing import attempts, carrying, checks, claims, endings, quota, recovery, repeats
from hub.publishing.addresses import make_addresses
from hub.publishing.claims import Claim, LostClaim
from hub.publishing.content import build_part, hash_content, is_intact
from hub.publishing.grants import open_adapter
from hub.publishing.patience import UNREACHABLE, Unstored, release_connection, store_patiently
from hub.publishing.reading import Claimed, read_claimed
from hub.rls.identity import acting_as
from psn.deadline import Deadline
from psn.errors import ApprovalNeeded, Duplicate, Problem, UnknownOutcome
from psn.platforms.base import AccountFacts, Adapter, MediaFile, Part, Prepared, Published, RateLimit
from psn.platforms.registry import get_platform

log = logging.getLogger(__name__)
T = TypeVar("T")

MARGIN_SECONDS = 5.0  # between the last moment a byte may leave and the end of the lease
_INTENT = "SELECT hub_api.write_intent(%s, %s, %s, make_interval(secs => %s), %s, %s, %s, %s, %s)"
_ANSWER = """
SELECT hub_api.store_answer(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, make_interval(secs => %s), make_interval(secs => %s), %s, %s,
  make_interval(secs => %s))
"""


@dataclass(frozen=True, slots=True)
class Intent:
    """A commit call that is written down and may be made.

    Args:
        send_before: after it no byte may leave any more.
    """

    attempt: Attempt
    send_before: Deadline


def publish(post_id: str, *, worker: str) -> bool:
    """Publish a post if it may go out and nobody else has it; say whether it was ours to publish, however it ended."""
    return _walk(claims.claim(post_id, worker=worker))


def publish_next(*, worker: str) -> bool:
    """Publish the post that has been due longest; say whether there was one."""
    return _walk(claims.claim(None, worker=worker))


def _walk(claim: Claim | None) -> bool:
    """Publish a claimed post. Whatever happens, it does not stay without a word."""
    if claim is None:
        return False
    with acting_as(claim.user_id):
        try:
            _publish(store_patiently(partial(read_claimed, claim)))
        except LostClaim:
            log.info("the claim of post %s was lost", claim.post_id)
    return True


def _publish(claimed: Claimed) -> None:
    post = claimed.post
    try:
        _send(claimed)
    except Problem as error:
        endings.end_with(post, error)
    except LostClaim:
        raise
    except Unstored:
        recovery.abandon(post, hub_is_away=True)
    except Exception as error:
        log.exception("post %s broke under its worker", post.id)
        recovery.abandon(post, hub_is_away=isinstance(error, UNREACHABLE))


def _send(claimed: Claimed) -> None:
    """Send every part that is not live yet, each after the one before it."""
    post, parts = claimed.post, claimed.parts
    # The answer came, and the worker died before the end. A post without parts is no such thing.
    if parts and all(part.state != PostPart.State.WAITING for part in parts):
        endings.end_published(post, first=parts[0])
        return
    _check_approved(post, parts)
    facts = AccountFacts(post.account.capabilities, frozenset(claimed.grant.scopes if claimed.grant else ()))
    checks.refuse_errors(
        checks.check_content(post.account, [build_part(part, post=post) for part in parts], facts=facts)
    )
    if all(part.state == PostPart.State.WAITING for part in parts):
        quota.check_quota(post)  # a thread that has begun does not stop in the middle
    adapter = open_adapter(post.account, grant=claimed.grant, now=timezone.now())
    try:
        for part in parts:
            if part.state == PostPart.State.WAITING:
                _send_part(post, part, parts=parts, adapter=adapter)
    finally:
        adapter.close()


def _check_approved(post: Post, parts: list[PostPart]) -> None:
    """Compare what would be sent with what was approved, byte for byte (POST-4)."""
    if hash_content(post, parts) != post.approved_hash:
        raise ApprovalNeeded(
            "The content is not what was approved, so it was not sent. Look at it and approve it again.",
            code="approval.void",
        )
    for part in parts:
        _provide_media(post, part)


def _provide_media(post: Post, part: PostPart) -> None:
    """Have a part's files here, byte for byte as they were approved; what comes through the hub takes its time.

    Raises:
        Rejected: one is gone, or is not the one that was approved.
    """
    missing = [item for item in part.media.all() if not is_intact(item)]
    if missing:
        _unhurried(post, lambda: carrying.bring(post, missing))


def _send_part(post: Post, part: PostPart, *, parts: list[PostPart], adapter: Adapter) -> None:
    if part.index:  # the first was looked at just now; what comes before a later one takes its time
        _provide_media(post, part)
    repeat = repeats.find_repeat(post, part)
    content = _build(post, part)
    media_ids = [_upload(post, part, media, adapter=adapter) for media in content.media]
    reply_to = parts[part.index - 1].platform_post_id if part.index else None
    former = repeat.reference if repeat else ""
    prepared = _prepare(
        post, lambda: adapter.prepare_post(content, media_ids=media_ids, reply_to=reply_to, former=former)
    )
    if repeat is not None:
        repeat.check_same(prepared.reference)
    intent = _write_intent(post, part, reference=prepared.reference)
    send_before = intent.send_before if repeat is None else repeat.limit(intent.send_before)
    release_connection()
    try:
        published = adapter.create_post(
            content, media_ids=media_ids, reply_to=reply_to, prepared=prepared, send_before=send_before
        )
    except Duplicate as refusal:
        if repeat is None or repeats.is_linked(post, part, refusal.platform_post_id):
            _tell(partial(attempts.close_refused, intent.attempt, refusal), f"{part}: {refusal.message}")
            if repeat is None:
                raise
            raise UnknownOutcome(
                f"It may be live, and the post that the platform names for it is another one of yours: {refusal.message}",
                code=repeats.HINDERED,
            ) from refusal
        # After our own doubtful call, the platform's word for a duplicate is that call's answer.
        published = Published(refusal.platform_post_id, refusal.url, refusal.request_id or "", refusal.http_status or 0)
    except Problem as error:
        _tell(partial(attempts.close_refused, intent.attempt, error), f"{part}: {error.message}")
        raise
    answer = f"{part} is live as {published.platform_post_id}"
    limits = adapter.rate_limits
    if not _tell(lambda: _store_answer(post, part, intent.attempt, published, parts=parts, limits=limits), answer):
        raise LostClaim


def _tell(write: Callable[[], T], answer: str) -> T:
    """Store an answer of the platform's.

    Raises:
        Unstored: the hub did not come back in time. To the hub the call is open, and the sweep will see to it.
    """
    try:
        return store_patiently(write)
    except UNREACHABLE as error:
        log.error("%s, and the hub could not be told", answer)  # noqa: TRY400  (the cause is raised with it)
        raise Unstored(answer) from error


def _build(post: Post, part: PostPart) -> Part:
    """Give a part as its adapter takes it. For a platform that fetches media, they are put where it can."""
    fetches = get_platform(post.account.platform).fetches
    if not fetches or not part.media.all():
        return build_part(part, post=post)
    claims.hold(post, lease=settings.LEASE, phase=Post.Phase.CLAIMED)
    return _unhurried(post, lambda: build_part(part, post=post, address=make_addresses(post.account, kinds=fetches)))


def _upload(post: Post, part: PostPart, media: MediaFile, *, adapter: Adapter) -> str:
    """Upload one file; harmless to repeat, so the claim stays takeable."""
    claims.hold(post, lease=settings.LEASE, phase=Post.Phase.CLAIMED)
    attempt = attempts.open_attempt(post, part, kind=Attempt.Kind.UPLOAD, what=str(media.path))
    try:
        media_id = _unhurried(post, lambda: adapter.upload_media(media))
    except Problem as error:
        store_patiently(partial(attempts.close_refused, attempt, error))
        raise
    store_patiently(partial(attempts.close_attempt, attempt, remote_id=media_id, http_status=0, request_id=""))
    return media_id


def _prepare(post: Post, prepare: Callable[[], Prepared]) -> Prepared:
    """Do what can be done before the one call: nobody sees it, and it may be done again, so the claim stays takeable."""
    if not get_platform(post.account.platform).prepares:
        return prepare()
    claims.hold(post, lease=settings.LEASE, phase=Post.Phase.CLAIMED)
    return _unhurried(post, prepare)


def _unhurried(post: Post, step: Callable[[], T]) -> T:
    """Make a step that may take longer than a lease, and that holds no connection meanwhile."""
    release_connection()
    with claims.renewed(post):
        return step()


def _write_intent(post: Post, part: PostPart, *, reference: str) -> Intent:
    """Lengthen the lease past the call's time-out and write the attempt down; both committed before a byte leaves."""
    timeout = settings.CALL_TIMEOUT_SECONDS
    lease = timeout + settings.LEASE.total_seconds()
    lease_ends = Deadline(lease)  # a little before it does: the hub counts from when it hears of it
    attempt = attempts.make_attempt(post, part, kind=Attempt.Kind.COMMIT, what=part.text, reference=reference)
    values = [post.user_id, post.id, post.fence, lease, part.id, attempt.id, attempt.worker, attempt.fingerprint]
    if not claims.call(_INTENT, [*values, reference])[0]:
        raise LostClaim
    return Intent(attempt, send_before=lease_ends.moved(-timeout - MARGIN_SECONDS))


def _store_answer(
    post: Post,
    part: PostPart,
    attempt: Attempt,
    published: Published,
    *,
    parts: list[PostPart],
    limits: Mapping[str, RateLimit],
) -> bool:
    """Close the attempt and store the remote id together, right after the part is live (PUB-4); with the last part, the post's end.

    Harmless to repeat. The remote id is stored whoever holds the post by now: it is evidence.

    Returns:
        Whether the claim still stands, where that was looked at: the next part looks at it before it is sent.
    """
    answer = [published.platform_post_id, published.url, published.http_status or None, published.request_id]
    pacing = [settings.LATE.total_seconds(), settings.CATCH_UP_GAP.total_seconds()]
    is_last = part is parts[-1]
    told = endings.describe_delivery(post) if published.delivered else ""
    values = [post.user_id, post.id, post.fence, part.id, attempt.id, *answer, is_last, *pacing, told]
    stands = claims.call(_ANSWER, [*values, *quota.describe_limits(limits)])[0]
    part.platform_post_id, part.url = published.platform_post_id, published.url
    part.state = PostPart.State.DELIVERED if published.delivered else PostPart.State.PUBLISHED
    if is_last and stands and endings.was_held_up(post):
        endings.ring_next_held_up(post)
    return bool(stands)
