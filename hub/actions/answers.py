"""`why`: what happened to a post, in plain words, with what to do next (PUB-8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hub.models import Attempt, Post, Status
from hub.queue.heartbeat import living_workers

SOON = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Answer:
    """Why a post is where it is.

    Args:
        summary: one sentence, for a person.
        next_command: what to run next, or None when there is nothing to do.
        ask: what only a person can do.
    """

    summary: str
    next_command: str | None = None
    ask: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What beside the post itself decides whether it goes out.

    Args:
        worker_lives: whether any worker has given a sign of life.
        next_allowed_at: before it the account's platform wants no more calls; None when it does not mind.
        in_flight: another post of the account that is being published: they go out one after the other.
    """

    worker_lives: bool = True
    next_allowed_at: datetime | None = None
    in_flight: Post | None = None


def look_around(post: Post) -> Surroundings:
    """Look at what is around a post just now."""
    others = Post.objects.filter(account_id=post.account_id, status=Status.PUBLISHING).exclude(id=post.id)
    return Surroundings(
        worker_lives=bool(living_workers()),
        next_allowed_at=post.account.next_allowed_at,
        in_flight=others.first(),
    )


def explain(post: Post, attempts: list[Attempt], *, now: datetime, around: Surroundings) -> Answer:
    """Explain a post's state; pure but for the rows it is given."""
    match post.status:
        case Status.DRAFT:
            return _draft(post)
        case Status.PENDING_APPROVAL:
            when = f" at {post.scheduled_wall} ({post.scheduled_zone})" if post.scheduled_wall else ""
            return Answer(
                f"It should go out{when} and waits for a person's yes.",
                f"psn_post approve {post.id}",
                "Approve it if it says what you mean.",
            )
        case Status.APPROVED:
            return Answer("It is approved and has no time yet.", f"psn_post schedule {post.id} --at +10m")
        case Status.SCHEDULED:
            return _scheduled(post, attempts, now=now, around=around)
        case Status.PUBLISHING:
            return _publishing(post, now=now)
        case Status.PUBLISHED:
            return Answer(f"It is live since {post.published_at:%Y-%m-%d %H:%M:%S} UTC, {_late(post)}: {post.url}")
        case Status.DELIVERED:
            return Answer("The platform has it; finish it in the platform's app.", ask="Open the app and post it.")
        case Status.UNKNOWN:
            return Answer(
                f"It may be live and may not: {post.error_message} PSN will not send it again by itself.",
                f"psn_account show {post.account_id}",
                "Look at the account's own page whether the post is there.",
            )
        case Status.CANCELLED:
            return Answer("It was cancelled; nothing was sent after that.")
        case Status.MISSED:
            return Answer(
                "Its time passed while nobody could send it, so it was not sent late.",
                f"psn_post schedule {post.id} --at +10m --approve",
            )
        case _:
            return _failed(post, attempts)


def _draft(post: Post) -> Answer:
    if post.error_message:
        return Answer(
            f"It is a draft again. Before that: {post.error_message}",
            f"psn_post schedule {post.id} --at +10m --approve",
        )
    return Answer("It is a draft: it has no time, and nobody approved it.", f"psn_post schedule {post.id} --at +10m")


def _scheduled(post: Post, attempts: list[Attempt], *, now: datetime, around: Surroundings) -> Answer:
    assert post.due_at is not None
    if not around.worker_lives:
        return Answer("It is scheduled, but no worker lives, so nothing goes out.", "psn_worker start")
    if post.due_at <= now and (obstacle := _find_obstacle(post, now=now, around=around)):
        return obstacle
    if post.error_message and attempts:
        return Answer(
            f"The last try did not get out: {post.error_message} The next try is at {_instant(post.due_at)}.",
            f"psn_post wait {post.id}",
        )
    if post.due_at + SOON < now:
        return Answer(
            "It is due and was not sent yet, although nothing is in its way; the worker's log may say more.",
            "psn_worker status",
        )
    return Answer(f"It goes out at {post.scheduled_wall} ({post.scheduled_zone}).", f"psn_post wait {post.id}")


def _find_obstacle(post: Post, *, now: datetime, around: Surroundings) -> Answer | None:
    """Say what a due post waits for; None when nothing is in its way."""
    other = around.in_flight
    if other is not None and _is_orphaned(other, now=now):
        return Answer(
            f"It is due and waits for post {other.id} of the same account: its worker died in the middle. "
            f"The next worker on {_computer(other)} sees to it when it starts.",
            f"psn_post why {other.id}",
        )
    if other is not None:
        return Answer(
            f"It is due and waits for post {other.id} of the same account, which is going out.",
            f"psn_post wait {post.id}",
        )
    if around.next_allowed_at is not None and around.next_allowed_at > now:
        return Answer(
            f"It is due, but the platform wants nothing from this account until {_instant(around.next_allowed_at)}.",
            f"psn_account show {post.account_id}",
        )
    return None


def _publishing(post: Post, *, now: datetime) -> Answer:
    if not _is_orphaned(post, now=now):
        return Answer(f"A worker ({post.lease_owner}) has it and is sending it.", f"psn_post wait {post.id}")
    assert post.lease_until is not None
    died = f"Its worker ({post.lease_owner}) died in the middle: it held the post until {_instant(post.lease_until)}"
    successor = f"The next worker on {_computer(post)} sees to it when it starts"
    if post.phase == Post.Phase.CLAIMED:  # nothing public was under way; parts before it may be live
        return Answer(f"{died}. What was not live by then was surely not sent. {successor}.", "psn_worker start")
    return Answer(
        f"{died}, and was sending, so it may be live. {successor}, and will not send it again.",
        "psn_worker start",
        "Look at the account's own page whether the post is there.",
    )


def _computer(post: Post) -> str:
    """Name the computer of the worker that holds a post: `psn@host:…`."""
    return post.lease_owner.partition(":")[0].partition("@")[2] or "its computer"


def _is_orphaned(post: Post, *, now: datetime) -> bool:
    """Whether a post that is being published has nobody any more who publishes it."""
    return post.lease_until is not None and post.lease_until <= now


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _failed(post: Post, attempts: list[Attempt]) -> Answer:
    is_partly_live = any(call.kind == Attempt.Kind.COMMIT and call.outcome == Attempt.Outcome.OK for call in attempts)
    live = " The parts before it are live; the next try goes on after them." if is_partly_live else ""
    if post.error_code == "account.needs_reconnect":
        return Answer(f"It was not sent: {post.error_message}", "psn_account list", "Connect the account again.")
    return Answer(f"It was not sent: {post.error_message}{live}", f"psn_post schedule {post.id} --at +10m --approve")


def _late(post: Post) -> str:
    late = post.lateness_ms
    return "on time" if late is None or late < 1000 else f"{late / 1000:.1f} seconds late"
