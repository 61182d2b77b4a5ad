"""Posts as they lie in an account's repository: built once, kept as the reference of the call, sent as often as need be; pure.

app.bsky.feed.post and app.bsky.embed.* (bluesky-social/atproto d6296a1, 2026-08-20).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from psn.errors import Rejected
from psn.platforms.base import MediaFile, Part
from psn.platforms.bluesky.addresses import POSTS
from psn.platforms.bluesky.rules import MAX_IMAGES, card_of, read_languages
from psn.text.links import find_links

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """A record with the key it will have: the same pair sent twice is one post (PUB-6)."""

    rkey: str
    record: Json

    def to_reference(self) -> str:
        """Give it as text, to be stored before the call."""
        return json.dumps({"rkey": self.rkey, "record": self.record}, ensure_ascii=False, separators=(",", ":"))

    def is_same(self, record: Json) -> bool:
        """Say whether a record that lies under the key is this one.

        The text and the instant that was written into it tell; a server may have put the rest in its own form.
        """
        return all(record.get(name) == self.record.get(name) for name in ("text", "createdAt"))

    @classmethod
    def from_reference(cls, reference: str) -> Draft:
        """Read what `to_reference` gave.

        Raises:
            Rejected: it is something else; nothing is sent under a key that nobody knows.
        """
        try:
            body = json.loads(reference)
            rkey, record = body["rkey"], body["record"]
        except (ValueError, TypeError, KeyError, RecursionError):
            rkey = record = None
        if not (isinstance(rkey, str) and isinstance(record, dict)):
            raise Rejected(
                "What was stored of the earlier call cannot be read. Look on Bluesky whether the post is out.",
                code="bluesky.reference",
            )
        return cls(rkey=rkey, record=record)


@dataclass(frozen=True, slots=True)
class Strong:
    """A post and the exact version of it."""

    uri: str
    cid: str

    def to_dict(self) -> dict[str, str]:
        """Give com.atproto.repo.strongRef."""
        return {"uri": self.uri, "cid": self.cid}


def build_record(
    part: Part,
    *,
    blobs: Sequence[Json],
    facets: Sequence[Json],
    reply: tuple[Strong, Strong] | None,
    created_at: datetime,
) -> Json:
    """Build the record of one part.

    Args:
        blobs: as the server gave them, in the order of the part's media.
        reply: first post of the thread and the one that this replies to.
        created_at: aware.
    """
    record: Json = {
        "$type": POSTS,
        "text": part.text,
        "createdAt": created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if languages := read_languages(part.options):
        record["langs"] = languages
    if facets:
        record["facets"] = list(facets)
    if reply is not None:
        record["reply"] = {"root": reply[0].to_dict(), "parent": reply[1].to_dict()}
    if embed := build_embed(part, blobs=blobs):
        record["embed"] = embed
    return record


def build_embed(part: Part, *, blobs: Sequence[Json]) -> Json | None:
    """Build what is shown below the text, of which there can be one: a chosen link card, media, or a card of the first link."""
    if link := card_of(part):
        return _build_card(link, part.options, thumb=blobs[0] if blobs else None)
    if part.media:
        return _build_media(part.media, blobs)
    links = find_links(part.text)
    return _build_card(links[0].text, {} if part.index else part.options, thumb=None) if links else None


def _build_card(link: str, options: Mapping[str, str], *, thumb: Json | None) -> Json:
    """Build a link card of what is known: nothing is fetched. Without a title it has the site's name."""
    external: Json = {
        "uri": link,
        "title": options.get("title") or urlsplit(link).hostname or link,
        "description": options.get("description", ""),
    }
    if thumb is not None:
        external["thumb"] = thumb
    return {"$type": "app.bsky.embed.external", "external": external}


def _build_media(media: Sequence[MediaFile], blobs: Sequence[Json]) -> Json:
    if media[0].kind == "video":
        return {"$type": "app.bsky.embed.video", "video": blobs[0], **_describe(media[0], always=False)}
    if len(media) <= MAX_IMAGES:
        images = [{"image": blob, **_describe(file)} for file, blob in zip(media, blobs, strict=True)]
        return {"$type": "app.bsky.embed.images", "images": images}
    items = [
        {"$type": "app.bsky.embed.gallery#image", "image": blob, **_describe(file)}
        for file, blob in zip(media, blobs, strict=True)
    ]
    if not all("aspectRatio" in item for item in items):
        raise Rejected(f"The shape of one of more than {MAX_IMAGES} images is unknown.", code="media.unmeasured")
    return {"$type": "app.bsky.embed.gallery", "items": items}


def _describe(media: MediaFile, *, always: bool = True) -> Json:
    """Say what a file shows and how it is shaped.

    Args:
        always: an image has an alt text even where that is empty; a video need not.
    """
    about: Json = {"alt": media.alt_text} if always or media.alt_text else {}
    if media.facts is not None and media.facts.ratio is not None:
        about["aspectRatio"] = {"width": media.facts.width, "height": media.facts.height}
    return about
