"""Whether a part that is sent again is the same call to the platform, and until when (PUB-6, ENGINE 4).

A platform that knows a key of the call (an idempotency key, a record with its key, a container) makes no second post of it. The key is
the `reference` of the doubtful call; some platforms remember it for a while only.

A doubt ends with evidence, never with time or with a new yes: the platform shows the part, or does not at any of its looks, or says
that the call came to nothing; or a person looked. All but the first leave the post `failed`, or let it be sent anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Max, Min, QuerySet

from hub.models import Attempt, AuditEntry, Post, PostPart, Status
from hub.models.base import hub_now
from psn.deadline import Deadline
from psn.errors import UnknownOutcome
from psn.platforms.registry import get_platform

TOO_LATE = "publish.repeat_late"
CHANGED = "publish.changed"  # approved anew while the first call was in doubt: only a person can tell which is wanted
HINDERED = "publish.repeat_failed"  # the same call cannot be made again, which says nothing of the first


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

    def check_same(self, reference: str) -> None:
        """Refuse to make another call where only the same one is harmless.

        Raises:
            UnknownOutcome: it is another one, and was not made.
        """
        if self.ends is not None and self.reference and reference != self.reference:
            raise UnknownOutcome("It may be live, and the same call cannot be made again.", code=HINDERED)


def find_repeat(post: Post, part: PostPart) -> Repeat | None:
    """Say whether a part was sent before and may have arrived; None when it surely was not.

    Raises:
        UnknownOutcome: the platform does not know that call (any more), so the same one might make a second post, and not every look
            since then showed nothing; or the post was approved anew since, so it may be another one.
    """
    if post.fence <= 1:
        return None  # the first claim of all
    last = _find_doubtful(part)
    if last is None:
        return None
    is_absent = _was_absent(post, since=last)
    if post.approved_at is not None and last.started_at <= post.approved_at:
        if is_absent:
            return None
        raise UnknownOutcome(
            "It was approved anew while an earlier call was without an answer, so what was approved before may be live. It was not "
            "sent again.",
            code=CHANGED,
        )
    left = time_left(post, last)
    if left > timedelta(0):
        return Repeat(last.reference, ends=Deadline(left.total_seconds()))
    if not is_absent:
        raise UnknownOutcome("It may be live, and it is too late to repeat the call safely.", code=TOO_LATE)
    forgets = get_platform(post.account.platform).witness.repeat_within is not None
    return Repeat("" if forgets else last.reference)


def is_in_doubt(post: Post) -> bool:
    """Whether a call may have arrived that nobody knows the end of, though the post is not `unknown`: it waits to be repeated."""
    part = PostPart.objects.filter(post_id=post.id, state=PostPart.State.WAITING).order_by("index").first()
    last = _find_doubtful(part) if part else None
    return part is not None and last is not None and not _was_absent(post, since=last)


def is_linked(post: Post, part: PostPart, remote_id: str) -> bool:
    """Whether another part of the account is linked to this id already."""
    taken = PostPart.objects.filter(user_id=post.user_id, post__account_id=post.account_id, platform_post_id=remote_id)
    return taken.exclude(id=part.id).exists()


def count_clean_looks(call: Attempt) -> int:
    """How often the platform was looked at after a call, and its part was not there."""
    looks = Attempt.objects.filter(
        part_id=call.part_id, kind=Attempt.Kind.PROBE, outcome=Attempt.Outcome.OK, remote_id=""
    )
    return looks.filter(started_at__gt=call.finished_at or call.started_at).count()


def time_left(post: Post, call: Attempt) -> timedelta:
    """How long the same call may still leave without making a second post; negative when it may not (any more).

    A call without a reference is not known to the platform: some servers of a kind ignore keys that others honour.
    """
    within = get_platform(post.account.platform).witness.repeat_within
    if within is None or not call.reference:
        return timedelta(-1)
    first = same_calls(call).aggregate(at=Min("started_at"))["at"] or call.started_at
    return first + within - hub_now() - timedelta(seconds=settings.CALL_TIMEOUT_SECONDS)


def same_calls(call: Attempt) -> QuerySet[Attempt]:
    """The calls of a part that are one to the platform: they have the same reference."""
    return Attempt.objects.filter(part_id=call.part_id, kind=Attempt.Kind.COMMIT, reference=call.reference)


def _find_doubtful(part: PostPart) -> Attempt | None:
    """Find the last call without an answer since the post was surely not out: it never `failed` in doubt."""
    doubtful = Attempt.objects.filter(part_id=part.id, kind=Attempt.Kind.COMMIT, outcome=Attempt.Outcome.UNKNOWN)
    last = doubtful.order_by("-started_at", "-id").first()
    if last is None:
        return None
    failures = AuditEntry.objects.filter(subject="post", subject_id=str(part.post_id), to_state=Status.FAILED)
    settled = failures.aggregate(at=Max("at"))["at"]
    return None if settled is not None and settled > last.started_at else last


def _was_absent(post: Post, *, since: Attempt) -> bool:
    """Whether the platform showed, at all the looks that make evidence, that a part is not there."""
    wanted = len(get_platform(post.account.platform).witness.looks)
    return wanted > 0 and count_clean_looks(since) >= wanted
