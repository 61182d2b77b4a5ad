"""Creating and deleting posts: `POST /2/tweets`, `DELETE /2/tweets/{id}`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from pydantic import Field

from sandbox import posts
from sandbox.models import Account, Post
from sandbox.platforms.x import problems, rendering, uploads
from sandbox.platforms.x.endpoint import Body, answer, endpoint, read_body
from sandbox.platforms.x.text import MAX_UNITS, count_units, tidy_text

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
    post = _commit(request, account, body=body)
    shown = rendering.render_text(post, files=posts.attachments_of(post) if body.media else []).text
    return answer({"data": {"id": str(post.id), "text": shown, "edit_history_post_ids": [str(post.id)]}}, status=201)


@endpoint("DELETE /2/tweets/{id}", scopes=WRITE, per_window=50)
def delete_post(request: HttpRequest, account: Account, post_id: str) -> HttpResponse:
    """Take an own post away."""
    post = posts.find_post("x", post_id)
    if post is None:
        raise problems.not_found("tweet", parameter="id", value=post_id)
    if post.account.pk != account.pk:
        raise problems.forbidden("You are not authorized to delete this Tweet.")
    return answer({"data": {"deleted": posts.delete_post(request, post)}})


def _check_content(body: PostBody) -> None:
    if not body.text.strip() and not body.media:
        raise problems.invalid_request("Either text or media is required.", parameter="text", value=body.text)
    units = count_units(body.text)
    if units > MAX_UNITS:
        message = f"Your Tweet text is too long: {units} of {MAX_UNITS} weighted characters."
        raise problems.invalid_request(message, parameter="text", value=body.text)
    if body.quote_tweet_id:
        raise problems.forbidden("Quoting posts is not available at your access level.")


def _commit(request: HttpRequest, account: Account, *, body: PostBody) -> Post:
    """Keep a post. All checks against what is there run in one writing transaction: of two equal posts one wins."""
    with transaction.atomic():
        parent = _find_parent(body.reply)
        attached = uploads.get_usable(account, media_ids=body.media.media_ids if body.media else [])
        _check_duplicate(account, text=body.text)
        return posts.create_post(
            request,
            account,
            text=body.text,
            text_key=tidy_text(body.text),
            reply_to=parent,
            uploads=attached,
            made_with_ai=body.made_with_ai,
        )


def living_posts() -> QuerySet[Post]:
    """Give the posts nobody deleted."""
    return posts.living_posts("x")


def _find_parent(reply: ReplyBody | None) -> Post | None:
    if reply is None:
        return None
    parent = posts.find_post("x", reply.in_reply_to_tweet_id)
    if parent is None:
        raise problems.forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
    return parent


def _check_duplicate(account: Account, *, text: str) -> None:
    if text.strip() and posts.find_same(account, tidy_text(text), within=DUPLICATE_FOR):
        raise problems.duplicate()
