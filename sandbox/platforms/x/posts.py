"""Creating and deleting posts: `POST /2/tweets`, `DELETE /2/tweets/{id}`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from django.db import transaction
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from pydantic import Field

from sandbox import clock, faults, journal
from sandbox.models import Account, Attachment, Post, Upload
from sandbox.platforms.x import ids, problems, rendering, uploads
from sandbox.platforms.x.endpoint import Body, answer, endpoint, read_body
from sandbox.platforms.x.text import MAX_UNITS, count_units, hash_text

WRITE = ("tweet.read", "tweet.write", "users.read")
DUPLICATE_FOR = timedelta(hours=24)  # X documents no width; a day is the cautious reading
NumericId = Annotated[str, Field(pattern=r"^[0-9]{1,19}$")]


class MediaBody(Body):
    """`media` of a new post."""

    media_ids: Annotated[list[NumericId], Field(min_length=1, max_length=4)]
    tagged_user_ids: Annotated[list[NumericId], Field(max_length=10)] = []
    title: str | None = None
    description: str | None = None
    embeddable: bool | None = None
    preview_media_id: NumericId | None = None


class ReplyBody(Body):
    """`reply` of a new post."""

    in_reply_to_tweet_id: NumericId
    exclude_reply_user_ids: list[str] = []
    auto_populate_reply_metadata: bool | None = None


class PollBody(Body):
    """`poll` of a new post: checked, then forgotten."""

    options: Annotated[list[Annotated[str, Field(min_length=1, max_length=25)]], Field(min_length=2, max_length=4)]
    duration_minutes: Annotated[int, Field(ge=5, le=10080)]
    reply_settings: Literal["following", "mentionedUsers", "subscribers", "verified"] | None = None


class PostBody(Body):
    """A new post, as spec v2.167 has it; what the sandbox cannot show is taken and not kept."""

    text: str = ""
    media: MediaBody | None = None
    reply: ReplyBody | None = None
    poll: PollBody | None = None
    reply_settings: Literal["following", "mentionedUsers", "subscribers", "verified"] | None = None
    made_with_ai: bool = False
    paid_partnership: bool = False
    nullcast: bool = False
    for_super_followers_only: bool = False
    share_with_followers: bool = False
    community_id: NumericId | None = None
    card_uri: str | None = None
    direct_message_deep_link: str | None = None
    quote_tweet_id: NumericId | None = None


@endpoint("POST /2/tweets", scopes=WRITE, per_window=100)
def create_post(request: HttpRequest, account: Account) -> HttpResponse:
    """Make a post public."""
    body = read_body(request, PostBody)
    _check_content(body)
    hidden_for = faults.hidden_for(request)
    post = _commit(account, body=body, body_sha256=journal.hash_body(request), now=clock.now(), hidden_for=hidden_for)
    journal.note(request, post_id=str(post.id))
    shown = rendering.render_text(post, files=rendering.attachments_of(post) if body.media else []).text
    return answer({"data": {"id": str(post.id), "text": shown, "edit_history_post_ids": [str(post.id)]}}, status=201)


@endpoint("DELETE /2/tweets/{id}", scopes=WRITE, per_window=50)
def delete_post(request: HttpRequest, account: Account, post_id: str) -> HttpResponse:
    """Take an own post away."""
    post = living_posts().filter(id=post_id).first()
    if post is None:
        raise problems.not_found("tweet", parameter="id", value=post_id)
    if post.account.pk != account.pk:
        raise problems.forbidden("You are not authorized to delete this Tweet.")
    deleted = living_posts().filter(id=post.id).update(deleted_at=clock.now())
    journal.note(request, post_id=post_id)
    return answer({"data": {"deleted": bool(deleted)}})


def _check_content(body: PostBody) -> None:
    if not body.text.strip() and not body.media:
        raise problems.invalid_request("Either text or media is required.", parameter="text", value=body.text)
    units = count_units(body.text)
    if units > MAX_UNITS:
        message = f"Your Tweet text is too long: {units} of {MAX_UNITS} weighted characters."
        raise problems.invalid_request(message, parameter="text", value=body.text)
    if body.quote_tweet_id:
        raise problems.forbidden("Quoting posts is not available at your access level.")


def _commit(account: Account, *, body: PostBody, body_sha256: str, now: datetime, hidden_for: timedelta | None) -> Post:
    """Keep a post. All checks against what is there run in one writing transaction: of two equal posts one wins."""
    with transaction.atomic():
        parent = _find_parent(body.reply)
        attached = uploads.get_usable(account, media_ids=body.media.media_ids if body.media else [], now=now)
        _check_duplicate(account, text=body.text, now=now)
        post_id = ids.make_id(now, after=Post.objects.aggregate(last=Max("id"))["last"])
        post = Post.objects.create(
            id=post_id,
            account=account,
            text=body.text,
            text_sha256=hash_text(body.text),
            reply_to=parent.id if parent else None,
            conversation_id=parent.conversation_id if parent else post_id,
            made_with_ai=body.made_with_ai,
            body_sha256=body_sha256,
            created_at=now,
            hidden_until=now + hidden_for if hidden_for else None,
        )
        _attach(post, attached)
    return post


def living_posts() -> QuerySet[Post]:
    """Give the posts nobody deleted."""
    return Post.objects.filter(deleted_at=None).select_related("account")


def _find_parent(reply: ReplyBody | None) -> Post | None:
    if reply is None:
        return None
    parent = living_posts().filter(id=reply.in_reply_to_tweet_id).first()
    if parent is None:
        raise problems.forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
    return parent


def _check_duplicate(account: Account, *, text: str, now: datetime) -> None:
    recent = living_posts().filter(account=account, created_at__gt=now - DUPLICATE_FOR)
    if text.strip() and recent.filter(text_sha256=hash_text(text)).exists():
        raise problems.duplicate()


def _attach(post: Post, attached: list[Upload]) -> None:
    Attachment.objects.bulk_create(
        Attachment(post=post, upload=upload, position=position) for position, upload in enumerate(attached)
    )
