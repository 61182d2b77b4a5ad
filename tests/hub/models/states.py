"""A post in any state, reached as the engine reaches it, through a person's own login."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import F
from django.db.models.functions import Now

from hub.models import Account, Attempt, Post, PostMedia, PostPart, Status
from tests.hub.worlds import NOW

# What may follow what (PUB-2), as the picture of the engine shows it.
LEGAL: dict[str, set[str]] = {
    "draft": {"pending_approval", "approved", "scheduled", "cancelled"},
    "pending_approval": {"draft", "approved", "cancelled"},
    "approved": {"draft", "scheduled", "cancelled"},
    "scheduled": {"draft", "publishing", "missed", "unknown", "cancelled"},
    "publishing": {"published", "delivered", "failed", "scheduled", "unknown"},
    "unknown": {"published", "delivered", "scheduled", "failed"},
    "delivered": {"published"},
    "failed": {"draft", "cancelled"},
    "missed": {"draft", "cancelled"},
    "published": set(),
    "cancelled": set(),
}
_SCHEDULED, _PUBLISHING = ("scheduled",), ("scheduled", "publishing")
WAY_TO: dict[str, tuple[str, ...]] = {
    "draft": (),
    "pending_approval": ("pending_approval",),
    "approved": ("approved",),
    "scheduled": _SCHEDULED,
    "publishing": _PUBLISHING,
    "published": (*_PUBLISHING, "published"),
    "delivered": (*_PUBLISHING, "delivered"),
    "unknown": (*_PUBLISHING, "unknown"),
    "failed": (*_PUBLISHING, "failed"),
    "missed": (*_SCHEDULED, "missed"),
    "cancelled": ("cancelled",),
}


FROZEN_STATES = [status for status in Status.values if status != "draft"]
NOT_ALLOWED = "42501"  # insufficient_privilege


@contextmanager
def refused(law: str) -> Iterator[None]:
    """Expect that the database refuses, naming this constraint or this SQLSTATE."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        yield
    cause: Any = caught.value.__cause__
    assert law in (cause.diag.constraint_name, cause.sqlstate), caught.value


def make_draft(account: Any, *, parts: int = 1) -> Post:
    """Make a draft of his own, with a time that has come."""
    post = Post.objects.create(
        user_id=account.user_id, account_id=account.id, content_hash="h", scheduled_at=NOW, due_at=NOW
    )
    for index in range(parts):
        part = PostPart.objects.create(user_id=account.user_id, post_id=post.id, index=index, text="Hello")
        media = {"path": "a.png", "sha256": "00", "mime_type": "image/png", "size_bytes": 1}
        PostMedia.objects.create(user_id=account.user_id, part_id=part.id, index=0, **media)
    return post


def make_post_in(status: str, account: Any, *, parts: int = 1) -> Post:
    """Make a post and take it to a state, step by legal step."""
    post = make_draft(account, parts=parts)
    for step in WAY_TO[status]:
        assert move(post, step) == 1
    post.refresh_from_db()
    return post


def make_second_account(account: Any) -> Account:
    return Account.objects.create(user_id=account.user_id, platform="x", platform_account_id="second", handle="second")


def move(post: Post, to: str, **changes: Any) -> int:
    """Change the state with everything that the new one asks for; give how many rows changed."""
    if to == "published":
        make_live(post)
    return Post.objects.filter(id=post.id).update(status=to, **(conditions_of(to) | changes))


def conditions_of(status: str) -> dict[str, Any]:
    """What else a row must hold to be in a state."""
    claimed = status == "publishing"
    conditions: dict[str, Any] = {
        "phase": "claimed" if claimed else "",
        "lease_until": Now() + timedelta(minutes=1) if claimed else None,
        "lease_owner": "worker" if claimed else "",
        "approved_hash": F("content_hash"),
    }
    if claimed:
        conditions["fence"] = F("fence") + 1
    if status in ("published", "delivered"):
        conditions |= {"platform_post_id": "1", "published_at": Now()}
    return conditions


def make_live(post: Post) -> None:
    """Store a remote id for every part."""
    PostPart.objects.filter(post_id=post.id).update(state="published", platform_post_id="1", published_at=Now())


def write_intent(post: Post, **changes: Any) -> Attempt:
    """Open a commit attempt for the first part, under the claim as it stands."""
    Post.objects.filter(id=post.id, status=Status.PUBLISHING).update(phase="sending")
    part = PostPart.objects.filter(post_id=post.id).order_by("index")[0]
    values = {
        "post_id": post.id,
        "part_id": part.id,
        "kind": "commit",
        "fence": post.fence,
        "worker": "worker",
        "fingerprint": "f",
    }
    return Attempt.objects.create(user_id=post.user_id, **(values | changes))
