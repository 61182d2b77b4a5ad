"""Mastodon's JSON both ways, pure.

Implements docs.joinmastodon.org/methods/statuses, /accounts, /instance and the entities they name, Mastodon 4.5 (read
2026-11-20), and reads what servers that speak the same API leave out. What refusals mean is in `refusals.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, RootModel, StringConstraints

from psn.errors import Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms import replies
from psn.platforms.base import Part, Profile, Published, RemotePost
from psn.platforms.mastodon.addresses import build_post_url
from psn.platforms.mastodon.content import read_content, restore_text
from psn.platforms.mastodon.matching import Seen, Source
from psn.platforms.replies import Model, Tolerant
from psn.platforms.values import MAX_ENTRIES, Instant, Number, find_web_address

MAX_PAGE = 40  # statuses of one page. methods/accounts#statuses

_METRICS = {  # Mastodon's name: ours. Counts are what this instance has heard of.
    "favourites_count": "likes",
    "reblogs_count": "reposts",
    "replies_count": "replies",
    "quotes_count": "quotes",
}
_ACCOUNT_METRICS = {"followers_count": "followers", "following_count": "following", "statuses_count": "posts"}
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_Lost = type[Unavailable] | type[UnknownOutcome]


def build_post(part: Part, *, media_ids: Sequence[str], reply_to: str | None) -> dict[str, Any]:
    """Build the body of `POST /api/v1/statuses`. What is left out is as the account's own settings say."""
    body: dict[str, Any] = {"status": part.text}
    if media_ids:
        body["media_ids"] = list(media_ids)
    if reply_to is not None:
        body["in_reply_to_id"] = reply_to
    if "sensitive" in part.options:
        body["sensitive"] = part.options["sensitive"] == "yes"
    for option, name in (("spoiler", "spoiler_text"), ("visibility", "visibility"), ("language", "language")):
        if part.options.get(option):
            body[name] = part.options[option]
    return body


def read_published(reply: Reply, *, base_url: str) -> Published:
    """Read the answer to a created status.

    Raises:
        UnknownOutcome: the instance said yes, but not in words we can read.
    """
    status = _read(_Created, reply, lost_means=UnknownOutcome)
    return Published(
        platform_post_id=status.id,
        url=_pick_url(status, base_url=base_url),
        request_id=reply.request_id or "",
        http_status=reply.status,
    )


def read_profile(reply: Reply, *, base_url: str) -> Profile:
    """Read `GET /api/v1/accounts/verify_credentials`.

    Raises:
        Unavailable: the answer cannot be read.
    """
    account = _read(_Account, reply)
    return Profile(
        platform_account_id=account.id,
        handle=account.username,
        name=account.display_name or account.username,
        url=_web_address(account.url) or f"{base_url}/@{account.username}",
    )


def read_account_metrics(reply: Reply) -> dict[str, int]:
    """Read an account's own counts.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return _read_counts(_read(_Account, reply), _ACCOUNT_METRICS)


def read_capabilities(reply: Reply) -> dict[str, Any]:
    """Read an instance's limits and version, from its first or second kind of answer, as `rules.read_limits` wants them.

    Raises:
        Unavailable: the answer cannot be read.
    """
    instance = _read(_Instance, reply)
    statuses, files = instance.configuration.statuses, instance.configuration.media_attachments
    limits = {
        "version": instance.version,
        "max_characters": statuses.max_characters or instance.max_toot_chars,
        "url_characters": statuses.characters_reserved_per_url,
        "max_media": statuses.max_media_attachments,
        "alt_characters": files.description_limit,
        "image_bytes": files.image_size_limit,
        "image_pixels": files.image_matrix_limit,
        "video_bytes": files.video_size_limit,
        "video_pixels": files.video_matrix_limit,
        "video_frame_rate": files.video_frame_rate_limit,
        "mime_types": files.supported_mime_types,
    }
    return {name: value for name, value in limits.items() if value}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an account's statuses, newest first.

    Args:
        next_max_id: asks for the page after it; None when there is none.
    """

    seen: list[Seen]
    next_max_id: str | None


def read_page(reply: Reply, *, base_url: str) -> Page:
    """Read a page of an account's statuses.

    Raises:
        Unavailable: the answer cannot be read.
    """
    statuses = _read(_Statuses, reply).root
    return Page(
        [_read_status(one, base_url=base_url) for one in statuses if one.reblog is None], _next_page(reply, statuses)
    )


def read_post(reply: Reply, *, base_url: str) -> RemotePost:
    """Read one status.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return _read_status(_read(_Status, reply), base_url=base_url).post


def read_posts(reply: Reply, *, base_url: str) -> list[RemotePost]:
    """Read statuses looked up together.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return [_read_status(one, base_url=base_url).post for one in _read(_Statuses, reply).root]


def read_source(reply: Reply) -> Source:
    """Read what the author of a status typed.

    Raises:
        Unavailable: the answer cannot be read.
    """
    source = _read(_Source, reply)
    return Source(source.text, source.spoiler_text or "")


def read_media_id(reply: Reply) -> str:
    """Read the id of an uploaded file.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return _read(_Media, reply).id


class _Answer(Tolerant):
    """Whatever has an id."""

    id: str = Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")


class _Media(_Answer):
    pass


class _Created(_Answer):
    url: str | None = None
    uri: str | None = None


class _Mention(Tolerant):
    acct: str = ""
    url: str = ""


class _Status(_Created):
    created_at: Instant
    content: str = ""
    spoiler_text: str | None = None
    in_reply_to_id: str | None = None
    mentions: list[_Mention] = []
    media_attachments: list[Any] = []
    reblog: Any = None
    favourites_count: Number | None = None
    reblogs_count: Number | None = None
    replies_count: Number | None = None
    quotes_count: Number | None = None


class _Statuses(RootModel[Annotated[list[_Status], Field(max_length=MAX_ENTRIES)]]):
    pass


class _Source(Tolerant):
    text: str
    spoiler_text: str | None = None


class _Account(_Answer):
    username: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")  # it becomes part of an address
    display_name: str = Field("", max_length=500)
    url: str | None = None
    followers_count: Number | None = None
    following_count: Number | None = None
    statuses_count: Number | None = None


class _StatusLimits(Tolerant):
    max_characters: Number | None = None
    max_media_attachments: Number | None = None
    characters_reserved_per_url: Number | None = None


class _MediaLimits(Tolerant):
    supported_mime_types: list[Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")]] | None = None
    description_limit: Number | None = None
    image_size_limit: Number | None = None
    image_matrix_limit: Number | None = None
    video_size_limit: Number | None = None
    video_matrix_limit: Number | None = None
    video_frame_rate_limit: Number | None = None


class _Configuration(Tolerant):
    statuses: _StatusLimits = _StatusLimits()
    media_attachments: _MediaLimits = _MediaLimits()


class _Instance(Tolerant):
    version: str = Field(max_length=200)
    configuration: _Configuration = _Configuration()
    max_toot_chars: Number | None = None  # at servers older than `configuration`


def _read(model: type[Model], reply: Reply, *, lost_means: _Lost = Unavailable) -> Model:
    return replies.read_answer(model, reply, title="The instance", lost_means=lost_means)


def _read_status(status: _Status, *, base_url: str) -> Seen:
    shown = read_content(status.content)
    mentioned = {mention.url: mention.acct for mention in status.mentions if mention.url and mention.acct}
    post = RemotePost(
        platform_post_id=status.id,
        text=restore_text(shown, mentioned=mentioned),
        created_at=status.created_at,
        url=_pick_url(status, base_url=base_url),
        in_reply_to=status.in_reply_to_id,
        metrics=_read_counts(status, _METRICS),
    )
    return Seen(post, shown, status.spoiler_text or "", mentioned, files=len(status.media_attachments))


def _next_page(reply: Reply, statuses: Sequence[_Status]) -> str | None:
    """Say where the next page begins: as the `Link` header says (RFC 8288), or after the last status where there is none.

    Only the id is taken from the header, never the address.
    """
    if not statuses:
        return None
    header = reply.headers.get("link", "")
    if not header:
        return statuses[-1].id
    for link in header.split(","):
        address, _, parameters = link.strip().partition(">")
        if 'rel="next"' in parameters:
            found = _read_query(address.lstrip("<")).get("max_id", [])
            return found[0] if found and _ID.fullmatch(found[0]) else statuses[-1].id
    return None


def _read_query(address: str) -> dict[str, list[str]]:
    try:
        return parse_qs(urlsplit(address).query)
    except ValueError:  # no address at all
        return {}


def _pick_url(status: _Created, *, base_url: str) -> str:
    return _web_address(status.url) or _web_address(status.uri) or build_post_url(status.id, base_url=base_url)


def _web_address(address: str | None) -> str:
    return find_web_address(address or "")


def _read_counts(model: Tolerant, names: dict[str, str]) -> dict[str, int]:
    """Take the counts we know; a missing one stays unknown (ANLYT-1)."""
    return {ours: count for theirs, ours in names.items() if (count := getattr(model, theirs)) is not None}
