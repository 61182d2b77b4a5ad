"""Whether a part that is sent again is the same call to the platform, and until when (PUB-6, ENGINE 4).

A platform that knows a key of the call (an idempotency key, a record with its key, a container) makes no second post of it. The key is
the `reference` of the doubtful call; some platforms remember it for a while only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Min

from hub.models import Attempt, Post, PostPart
from hub.models.base import hub_now
from psn.deadline import Deadline
from psn.errors import UnknownOutcome
from psn.platforms.registry import get_platform

TOO_LATE = "publish.repeat_late"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part that was sent before and may have arrived.

    Args:
        reference: of that call; empty when the platform has forgotten it, and the part is sent as a new one.
        ends: when the platform forgets it; None when it does not, or never knew it.
    """

    reference: str
    ends: Deadline | None = None

    def limit(self, send_before: Deadline) -> Deadline:
        """Give the earlier of two deadlines."""
        return send_before if self.ends is None else min(send_before, self.ends, key=lambda one: one.seconds_left)


def find_repeat(post: Post, part: PostPart) -> Repeat | None:
    """Say whether a part was sent before and may have arrived; None when it surely was not.

    Raises:
        UnknownOutcome: the platform has forgotten that call, so the same one might make a second post, and nobody has looked since.
    """
    if post.fence <= 1:
        return None  # the first claim of all
    doubtful = Attempt.objects.filter(part_id=part.id, kind=Attempt.Kind.COMMIT, outcome=Attempt.Outcome.UNKNOWN)
    if post.approved_at is not None:  # a new yes after a doubt means that a person has settled it
        doubtful = doubtful.filter(started_at__gt=post.approved_at)
    last = doubtful.order_by("-started_at", "-id").first()
    if last is None:
        return None
    if get_platform(post.account.platform).witness.repeat_within is None or not last.reference:
        return Repeat(last.reference)
    left = time_left(post, last)
    if left > timedelta(0):
        return Repeat(last.reference, ends=Deadline(left.total_seconds()))
    if _was_absent(part, since=last):
        return Repeat("")
    raise UnknownOutcome("It may be live, and it is too late to repeat the call safely.", code=TOO_LATE)


def time_left(post: Post, call: Attempt) -> timedelta:
    """How long the same call may still leave without making a second post; negative when it may not (any more).

    A call without a reference is not known to the platform: some servers of a kind ignore keys that others honour.
    """
    within = get_platform(post.account.platform).witness.repeat_within
    if within is None or not call.reference:
        return timedelta(-1)
    same = Attempt.objects.filter(part_id=call.part_id, kind=Attempt.Kind.COMMIT, reference=call.reference)
    first = same.aggregate(at=Min("started_at"))["at"] or call.started_at
    return first + within - hub_now() - timedelta(seconds=settings.CALL_TIMEOUT_SECONDS)


def _was_absent(part: PostPart, *, since: Attempt) -> bool:
    """Whether the platform showed, after a call, that the part is not there."""
    looks = Attempt.objects.filter(part_id=part.id, kind=Attempt.Kind.PROBE, outcome=Attempt.Outcome.OK, remote_id="")
    return looks.filter(started_at__gt=since.started_at).exists()
