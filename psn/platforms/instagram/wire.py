"""Instagram's forms and JSON both ways, pure.

developers.facebook.com/documentation/instagram-platform, pages content-publishing, ig-user/media, ig-container, ig-media, insights
(read 2026-11-20). The same for every version from v23.0 to v26.0.
"""

from __future__ import annotations

import re

from pydantic import Field

from psn.http import Reply
from psn.platforms.base import MediaFile, Part, Profile, RemotePost
from psn.platforms.instagram.rules import TITLE, Shape
from psn.platforms.meta.answers import Id, Paging, Quota, QuotaConfig, read_quota
from psn.platforms.meta.containers import Container
from psn.platforms.meta.matching import Seen
from psn.platforms.meta.meanings import MEDIA_FAILED, Meaning, find_media_failure
from psn.platforms.replies import Tolerant, read_answer
from psn.platforms.values import MAX_ENTRIES, Instant, Number, WebAddress

PROFILE_FIELDS = "user_id,username,name"
COUNT_FIELDS = "followers_count,follows_count,media_count"
MEDIA_FIELDS = "id,caption,permalink,shortcode,timestamp,media_type,media_product_type,like_count,comments_count"
COMMENT_FIELDS = "id,text,timestamp"

# What may be asked, by where the post stands. One name that does not belong there fails the whole call, and `impressions`,
# `plays` and `video_views` are gone for good.
_COMMON = ("reach", "views", "likes", "comments", "saved", "shares", "total_interactions")
METRICS = {
    "FEED": (*_COMMON, "profile_visits", "follows"),
    "REELS": (*_COMMON, "ig_reels_avg_watch_time", "ig_reels_video_view_total_time"),
    "STORY": ("reach", "views", "replies", "shares", "navigation"),
}
METRIC_NAMES = {  # Instagram's: ours
    "reach": "reach",
    "views": "views",
    "likes": "likes",
    "comments": "comments",
    "saved": "saves",
    "shares": "shares",
    "total_interactions": "interactions",
    "profile_visits": "profile_visits",
    "follows": "follows",
    "ig_reels_avg_watch_time": "avg_watch_time_ms",
    "ig_reels_video_view_total_time": "watch_time_ms",
    "replies": "replies",
    "navigation": "navigation",
}
MEDIA_KINDS = {"IMAGE": "image", "VIDEO": "reel", "CAROUSEL_ALBUM": "carousel"}  # `media_type`: our shape

_SUBCODE = re.compile(r"\b(2207\d{3})\b")  # "Error: Media upload has failed with error code 2207026"


def build_child(media: MediaFile, *, address: str) -> dict[str, str]:
    """Build the form for one file of a carousel.

    Args:
        address: where Instagram fetches it; empty for a video that is uploaded.
    """
    return {**_build_file(media, address=address, video_type="VIDEO"), "is_carousel_item": "true"}


def build_carousel(part: Part, *, children: list[str]) -> dict[str, str]:
    """Build the form that puts the files of a carousel together."""
    return {"media_type": "CAROUSEL", "children": ",".join(children), **_build_words(part)}


def build_single(part: Part, media: MediaFile, *, shape: Shape, address: str) -> dict[str, str]:
    """Build the form for an image, a Reel or a Story."""
    video_type = "STORIES" if shape == "story" else "REELS"
    form = {**_build_file(media, address=address, video_type=video_type), **_build_words(part)}
    if shape == "story":
        form["media_type"] = "STORIES"
        form.pop("alt_text", None)  # only for images in the feed
    if shape == "reel":
        form |= _build_reel_options(part)
    return form


def _build_file(media: MediaFile, *, address: str, video_type: str) -> dict[str, str]:
    if media.kind == "image":
        return {"image_url": address, **({"alt_text": media.alt_text} if media.alt_text else {})}
    where = {"video_url": address} if address else {"upload_type": "resumable"}
    return {"media_type": video_type, **where}


def _build_words(part: Part) -> dict[str, str]:
    words = {"caption": part.text} if part.text else {}
    return words | ({"is_ai_generated": "true"} if part.options.get("ai") == "yes" else {})


def _build_reel_options(part: Part) -> dict[str, str]:
    form = {}
    if "share_to_feed" in part.options:
        form["share_to_feed"] = "true" if part.options["share_to_feed"] == "yes" else "false"
    if "cover_at_ms" in part.options:
        form["thumb_offset"] = part.options["cover_at_ms"]
    return form


def read_profile(reply: Reply, *, web_base_url: str) -> Profile:
    """Read `GET /me`.

    Raises:
        Unavailable: the answer cannot be read.
    """
    me = read_answer(_Me, reply, title=TITLE)
    return Profile(
        platform_account_id=me.user_id or me.id,
        handle=me.username,
        name=me.name or me.username,
        url=f"{web_base_url}/{me.username}/",
    )


def read_counts(reply: Reply) -> dict[str, int]:
    """Read the account's own counts; an absent one is unknown.

    Raises:
        Unavailable: the answer cannot be read.
    """
    counts = read_answer(_Counts, reply, title=TITLE)
    named = {"followers": counts.followers_count, "following": counts.follows_count, "posts": counts.media_count}
    return {name: count for name, count in named.items() if count is not None}


def read_publishing_limit(reply: Reply) -> Quota | None:
    """Read `content_publishing_limit`; None when it tells nothing.

    Raises:
        Unavailable: the answer cannot be read.
    """
    data = read_answer(_Limits, reply, title=TITLE).data
    return read_quota(data[0].quota_usage, data[0].config) if data else None


def read_container(reply: Reply) -> Container:
    """Read a container.

    Raises:
        Unavailable: the answer cannot be read.
    """
    container = read_answer(_Container, reply, title=TITLE)
    return Container(state=container.status_code, detail=container.status)


def explain_failure(detail: str) -> Meaning:
    """Say what a failed container means by its `status`, in which a subcode is hidden."""
    found = _SUBCODE.search(detail)
    return find_media_failure(int(found[1])) if found else MEDIA_FAILED


def read_media(reply: Reply) -> tuple[Seen, dict[str, int]]:
    """Read one post, with the counts that stand in it.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return _read_media(read_answer(_Media, reply, title=TITLE))


def read_media_page(reply: Reply) -> tuple[list[tuple[Seen, dict[str, int]]], Paging]:
    """Read a page of the account's posts.

    Raises:
        Unavailable: the answer cannot be read.
    """
    page = read_answer(_MediaPage, reply, title=TITLE)
    return [_read_media(media) for media in page.data], page.paging


def read_comments_page(reply: Reply) -> tuple[list[Seen], Paging]:
    """Read a page of the comments on a post.

    Raises:
        Unavailable: the answer cannot be read.
    """
    page = read_answer(_CommentsPage, reply, title=TITLE)
    return [Seen(one.id, one.text, one.timestamp) for one in page.data], page.paging


def to_remote(seen: Seen, *, metrics: dict[str, int], asked_id: str = "") -> RemotePost:
    """Give a post as everybody else here knows posts.

    Args:
        asked_id: under which it was asked for: a shortcode stands for an id.
    """
    return RemotePost(
        platform_post_id=asked_id or seen.platform_post_id,
        text=seen.text,
        created_at=seen.created_at,
        url=seen.url,
        in_reply_to=None,
        metrics=metrics,
    )


def read_permalink(reply: Reply) -> str:
    """Read the address of a post.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return read_answer(_Permalink, reply, title=TITLE).permalink


def _read_media(media: _Media) -> tuple[Seen, dict[str, int]]:
    seen = Seen(
        platform_post_id=media.id,
        text=media.caption or "",
        created_at=media.timestamp,
        url=media.permalink,
        shortcode=media.shortcode,
        kind=MEDIA_KINDS.get(media.media_type, ""),
        product=media.media_product_type,
    )
    counts = {"likes": media.like_count, "comments": media.comments_count}
    return seen, {name: count for name, count in counts.items() if count is not None}


class _Me(Tolerant):
    id: Id = ""
    user_id: Id | None = None
    username: str = Field(pattern=r"^[A-Za-z0-9_.]{1,64}$")  # it becomes part of an address
    name: str = Field("", max_length=500)


class _Counts(Tolerant):
    followers_count: Number | None = None
    follows_count: Number | None = None
    media_count: Number | None = None


class _Limit(Tolerant):
    quota_usage: Number | None = None
    config: QuotaConfig | None = None


class _Limits(Tolerant):
    data: list[_Limit] = []


class _Container(Tolerant):
    status_code: str = Field(min_length=1, max_length=64)
    status: str = ""


class _Media(Tolerant):
    id: Id
    caption: str | None = None
    permalink: WebAddress = ""
    shortcode: str = ""
    timestamp: Instant
    media_type: str = ""
    media_product_type: str = "FEED"
    like_count: Number | None = None
    comments_count: Number | None = None


class _MediaPage(Tolerant):
    data: list[_Media] = Field(max_length=MAX_ENTRIES)
    paging: Paging = Paging()


class _Comment(Tolerant):
    id: Id
    text: str = ""
    timestamp: Instant


class _CommentsPage(Tolerant):
    data: list[_Comment] = Field(max_length=MAX_ENTRIES)
    paging: Paging = Paging()


class _Permalink(Tolerant):
    permalink: WebAddress = ""
