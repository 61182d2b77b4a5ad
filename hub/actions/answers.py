"""`why`: what happened to a post, in plain words, with what to do next (PUB-8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.models import Attempt, Post, Status

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


def explain(post: Post, attempts: list[Attempt], *, now: datetime, worker_lives: bool) -> Answer:
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
            return _scheduled(post, attempts, now=now, worker_lives=worker_lives)
        case Status.PUBLISHING:
            return Answer(f"A worker ({post.lease_owner}) has it and is sending it.", f"psn_post wait {post.id}")
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


def _scheduled(post: Post, attempts: list[Attempt], *, now: datetime, worker_lives: bool) -> Answer:
    assert post.due_at is not None
    if post.error_message and attempts:
        return Answer(
            f"The last try did not get out: {post.error_message} The next try is at {post.due_at:%H:%M:%S} UTC.",
            f"psn_post wait {post.id}",
        )
    if not worker_lives:
        return Answer("It is scheduled, but no worker lives, so nothing goes out.", "psn_worker start")
    if post.due_at + SOON < now:
        return Answer(
            "It is due and was not sent yet: the account may be waiting for its platform's limit.",
            f"psn_account show {post.account_id}",
        )
    return Answer(f"It goes out at {post.scheduled_wall} ({post.scheduled_zone}).", f"psn_post wait {post.id}")


def _failed(post: Post, attempts: list[Attempt]) -> Answer:
    is_partly_live = any(call.kind == Attempt.Kind.COMMIT and call.outcome == Attempt.Outcome.OK for call in attempts)
    live = " The parts before it are live; the next try goes on after them." if is_partly_live else ""
    if post.error_code == "account.needs_reconnect":
        return Answer(f"It was not sent: {post.error_message}", "psn_account list", "Connect the account again.")
    return Answer(f"It was not sent: {post.error_message}{live}", f"psn_post schedule {post.id} --at +10m --approve")


def _late(post: Post) -> str:
    late = post.lateness_ms
    return "on time" if late is None or late < 1000 else f"{late / 1000:.1f} seconds late"
