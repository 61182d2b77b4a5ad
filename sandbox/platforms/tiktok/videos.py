"""Public posts and how they do: `POST /v2/video/list/`, `POST /v2/video/query/`. What is not public never shows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

from django.http import HttpRequest
from pydantic import Field

from sandbox import clock, metrics
from sandbox.models import Grant, Post
from sandbox.platforms.tiktok.creators import public_posts
from sandbox.platforms.tiktok.endpoint import Body, endpoint, read_body, read_fields
from sandbox.platforms.tiktok.refusals import Refusal

RATIOS = {"like_count": ("likes", 0.08), "comment_count": ("comments", 0.006), "share_count": ("shares", 0.01)}
FIELDS = frozenset(
    {
        "id",
        "create_time",
        "share_url",
        "title",
        "video_description",
        "duration",
        "cover_image_url",
        "view_count",
        *RATIOS,
    }
)
MAX_CURSOR_MS = 4_000_000_000_000  # far in the future, and still a date


class ListBody(Body):
    """Which page."""

    max_count: Annotated[int, Field(ge=1, le=20)] = 10
    cursor: Annotated[int, Field(ge=0, le=MAX_CURSOR_MS)] | None = None


class Filters(Body):
    """Which videos."""

    video_ids: Annotated[list[str], Field(min_length=1, max_length=20)]


class QueryBody(Body):
    """Which videos."""

    filters: Filters


@endpoint(method="POST", scopes=("video.list",), per_minute=600)
def list_videos(request: HttpRequest, grant: Grant) -> dict[str, object]:
    """Show an account's public posts, newest first, a page at a time."""
    fields, body = read_fields(request, FIELDS), read_body(request, ListBody)
    found = public_posts(grant.account)
    if body.cursor is not None:
        found = found.filter(created_at__lt=datetime.fromtimestamp(body.cursor / 1000, tz=UTC))
    posts = list(found[: body.max_count + 1])
    page = posts[: body.max_count]
    cursor = int(page[-1].created_at.timestamp() * 1000) if page else body.cursor or 0
    return {"videos": _describe(request, page, fields), "cursor": cursor, "has_more": len(posts) > len(page)}


@endpoint(method="POST", scopes=("video.list",), per_minute=600)
def query_videos(request: HttpRequest, grant: Grant) -> dict[str, object]:
    """Show public posts of this account by id."""
    fields, wanted = read_fields(request, FIELDS), read_body(request, QueryBody).filters.video_ids
    if not all(one.isascii() and one.isdigit() for one in wanted):
        raise Refusal("invalid_params", "video_ids must be numbers.")
    return {"videos": _describe(request, public_posts(grant.account).filter(remote_id__in=wanted), fields)}


def _describe(request: HttpRequest, posts: Iterable[Post], fields: list[str]) -> list[dict[str, object]]:
    return [{name: value for name, value in _render(request, post).items() if name in fields} for post in posts]


def _render(request: HttpRequest, post: Post) -> dict[str, object]:
    age = clock.now() - post.created_at
    kind = "photo" if post.data["media"] == "PHOTO" else "video"
    address = request.build_absolute_uri(f"/tiktok/@{post.account.handle}/{kind}/{post.remote_id}")
    return {
        "id": post.remote_id,
        "create_time": int(post.created_at.timestamp()),
        "share_url": f"{address}?utm_campaign=tt4d_open_api&utm_source=psn-sandbox",
        "title": post.data["title"],
        "video_description": post.data["description"],
        "duration": 0 if kind == "photo" else 15,
        "cover_image_url": "",
        "view_count": metrics.count_views(post.id, age=age),
        **{name: metrics.count_share(post.id, word, age=age, ratio=ratio) for name, (word, ratio) in RATIOS.items()},
    }
