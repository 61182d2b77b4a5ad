"""Posts as every platform has them: made, found, read in order, deleted.

| kind | |
|---|---|
| post | also a part of a thread: it replies to another post |
| comment | below another post |
| story, reel, carousel, document, article, video, photos | a post that the feed labels so |
| inbox | delivered to the app's inbox; a person must finish it there |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from sandbox import clock, faults, ids, journal
from sandbox.models import Account, Attachment, Post, Upload
from sandbox.tokens import hash_secret

KINDS = ("post", "comment", "story", "reel", "carousel", "document", "article", "video", "photos", "inbox")


def create_post(
    request: HttpRequest,
    account: Account,
    *,
    text: str,
    kind: str = "post",
    remote_id: str | Callable[[int], str] = "",
    reply_to: Post | None = None,
    uploads: Sequence[Upload] = (),
    data: Mapping[str, Any] | None = None,
    text_key: str = "",
    made_with_ai: bool = False,
) -> Post:
    """Keep a post. Checks against what is there belong into the same `transaction.atomic()` around this.

    Args:
        request: the call that makes it: for the journal, and for an ordered failure that hides it for a while.
        text: as its author wrote it.
        remote_id: what the platform calls it, or how to make that of the post's number; the number itself when left out.
        reply_to: the post before it in its thread, or the post it comments on.
        text_key: two posts with the same key count as the same (`find_same`); the text itself when left out.
    """
    hidden_for = faults.hidden_for(request)
    with transaction.atomic():
        number, now = ids.next_number(), clock.now()
        post = Post.objects.create(
            id=number,
            remote_id=(remote_id(number) if callable(remote_id) else remote_id) or str(number),
            kind=kind,
            account=account,
            text=text,
            text_sha256=hash_secret(text_key or text),
            reply_to=reply_to.id if reply_to else None,
            conversation_id=reply_to.conversation_id if reply_to else number,
            made_with_ai=made_with_ai,
            body_sha256=journal.hash_body(request),
            created_at=now,
            hidden_until=now + hidden_for if hidden_for else None,
            data=dict(data or {}),
        )
        Attachment.objects.bulk_create(
            Attachment(post=post, upload=upload, position=position) for position, upload in enumerate(uploads)
        )
    journal.note(request, post_id=post.remote_id)
    return post


def living_posts(platform: str) -> QuerySet[Post]:
    """Give a platform's posts that nobody deleted."""
    return Post.objects.filter(deleted_at=None, account__platform=platform).select_related("account")


def find_post(platform: str, remote_id: str) -> Post | None:
    """Give the living post with the platform's id."""
    return living_posts(platform).filter(remote_id=remote_id).first()


def timeline_of(account: Account) -> QuerySet[Post]:
    """Give an account's posts as its timeline shows them by now, newest first."""
    posts = living_posts(account.platform).filter(account=account).exclude(hidden_until__gt=clock.now())
    return posts.order_by("-id")


def replies_to(post: Post) -> QuerySet[Post]:
    """Give the living replies and comments to a post, oldest first."""
    return living_posts(post.account.platform).filter(reply_to=post.id).order_by("id")


def find_same(account: Account, text_key: str, *, within: timedelta) -> Post | None:
    """Give the account's newest living post of the last while that counts as the same."""
    recent = living_posts(account.platform).filter(account=account, created_at__gt=clock.now() - within)
    return recent.filter(text_sha256=hash_secret(text_key)).order_by("-id").first()


def delete_post(request: HttpRequest, post: Post) -> bool:
    """Take a post away; False when somebody else did meanwhile."""
    deleted = Post.objects.filter(id=post.id, deleted_at=None).update(deleted_at=clock.now())
    journal.note(request, post_id=post.remote_id)
    return bool(deleted)


def attachments_of(post: Post) -> list[Upload]:
    """Give a post's files in the author's order."""
    return [attachment.upload for attachment in Attachment.objects.filter(post=post).select_related("upload")]
