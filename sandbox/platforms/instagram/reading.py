"""Reading: profiles, containers, media, comments and how they do; and what cannot be deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from sandbox import clock, metrics, posts
from sandbox.meta.containers import find_container, status_of
from sandbox.meta.endpoint import answer, get_account, pick, read_fields, read_page, write_instant
from sandbox.meta.insights import read_metrics, write_metrics
from sandbox.meta.refusals import Refused, no_permission, no_such_field, no_such_object
from sandbox.models import Account, Post
from sandbox.platforms.instagram import post_path
from sandbox.platforms.instagram.oauth import BASIC, COMMENTS, INSIGHTS, NAME
from sandbox.posts import attachments_of
from sandbox.uploads import media_url

STORY_LIFE = timedelta(hours=24)
MIN_VIEWERS = 5  # of a Story, below which its insights are refused

_PROFILE_FIELDS = (
    "id user_id username name account_type profile_picture_url followers_count follows_count media_count biography"
)
_MEDIA_FIELDS = (
    "id caption permalink shortcode timestamp media_type media_product_type media_url thumbnail_url username owner "
    "like_count comments_count is_comment_enabled children alt_text is_ai_generated"
)
PROFILE_FIELDS = frozenset(_PROFILE_FIELDS.split())
MEDIA_FIELDS = frozenset(_MEDIA_FIELDS.split())
CONTAINER_FIELDS = frozenset({"id", "status", "status_code", "copyright_check_status"})
COMMENT_FIELDS = frozenset({"id", "text", "timestamp", "username", "from", "like_count", "hidden"})

_RATIOS = {"likes": 0.05, "comments": 0.005, "saved": 0.01, "shares": 0.008, "profile_visits": 0.01, "follows": 0.002}
_COMMON = ("reach", "views", "likes", "comments", "saved", "shares", "total_interactions")
METRICS = {
    "FEED": (*_COMMON, "profile_visits", "follows"),
    "REELS": (*_COMMON, "ig_reels_avg_watch_time", "ig_reels_video_view_total_time", "reels_skip_rate"),
    "STORY": ("reach", "views", "replies", "shares", "navigation"),
}


def read_node(request: HttpRequest, node: str) -> HttpResponse:
    """Show whatever has this id: the account, a container, a post, a comment."""
    account = get_account(request, platform=NAME, scopes=(BASIC,))
    if node in ("me", account.platform_account_id):
        return answer(_pick(request, _describe_account(account), PROFILE_FIELDS, "IGUser"), account=account)
    container = find_container(account, node)
    if container is not None:
        status = status_of(container)
        words = f"Error: Media upload has failed with error code {container.data.get('failure', '2207053')}"
        whole = {"id": node, "status_code": status, "status": words if status == "ERROR" else f"{status.title()}"}
        return answer(_pick(request, whole, CONTAINER_FIELDS, "IGContainer"), account=account)
    post = _get_post(account, node)
    if post.kind == "comment":
        return answer(_pick(request, _describe_comment(post), COMMENT_FIELDS, "IGComment"), account=account)
    return answer(_pick(request, describe_media(request, post), MEDIA_FIELDS, "IGMedia"), account=account)


def refuse_deletion(request: HttpRequest, node: str) -> HttpResponse:
    """Refuse to delete: that needs Facebook Login."""
    get_account(request, platform=NAME, scopes=(BASIC,))
    raise no_such_object(node, method="delete")


def list_media(request: HttpRequest, account: Account) -> HttpResponse:
    """Show the account's posts, newest first; Stories have an edge of their own."""
    own = posts.timeline_of(account).exclude(kind__in=("comment", "story"))
    return _list(request, account, own, known=MEDIA_FIELDS, node_type="IGMedia")


def list_stories(request: HttpRequest, account: Account) -> HttpResponse:
    """Show the account's Stories of the last day."""
    own = posts.timeline_of(account).filter(kind="story", created_at__gt=clock.now() - STORY_LIFE)
    return _list(request, account, own, known=MEDIA_FIELDS, node_type="IGMedia")


def list_comments(request: HttpRequest, node: str) -> HttpResponse:
    """Show the comments on a post, newest first."""
    account = get_account(request, platform=NAME, scopes=(BASIC, COMMENTS))
    post = _get_post(account, node)
    below = posts.timeline_of(account).filter(kind="comment", reply_to=post.id)
    return _list(request, account, below, known=COMMENT_FIELDS, node_type="IGComment")


def read_insights(request: HttpRequest, node: str) -> HttpResponse:
    """Show how a post does."""
    account = get_account(request, platform=NAME, scopes=(BASIC, INSIGHTS))
    post = _get_post(account, node)
    if post.kind == "comment":
        raise no_such_object(node)
    product = post.data["product"]
    names = read_metrics(request, allowed=METRICS[product])
    age = clock.now() - post.created_at
    if product == "STORY" and age >= STORY_LIFE:
        return answer({"data": []}, account=account)
    counts = count(post, age=age)
    if product == "STORY" and counts["reach"] < MIN_VIEWERS:
        raise no_permission("Not enough viewers for the media to show insights")
    return answer({"data": write_metrics(node, counts, names)}, account=account)


def count(post: Post, *, age: timedelta) -> dict[str, int]:
    """Give all counts of a post of this age."""
    views = metrics.count_views(post.id, age=age)
    counts = {name: metrics.count_share(post.id, name, age=age, ratio=ratio) for name, ratio in _RATIOS.items()}
    return {
        **counts,
        "views": views,
        "reach": views * 4 // 5,
        "total_interactions": sum(counts[name] for name in ("likes", "comments", "saved", "shares")),
        "ig_reels_avg_watch_time": 4200 if views else 0,  # milliseconds
        "ig_reels_video_view_total_time": views * 4200,
        "reels_skip_rate": 0,
        "replies": counts["comments"],
        "navigation": views // 3,
    }


def describe_media(request: HttpRequest, post: Post) -> dict[str, Any]:
    """Give a post with all its fields."""
    counts = count(post, age=clock.now() - post.created_at)
    files = attachments_of(post)
    return {
        "id": post.remote_id,
        "caption": post.text or None,  # left out where there is none
        "permalink": request.build_absolute_uri(f"/{NAME}{post_path(post)}"),
        "shortcode": post.data["code"],
        "timestamp": write_instant(post.created_at),
        "media_type": post.data["media_type"],
        "media_product_type": post.data["product"],
        "media_url": media_url(request, files[0]) if files else None,
        "username": post.account.handle,
        "owner": {"id": post.account.platform_account_id},
        "like_count": counts["likes"],
        "comments_count": posts.replies_to(post).count(),
        "is_comment_enabled": True,
        "alt_text": files[0].alt_text or None if files else None,
        "is_ai_generated": post.data["is_ai_generated"],
        "children": {"data": [{"id": file.platform_media_id} for file in files]} if post.kind == "carousel" else None,
    }


def _describe_comment(post: Post) -> dict[str, Any]:
    author = {"id": post.account.data["scoped_id"], "username": post.account.handle}
    return {
        "id": post.remote_id,
        "text": post.text,
        "timestamp": write_instant(post.created_at),
        "username": post.account.handle,
        "from": author,
        "like_count": 0,
        "hidden": False,
    }


def _describe_account(account: Account) -> dict[str, Any]:
    own = posts.timeline_of(account).exclude(kind__in=("comment", "story"))
    age = clock.now() - account.created_at
    return {
        "id": account.data["scoped_id"],
        "user_id": account.platform_account_id,
        "username": account.handle,
        "name": account.name,
        "account_type": "BUSINESS",
        "followers_count": metrics.count_views(account.platform_account_id, age=age, low=50, high=5000),
        "follows_count": 42,
        "media_count": own.count(),
    }


def _list(request: HttpRequest, account: Account, found: Any, *, known: frozenset[str], node_type: str) -> HttpResponse:
    page, paging = read_page(request, found)
    describe = _describe_comment if node_type == "IGComment" else lambda post: describe_media(request, post)
    data = [_pick(request, describe(post), known, node_type) for post in page]
    return answer({"data": data, **({"paging": paging} if paging else {})}, account=account)


def _pick(request: HttpRequest, whole: dict[str, Any], known: frozenset[str], node_type: str) -> dict[str, Any]:
    def refuse(field: str) -> Refused:
        return no_such_field(field, node_type=node_type)

    return pick(whole, read_fields(request, known=known, refuse=refuse))


def _get_post(account: Account, node: str) -> Post:
    post = posts.find_post(NAME, node)
    if post is None or post.account != account:
        raise no_such_object(node)
    return post
