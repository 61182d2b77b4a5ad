"""What each outcome means for the post. Every change of state is one conditional update with its audit row (P7), and with its notice
where a person must know (PUB-8): all three or none.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from hub.models import Account, Attempt, AuditEntry, Notice, Post, PostPart, Status
from hub.models.base import hub_now
from hub.models.posts import from_now
from hub.publishing import repeats
from hub.publishing.grants import doubt_access_token, lose_grant
from hub.publishing.patience import store_patiently
from hub.queue import bells
from psn.errors import (
    CameToNothing,
    NeedsReconnect,
    PlatformError,
    Problem,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from psn.platforms.registry import get_platform

RETRIES = 3  # of what surely was not sent (PUB-5)
BACKOFF_SECONDS = 5.0  # 5, 25, 125
JITTER_RATIO = 0.2
# X's longest window is 24 hours (docs.x.com/x-api/fundamentals/rate-limits, read 2026-11-20). A reset that lies further ahead is
# a broken header or a wrong clock; it must not silence an account for years.
LONGEST_WAIT = timedelta(hours=24)
NONSENSE_WAIT = timedelta(seconds=60)  # when the reset lies in the past
WATCHDOG = "watchdog"


@dataclass(frozen=True, slots=True)
class Telling:
    """A notice to be written with a change of state."""

    level: Notice.Level
    code: str
    message: str


def end_published(
    post: Post, *, first: PostPart, at: datetime | None = None, told: Telling | None = None, actor: str = ""
) -> bool:
    """Every part is live, or lies where a person must finish it.

    Args:
        at: since when; now when left out.
    """
    delivered = first.state == PostPart.State.DELIVERED
    if delivered:
        told = Telling(Notice.Level.ACT, "post.delivered", describe_delivery(post))
    return leave(
        post,
        to=Status.DELIVERED if delivered else Status.PUBLISHED,
        told=told,
        actor=actor,
        beside=partial(_pace_catch_up, post),
        published_at=at or Now(),
        platform_post_id=first.platform_post_id,
        url=first.url,
        error_code="",
        error_message="",
    )


def describe_delivery(post: Post) -> str:
    """Say what a person must do with a post that lies in the platform's app."""
    title = get_platform(post.account.platform).title
    return f"It waits in {title}'s app of @{post.account.handle}: open the notification there, look it over, and publish it."


def end_with(post: Post, error: Problem, *, actor: str = "") -> None:
    """Decide by the class of the error: try again, wait, ask the platform, or tell a person.

    Args:
        actor: who found out; whoever held the post when left out.
    """
    match error:
        case UnknownOutcome():
            _doubt(post, error)
        case CameToNothing():
            _fail(post, error, actor=actor)
        case Rejected() if _is_echo(post, error):
            _doubt(post, UnknownOutcome(error.message, code="publish.echo"))
        case RateLimited():
            _wait_for_reset(post, error)
        case Unavailable() if post.tries <= RETRIES:
            retry(post, error, after=_backoff(post.tries))
        case NeedsReconnect() if post.error_code != error.error_code and store_patiently(
            partial(doubt_access_token, post.account)
        ):
            retry(post, error)  # once: the token may have ended before its time, the grant not (AUTH-3)
        case NeedsReconnect():
            store_patiently(partial(lose_grant, post.account, reason=error.message))
            _give_up(post, error)
        case _:
            _give_up(post, error, actor=actor)


def retry(
    post: Post,
    error: Problem | None,
    *,
    after: timedelta = timedelta(0),
    told: Telling | None = None,
    actor: str = "",
    **fields: Any,
) -> bool:
    """Send the post back to wait, and ring at its new time; never before the time a person approved.

    Args:
        after: how long from now, by the hub's clock: a worker's own may be wrong.
    """
    assert post.scheduled_at is not None
    at = max(store_patiently(hub_now) + after, post.scheduled_at)
    fields = {"error_code": "", "error_message": ""} | fields
    ring = partial(bells.ring_post, post.id, at=at)
    return leave(post, to=Status.SCHEDULED, error=error, told=told, beside=ring, actor=actor, due_at=at, **fields)


def miss(post: Post) -> bool:
    """Give up a post that was found too late to be anything but a surprise (PUB-7)."""
    assert post.scheduled_at is not None
    late = f"It was meant for {post.scheduled_wall} ({post.scheduled_zone}) and nobody could send it until now."
    message = f"{late} That is over {_hours(post.account.grace)}, so it was not sent late."
    if repeats.is_in_doubt(post):
        _give_up(post, Problem(message), actor=WATCHDOG)
        return True
    told = Telling(Notice.Level.ACT, "post.missed", message)
    return leave(post, to=Status.MISSED, error=Problem(message, code="post.missed"), told=told, actor=WATCHDOG)


def leave(
    post: Post,
    *,
    to: Status,
    error: Problem | None = None,
    told: Telling | None = None,
    beside: Callable[[], object] | None = None,
    actor: str = "",
    **fields: Any,
) -> bool:
    """Leave the state the post was read in, if it and the fence are still the same: a late worker changes nothing.

    Also when the hub is away for a moment; what cannot be stored then is found by the sweep.

    Args:
        told: what the person is told with it.
        beside: what else belongs to the same transaction.
        actor: who did it; whoever held the post when left out.
    """
    return store_patiently(lambda: _leave(post, to, error, told, beside, actor or post.lease_owner, fields))


def _leave(
    post: Post,
    to: Status,
    error: Problem | None,
    told: Telling | None,
    beside: Callable[[], object] | None,
    actor: str,
    fields: dict[str, Any],
) -> bool:
    if error is not None:
        fields = fields | {"error_code": error.error_code, "error_message": error.message}
    free = {"phase": "", "lease_until": None, "lease_owner": "", "look_at": None}
    with transaction.atomic(savepoint=False):  # all of it, with what it is part of
        ours = Post.objects.filter(id=post.id, fence=post.fence, status=post.status)
        if not ours.update(**free | {"status": to, "updated_at": Now()} | fields):
            return False
        AuditEntry.objects.record(
            post,
            action=f"post.{to}",
            actor=actor,
            from_state=post.status,
            to_state=to,
            detail={"code": error.error_code, "message": error.message} if error else None,
        )
        if told is not None:
            tell(post, told)
        if beside is not None:
            beside()
    return True


def tell(post: Post, told: Telling) -> None:
    """Leave the person a notice."""
    Notice.objects.create(user_id=post.user_id, post_id=post.id, level=told.level, code=told.code, message=told.message)


def _give_up(post: Post, error: Problem, *, actor: str = "") -> None:
    """Stop trying. It has failed, unless an earlier call of it may be live: then it stays open, and is looked for."""
    if store_patiently(partial(repeats.is_in_doubt, post)):
        message = f"An earlier try may be live, and the next one came to nothing: {error.message}"
        _doubt(post, UnknownOutcome(message, code=repeats.HINDERED), actor=actor)
    else:
        _fail(post, error, actor=actor)


def _fail(post: Post, error: Problem, *, actor: str = "") -> None:
    told = Telling(Notice.Level.ACT, error.error_code, error.message)
    leave(post, to=Status.FAILED, error=error, told=told, actor=actor)


def _doubt(post: Post, error: UnknownOutcome, *, actor: str = "") -> None:
    """Leave it open whether the post is out: the platform is asked where it can tell, else the person (PUB-6)."""
    witness = get_platform(post.account.platform).witness
    if (
        not witness.looks or error.error_code == repeats.CHANGED
    ):  # what was approved before could not be told from what is now
        told = Telling(Notice.Level.ACT, error.error_code, error.message)
        leave(post, to=Status.UNKNOWN, error=error, told=told, actor=actor)
        return
    look = partial(bells.ring, "look_at_post", user_id=post.user_id, post_id=post.id)
    first = witness.looks[0]
    leave(
        post,
        to=Status.UNKNOWN,
        error=error,
        actor=actor,
        look_at=from_now(first),
        beside=lambda: look(at=Post.objects.values_list("look_at", flat=True).get(id=post.id)),
    )


def _is_echo(post: Post, error: PlatformError) -> bool:
    """Whether a refusal as a duplicate follows a call of our own that nobody answered: then it is evidence, not a refusal."""
    if error.error_code not in get_platform(post.account.platform).witness.duplicate_codes:
        return False
    waiting = PostPart.objects.filter(post_id=post.id, state=PostPart.State.WAITING)
    doubtful = Q(kind=Attempt.Kind.COMMIT, outcome=Attempt.Outcome.UNKNOWN)
    return store_patiently(Attempt.objects.filter(doubtful, part__in=waiting).exists)


def _wait_for_reset(post: Post, error: RateLimited) -> None:
    """Wait until the platform's reset, a day at most; that is no failed try."""
    wait = wait_of(error)
    account = Account.objects.filter(id=post.account_id)
    store_patiently(partial(account.update, next_allowed_at=from_now(wait)))
    retry(post, error, after=wait, tries=post.tries - 1)


def wait_of(error: RateLimited) -> timedelta:
    """How long a platform wants to be left alone, as a span: the instant was reckoned by this worker's clock, which may be wrong."""
    wait = error.retry_at - timezone.now()
    return min(wait, LONGEST_WAIT) if wait > timedelta(0) else NONSENSE_WAIT


def was_held_up(post: Post) -> bool:
    """Whether a post went out so late that only an outage explains it."""
    return post.due_at is not None and post.updated_at - post.due_at > settings.LATE


def ring_next_held_up(post: Post) -> None:
    """Ring for the account's next post that an outage held up, when it is its turn."""
    waiting = Post.objects.filter(account_id=post.account_id, status=Status.SCHEDULED, due_at__lte=Now())
    following = waiting.order_by("due_at", "id").first()
    if following is not None:
        turn = Account.objects.values_list("next_catch_up_at", flat=True).get(id=post.account_id)
        bells.ring_post(following.id, at=turn)


def _pace_catch_up(post: Post) -> None:
    """After a post that an outage held up, keep the account's next such post waiting (PUB-12)."""
    if was_held_up(post):
        Account.objects.filter(id=post.account_id).update(next_catch_up_at=from_now(settings.CATCH_UP_GAP))
        ring_next_held_up(post)


def _backoff(tries: int) -> timedelta:
    """5, 25, 125 seconds, a fifth more or less, so that posts which failed together do not come back together."""
    jitter = random.uniform(1 - JITTER_RATIO, 1 + JITTER_RATIO)  # noqa: S311  (no secret)
    return timedelta(seconds=BACKOFF_SECONDS ** max(tries, 1) * jitter)


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:g} hour{'' if hours == 1 else 's'}"
