"""LinkedIn's JSON both ways, pure.

Implements the Posts, Comments and Organization APIs of version 202610, as learn.microsoft.com/linkedin/marketing/community-management
has them (read 2026-11-20). What LinkedIn means by its refusals is in `refusals.py`, its numbers are in `metrics.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AliasChoices, BeforeValidator, Field

from psn.errors import Rejected, UnknownOutcome
from psn.http import Reply
from psn.platforms.base import Part, Profile, Published, RemotePost
from psn.platforms.linkedin.addresses import (
    ORGANIZATION_PREFIX,
    PERSON_PREFIX,
    build_comment_urn,
    build_post_url,
    encode_urn,
    is_post_urn,
    read_created_at,
    split_comment_urn,
)
from psn.platforms.linkedin.rules import VISIBILITIES, format_of
from psn.platforms.replies import Tolerant, read_answer
from psn.platforms.values import MAX_COUNT, MAX_ENTRIES, Instant, read_unix
from psn.text import littletext

TITLE = "LinkedIn"
PAGE_SIZE = 100  # posts of one page. posts-api
MAX_IDS = 20  # posts of one look-up; the page names no number, addresses must stay short

_REFERENCE = "1"  # the form of a reference; what follows it are names of media


def build_post(part: Part, *, author: str, media_ids: Sequence[str]) -> dict[str, Any]:
    """Build the body of `POST /rest/posts`. The same part with the same media gives the same body, byte for byte."""
    body: dict[str, Any] = {
        "author": author,
        "commentary": littletext.escape(part.text),
        "visibility": VISIBILITIES[part.options.get("visibility") or "public"],
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    content = _build_content(part, media_ids=media_ids)
    return {**body, "content": content} if content else body


def build_comment(part: Part, *, actor: str, post_urn: str) -> dict[str, Any]:
    """Build the body of a comment; its text is plain, not little text. comments-api."""
    return {"actor": actor, "object": post_urn, "message": {"text": part.text}}


def build_reference(media_ids: Sequence[str]) -> str:
    """Build what a repeat needs to send the same body: the text is the part's, the media are these."""
    return " ".join([_REFERENCE, *media_ids])


def read_reference(reference: str) -> list[str] | None:
    """Read the media out of a reference; None when it is of another form."""
    form, *media_ids = reference.split(" ")
    return media_ids if form == _REFERENCE else None


def read_published(reply: Reply, *, web_base_url: str) -> Published:
    """Read the answer to a created post: its name stands in a header.

    Raises:
        UnknownOutcome: LinkedIn said yes, and not to what.
    """
    urn = reply.headers.get("x-restli-id", "")
    if not is_post_urn(urn):
        raise _nameless(reply)
    return _build_published(urn, reply, web_base_url=web_base_url)


def read_published_comment(reply: Reply, *, post_urn: str, web_base_url: str) -> Published:
    """Read the answer to a created comment: its name stands in the body, its number in a header.

    Raises:
        UnknownOutcome: LinkedIn said yes, and not to what.
    """
    try:
        comment = read_answer(_Comment, reply, title=TITLE, lost_means=UnknownOutcome)
    except UnknownOutcome:
        comment = _Comment.model_validate({})
    number = comment.id or reply.headers.get("x-restli-id", "")
    parent = comment.object if is_post_urn(comment.object) else post_urn
    urn = comment.urn if split_comment_urn(comment.urn) else build_comment_urn(parent, number)
    if split_comment_urn(urn) is None:
        raise _nameless(reply)
    return _build_published(urn, reply, web_base_url=web_base_url)


def read_person(reply: Reply, *, web_base_url: str) -> Profile:
    """Read `GET /v2/userinfo`. It tells no public name, so the handle is made of the person's own.

    Raises:
        Unavailable: the answer cannot be read.
    """
    person = read_answer(_Person, reply, title=TITLE)
    name = person.name or f"{person.given_name} {person.family_name}".strip()
    return Profile(
        platform_account_id=f"{PERSON_PREFIX}{person.sub}",
        handle=_make_handle(name) or person.sub.lower(),
        name=name,
        url=f"{web_base_url}/in/me",  # leads whoever is signed in to their own profile
    )


def check_administrator(reply: Reply, *, organization: str) -> None:
    """Check that the person may act for a page, by `GET /rest/organizationAcls`.

    Raises:
        Rejected: the page is not among those the person administers.
        Unavailable: the answer cannot be read.
    """
    roles = read_answer(_Roles, reply, title=TITLE).elements
    if organization not in {role.organization for role in roles}:
        known = ", ".join(sorted(role.organization for role in roles)) or "none"
        raise Rejected(
            f"This person does not administer {organization} on LinkedIn. Administered: {known}. Connect one of these, "
            "or have a page's administrator give the role ADMINISTRATOR.",
            code="linkedin.not_administrator",
            http_status=reply.status,
            request_id=reply.request_id,
        )


def read_organization(reply: Reply, *, web_base_url: str) -> Profile:
    """Read `GET /rest/organizations/{id}`.

    Raises:
        Unavailable: the answer cannot be read.
    """
    page = read_answer(_Organization, reply, title=TITLE)
    handle = page.vanity_name or str(page.id)
    return Profile(
        platform_account_id=f"{ORGANIZATION_PREFIX}{page.id}",
        handle=handle,
        name=page.name or handle,
        url=f"{web_base_url}/company/{quote(handle)}",
    )


@dataclass(frozen=True, slots=True)
class SeenPost:
    """A page's post with what is needed to recognise it.

    Args:
        media_ids: names of what is attached.
        link: of an article.
    """

    post: RemotePost
    media_ids: tuple[str, ...]
    link: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an account's posts.

    Args:
        is_last: LinkedIn has no more.
    """

    posts: list[SeenPost]
    is_last: bool


def read_page(reply: Reply, *, web_base_url: str) -> Page:
    """Read `GET /rest/posts?q=author`, newest first. A page may hold fewer posts than asked for without being the last.

    Raises:
        Unavailable: the answer cannot be read.
    """
    page = read_answer(_Posts, reply, title=TITLE)
    goes_on = any(link.rel == "next" for link in page.paging.links) or len(page.elements) >= PAGE_SIZE
    return Page(
        posts=[_read_post(post, web_base_url=web_base_url) for post in page.elements if is_post_urn(post.id)],
        is_last=not page.elements or not goes_on,
    )


def read_batch(reply: Reply, *, web_base_url: str) -> dict[str, RemotePost]:
    """Read posts looked up by name; the ones LinkedIn does not show are left out.

    Raises:
        Unavailable: the answer cannot be read.
    """
    results = read_answer(_Batch, reply, title=TITLE).results
    return {
        urn: _read_post(post, web_base_url=web_base_url).post for urn, post in results.items() if is_post_urn(post.id)
    }


@dataclass(frozen=True, slots=True)
class SeenComment:
    """A comment below one of our posts."""

    urn: str
    actor: str
    text: str
    created_at: datetime


def read_comments(reply: Reply, *, post_urn: str) -> tuple[list[SeenComment], bool]:
    """Read a page of the comments below a post, and whether it is the last.

    Raises:
        Unavailable: the answer cannot be read.
    """
    page = read_answer(_Comments, reply, title=TITLE)
    goes_on = any(link.rel == "next" for link in page.paging.links) or len(page.elements) >= PAGE_SIZE
    seen = [
        SeenComment(
            urn=comment.urn if split_comment_urn(comment.urn) else build_comment_urn(post_urn, comment.id),
            actor=comment.actor,
            text=comment.message.text,
            created_at=comment.created.time,
        )
        for comment in page.elements
    ]
    return seen, not page.elements or not goes_on


def build_list(urns: Sequence[str]) -> str:
    """Build a list as Rest.li wants it in a query: brackets and commas as they are, everything in the names encoded."""
    return f"List({','.join(encode_urn(urn) for urn in urns)})"


def _read_milliseconds(value: object) -> object:
    return read_unix(value / 1000) if isinstance(value, int) and abs(value) < MAX_COUNT else value


_Milliseconds = Annotated[Instant, BeforeValidator(_read_milliseconds)]


class _Person(Tolerant):
    sub: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    name: str = Field("", max_length=500)
    given_name: str = Field("", max_length=500)
    family_name: str = Field("", max_length=500)


class _Role(Tolerant):
    organization: str = Field(max_length=100, validation_alias=AliasChoices("organization", "organizationTarget"))


class _Roles(Tolerant):
    elements: list[_Role]


class _Organization(Tolerant):
    id: int = Field(ge=1, le=MAX_COUNT)
    vanity_name: str = Field(
        "", validation_alias="vanityName", pattern=r"^[\p{L}\p{N}_-]{0,200}$"
    )  # part of an address
    name: str = Field("", validation_alias="localizedName", max_length=500)


class _File(Tolerant):
    id: str = ""


class _Images(Tolerant):
    images: list[_File] = []


class _Article(Tolerant):
    source: str = ""


class _Content(Tolerant):
    media: _File | None = None
    multi_image: _Images | None = Field(None, validation_alias="multiImage")
    article: _Article | None = None


class _Post(Tolerant):
    id: str = Field(pattern=r"^urn:li:[A-Za-z]{1,40}:[A-Za-z0-9_:,()-]{1,100}$")
    commentary: str = ""
    created_at: _Milliseconds | None = Field(None, validation_alias="createdAt")
    content: _Content | None = None


class _Link(Tolerant):
    rel: str = ""


class _Paging(Tolerant):
    links: list[_Link] = []


class _Posts(Tolerant):
    elements: list[_Post] = Field(max_length=MAX_ENTRIES)
    paging: _Paging = _Paging()


class _Batch(Tolerant):
    results: dict[str, _Post]


class _Message(Tolerant):
    text: str = ""


class _Stamp(Tolerant):
    time: _Milliseconds = datetime.fromtimestamp(0, tz=UTC)


class _Comment(Tolerant):
    id: str = Field("", pattern=r"^[0-9]{0,19}$")
    object: str = ""
    actor: str = ""
    urn: str = Field("", validation_alias=AliasChoices("commentUrn", "$URN"))
    message: _Message = _Message()
    created: _Stamp = _Stamp()


class _Comments(Tolerant):
    elements: list[_Comment] = Field(max_length=MAX_ENTRIES)
    paging: _Paging = _Paging()


def _build_content(part: Part, *, media_ids: Sequence[str]) -> dict[str, Any]:
    title = part.options.get("title", "")
    files = [
        {"id": media_id, **({"altText": media.alt_text} if media.alt_text else {})}
        for media_id, media in zip(media_ids, part.media, strict=True)
    ]
    if format_of(part) == "article":
        return {"article": _build_article(part, title=title, media_ids=media_ids)}
    if len(files) > 1:
        return {"multiImage": {"images": files}}
    return {"media": {**files[0], **({"title": title} if title else {})}} if files else {}


def _build_article(part: Part, *, title: str, media_ids: Sequence[str]) -> dict[str, str]:
    """Build an article's card. LinkedIn does not look at the address: what is not said here is not shown."""
    card = {"source": part.options["link"], "title": title}
    if media_ids:
        card["thumbnail"] = media_ids[0]
        if part.media[0].alt_text:
            card["thumbnailAltText"] = part.media[0].alt_text
    return card


def _build_published(urn: str, reply: Reply, *, web_base_url: str) -> Published:
    return Published(
        platform_post_id=urn,
        url=build_post_url(urn, web_base_url=web_base_url),
        request_id=reply.request_id or "",
        http_status=reply.status,
    )


def _nameless(reply: Reply) -> UnknownOutcome:
    return UnknownOutcome(
        f"LinkedIn answered {reply.status} and did not say what it has made.",
        http_status=reply.status,
        request_id=reply.request_id,
    )


def _read_post(post: _Post, *, web_base_url: str) -> SeenPost:
    content = post.content or _Content.model_validate({})
    files = [content.media] if content.media else content.multi_image.images if content.multi_image else []
    created_at = read_created_at(post.id) if post.created_at is None else post.created_at
    remote = RemotePost(
        platform_post_id=post.id,
        text=littletext.unescape(post.commentary),
        created_at=created_at,
        url=build_post_url(post.id, web_base_url=web_base_url),
        in_reply_to=None,
        metrics={},
    )
    return SeenPost(remote, tuple(file.id for file in files), content.article.source if content.article else "")


def _make_handle(name: str) -> str:
    """Make of a name what LinkedIn's own addresses look like: `Zoë van Dam` is `zoe-van-dam`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
