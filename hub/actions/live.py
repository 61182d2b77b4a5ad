"""What is live: reading its numbers, showing how it looks, taking it down (PUB-1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from hub.actions.accounts import check_connected
from hub.actions.posts import PERSON, get_post
from hub.models import Account, AuditEntry, Post, Status
from hub.models.base import hub_now
from hub.publishing.content import build_parts, facts_of
from hub.publishing.grants import doubt_access_token, open_adapter
from hub.queue import bells
from psn.errors import Conflict, InvalidInput, NeedsReconnect
from psn.platforms.base import Count, Part, RemotePost
from psn.platforms.registry import get_platform


@dataclass(frozen=True, slots=True)
class Preview:
    """How one part will look.

    Args:
        shown: what readers see at once; the rest of the text comes after a tap.
    """

    part: Part
    count: Count
    shown: str
    hidden: str


def preview_post(post_id: str) -> list[Preview]:
    """Show a post as its platform will: how long it thinks the text is, where it cuts it off, which files go along."""
    post = get_post(post_id)
    platform, facts = get_platform(post.account.platform), facts_of(post.account)
    previews = []
    for part in build_parts(post):
        count = platform.count_text(part.text, facts)
        cut_at = len(part.text) if count.cut_at is None else count.cut_at
        previews.append(Preview(part, count, shown=part.text[:cut_at], hidden=part.text[cut_at:]))
    return previews


def read_metrics(post_id: str) -> tuple[Post, list[RemotePost]]:
    """Ask the platform how a live post does; parts it does not show are left out.

    Raises:
        Conflict: it is not live.
        InvalidInput: the platform tells no numbers.
    """
    post = get_post(post_id)
    _check_live(post, "has no numbers")
    check_connected(post.account)
    if "metrics" not in get_platform(post.account.platform).abilities:
        raise InvalidInput(f"{get_platform(post.account.platform).title} tells no numbers.", code="platform.cannot")
    ids = [part.platform_post_id for part in post.parts.order_by("index") if part.platform_post_id]
    try:
        return post, _fetch(post.account, ids)
    except NeedsReconnect:  # the token may have ended before its time, the grant not (AUTH-3)
        if not doubt_access_token(post.account):
            raise
        return post, _fetch(post.account, ids)


def _fetch(account: Account, ids: Sequence[str]) -> list[RemotePost]:
    adapter = open_adapter(account, now=timezone.now())
    try:
        return adapter.fetch_posts(ids)
    finally:
        adapter.close()


def ask_to_delete(post_id: str, *, dry_run: bool = False) -> Post:
    """Have a live post taken off its platform by the worker. There is no way back.

    Raises:
        Conflict: it is not live.
        InvalidInput: the platform lets no app delete posts (`platform.cannot`).
    """
    post = get_post(post_id)
    _check_live(post, "cannot be deleted")
    platform = get_platform(post.account.platform)
    if "delete" not in platform.abilities:
        raise InvalidInput(
            f"{platform.title} lets no app delete posts. Delete it by hand{f': {post.url}' if post.url else ''}.",
            code="platform.cannot",
        )
    check_connected(post.account)
    with transaction.atomic():
        asked = Post.objects.filter(id=post.id, status=Status.PUBLISHED, deleted_at=None, delete_asked_at=None)
        if asked.update(delete_asked_at=hub_now()):
            AuditEntry.objects.record(post, action="post.delete_asked", actor=PERSON)
            bells.ring("delete_post", user_id=post.user_id, post_id=post.id)
        post.refresh_from_db()
        if dry_run:
            transaction.set_rollback(True)
    return post


def _check_live(post: Post, what: str) -> None:
    if post.status != Status.PUBLISHED or post.deleted_at is not None:
        state = "deleted" if post.deleted_at else post.status
        raise Conflict(
            f"Post {post.id} is {state}, so it {what}.", code="post.state", next_command=f"psn_post show {post.id}"
        )
