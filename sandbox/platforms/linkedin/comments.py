"""Comments below posts. Unlike posts they are plain text, and two equal ones are two comments."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from pydantic import Field

from sandbox import clock, posts
from sandbox.models import Grant, Post
from sandbox.platforms.linkedin import members, refusals
from sandbox.platforms.linkedin.endpoint import Body, endpoint, read_body, read_page
from sandbox.platforms.linkedin.posts import find_post
from sandbox.snowflakes import EPOCH_MS

_WRITE = {"person": "w_member_social", "organization": "w_organization_social"}


class Message(Body):
    """What a comment says."""

    text: Annotated[str, Field(min_length=1, max_length=1250)]
    attributes: list[dict[str, Any]] = []


class CommentBody(Body):
    """A comment as its author sends it."""

    actor: str
    object: str
    message: Message
    parent_comment: str | None = None


@endpoint("socialActions.comments.CREATE", per_day=150)
def create_comment(request: HttpRequest, grant: Grant, urn: str) -> HttpResponse:
    """Put a comment below a post."""
    body = read_body(request, CommentBody)
    actor = members.get_author(grant, body.actor, what="socialActions.comments.CREATE", **_WRITE)
    members.note_author(request, actor)
    post = _get_post(urn)
    if find_post(body.object) != post:
        raise refusals.wrong_field("INVALID_URN_ID", f"{body.object} is not what {urn} names", field="/object")
    comment = posts.create_post(
        request,
        actor,
        text=body.message.text,
        kind="comment",
        remote_id=lambda number: f"urn:li:comment:({_activity(post)},{number + (EPOCH_MS << 22)})",
        reply_to=post,
    )
    shown = _render(comment, post=post)
    return JsonResponse(shown, status=201, headers={"x-restli-id": shown["id"]})


@endpoint("socialActions.comments.GET_ALL", per_day=1000)
def read_comments(request: HttpRequest, grant: Grant, urn: str) -> HttpResponse:
    """Answer the comments below a page's post, oldest first."""
    post = _get_post(urn)
    members.get_page(
        grant, post.account.platform_account_id, what="socialActions.comments.GET_ALL", scope="r_organization_social"
    )
    start, count = read_page(request)
    found = list(posts.replies_to(post).exclude(hidden_until__gt=clock.now()))
    links = [{"rel": "next", "type": "application/json", "href": ""}] if len(found) > start + count else []
    elements = [_render(one, post=post) for one in found[start : start + count]]
    return JsonResponse({"elements": elements, "paging": {"start": start, "count": count, "links": links}})


@endpoint("socialActions.comments.DELETE")
def delete_comment(request: HttpRequest, grant: Grant, urn: str, number: str) -> HttpResponse:
    """Delete a comment."""
    comment = posts.find_post("linkedin", f"urn:li:comment:({_activity(_get_post(urn))},{number})")
    actor = members.get_author(grant, request.GET.get("actor", ""), what="socialActions.comments.DELETE", **_WRITE)
    if comment is None:
        raise refusals.not_found(f"comment {number}")
    if comment.account != actor:
        raise refusals.access_denied("socialActions.comments.DELETE")
    posts.delete_post(request, comment)
    return HttpResponse(status=204)


def _get_post(urn: str) -> Post:
    post = find_post(urn)
    if post is None:
        raise refusals.not_found(urn)
    return post


def _activity(post: Post) -> str:
    return f"urn:li:activity:{post.remote_id.rpartition(':')[2]}"


def _render(comment: Post, *, post: Post) -> dict[str, Any]:
    actor, milliseconds = comment.account.platform_account_id, int(comment.created_at.timestamp() * 1000)
    return {
        "id": comment.remote_id.rpartition(",")[2].rstrip(")"),
        "$URN": comment.remote_id,
        "commentUrn": comment.remote_id,
        "actor": actor,
        "object": _activity(post),
        "message": {"attributes": [], "text": comment.text},
        "created": {"actor": actor, "time": milliseconds},
        "lastModified": {"actor": actor, "time": milliseconds},
    }
