"""What waits for a person's yes, what there is to see before it is said, and what was said before (POST-4, TEAM-2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.db import transaction
from django.db.models import F, QuerySet

from hub.actions import live, posts
from hub.actions.approval import approving, standings
from hub.actions.approval.standings import Hurdle, Standing
from hub.actions.people import find_company, get_me, get_owner
from hub.models import Approval, Post, Status
from hub.publishing import carrying
from hub.publishing.content import load_parts
from psn.errors import Conflict, Finding, InvalidInput, PlatformError, Problem
from psn.text.changes import Change, compare_contents

MAX_LISTED = 200
MAX_FEEDBACK = 4000  # characters
NEAR = timedelta(hours=24)
Due = Literal["past", "near", "later", "open"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A post that waits for a yes.

    Args:
        standing: None in a personal hub.
        due: whether its time is over, within a day, or later; `open` without one.
    """

    post: Post
    standing: Standing | None
    due: Due

    @property
    def hurdle(self) -> Hurdle | None:
        return self.standing.hurdle if self.standing else None


@dataclass(frozen=True, slots=True)
class Desk:
    """What waits, in the order of its times.

    Args:
        mine: what waits for this person's yes, also if its author must still claim the day.
        others: this person's own posts, which wait for somebody else's.
        total: how many posts wait in all, listed or not.
    """

    mine: list[Waiting]
    others: list[Waiting]
    total: int

    @property
    def content_hash(self) -> str:
        """One hash of everything on the list that this person may approve now."""
        lines = sorted(f"{one.post.id} {one.post.content_hash}" for one in self.mine if one.hurdle is None)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Review:
    """Everything there is to see of a post before a yes.

    Args:
        changes: since the last verdict; None when there was none.
        history: what was said to it, newest first.
    """

    waiting: Waiting
    previews: list[live.Preview]
    findings: list[Finding]
    changes: list[Change] | None
    history: list[Approval]

    @property
    def is_open(self) -> bool:
        """Whether this person's yes would count now."""
        return self.waiting.post.status == Status.PENDING_APPROVAL and self.waiting.hurdle is None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of a yes or a no to one of several posts.

    Args:
        error: why it did not count; then `post` is None.
    """

    post_id: str
    post: Post | None
    error: Problem | None = None


def list_waiting(*, now: datetime, limit: int) -> Desk:
    """List what waits for a yes, the earliest time first.

    Args:
        limit: of the posts looked at.
    """
    waiting = _waiting()
    total = waiting.count()
    found = list(waiting.order_by(F("due_at").asc(nulls_last=True), "id")[: min(max(limit, 1), MAX_LISTED)])
    seen = _stand(found, now=now)
    mine = [one for one in seen if _is_for_me(one)]
    me = get_me().id
    others = [one for one in seen if one not in mine and one.post.author_id == me]
    return Desk(mine=mine, others=others, total=total)


def review_post(post_id: str, *, now: datetime) -> Review:
    """Show a post to whom may approve it: as its platform will, with what is different since the last verdict.

    Raises:
        NotFound: there is no such post.
    """
    post = posts.get_post(post_id)
    history = verdicts_of(post)
    previews, findings = _look_over(post)
    return Review(
        waiting=_stand([post], now=now)[0],
        previews=previews,
        findings=findings,
        changes=_changes_since(history, post),
        history=history,
    )


def _changes_since(history: Sequence[Approval], post: Post) -> list[Change] | None:
    return compare_contents(history[0].content, content_of(post)) if history else None


def verdicts_of(post: Post) -> list[Approval]:
    """Give what was said to a post, newest first."""
    said = Approval.objects.select_related("by").filter(user_id=post.user_id, post_id=post.id)
    return list(said.order_by("-at", "-id")[:MAX_LISTED])


def content_of(post: Post) -> dict[str, Any]:
    """Give a post's content as verdicts keep it."""
    return {
        "scheduled_at": post.scheduled_at.astimezone(UTC).isoformat(timespec="microseconds")
        if post.scheduled_at
        else None,
        "options": post.options,
        "parts": [
            {
                "index": part.index,
                "kind": part.kind,
                "text": part.text,
                "media": [
                    {"sha256": media.sha256, "mime_type": media.mime_type, "alt_text": media.alt_text}
                    for media in part.media.all()
                ],
            }
            for part in load_parts(post)
        ],
    }


def approve_posts(
    post_ids: Sequence[str], *, content_hash: str, feedback: str, late: bool, now: datetime, dry_run: bool = False
) -> list[Ruling]:
    """Say yes to posts, each by itself.

    Args:
        content_hash: of what was shown, when it is one post.

    Raises:
        InvalidInput: the hash of one post is given with several.
    """
    if content_hash and len(post_ids) > 1:
        raise InvalidInput(
            "A content hash is of one post: name one, or approve what the list showed with --all.", code="approve.hash"
        )
    feedback = read_feedback(feedback)
    seen = dict.fromkeys(post_ids, content_hash)
    return _approve_each(seen, feedback=feedback, late=late, now=now, dry_run=dry_run)


def approve_all(*, content_hash: str, feedback: str, late: bool, now: datetime, dry_run: bool = False) -> list[Ruling]:
    """Say yes to everything that the list showed: nothing that came or changed since.

    Args:
        content_hash: of the list (`Desk.content_hash`).

    Raises:
        Conflict: the list is not what was shown any more (`approve.list_changed`).
    """
    desk = list_waiting(now=now, limit=MAX_LISTED)
    if content_hash != desk.content_hash:
        raise Conflict(
            "What waits is not what was shown: something came, went or changed since. Look at the list again.",
            code="approve.list_changed",
            next_command="psn_approve list",
        )
    feedback = read_feedback(feedback)
    seen = {str(one.post.id): one.post.content_hash for one in desk.mine if one.hurdle is None}
    return _approve_each(seen, feedback=feedback, late=late, now=now, dry_run=dry_run)


def reject_post(post_id: str, *, feedback: str, dry_run: bool = False) -> Post:
    """Say no to a post that waits or is scheduled: it is a draft again, with the reason.

    Raises:
        InvalidInput: no reason is given.
        NotAllowed: the company's policy does not let this person.
        Conflict: it neither waits nor is scheduled.
    """
    feedback = read_feedback(feedback)
    if not feedback:
        raise InvalidInput("Say why: a no without a reason helps nobody.", code="approve.no_feedback")
    post = posts.get_post(post_id)
    with transaction.atomic():
        approving.reject(post, feedback=feedback)
        if dry_run:
            transaction.set_rollback(True)
    return post


def read_feedback(text: str) -> str:
    """Check what a person says to a post.

    Raises:
        InvalidInput: it is too long, or holds what no text has.
    """
    text = text.strip()
    if len(text) > MAX_FEEDBACK:
        raise InvalidInput(
            f"Feedback has at most {MAX_FEEDBACK} characters; this has {len(text)}.", code="approve.feedback"
        )
    return text


def _look_over(post: Post) -> tuple[list[live.Preview], list[Finding]]:
    """Preview and check a post with its files on this computer; one that cannot be had, or be right, hides nothing but itself."""
    try:
        carrying.bring(post)
        missing = []
    except PlatformError as error:
        missing = [_warn(post, error)]
    try:
        return live.preview_post(str(post.id)), [*missing, *posts.check_post(str(post.id))]
    except PlatformError as error:  # a row that no honest client writes
        return [], [_warn(post, error)]


def _warn(post: Post, error: PlatformError) -> Finding:
    return Finding(target=post.account.platform, code=error.error_code, message=error.message, level="warning")


def _waiting() -> QuerySet[Post]:
    posts_ = Post.objects.select_related("account", "author").prefetch_related("parts__media")
    return posts_.filter(user=get_owner(), status=Status.PENDING_APPROVAL)


def _stand(found: Sequence[Post], *, now: datetime) -> list[Waiting]:
    company = find_company()
    if company is None:
        return [Waiting(post, None, _due(post, now=now)) for post in found]
    stood = standings.look_at_all(found, company=company)
    return [Waiting(post, standing, _due(post, now=now)) for post, standing in zip(found, stood, strict=True)]


def _is_for_me(one: Waiting) -> bool:
    """Whether a post waits for this person: a missing slot keeps it from a yes, and is still his to see."""
    return one.hurdle in (None, Hurdle.NO_SLOT)


def _due(post: Post, *, now: datetime) -> Due:
    if post.scheduled_at is None:
        return "open"
    if post.scheduled_at <= now:
        return "past"
    return "near" if post.scheduled_at - now <= NEAR else "later"


def _approve_each(seen: Mapping[str, str], *, feedback: str, late: bool, now: datetime, dry_run: bool) -> list[Ruling]:
    """Approve posts one by one; one that is refused keeps no other from its yes."""
    rulings = []
    for post_id, content_hash in seen.items():
        try:
            post = posts.approve_post(
                post_id, now=now, content_hash=content_hash, feedback=feedback, late=late, dry_run=dry_run
            )
            rulings.append(Ruling(post_id, post))
        except Problem as error:
            rulings.append(Ruling(post_id, None, error))
    return rulings
