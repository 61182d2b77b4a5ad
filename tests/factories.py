"""Rows for tests, made by plain functions on the owner's connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.models import Account, Login, Post, PostPart, User
from hub.publishing.content import hash_content

OWNER = "default__owner"


@dataclass(frozen=True)
class People:
    """The people of the test hub.

    Args:
        me: behind the login `psn_app` (aliases `default`, `queue`).
        other: behind `psn_another` (alias `another`).
    """

    me: User
    other: User


def make_people() -> People:
    """Make two people and the three logins."""
    me, other = (User.objects.using(OWNER).create(name=name, timezone="Europe/Madrid") for name in ("me", "other"))
    Login.objects.using(OWNER).bulk_create(
        [
            Login(login_role="psn_app", kind="member", user=me),
            Login(login_role="psn_another", kind="member", user=other),
            Login(login_role="psn_worker", kind="service"),
        ]
    )
    return People(me=me, other=other)


def make_account(user: User, *, using: str = OWNER, **values: Any) -> Account:
    """Make a connected account; every call makes another profile."""
    number = Account.objects.using(using).count() + 1
    defaults = {"platform": "x", "platform_account_id": str(number), "handle": f"handle{number}", "is_sandbox": True}
    return Account.objects.using(using).create(user_id=user.id, **(defaults | values))


def make_post(
    account: Account,
    *,
    texts: tuple[str, ...] = ("Hello",),
    using: str = OWNER,
    status: str = "draft",
    due_in: float = -1.0,
) -> Post:
    """Make a post in a state that the database allows to be reached in one step from a draft.

    Args:
        status: `draft`, or `scheduled` (approved, due in `due_in` seconds).
    """
    when = datetime.now(UTC) + timedelta(seconds=due_in) if status == "scheduled" else None
    post = Post.objects.using(using).create(
        user_id=account.user_id, account_id=account.id, content_hash="", scheduled_at=when, due_at=when
    )
    parts = [
        PostPart.objects.using(using).create(user_id=account.user_id, post_id=post.id, index=index, text=text)
        for index, text in enumerate(texts)
    ]
    digest = hash_content(post, parts)
    Post.objects.using(using).filter(id=post.id).update(content_hash=digest)
    if status == "scheduled":
        Post.objects.using(using).filter(id=post.id).update(
            status="scheduled", approved_hash=digest, approved_by="person"
        )
    post.refresh_from_db()
    return post
