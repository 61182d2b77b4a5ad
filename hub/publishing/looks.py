"""How an outcome that nobody knows ends: the platform is asked, and the evidence decides (PUB-6, ENGINE 4).

The platform's witness says how long after the doubtful call to look. Found: the part is linked, and the post goes on. Not there at
any of the looks: it is surely not out, and is sent once more; once, because a second doubtful call in a row is a person's matter.
Where the same call makes no second post, it is simply made again. No answer to be had: a person's matter too.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from hub.models import Account, Attempt, Notice, Post, PostPart, Status
from hub.models.base import hub_now
from hub.models.posts import from_now
from hub.publishing import attempts, endings, repeats
from hub.publishing.content import build_part, load_parts
from hub.publishing.endings import WATCHDOG, Telling
from hub.publishing.grants import doubt_access_token, open_adapter
from hub.publishing.patience import UNREACHABLE, release_connection
from hub.publishing.recovery import BUG
from hub.queue import bells
from hub.rls.identity import acting_as
from psn.errors import CameToNothing, NeedsReconnect, Problem, RateLimited, UnknownOutcome
from psn.platforms.base import Published
from psn.platforms.registry import get_platform

log = logging.getLogger(__name__)

LOOK_FOR = timedelta(minutes=15)  # after the doubtful call; by then a person is better at it
LOOK_AGAIN = timedelta(seconds=60)  # after a look that got no answer, or whose worker died
REPEATS = 3  # of the same call, where that makes no second post
RESENDS = 1  # after evidence of absence; a second doubtful call in a row has a reason that a third would have too
LINKED_SINCE = timedelta(days=2)  # parts whose ids are taken already

Outcome = Attempt.Outcome


def look(user_id: str, post_id: str, *, worker: str) -> None:
    """Ask the platform what became of a post, if it is time to. Repeatable: the first to decide decides."""
    with acting_as(user_id):
        if Post.objects.filter(id=post_id, status=Status.UNKNOWN, look_at__lte=Now()).update(
            look_at=from_now(LOOK_AGAIN)
        ):
            _look(Post.objects.select_related("account").get(id=post_id), worker=worker)


def ring_again(user_id: str, post_id: str, *, seconds: float) -> None:
    """Ring for a look in a moment."""
    with acting_as(user_id):
        bells.ring("look_at_post", at=hub_now() + timedelta(seconds=seconds), user_id=user_id, post_id=post_id)


def link(post: Post, part: PostPart, found: Published, *, at: datetime, actor: str, told: Telling) -> bool:
    """Store that a part is out, and let the post go on after it; False when somebody else decided, or has it, meanwhile.

    Args:
        at: when it came out, as well as we know.
        actor: who says so.
    """
    with transaction.atomic():
        if not _still_open(post):
            return False
        Account.objects.select_for_update().get(id=post.account_id)  # two posts are never linked to the same one there
        if repeats.is_linked(post, part, found.platform_post_id):
            return False
        PostPart.objects.filter(id=part.id, state=PostPart.State.WAITING).update(
            state=PostPart.State.DELIVERED if found.delivered else PostPart.State.PUBLISHED,
            platform_post_id=found.platform_post_id,
            url=found.url,
            published_at=at,
        )
        return resume(post, at=at, actor=actor, told=told)


def resume(post: Post, *, at: datetime, actor: str, told: Telling | None) -> bool:
    """Go on with what is still to be sent, or end the post when that is nothing."""
    parts = load_parts(post)
    if all(part.state != PostPart.State.WAITING for part in parts):
        return endings.end_published(post, first=parts[0], at=at, told=told, actor=actor)
    return endings.retry(post, None, told=told, actor=actor, tries=max(post.tries - 1, 0))


def find_doubt(post: Post) -> tuple[PostPart, Attempt] | None:
    """Find the part that may be out, and the call that nobody answered; None when the answer came after all."""
    part = PostPart.objects.filter(post_id=post.id, state=PostPart.State.WAITING).order_by("index").first()
    if part is None:
        return None
    doubtful = Attempt.objects.filter(part_id=part.id, kind=Attempt.Kind.COMMIT, outcome=Outcome.UNKNOWN)
    call = doubtful.prefetch_related(None).order_by("-started_at", "-id").first()
    return (part, call) if call else None


def _look(post: Post, *, worker: str) -> None:
    doubt = find_doubt(post)
    if doubt is None:
        resume(post, at=hub_now(), actor=WATCHDOG, told=None)
        return
    part, call = doubt
    attempt = attempts.open_attempt(post, part, kind=Attempt.Kind.PROBE, what=part.text, worker=worker)
    try:
        found = _ask(post, part, since=_first_call(part).started_at, reference=call.reference)
    except CameToNothing as error:
        attempts.close_refused(attempt, error)
        endings.end_with(post, error, actor=WATCHDOG)
        return
    except Problem as error:
        if may_repeat(post, call):
            attempts.close_refused(attempt, error)
            _send_again(post)
        else:
            _no_answer(post, call, attempt, error)
        return
    except UNREACHABLE:
        raise  # the hub is away: the sweep rings for this look again
    except Exception:
        log.exception("looking for post %s broke", post.id)
        _no_answer(post, call, attempt, Problem(BUG, code="bug"))
        return
    attempts.close_attempt(attempt, remote_id=found.platform_post_id if found else "", http_status=0, request_id="")
    if found is not None:
        message = "The platform's answer was lost. PSN looked, found the post live, and did not send it again."
        told = Telling(Notice.Level.KNOW, "post.found", message)
        if not link(post, part, found, at=call.started_at, actor=WATCHDOG, told=told):
            _ring_at(post, hub_now() + LOOK_AGAIN)  # what was found may be another post's by now
    else:
        _absent(post, part, call)


def may_repeat(post: Post, call: Attempt) -> bool:
    """Whether a doubtful call may simply be made again: the platform makes no second post of it."""
    if post.fence > call.fence:  # it was to be made again, and could not be; that does not change within minutes
        return False
    is_fresh = hub_now() - (call.finished_at or call.started_at) < LOOK_FOR
    return (
        is_fresh
        and repeats.time_left(post, call) > timedelta(0)
        and _sent_since(repeats.same_calls(call).earliest("started_at")) <= REPEATS
    )


def _send_again(post: Post, *, told: Telling | None = None) -> None:
    """Have it sent again, unless somebody decided or the answer came meanwhile."""
    with transaction.atomic():
        if _still_open(post) and find_doubt(post) is not None:
            endings.retry(post, None, told=told, actor=WATCHDOG)


def _ask(post: Post, part: PostPart, *, since: datetime, reference: str) -> Published | None:
    """Look for a part at the platform; a post of the account that is linked already is not it."""
    siblings = PostPart.objects.filter(post__account_id=post.account_id, published_at__gt=since - LINKED_SINCE)
    known = set(siblings.values_list("platform_post_id", flat=True))
    before = PostPart.objects.filter(post_id=post.id, index=part.index - 1).first() if part.index else None
    adapter = open_adapter(post.account, now=timezone.now())
    release_connection()
    try:
        return adapter.find_published(
            build_part(part, post=post),
            reference=reference,
            since=since,
            reply_to=before.platform_post_id if before else None,
            known_ids=known,
        )
    finally:
        adapter.close()


def _absent(post: Post, part: PostPart, call: Attempt) -> None:
    """It was not there: look once more, send it again, or leave it to a person."""
    if may_repeat(post, call):
        _send_again(post)
        return
    looks = get_platform(post.account.platform).witness.looks
    ended = call.finished_at or hub_now()
    clean = repeats.count_clean_looks(call)
    if clean < len(looks):
        _ring_at(post, max(ended + looks[clean], hub_now()))
        return
    if _sent_since(_first_call(part)) > RESENDS:
        hand_over(post, UnknownOutcome("It was sent twice without a clear answer, and the platform does not show it."))
        return
    message = "The platform's answer was lost. PSN looked, the post was not there, and it is sent once more."
    _send_again(post, told=Telling(Notice.Level.KNOW, "post.not_found", message))


def _no_answer(post: Post, call: Attempt, attempt: Attempt, error: Problem) -> None:
    """The platform was not asked, or did not answer: ask again in a while, up to a point."""
    attempts.close_refused(attempt, error)
    if isinstance(error, NeedsReconnect):
        doubt_access_token(post.account)  # the token may have ended before its time, the grant not (AUTH-3)
    if isinstance(error, UnknownOutcome):
        hand_over(post, error)
        return
    wait = max(LOOK_AGAIN, endings.wait_of(error)) if isinstance(error, RateLimited) else LOOK_AGAIN
    again = hub_now() + wait
    if again - (call.finished_at or call.started_at) > LOOK_FOR:
        hand_over(post, UnknownOutcome(f"It may be live, and the platform cannot be asked: {error.message}"))
    else:
        _ring_at(post, again)


def hand_over(post: Post, error: UnknownOutcome) -> None:
    """Stop looking and tell the person: it may be live, and only they can tell."""
    with transaction.atomic():
        if Post.objects.filter(id=post.id, fence=post.fence, status=Status.UNKNOWN).update(
            look_at=None, error_code=error.error_code, error_message=error.message
        ):
            endings.tell(post, Telling(Notice.Level.ACT, error.error_code, error.message))


def _ring_at(post: Post, at: datetime) -> None:
    with transaction.atomic():
        if Post.objects.filter(id=post.id, fence=post.fence, status=Status.UNKNOWN).update(look_at=at):
            bells.ring("look_at_post", at=at, user_id=post.user_id, post_id=post.id)


def _still_open(post: Post) -> bool:
    """Lock the post, if nobody decided meanwhile."""
    rows = Post.objects.select_for_update().filter(id=post.id, fence=post.fence, status=Status.UNKNOWN)
    return rows.exists()


def _sent_since(first: Attempt) -> int:
    """How often a part was sent, counting what may have arrived: no answer, or one that may have meant an earlier call."""
    arrived = Attempt.objects.filter(outcome__in=[Outcome.UNKNOWN, Outcome.REFUSED], started_at__gte=first.started_at)
    return arrived.filter(part_id=first.part_id, kind=Attempt.Kind.COMMIT).count()


def _first_call(part: PostPart) -> Attempt:
    """The first doubtful call of a part: what it made public may have come to light only now."""
    calls = Attempt.objects.filter(part_id=part.id, kind=Attempt.Kind.COMMIT, outcome=Outcome.UNKNOWN)
    return calls.earliest("started_at")
