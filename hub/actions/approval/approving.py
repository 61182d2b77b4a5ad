"""A yes to exactly what was seen, and a no that says why (POST-4, TEAM-2).

In a personal hub the person confirms his own post, and this module schedules it. In a company's hub the database's own functions do:
they look who asks, whose post it is, what the company's policy says, whether the author holds the day, and whether the content is what
was seen. Nothing here can make them say otherwise.
"""

from __future__ import annotations

import uuid

from django.db import connection
from django.db.models.functions import Now

from hub.actions.approval import standings
from hub.actions.people import actor, find_company, get_me
from hub.models import Post, Status
from hub.publishing import carrying
from hub.publishing.content import hash_content, load_parts
from hub.queue import bells
from hub.rls.refusals import refused
from psn.errors import Conflict, NotAllowed

REJECTED = "approve.rejected"


def approve(post: Post, *, seen: str = "", feedback: str = "") -> None:
    """Bind a yes to the content as it is stored, and schedule what has a time.

    Args:
        seen: the hash of what the person saw; empty trusts that nobody changed it since.
        feedback: what a company's author is told with it.

    Raises:
        Conflict: the content is not what was seen, or the post's state does not allow it.
        NotAllowed: the company's policy does not let this person.
        InvalidInput: a company's post without a time, or one that is over for good.
    """
    if find_company() is None:
        _approve_own_hub(post, seen=seen)
    else:
        _approve_in_company(post, seen=seen, feedback=feedback)


def approve_own(post: Post) -> None:
    """Say yes to what one just wrote; where a company's policy does not let its writer do that, the post waits."""
    standing = standings.look_at(post)
    if standing is None or standing.hurdle is None:
        approve(post)


def reject(post: Post, *, feedback: str) -> None:
    """Say no to a post that waits or is scheduled: it is a draft again, and its author is told why.

    Raises:
        NotAllowed: the company's policy does not let this person.
        Conflict: it neither waits nor is scheduled.
    """
    if find_company() is not None:
        call_law("reject_post", post.id, feedback)
        post.refresh_from_db()
        return
    Post.objects.change(
        post,
        to=Status.DRAFT,
        among=[Status.PENDING_APPROVAL, Status.SCHEDULED],
        actor=actor(),
        detail={"message": feedback},
        approved_hash="",
        tries=0,
        error_code=REJECTED,
        error_message=feedback,
    )


def ask(post: Post) -> None:
    """Note that a post should go out at its time once somebody approves it."""
    Post.objects.change(post, to=Status.PENDING_APPROVAL, among=[Status.DRAFT], actor=actor())


def enter_schedule(post: Post) -> None:
    """Put an approved post on the schedule of a personal hub, and ring for it at its time."""
    Post.objects.change(
        post, to=Status.SCHEDULED, among=[Status.APPROVED], actor=actor(), tries=0, error_code="", error_message=""
    )
    assert post.due_at is not None
    bells.ring_post(post.id, at=post.due_at)


def check_seen(post: Post, seen: str) -> None:
    """Refuse a yes to something else than what is stored.

    Raises:
        Conflict: it was changed since (`post.changed`).
    """
    if seen and seen != post.content_hash:
        raise Conflict(
            f"Post {post.id} is not what was shown: it was changed since. Look at it again.",
            code="post.changed",
            next_command=f"psn_post show {post.id}",
        )


def check_author(post: Post) -> None:
    """Refuse to change what another member of the team wrote.

    Raises:
        NotAllowed: only its author may (`post.not_author`).
    """
    if find_company() is None or post.author is None or post.author_id == get_me().id:
        return
    raise NotAllowed(
        f"Only its author, {post.author.name}, may change post {post.id}; an approver can reject it with feedback.",
        code="post.not_author",
        ask=f"Ask {post.author.name} to change it; an approver sends it back with `psn_approve reject`, saying why.",
    )


def _approve_own_hub(post: Post, *, seen: str) -> None:
    locked = Post.objects.select_for_update().get(id=post.id)
    check_seen(locked, seen)
    content_hash = _hash_stored(locked)
    Post.objects.change(
        post,
        to=Status.APPROVED,
        among=[Status.DRAFT, Status.PENDING_APPROVAL],
        actor=actor(),
        detail={"content_hash": content_hash},
        approved_hash=content_hash,
        approved_by=actor(),
        approved_at=Now(),
    )
    if post.scheduled_at is not None:
        enter_schedule(post)


def _approve_in_company(post: Post, *, seen: str, feedback: str) -> None:
    """Approve what this computer loads; the database refuses when by then something else is stored."""
    if post.status == Status.DRAFT and post.scheduled_at is not None:
        check_author(post)
        ask(post)
    check_seen(post, seen)
    carrying.put_missing(post)
    call_law("approve_post", post.id, _hash_stored(post), feedback)
    post.refresh_from_db()


def _hash_stored(post: Post) -> str:
    """Hash what is stored of a post, part by part.

    Raises:
        Conflict: it is not what the post itself says it is.
    """
    content_hash = hash_content(post, load_parts(post))
    if content_hash != post.content_hash:
        raise Conflict(
            f"Post {post.id} changed while it was approved. Look at it again.",
            code="post.changed",
            next_command=f"psn_post show {post.id}",
        )
    return content_hash


def call_law(function: str, *arguments: uuid.UUID | str) -> None:
    """Have the database do what no member may do with rows directly.

    Raises:
        NotAllowed, NotFound, Conflict, InvalidInput: its refusals, word for word.
    """
    marks = ", ".join(["%s"] * len(arguments))
    with refused(), connection.cursor() as cursor:
        cursor.execute(f"SELECT hub_api.{function}({marks})", arguments)
