"""TikTok's JSON both ways, pure.

developers.tiktok.com, Content Posting API and Display API v2 (read 2026-11-20): content-posting-api-reference-direct-post,
-upload-video, -photo-post, -query-creator-info, -get-video-status; tiktok-api-v2-video-object, -get-user-info.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, StringConstraints, field_validator

from psn.errors import Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.base import Part, RemotePost
from psn.platforms.replies import Tolerant, read_answer
from psn.platforms.tiktok.addresses import strip_tracking
from psn.platforms.tiktok.rules import is_direct, is_on
from psn.platforms.tiktok.upload import Plan
from psn.platforms.values import MAX_COUNT, MAX_ENTRIES, Instant, is_count, read_unix

MAX_IDS = 20  # of one look-up, and videos of one page
VIDEO_FIELDS = "id,title,video_description,create_time,share_url,view_count,like_count,comment_count,share_count"
USER_FIELDS = "open_id,display_name"
STATS_FIELDS = "follower_count,following_count,likes_count,video_count"

_METRICS = {"view_count": "views", "like_count": "likes", "comment_count": "comments", "share_count": "shares"}
_STATS = {
    "follower_count": "followers",
    "following_count": "following",
    "likes_count": "likes",
    "video_count": "posts",
}
_STATES: dict[str, State] = {
    "PROCESSING_UPLOAD": "uploading",
    "PROCESSING_DOWNLOAD": "processing",
    "SEND_TO_USER_INBOX": "delivered",
    "PUBLISH_COMPLETE": "published",
    "FAILED": "failed",
}
_PUBLIC_ID = re.compile(r"[0-9]{1,20}")
State = Literal["uploading", "processing", "delivered", "published", "failed"]


def build_video(part: Part, plan: Plan) -> tuple[str, dict[str, Any]]:
    """Build what opens a video's upload: path and body."""
    source = {
        "source": "FILE_UPLOAD",
        "video_size": plan.total_bytes,
        "chunk_size": plan.piece_bytes,
        "total_chunk_count": plan.pieces,
    }
    if not is_direct(part.options):
        return "/v2/post/publish/inbox/video/init/", {"source_info": source}
    post = {
        **({"title": part.text} if part.text.strip() else {}),
        **_build_choices(part),
        "disable_duet": not is_on(part.options, "duet"),
        "disable_stitch": not is_on(part.options, "stitch"),
        "is_aigc": is_on(part.options, "ai"),
    }
    return "/v2/post/publish/video/init/", {"post_info": post, "source_info": source}


def build_photos(part: Part, addresses: Sequence[str]) -> dict[str, Any]:
    """Build the body of `POST /v2/post/publish/content/init/`, which makes the post."""
    words = {"title": part.options.get("title", ""), "description": part.text}
    post: dict[str, Any] = {name: text for name, text in words.items() if text.strip()}
    if is_direct(part.options):
        post |= {**_build_choices(part), "auto_add_music": False}
    return {
        "media_type": "PHOTO",
        "post_mode": "DIRECT_POST" if is_direct(part.options) else "MEDIA_UPLOAD",
        "post_info": post,
        "source_info": {"source": "PULL_FROM_URL", "photo_cover_index": 0, "photo_images": list(addresses)},
    }


def _build_choices(part: Part) -> dict[str, Any]:
    return {
        "privacy_level": part.options.get("visibility", ""),
        "disable_comment": not is_on(part.options, "comments"),
        "brand_content_toggle": is_on(part.options, "brand_content"),
        "brand_organic_toggle": is_on(part.options, "brand_organic"),
    }


PublishId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$")]


class Opened(Tolerant):
    """An upload that waits for its pieces."""

    publish_id: PublishId
    upload_url: str = Field(min_length=1, repr=False)


class Creator(Tolerant):
    """What this creator may do, and what TikTok wants people to see before they post."""

    creator_username: str = Field("", pattern=r"^[A-Za-z0-9_.]{0,64}$")  # it becomes part of an address
    creator_nickname: str = Field("", max_length=500)
    creator_avatar_url: str = Field("", max_length=4000)
    privacy_level_options: list[Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]] = Field(
        [], max_length=20
    )
    comment_disabled: bool = False
    duet_disabled: bool = False
    stitch_disabled: bool = False
    max_video_post_duration_sec: int | None = Field(None, ge=0, le=MAX_COUNT)


@dataclass(frozen=True, slots=True)
class Status:
    """What became of a publish id.

    Args:
        reason: why it failed; empty otherwise.
        post_id: of the public post; empty while TikTok looks it through, and for good when it is not public.
        uploaded_bytes: None when TikTok does not say.
    """

    state: State
    reason: str
    post_id: str
    uploaded_bytes: int | None
    request_id: str
    http_status: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an account's public posts.

    Args:
        cursor: where the next page begins; None when there is none.
    """

    posts: list[Video]
    cursor: int | None


@dataclass(frozen=True, slots=True)
class Video:
    """A public post, with everything that it says.

    Args:
        texts: title and description; TikTok shows what was written in either.
    """

    post: RemotePost
    texts: tuple[str, str]


def read_opened(reply: Reply) -> Opened:
    """Read the answer that opens an upload.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return read_answer(_Opened, reply, title="TikTok").data


def read_publish_id(reply: Reply) -> str:
    """Read the answer to photos that are on their way.

    Raises:
        UnknownOutcome: TikTok said yes, but not in words we can read.
    """
    return read_answer(_Taken, reply, title="TikTok", lost_means=UnknownOutcome).data.publish_id


def read_creator(reply: Reply) -> Creator:
    """Read what a creator may do.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return read_answer(_CreatorAnswer, reply, title="TikTok").data


def read_status(reply: Reply, *, request_id: str) -> Status:
    """Read what became of a publish id; a state nobody knows counts as not over yet.

    Raises:
        Unavailable: the answer cannot be read.
    """
    data = read_answer(_StatusAnswer, reply, title="TikTok").data
    return Status(
        state=_STATES.get(data.status, "processing"),
        reason=data.fail_reason or "",
        post_id=next(iter(data.post_ids), ""),
        uploaded_bytes=data.uploaded_bytes,
        request_id=request_id,
        http_status=reply.status,
    )


def read_user(reply: Reply) -> tuple[str, str]:
    """Read `GET /v2/user/info/`: TikTok's id of the account for this app, and the name people see.

    Raises:
        Unavailable: the answer cannot be read.
    """
    user = read_answer(_UserAnswer, reply, title="TikTok").data.user
    if not user.open_id:
        raise Unavailable("TikTok did not say whose token this is.", http_status=reply.status)
    return user.open_id, user.display_name


def read_account_metrics(reply: Reply) -> dict[str, int]:
    """Read an account's own counts; what is absent is unknown.

    Raises:
        Unavailable: the answer cannot be read.
    """
    user = read_answer(_UserAnswer, reply, title="TikTok").data.user
    return _rename(user, _STATS)


def read_videos(reply: Reply) -> Page:
    """Read public posts, from `video/list` or `video/query`.

    Raises:
        Unavailable: the answer cannot be read.
    """
    data = read_answer(_VideosAnswer, reply, title="TikTok").data
    return Page(
        posts=[_read_video(video) for video in data.videos],
        cursor=data.cursor if data.has_more else None,
    )


def _read_video(video: _VideoObject) -> Video:
    texts = (video.title or "", video.video_description or "")
    post = RemotePost(
        platform_post_id=video.id,
        text=texts[1] or texts[0],
        created_at=video.create_time,
        url=strip_tracking(video.share_url or ""),
        in_reply_to=None,
        metrics=_rename(video, _METRICS),
    )
    return Video(post=post, texts=texts)


def _rename(counts: Tolerant, names: dict[str, str]) -> dict[str, int]:
    found = {ours: getattr(counts, theirs) for theirs, ours in names.items()}
    return {name: count for name, count in found.items() if is_count(count)}


class _Opened(Tolerant):
    data: Opened


class _PublishId(Tolerant):
    publish_id: PublishId


class _Taken(Tolerant):
    data: _PublishId


class _CreatorAnswer(Tolerant):
    data: Creator


class _StatusData(Tolerant):
    status: str = Field(min_length=1)
    fail_reason: str | None = None
    post_ids: list[str] = Field(  # their spelling, and what it may be one day
        default=[], validation_alias=AliasChoices("publicaly_available_post_id", "publicly_available_post_id")
    )
    uploaded_bytes: int | None = None

    @field_validator("post_ids", mode="before")
    @classmethod
    def _numbers_are_ids(cls, value: object) -> object:
        ids = [str(one) for one in value if isinstance(one, int | str)] if isinstance(value, list) else []
        return [
            one for one in ids if _PUBLIC_ID.fullmatch(one)
        ]  # what is none stands for none: the post is out all the same


class _StatusAnswer(Tolerant):
    data: _StatusData


class _User(Tolerant):
    open_id: str = Field("", pattern=r"^[\x21-\x7e]{0,200}$")
    display_name: str = Field("", max_length=500)
    follower_count: int | None = None
    following_count: int | None = None
    likes_count: int | None = None
    video_count: int | None = None


class _UserData(Tolerant):
    user: _User


class _UserAnswer(Tolerant):
    data: _UserData


class _VideoObject(Tolerant):
    id: str = Field(pattern=r"^[0-9]{1,20}$", coerce_numbers_to_str=True)
    title: str | None = None
    video_description: str | None = None
    create_time: Instant
    share_url: str | None = None
    view_count: int | None = None
    like_count: int | None = None
    comment_count: int | None = None
    share_count: int | None = None

    @field_validator("create_time", mode="before")
    @classmethod
    def _seconds_are_an_instant(cls, value: object) -> object:
        return read_unix(value) if isinstance(value, int) else value


class _VideosData(Tolerant):
    videos: list[_VideoObject] = Field(max_length=MAX_ENTRIES)
    cursor: int | None = None
    has_more: bool = False


class _VideosAnswer(Tolerant):
    data: _VideosData
