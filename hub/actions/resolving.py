"""A person's word on an outcome that nobody knows: it is there, or it is not (PUB-6).

Law: only while the post is `unknown`. The engine may be asking the platform at the same moment; whoever commits first decides, and
the other changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction

from hub.actions import notices
from hub.actions.people import actor
from hub.actions.posts import get_post
from hub.models import Account, Attempt, AuditEntry, Notice, Post, PostPart, Status
from hub.models.base import hub_now
from hub.publishing import attempts, endings, looks
from hub.publishing.endings import Telling
from psn.errors import Conflict, InvalidInput, Problem
from psn.platforms.base import Published
from psn.platforms.registry import get_platform

NOT_PUBLISHED = "You looked, and it was not there."
_LINKED = Telling(Notice.Level.KNOW, "post.linked", "You looked, and it was there; PSN goes by that.")
_CLOSED = "A person said how it ended."


def resolve_published(post_id: str, *, url: str, dry_run: bool = False) -> Post:
    """Link the part in doubt to the post that the person found; what is left of a thread goes on after it.

    Args:
        url: the post's address, or its bare id.
        dry_run: check everything, change nothing.

    Raises:
        InvalidInput: not the address of a post there (`url.post`), or of another server than the account's (`url.foreign`).
        Conflict: the post is not `unknown` (any more), or another post of the account is linked to it already.
    """
    post = _get_unknown(post_id)
    found = read_found(url, account=post.account)
    with transaction.atomic():
        _lock(post)
        part = _part_in_doubt(post)
        _refuse_taken(post, part, found.platform_post_id)
        _note(post, said=f"looked, and said that part {part.index + 1} is live as {found.platform_post_id}")
        if not looks.link(post, part, found, at=_sent_at(part), actor=actor(), told=_LINKED):
            raise _too_late(post)
        return _finish(post, dry_run=dry_run)


def resolve_not_published(post_id: str, *, dry_run: bool = False) -> Post:
    """Close a post that the person did not find: it is `failed`, and can be scheduled again with a new yes.

    Raises:
        Conflict: the post is not `unknown` (any more).
    """
    post = _get_unknown(post_id)
    with transaction.atomic():
        _lock(post)
        _part_in_doubt(post)
        _note(post, said="looked, and said that it is not there")
        if not endings.leave(
            post, to=Status.FAILED, error=Problem(NOT_PUBLISHED, code="post.not_published"), actor=actor()
        ):
            raise _too_late(post)
        return _finish(post, dry_run=dry_run)


def read_found(url: str, *, account: Account) -> Published:
    """Read what a person found: the platform's id, and the address when they gave one.

    Raises:
        InvalidInput: no post of this platform, or one on another server than the account's.
    """
    platform = get_platform(account.platform)
    remote_id = platform.read_post_url(url)
    given = url.strip()
    if remote_id == given:
        return Published(platform_post_id=remote_id, url="")
    address = urlsplit(given if "://" in given else f"https://{given}")
    home = urlsplit(account.base_url).hostname if account.base_url else ""
    public = urlsplit(platform.web_base_url).hostname  # where people see what lies on a server of their own (Bluesky)
    if home and address.hostname != home and (_is_this_machine(home) or address.hostname != public):
        raise InvalidInput(f"This is not a post on the account's own server, which is {home}.", code="url.foreign")
    if not home and _is_this_machine(address.hostname):
        raise InvalidInput(f"This is a post of the sandbox, and {account} is not at the sandbox.", code="url.foreign")
    return Published(platform_post_id=remote_id, url=address._replace(query="", fragment="").geturl())


def _is_this_machine(host: str | None) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


def _get_unknown(post_id: str) -> Post:
    post = get_post(post_id)
    if post.status != Status.UNKNOWN:
        raise Conflict(
            f"Post {post.id} is {post.status}: only one whose outcome is unknown can be resolved.",
            code="post.state",
            next_command=f"psn_post why {post.id}",
        )
    return post


def _lock(post: Post) -> None:
    """Hold the post, then its account: two posts that are resolved at once must not be linked to the same one there."""
    rows = Post.objects.select_for_update().filter(id=post.id, fence=post.fence, status=Status.UNKNOWN)
    if not rows.exists():
        raise _too_late(post)
    Account.objects.select_for_update().get(id=post.account_id)


def _part_in_doubt(post: Post) -> PostPart:
    """Give the first part that is not live: the ones before it are, and the ones after it were not sent yet."""
    part = PostPart.objects.filter(post_id=post.id, state=PostPart.State.WAITING).order_by("index").first()
    if part is None:
        raise Conflict(
            f"Nothing of post {post.id} is in doubt: the platform's answer came after all, and every part is live.",
            code="post.nothing_in_doubt",
            next_command=f"psn_post show {post.id}",
        )
    return part


def _refuse_taken(post: Post, part: PostPart, remote_id: str) -> None:
    taken = PostPart.objects.filter(post__account_id=post.account_id, platform_post_id=remote_id).exclude(id=part.id)
    other = taken.first()
    if other is not None:
        raise Conflict(
            f"{remote_id} is part {other.index + 1} of post {other.post_id} already, so it cannot be this one too.",
            code="post.linked_already",
            next_command=f"psn_post show {other.post_id}",
        )


def _sent_at(part: PostPart) -> datetime:
    """When the part came out, as well as we know: when its last call was made, or now when none is on record."""
    calls = Attempt.objects.filter(part_id=part.id, post_id=part.post_id, kind=Attempt.Kind.COMMIT)
    started = calls.order_by("-started_at", "-id").values_list("started_at", flat=True).first()
    return started or hub_now()


def _note(post: Post, *, said: str) -> None:
    AuditEntry.objects.record(post, action="post.resolved", actor=actor(), detail={"said": said})


def _finish(post: Post, *, dry_run: bool) -> Post:
    """Close what is still open, so that it is in nobody's way, take the notices as read, and give the post as it is now."""
    attempts.close_abandoned(post, detail=_CLOSED)
    notices.mark_seen_of(post)
    ended = Post.objects.select_related("account").prefetch_related("parts__media").get(id=post.id)
    if dry_run:
        transaction.set_rollback(True)
    return ended


def _too_late(post: Post) -> Conflict:
    return Conflict(
        f"Post {post.id} is not unknown any more: PSN found out just now, or somebody else resolved it.",
        code="post.state",
        next_command=f"psn_post why {post.id}",
    )
