"""What is live: reading its numbers, showing how it looks, taking it down (PUB-1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from hub.actions.accounts import check_connected, find_account
from hub.actions.approval.approving import call_law
from hub.actions.people import actor, find_company
from hub.actions.posts import get_post
from hub.models import Account, AuditEntry, Post, Status
from hub.models.base import hub_now
from hub.publishing.content import build_parts, facts_of
from hub.publishing.grants import doubt_access_token, open_adapter
from hub.queue import bells
from psn.errors import Conflict, InvalidInput, NeedsReconnect
from psn.platforms.base import Adapter, Count, Part, RemotePost
from psn.platforms.registry import get_platform

T = TypeVar("T")


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


def read_account_metrics(account: str) -> tuple[Account, dict[str, int]]:
    """Ask the platform how an account does; what it does not tell is left out.

    Raises:
        InvalidInput: the platform tells no numbers.
    """
    found = find_account(account)
    check_connected(found)
    if "account_metrics" not in get_platform(found.platform).abilities:
        raise InvalidInput(f"{get_platform(found.platform).title} tells no numbers.", code="platform.cannot")
    return found, _ask(found, lambda adapter: adapter.fetch_account_metrics())


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
    return post, _ask(post.account, lambda adapter: adapter.fetch_posts(ids))


def _ask(account: Account, question: Callable[[Adapter], T]) -> T:
    """Ask the platform something, once more with a new token when it refuses the one we have."""
    try:
        return _ask_once(account, question)
    except NeedsReconnect:  # the token may have ended before its time, the grant not (AUTH-3)
        if not doubt_access_token(account):
            raise
        return _ask_once(account, question)


def _ask_once(account: Account, question: Callable[[Adapter], T]) -> T:
    adapter = open_adapter(account, now=timezone.now())
    try:
        return question(adapter)
    finally:
        adapter.close()


def ask_to_delete(post_id: str, *, dry_run: bool = False) -> Post:
    """Have a live post taken off its platform by the worker. There is no way back.

    Raises:
        Conflict: it is not live.
        InvalidInput: the platform lets no app delete posts (`platform.cannot`).
        NotAllowed: a company's post that this member neither wrote nor may approve.
    """
    post = get_post(post_id)
    _check_live(post, "cannot be deleted")
    platform = get_platform(post.account.platform)
    if "delete" not in platform.abilities:
        raise InvalidInput(
            f"{platform.title} lets no app delete posts.",
            code="platform.cannot",
            ask=f"Ask the person to delete it by hand{f': {post.url}' if post.url else ' in the app'}.",
        )
    check_connected(post.account)
    with transaction.atomic():
        if find_company() is None:
            _ask_own_worker(post)
        elif post.delete_asked_at is None:
            call_law("ask_deletion", post.id)
        post.refresh_from_db()
        if dry_run:
            transaction.set_rollback(True)
    return post


def _ask_own_worker(post: Post) -> None:
    asked = Post.objects.filter(id=post.id, status=Status.PUBLISHED, deleted_at=None, delete_asked_at=None)
    if asked.update(delete_asked_at=hub_now()):
        AuditEntry.objects.record(post, action="post.delete_asked", actor=actor())
        bells.ring("delete_post", user_id=post.user_id, post_id=post.id)


def _check_live(post: Post, what: str) -> None:
    if post.status != Status.PUBLISHED or post.deleted_at is not None:
        state = "deleted" if post.deleted_at else post.status
        raise Conflict(
            f"Post {post.id} is {state}, so it {what}.", code="post.state", next_command=f"psn_post show {post.id}"
        )
