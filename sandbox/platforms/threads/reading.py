"""Reading: profiles, containers, posts, replies and how they do; and deleting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from sandbox import clock, metrics, posts
from sandbox.meta.containers import find_container, status_of
from sandbox.meta.endpoint import answer, get_account, pick, read_fields, read_page, write_instant
from sandbox.meta.insights import read_metrics, write_metrics
from sandbox.meta.refusals import Refused, no_such_field, no_such_object
from sandbox.models import Account, Post
from sandbox.platforms.threads import publishing
from sandbox.platforms.threads.oauth import BASIC, DELETE, INSIGHTS, NAME, READ_REPLIES
from sandbox.posts import attachments_of
from sandbox.uploads import media_url

_POST_FIELDS = (
    "id media_product_type media_type media_url gif_url permalink owner username text timestamp shortcode thumbnail_url "
    "children is_quote_post quoted_post reposted_post has_replies alt_text link_attachment_url poll_attachment location_id "
    "topic_tag is_verified profile_picture_url is_reply is_reply_owned_by_me root_post replied_to hide_status reply_audience"
)
POST_FIELDS = frozenset(_POST_FIELDS.split())
PROFILE_FIELDS = frozenset(
    {
        "id", "username", "name", "is_verified", "threads_profile_picture_url", "threads_biography",
        "recently_searched_keywords", "is_eligible_for_geo_gating",
    }
)  # fmt: skip
CONTAINER_FIELDS = frozenset({"id", "status", "error_message"})

_RATIOS = {"likes": 0.05, "replies": 0.006, "reposts": 0.008, "quotes": 0.002, "shares": 0.004}
METRICS = ("views", *_RATIOS)
ACCOUNT_METRICS = ("views", "likes", "replies", "reposts", "quotes", "clicks", "followers_count")


def read_node(request: HttpRequest, node: str) -> HttpResponse:
    """Show whatever has this id: the account, a container, a post."""
    account = get_account(request, platform=NAME, scopes=(BASIC,))
    if node in ("me", account.platform_account_id):
        whole = {
            "id": account.platform_account_id,
            "username": account.handle,
            "name": account.name,
            "is_verified": False,
            "threads_biography": "",
        }
        return answer(_pick(request, whole, PROFILE_FIELDS, "ThreadsUser"), account=account)
    container = find_container(account, node)
    if container is not None:
        status = status_of(container)
        failure = container.data.get("failure", "UNKNOWN") if status == "ERROR" else None
        whole = {"id": node, "status": status, "error_message": failure}
        return answer(_pick(request, whole, CONTAINER_FIELDS, "ThreadsContainer"), account=account)
    post = get_post(account, node)
    return answer(_pick(request, describe_post(request, post), POST_FIELDS, "ThreadsMedia"), account=account)


def delete_node(request: HttpRequest, node: str) -> HttpResponse:
    """Delete an own post."""
    account = get_account(request, platform=NAME, scopes=(BASIC, DELETE))
    return publishing.delete(request, account, get_post(account, node, method="delete"))


def list_posts(request: HttpRequest, account: Account) -> HttpResponse:
    """Show the account's posts that reply to nothing, newest first."""
    return _list(request, account, posts.timeline_of(account).filter(reply_to=None))


def list_own_replies(request: HttpRequest, account: Account) -> HttpResponse:
    """Show the account's replies, newest first."""
    return _list(request, account, posts.timeline_of(account).exclude(reply_to=None))


def list_replies(request: HttpRequest, node: str) -> HttpResponse:
    """Show the replies to a post, newest first."""
    account = get_account(request, platform=NAME, scopes=(BASIC, READ_REPLIES))
    post = get_post(account, node)
    return _list(request, account, posts.replies_to(post).order_by("-id"))


def read_insights(request: HttpRequest, node: str) -> HttpResponse:
    """Show how a post does."""
    account = get_account(request, platform=NAME, scopes=(BASIC, INSIGHTS))
    post = get_post(account, node)
    names = read_metrics(request, allowed=METRICS)
    counts = count(post, age=clock.now() - post.created_at)
    return answer({"data": write_metrics(node, counts, names)}, account=account)


def read_account_insights(request: HttpRequest, account: Account) -> HttpResponse:
    """Show how the account does: its posts' sums of two days, and its followers."""
    names = read_metrics(request, allowed=ACCOUNT_METRICS)
    age = clock.now() - account.created_at
    followers = metrics.count_views(account.platform_account_id, age=age, low=50, high=5000)
    data = []
    for name in names:
        value = followers if name == "followers_count" else 0
        whole = {"name": name, "period": "day", "title": name, "description": name, "total_value": {"value": value}}
        data.append({**whole, "id": f"{account.platform_account_id}/insights/{name}/day"})
    return answer({"data": data}, account=account)


def count(post: Post, *, age: timedelta) -> dict[str, int]:
    """Give all counts of a post of this age."""
    counts = {name: metrics.count_share(post.id, name, age=age, ratio=ratio) for name, ratio in _RATIOS.items()}
    return {**counts, "views": metrics.count_views(post.id, age=age)}


def describe_post(request: HttpRequest, post: Post) -> dict[str, Any]:
    """Give a post with all its fields."""
    files = attachments_of(post)
    parent = Post.objects.filter(id=post.reply_to).first() if post.reply_to else None
    root = Post.objects.filter(id=post.conversation_id).first() if post.reply_to else None
    link = post.data.get("link")
    return {
        "id": post.remote_id,
        "media_product_type": "THREADS",
        "media_type": post.data["media_type"],
        "media_url": media_url(request, files[0]) if files else None,
        "permalink": request.build_absolute_uri(f"/{NAME}/@{post.account.handle}/post/{post.data['code']}"),
        "owner": {"id": post.account.platform_account_id},
        "username": post.account.handle,
        "text": post.text or None,  # left out where there is none
        "timestamp": write_instant(post.created_at),
        "shortcode": post.data["code"],
        "is_quote_post": False,
        "has_replies": posts.replies_to(post).exists(),
        "alt_text": files[0].alt_text or None if files else None,
        "link_attachment_url": link["url"] if link else None,
        "topic_tag": post.data["topic_tag"] or None,
        "is_reply": parent is not None,
        "is_reply_owned_by_me": parent is not None,
        "replied_to": {"id": parent.remote_id} if parent else None,
        "root_post": {"id": root.remote_id} if root else None,
        "reply_audience": post.data["reply_control"].upper(),
        "hide_status": "NOT_HUSHED" if parent else None,
        "children": {"data": [{"id": file.platform_media_id} for file in files]} if post.kind == "carousel" else None,
    }


def get_post(account: Account, node: str, *, method: str = "get") -> Post:
    """Give an own post.

    Raises:
        Refused: there is none with this id.
    """
    post = posts.find_post(NAME, node)
    if post is None or post.account != account:
        raise no_such_object(node, method=method)
    return post


def _list(request: HttpRequest, account: Account, found: QuerySet[Post]) -> HttpResponse:
    page, paging = read_page(request, found)
    data = [_pick(request, describe_post(request, post), POST_FIELDS, "ThreadsMedia") for post in page]
    return answer({"data": data, **({"paging": paging} if paging else {})}, account=account)


def _pick(request: HttpRequest, whole: dict[str, Any], known: frozenset[str], node_type: str) -> dict[str, Any]:
    def refuse(field: str) -> Refused:
        return no_such_field(field, node_type=node_type)

    return pick(whole, read_fields(request, known=known, refuse=refuse))
