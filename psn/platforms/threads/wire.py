"""Threads' forms and JSON both ways, pure.

developers.facebook.com/documentation/threads, pages posts, reply-management, insights, troubleshooting (read 2026-11-20), and
Meta's own Postman collection of 2026-01-02, against which the tests hold it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from psn.errors import Rejected
from psn.http import Reply
from psn.platforms.base import MediaFile, Part, Profile, RemotePost
from psn.platforms.meta.answers import Id, Paging, Quota, QuotaConfig, read_quota
from psn.platforms.meta.containers import Container
from psn.platforms.meta.matching import Seen
from psn.platforms.meta.meanings import MEDIA_FAILED, MEDIA_FAILED_AGAIN, MEDIA_FETCH_FAILED, Meaning
from psn.platforms.replies import Tolerant, read_answer
from psn.platforms.threads.rules import TITLE
from psn.platforms.values import MAX_ENTRIES, Instant, Number, WebAddress

PROFILE_FIELDS = "id,username,name"
POST_FIELDS = "id,text,permalink,shortcode,timestamp,media_type,media_product_type"
REPLY_FIELDS = f"{POST_FIELDS},is_reply,replied_to,root_post"
QUOTA_FIELDS = "quota_usage,config,reply_quota_usage,reply_config"
METRICS = "views,likes,replies,reposts,quotes,shares"
METRIC_NAMES = {name: name for name in METRICS.split(",")}  # theirs are ours
MEDIA_KINDS = {"TEXT_POST": "TEXT", "TEXT": "TEXT", "IMAGE": "IMAGE", "VIDEO": "VIDEO", "CAROUSEL_ALBUM": "CAROUSEL"}

# What `error_message` of a container names. A file that could not be fetched may be there the next time.
_AGAIN = {"FAILED_DOWNLOADING_VIDEO": MEDIA_FETCH_FAILED, "UNKNOWN": MEDIA_FAILED_AGAIN}
_FAILED = {
    "FAILED_PROCESSING_AUDIO": ("audio", "cannot read the video's sound", "Use AAC."),
    "FAILED_PROCESSING_VIDEO": ("video_format", "cannot read the video", "Use MP4 with H.264 and AAC."),
    "INVALID_ASPEC_RATIO": ("media_ratio", "does not take this shape of video", "Crop it."),  # their spelling
    "INVALID_BIT_RATE": ("bit_rate", "does not take this bit rate", "Convert it with at most 100 Mbit/s."),
    "INVALID_DURATION": ("duration", "does not take a video of this length", "Cut it to at most five minutes."),
    "INVALID_FRAME_RATE": ("frame_rate", "does not take this frame rate", "Convert it to 23 to 60 frames a second."),
    "INVALID_AUDIO_CHANNELS": ("audio", "does not take this number of sound channels", "Use one or two."),
    "INVALID_AUDIO_CHANNEL_LAYOUT": ("audio", "does not take this layout of sound channels", "Use mono or stereo."),
}


def build_child(media: MediaFile, *, address: str) -> dict[str, str]:
    """Build the form for one file of a carousel."""
    return {**_build_file(media, address=address), "is_carousel_item": "true"}


def build_post(
    part: Part, *, addresses: Sequence[str], children: Sequence[str] = (), reply_to: str | None
) -> dict[str, str]:
    """Build the form of a container. It never publishes by itself: `auto_publish_text` would take the second step away.

    Args:
        children: containers of the files, where there are several.
    """
    form = {"media_type": "TEXT"}
    if children:
        form = {"media_type": "CAROUSEL", "children": ",".join(children)}
    elif part.media:
        form = _build_file(part.media[0], address=addresses[0])
    if part.text:
        form["text"] = part.text
    if reply_to is not None:
        form["reply_to_id"] = reply_to
    return form | (_build_choices(part) if part.index == 0 else {})


def _build_file(media: MediaFile, *, address: str) -> dict[str, str]:
    kind, field = ("VIDEO", "video_url") if media.kind == "video" else ("IMAGE", "image_url")
    alt = {"alt_text": media.alt_text} if media.alt_text else {}
    return {"media_type": kind, field: address, **alt}


def _build_choices(part: Part) -> dict[str, str]:
    names = {"link": "link_attachment", "topic": "topic_tag", "reply_control": "reply_control"}
    return {theirs: part.options[ours] for ours, theirs in names.items() if ours in part.options}


def pick_kind(part: Part) -> str:
    """Say what kind of post a part becomes, in Threads' words."""
    if len(part.media) > 1:
        return "CAROUSEL"
    return {"image": "IMAGE", "video": "VIDEO"}[part.media[0].kind] if part.media else "TEXT"


def read_profile(reply: Reply, *, web_base_url: str) -> Profile:
    """Read `GET /me`.

    Raises:
        Unavailable: the answer cannot be read.
    """
    me = read_answer(_Me, reply, title=TITLE)
    url = f"{web_base_url}/@{me.username}"
    return Profile(platform_account_id=me.id, handle=me.username, name=me.name or me.username, url=url)


def read_publishing_limit(reply: Reply) -> dict[str, Quota]:
    """Read `threads_publishing_limit`: `posts` and `replies`, as far as it tells.

    Raises:
        Unavailable: the answer cannot be read.
    """
    data = read_answer(_Limits, reply, title=TITLE).data
    if not data:
        return {}
    quotas = {
        "posts": read_quota(data[0].quota_usage, data[0].config),
        "replies": read_quota(data[0].reply_quota_usage, data[0].reply_config),
    }
    return {name: quota for name, quota in quotas.items() if quota is not None}


def read_container(reply: Reply) -> Container:
    """Read a container.

    Raises:
        Unavailable: the answer cannot be read.
    """
    container = read_answer(_Container, reply, title=TITLE)
    return Container(state=container.status, detail=container.error_message)


def explain_failure(detail: str) -> Meaning:
    """Say what a failed container means by its `error_message`."""
    if detail in _AGAIN:
        return _AGAIN[detail]
    if detail not in _FAILED:
        return MEDIA_FAILED
    code, sentence, advice = _FAILED[detail]
    return Meaning(Rejected, code, f"{{title}} {sentence}", advice)


def read_post(reply: Reply) -> Seen:
    """Read one post.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return _read_post(read_answer(_Post, reply, title=TITLE))


def read_page(reply: Reply) -> tuple[list[Seen], Paging]:
    """Read a page of the account's posts or replies.

    Raises:
        Unavailable: the answer cannot be read.
    """
    page = read_answer(_Page, reply, title=TITLE)
    return [_read_post(post) for post in page.data], page.paging


def read_deleted(reply: Reply) -> bool:
    """Say whether Threads confirms that the post is gone.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return read_answer(_Deleted, reply, title=TITLE).success


def read_permalink(reply: Reply) -> str:
    """Read the address of a post.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return read_answer(_Permalink, reply, title=TITLE).permalink


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
        in_reply_to=seen.in_reply_to,
        metrics=metrics,
    )


def _read_post(post: _Post) -> Seen:
    return Seen(
        platform_post_id=post.id,
        text=post.text or "",
        created_at=post.timestamp,
        url=post.permalink,
        shortcode=post.shortcode,
        kind=MEDIA_KINDS.get(post.media_type, ""),
        product=post.media_product_type,
        in_reply_to=post.replied_to.id if post.replied_to else None,
    )


class _Me(Tolerant):
    id: Id
    username: str = Field(pattern=r"^[A-Za-z0-9_.]{1,64}$")  # it becomes part of an address
    name: str = Field("", max_length=500)


class _Limit(Tolerant):
    quota_usage: Number | None = None
    config: QuotaConfig | None = None
    reply_quota_usage: Number | None = None
    reply_config: QuotaConfig | None = None


class _Limits(Tolerant):
    data: list[_Limit] = []


class _Container(Tolerant):
    status: str = Field(min_length=1, max_length=64)
    error_message: str = ""


class _Reference(Tolerant):
    id: Id


class _Post(Tolerant):
    id: Id
    text: str | None = None
    permalink: WebAddress = ""
    shortcode: str = ""
    timestamp: Instant
    media_type: str = ""
    media_product_type: str = "THREADS"
    replied_to: _Reference | None = None


class _Page(Tolerant):
    data: list[_Post] = Field(max_length=MAX_ENTRIES)
    paging: Paging = Paging()


class _Deleted(Tolerant):
    success: bool


class _Permalink(Tolerant):
    permalink: WebAddress = ""
