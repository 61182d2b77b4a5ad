"""What a post may hold: the lexicons app.bsky.feed.post, app.bsky.embed.*, app.bsky.richtext.facet (d6296a1, 2026-08-20) as models.

Stricter than a server at one point: an embed or a facet of a kind that nobody knows is refused, because here it is a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import regex
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sandbox.platforms.bluesky.names import POSTS
from sandbox.platforms.bluesky.problems import Refusal, refuse

IMAGE_BYTES = 2_000_000
THUMB_BYTES = 1_000_000
VIDEO_BYTES = 300_000_000
CAPTION_BYTES = 20_000

_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,20})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


class _Object(BaseModel):
    """An object of a lexicon: it may hold more than is known of."""

    model_config = ConfigDict(extra="ignore", strict=True, populate_by_name=False)


def _limit(*, graphemes: int, size: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(text.encode()) > size:
            raise ValueError(f"must not be longer than {size} characters")
        if len(regex.findall(r"\X", text)) > graphemes:
            raise ValueError(f"must not be longer than {graphemes} graphemes")
        return text

    return AfterValidator(check)


def _check_datetime(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be an valid atproto datetime") from None
    if not _DATETIME.fullmatch(text):
        raise ValueError("must be an valid atproto datetime")
    return text


AtUri = Annotated[str, Field(pattern=r"^at://[^/\s]+(?:/[^/\s]+){0,2}$")]
Cid = Annotated[str, Field(pattern=r"^b[a-z2-7]{58,}$")]
Uri = Annotated[str, Field(pattern=r"^\w+:(?://)?[^\s/]\S*$", max_length=8192)]
Did = Annotated[str, Field(pattern=r"^did:[a-z]+:[A-Za-z0-9._:%-]+$")]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$")]


class Link(_Object):
    """A CID as JSON has it."""

    link: Cid = Field(alias="$link")


class Blob(_Object):
    """A file, named."""

    type: Literal["blob"] = Field(alias="$type")
    ref: Link
    mime_type: str = Field(alias="mimeType")
    size: int


class AspectRatio(_Object):
    """A shape."""

    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]


class Image(_Object):
    """One of up to four images."""

    image: Blob
    alt: str
    aspect_ratio: AspectRatio | None = Field(None, alias="aspectRatio")


class Images(_Object):
    """app.bsky.embed.images."""

    type: Literal["app.bsky.embed.images"] = Field(alias="$type")
    images: Annotated[list[Image], Field(max_length=4)]


class GalleryImage(_Object):
    """One of many images."""

    type: Literal["app.bsky.embed.gallery#image"] = Field(alias="$type")
    image: Blob
    alt: str
    aspect_ratio: AspectRatio = Field(alias="aspectRatio")


class Gallery(_Object):
    """app.bsky.embed.gallery."""

    type: Literal["app.bsky.embed.gallery"] = Field(alias="$type")
    items: Annotated[list[GalleryImage], Field(max_length=20)]


class Caption(_Object):
    """Subtitles."""

    lang: Language
    file: Blob


class Video(_Object):
    """app.bsky.embed.video."""

    type: Literal["app.bsky.embed.video"] = Field(alias="$type")
    video: Blob
    captions: Annotated[list[Caption], Field(max_length=20)] = []
    alt: str = ""
    aspect_ratio: AspectRatio | None = Field(None, alias="aspectRatio")


class Page(_Object):
    """What a link card shows."""

    uri: Uri
    title: str
    description: str
    thumb: Blob | None = None


class External(_Object):
    """app.bsky.embed.external."""

    type: Literal["app.bsky.embed.external"] = Field(alias="$type")
    external: Page


class Strong(_Object):
    """com.atproto.repo.strongRef."""

    uri: AtUri
    cid: Cid


class Quote(_Object):
    """app.bsky.embed.record."""

    type: Literal["app.bsky.embed.record"] = Field(alias="$type")
    record: Strong


class Reply(_Object):
    """Where in a thread a post belongs."""

    root: Strong
    parent: Strong


class Mention(_Object):
    """A facet that leads to an account."""

    type: Literal["app.bsky.richtext.facet#mention"] = Field(alias="$type")
    did: Did


class WebLink(_Object):
    """A facet that leads to a page."""

    type: Literal["app.bsky.richtext.facet#link"] = Field(alias="$type")
    uri: Uri


class Tag(_Object):
    """A facet that leads to a hashtag."""

    type: Literal["app.bsky.richtext.facet#tag"] = Field(alias="$type")
    tag: Annotated[str, _limit(graphemes=64, size=640)]


class Slice(_Object):
    """Bytes of UTF-8."""

    start: Annotated[int, Field(ge=0)] = Field(alias="byteStart")
    end: Annotated[int, Field(ge=0)] = Field(alias="byteEnd")


class Facet(_Object):
    """Something in a text that can be clicked."""

    index: Slice
    features: list[Annotated[Mention | WebLink | Tag, Field(discriminator="type")]]


Embed = Annotated[Images | Gallery | Video | External | Quote, Field(discriminator="type")]


class PostRecord(_Object):
    """app.bsky.feed.post."""

    type: Literal["app.bsky.feed.post"] = Field("app.bsky.feed.post", alias="$type")
    text: Annotated[str, _limit(graphemes=300, size=3000)]
    created_at: Annotated[str, AfterValidator(_check_datetime)] = Field(alias="createdAt")
    langs: Annotated[list[Language], Field(max_length=3)] = []
    facets: list[Facet] = []
    reply: Reply | None = None
    embed: Embed | None = None
    tags: Annotated[list[Annotated[str, _limit(graphemes=64, size=640)]], Field(max_length=8)] = []


def read_record(record: dict[str, Any]) -> PostRecord:
    """Check a record.

    Raises:
        Refusal: 400 that names the first thing that is wrong.
    """
    try:
        return PostRecord.model_validate(record)
    except ValidationError as error:
        raise _explain(error) from None


def blobs_of(record: PostRecord) -> Iterator[tuple[Blob, str, int]]:
    """Give the files that a record names, each with the kind and the size that may stand at its place."""
    match record.embed:
        case Images(images=images):
            yield from ((image.image, "image/", IMAGE_BYTES) for image in images)
        case Gallery(items=items):
            yield from ((item.image, "image/", IMAGE_BYTES) for item in items)
        case Video(video=video, captions=captions):
            yield video, "video/mp4", VIDEO_BYTES
            yield from ((caption.file, "text/vtt", CAPTION_BYTES) for caption in captions)
        case External(external=Page(thumb=Blob() as thumb)):
            yield thumb, "image/", THUMB_BYTES


def alts_of(record: PostRecord) -> Iterator[tuple[str, str]]:
    """Give the alt texts of a record's files, by CID."""
    match record.embed:
        case Images(images=images):
            yield from ((image.image.ref.link, image.alt) for image in images)
        case Gallery(items=items):
            yield from ((item.image.ref.link, item.alt) for item in items)
        case Video(video=video, alt=alt):
            yield video.ref.link, alt


def _explain(error: ValidationError) -> Refusal:
    first = error.errors(include_url=False)[0]
    where = "/".join(["Record", *(str(step) for step in first["loc"])])
    return refuse(f"Invalid {POSTS} record: {where} {first['msg'].removeprefix('Value error, ')}")
