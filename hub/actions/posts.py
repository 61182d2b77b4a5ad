"""Posts: draft, edit, check, approve, schedule, publish, cancel, look (SPEC PUB, POST-4).

Asking for a time and approving the content are two acts, in either order. A post goes to `scheduled` when both are done:

    draft ──schedule──→ pending_approval ──approve──→ scheduled
      └────approve────→ approved ────────schedule───→ scheduled

An approval without a time leaves the time open, and the first `schedule` fixes it. Any later change of text, media or time voids it.

In a company's hub (POST-5, TEAM-2) only its author changes a post, and a yes always is to a time: the database itself takes a post from
`pending_approval` to `scheduled`, for those whom the company's policy lets. What its writer may not approve waits.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects

from hub.actions import drafts, preflight
from hub.actions.accounts import check_connected, find_account
from hub.actions.approval import approving, standings
from hub.actions.people import actor, find_company, get_me, get_owner
from hub.models import Account, Attempt, AuditEntry, Post, User
from hub.models.posts import EDITABLE, Status
from hub.publishing import carrying, repeats
from hub.publishing.content import build_parts, hash_content, load_parts
from psn.errors import ApprovalNeeded, Conflict, Finding, InvalidInput, NotFound
from psn.platforms.registry import get_platform
from psn.times import wall_time

MAX_LISTED = 200
_BEFORE_SCHEDULED = (Status.DRAFT, Status.PENDING_APPROVAL, Status.APPROVED)
_AGAIN = (Status.FAILED, Status.MISSED)


@dataclass(frozen=True, slots=True)
class Page:
    """Some posts, newest first.

    Args:
        next_before: give it as `before` for the posts after these; None at the end.
    """

    posts: list[Post]
    next_before: str | None


def create_post(
    *,
    account: str,
    parts: Sequence[drafts.DraftPart],
    at: datetime | None,
    approve: bool,
    options: Mapping[str, str] | None = None,
    campaign: uuid.UUID | None = None,
    dry_run: bool = False,
) -> tuple[Post, list[Finding]]:
    """Make a draft; with a time and an approval it is scheduled at once. Media are made to fit the platform.

    Args:
        account: `@handle`, `platform:@handle` or an id.
        options: what the platform lets people choose, by its name.
        campaign: which posts share an idea.
        dry_run: check everything, keep nothing.

    Raises:
        InvalidInput: the platform would refuse it, or a company's post is to be approved without a time.
    """
    found = find_account(account)
    check_connected(found)
    _check_yes_has_time(at is not None, approve=approve)
    chosen = dict(options or {})
    with tempfile.TemporaryDirectory(prefix="psn-media-") as folder:
        fitted = drafts.fit_parts(parts, platform=get_platform(found.platform), options=chosen, folder=Path(folder))
        findings = fitted.findings + _check(found, fitted.parts, options=chosen, at=at)
        with transaction.atomic():
            post = Post(
                user_id=found.user_id, author=_author(), account=found, options=chosen, campaign=campaign, **_timing(at)
            )
            stored = drafts.build_rows(post, fitted.parts, copy_media=not dry_run)
            post.content_hash = drafts.hash_rows(post, stored)
            drafts.save_rows(post, stored)
            AuditEntry.objects.record(post, action="post.created", actor=actor(), to_state=Status.DRAFT)
            _finish_draft(post, ask=at is not None, approve=approve, dry_run=dry_run)
    return post, findings


def edit_post(
    post_id: str,
    *,
    parts: Sequence[drafts.DraftPart],
    approve: bool,
    now: datetime,
    options: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> tuple[Post, list[Finding]]:
    """Replace the content. The approval is void; a time that was asked for stays asked for, and one that was sent back keeps its own.

    Args:
        options: as for `create_post`; the ones it has when left out.

    Raises:
        NotAllowed: another member wrote it.
        Conflict: it is going out, is out, or was cancelled.
        InvalidInput: the platform would refuse it, or a part of it is live already.
    """
    post = get_post(post_id)
    approving.check_author(post)
    chosen = dict(post.options if options is None else options)
    with tempfile.TemporaryDirectory(prefix="psn-media-") as folder:
        fitted = drafts.fit_parts(
            parts, platform=get_platform(post.account.platform), options=chosen, folder=Path(folder)
        )
        findings = _check(post.account, fitted.parts, options=chosen, at=post.scheduled_at, post_id=post.id)
        _replace_content(post, fitted.parts, options=chosen, approve=approve, now=now, dry_run=dry_run)
    return post, fitted.findings + findings


def _replace_content(
    post: Post,
    parts: Sequence[drafts.DraftPart],
    *,
    options: dict[str, str],
    approve: bool,
    now: datetime,
    dry_run: bool,
) -> None:
    with transaction.atomic():
        keeps_time = (
            post.status in (Status.DRAFT, Status.PENDING_APPROVAL, Status.SCHEDULED)
            and post.scheduled_at is not None
            and post.scheduled_at > now
        )
        asked = keeps_time and (
            approve or post.status != Status.DRAFT
        )  # one that was sent back is asked for anew by its author
        _check_yes_has_time(asked, approve=approve)
        again = {} if keeps_time else _timing(None)
        Post.objects.change(
            post,
            to=Status.DRAFT,
            among=EDITABLE,
            actor=actor(),
            approved_hash="",
            error_code="",
            error_message="",
            tries=0,
            **again,
        )
        _refuse_in_doubt(post)
        if any(part.platform_post_id for part in load_parts(post)):
            raise Conflict(
                "Part of this thread is live already, so its text cannot change. Schedule it again to send the rest.",
                code="post.partly_live",
            )
        stored = drafts.build_rows(post, parts, copy_media=not dry_run)
        drafts.replace_parts(post, stored)
        post.options = options
        Post.objects.filter(id=post.id).update(options=options, content_hash=drafts.hash_rows(post, stored))
        post.refresh_from_db()
        _finish_draft(post, ask=asked, approve=approve, dry_run=dry_run)


def check_post(post_id: str) -> list[Finding]:
    """Check a post before it goes out, without sending anything (PUB-11)."""
    post = get_post(post_id)
    return preflight.check(post.account, build_parts(post), at=post.scheduled_at, post_id=post.id)


def approve_post(
    post_id: str,
    *,
    now: datetime,
    content_hash: str = "",
    feedback: str = "",
    late: bool = False,
    dry_run: bool = False,
) -> Post:
    """Approve exactly this content, for its time if it has one.

    Args:
        content_hash: of what the person saw; empty trusts that nobody changed it since.
        feedback: what a company's author is told with it.
        late: the person wants it to go out although its time has passed.

    Raises:
        InvalidInput: the time it was asked for has passed, or the platform would refuse it.
        Conflict: there is nothing to approve any more, or the content is not what the person saw.
        NotAllowed: the company's policy does not let this person.
    """
    post = get_post(post_id)
    approving.check_seen(post, content_hash)
    if post.status == Status.SCHEDULED or (post.status == Status.APPROVED and post.approved_hash == post.content_hash):
        return post
    _check_not_past(post, now=now, late=late)
    check_connected(post.account)
    _refuse_errors(check_post(post_id), post.id)
    with transaction.atomic():
        approving.approve(post, seen=content_hash, feedback=feedback)
        if dry_run:
            _rehearsed(post)
    return post


def schedule_post(post_id: str, *, at: datetime | None, approve: bool, dry_run: bool = False) -> Post:
    """Set when a post goes out.

    Args:
        at: aware; None keeps the time it has.

    Raises:
        ApprovalNeeded: the time is noted, and the content waits for a person's yes.
        NotAllowed: another member wrote it; or the time is noted, and its author must claim the day first.
        Conflict: it is going out, is out, or was cancelled.
        InvalidInput: no time, or the platform would refuse it.
    """
    post = get_post(post_id)
    approving.check_author(post)
    if at is None and post.status == Status.SCHEDULED:
        return post
    if at is None and (post.scheduled_at is None or post.status in _AGAIN):
        raise InvalidInput(
            "When should it go out?", code="time.missing", next_command=f"psn_post schedule {post.id} --at +10m"
        )
    check_connected(post.account)
    _refuse_errors(check_post(post_id), post.id)
    with transaction.atomic():
        _schedule(post, at=at, approve=approve)
        if dry_run:
            _rehearsed(post)
    if post.status != Status.SCHEDULED:
        raise standings.explain_waiting(post)
    return post


def publish_post(post_id: str, *, approve: bool, now: datetime, dry_run: bool = False) -> Post:
    """Send a post out now: it is scheduled for this moment, and the worker publishes it.

    Raises:
        ApprovalNeeded: nobody approved it for any time; nothing changed.
    """
    post = get_post(post_id)
    approving.check_author(post)
    time_is_open = post.status == Status.APPROVED and post.scheduled_at is None
    if not approve and not time_is_open and post.status in EDITABLE:
        raise ApprovalNeeded(
            f"Post {post.id} is not approved for now.",
            next_command=f"psn_post publish {post.id} --approve",
            ask="Show the post to the person and publish it only if they say yes.",
        )
    return schedule_post(post_id, at=now, approve=approve, dry_run=dry_run)


def cancel_post(post_id: str, *, dry_run: bool = False) -> Post:
    """Take a post off the schedule for good. Wins if it commits before a worker's claim.

    Raises:
        NotAllowed: another member wrote it.
        Conflict: it is going out or is out.
    """
    post = get_post(post_id)
    approving.check_author(post)
    if post.status == Status.CANCELLED:
        return post
    with transaction.atomic():
        # a member's own hand leaves no approval standing
        void: dict[str, Any] = {} if post.author is None else {"approved_hash": ""}
        Post.objects.change(post, to=Status.CANCELLED, among=EDITABLE, actor=actor(), **void)
        _refuse_in_doubt(post)
        if dry_run:
            _rehearsed(post)
    return post


def get_post(post_id: str) -> Post:
    """Give a post.

    Raises:
        NotFound: no such id, or not visible to this person.
    """
    try:
        post = Post.objects.select_related("account", "author").filter(id=uuid.UUID(post_id)).first()
    except ValueError:
        post = None
    if post is None:
        raise NotFound(f"There is no post {post_id}.", code="post.not_found", next_command="psn_post list")
    return post


def list_posts(*, status: str | None, account: str | None, limit: int, before: str | None) -> Page:
    """List posts, newest first.

    Args:
        before: the id of the last post of the page before this one.
    """
    posts = Post.objects.select_related("account", "author").prefetch_related("parts__media").filter(user=get_owner())
    if status:
        posts = posts.filter(status=_read_status(status))
    if account:
        posts = posts.filter(account=find_account(account))
    if before:
        last = get_post(before)
        posts = posts.filter(created_at__lte=last.created_at).exclude(created_at=last.created_at, id__gte=last.id)
    limit = min(max(limit, 1), MAX_LISTED)
    found = list(posts.order_by("-created_at", "-id")[: limit + 1])
    return Page(posts=found[:limit], next_before=str(found[limit - 1].id) if len(found) > limit else None)


def list_attempts(post_id: str) -> list[Attempt]:
    """List every call that was made for a post, oldest first."""
    return list(Attempt.objects.filter(post_id=get_post(post_id).id).order_by("started_at", "id"))


def _check(
    account: Account,
    parts: Iterable[drafts.DraftPart],
    *,
    options: Mapping[str, str],
    at: datetime | None,
    post_id: uuid.UUID | None = None,
) -> list[Finding]:
    """Check content that is not stored yet; errors raise, warnings are given back."""
    written = [part.to_part(index, options=options) for index, part in enumerate(parts)]
    findings = preflight.check(account, written, at=at, post_id=post_id)
    _refuse_errors(findings, None)
    return findings


def _refuse_errors(findings: Sequence[Finding], post_id: uuid.UUID | None) -> None:
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        warnings = sum(1 for finding in findings if finding.level == "warning")
        raise InvalidInput(
            f"{len(errors)} error{'s' if len(errors) != 1 else ''}, {warnings} warning{'s' if warnings != 1 else ''}: {errors[0].message}",
            findings=[finding for finding in findings if finding.level != "info"],
            next_command=f"psn_post edit {post_id} --stdin" if post_id else None,
        )


def _timing(at: datetime | None) -> dict[str, Any]:
    """The columns of a time: UTC, and how the person's clock shows it."""
    zone = get_me().timezone
    return {
        "scheduled_at": at,
        "due_at": at,
        "scheduled_zone": zone if at else "",
        "scheduled_wall": wall_time(at, zone=zone) if at else "",
    }


def _finish_draft(post: Post, *, ask: bool, approve: bool, dry_run: bool) -> None:
    """Take a draft that was just written as far as its writer wants."""
    if ask:
        approving.ask(post)
    if approve:
        approving.approve_own(post)
    if dry_run:
        _rehearsed(post)


def _refuse_in_doubt(post: Post) -> None:
    """Refuse to change what may be live: PSN is about to make the very same call again, and finds out."""
    if repeats.is_in_doubt(post):
        raise Conflict(
            f"Post {post.id} may be live: an earlier try got no answer, and PSN is finding out. Wait for that.",
            code="post.in_doubt",
            next_command=f"psn_post wait {post.id}",
        )


def _check_not_past(post: Post, *, now: datetime, late: bool) -> None:
    """Refuse a yes to a time that is over, unless the person knows."""
    if late or post.scheduled_at is None or post.scheduled_at >= now or post.status not in _BEFORE_SCHEDULED:
        return
    is_mine = post.author is None or post.author_id == get_me().id
    raise InvalidInput(
        "The time this post was meant for has passed.",
        code="time.past",
        next_command=f"psn_post schedule {post.id} --at +10m --approve" if is_mine else None,
        ask=None
        if is_mine
        else "Reject it, so that its author gives it a new time, or send it now: psn_approve approve --late.",
    )


def _check_yes_has_time(has_time: bool, *, approve: bool) -> None:
    """Refuse a yes without a time where the team sees who posts when."""
    if approve and not has_time and find_company() is not None:
        raise InvalidInput(
            "In a company's hub a yes is to a time, too: say when it should go out, with --at.", code="time.missing"
        )


def _author() -> User | None:
    """Give who writes a company's post; a personal hub's posts are their owner's."""
    return get_me() if find_company() is not None else None


def _schedule(post: Post, *, at: datetime | None, approve: bool) -> None:
    """Give a post its time. An approval that left the time open covers it; one for another time does not."""
    time_was_open = post.status == Status.APPROVED and post.scheduled_at is None
    carrying.put_missing(post)
    if at is not None:
        Post.objects.change(
            post,
            to=Status.DRAFT,
            among=EDITABLE,
            actor=actor(),
            approved_hash="",
            tries=0,
            error_code="",
            error_message="",
            **_timing(at),
        )
        _refuse_in_doubt(post)
        Post.objects.filter(id=post.id).update(content_hash=hash_content(post, load_parts(post)))
        post.refresh_from_db()
    if post.status == Status.DRAFT:
        approving.ask(post)
    if post.status == Status.APPROVED:
        approving.enter_schedule(post)
    elif approve or time_was_open:
        approving.approve_own(post)


def _rehearsed(post: Post) -> None:
    """End a dry run: the post as it would be stays in memory, nothing stays in the hub."""
    prefetch_related_objects([post], "parts__media")
    transaction.set_rollback(True)


def _read_status(text: str) -> str:
    if text not in Status.values:
        raise InvalidInput(f"There is no status {text!r}. Known: {', '.join(Status.values)}.", code="post.status")
    return text
