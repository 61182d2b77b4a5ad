"""The AT Protocol's JSON both ways, as far as posts need it; pure.

The lexicons com.atproto.server.*, com.atproto.repo.*, com.atproto.identity.*, app.bsky.feed.getPosts and app.bsky.actor.defs of
bluesky-social/atproto d6296a1 (2026-08-20). Records are built in `records.py`; what refusals mean is in `refusals.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from psn.errors import InvalidInput, Rejected, UnknownOutcome
from psn.http import Reply
from psn.platforms.base import Profile, Published, RemotePost
from psn.platforms.bluesky.addresses import BROKEN_HANDLE, DID, HANDLE, POSTS, PostUri, build_post_url, parse_uri
from psn.platforms.bluesky.records import Draft, Json, Strong
from psn.platforms.replies import Tolerant, read_answer
from psn.platforms.values import MAX_COUNT, MAX_ENTRIES, Instant, pick_counts

TITLE = "Bluesky"
MAX_URIS = 25  # getPosts: uris.maxLength
MAX_PAGE = 100  # listRecords: limit.maximum

_COUNTS = {  # app.bsky.feed.defs#postView: ours. There are no views.
    "likeCount": "likes",
    "repostCount": "reposts",
    "replyCount": "replies",
    "quoteCount": "quotes",
    "bookmarkCount": "bookmarks",
}
_ACCOUNT_COUNTS = {"followersCount": "followers", "followsCount": "following", "postsCount": "posts"}


Did = Annotated[str, StringConstraints(pattern=rf"^{DID}$", max_length=2048)]


def _settle_handle(handle: object) -> object:
    """Take what cannot be a handle for a broken one: it is part of addresses that people open."""
    return handle if isinstance(handle, str) and re.fullmatch(HANDLE, handle[:254]) else BROKEN_HANDLE


Handle = Annotated[str, BeforeValidator(_settle_handle)]


class Session(Tolerant):
    """Whose token it is."""

    did: Did
    handle: Handle


class Tokens(Session):
    """A session as it was opened or renewed."""

    access: str = Field(alias="accessJwt", min_length=1)
    refresh: str = Field(alias="refreshJwt", min_length=1)


class Record(Tolerant):
    """A record as it lies in a repository."""

    uri: str
    cid: str = Field("", pattern=r"^[\x21-\x7e]{0,200}$")
    value: dict[str, Any]

    @property
    def strong(self) -> Strong:
        """Give the exact version."""
        return Strong(uri=self.uri, cid=self.cid)


class Page(Tolerant):
    """Records, newest key first.

    Args:
        cursor: of the page after it; absent on the last one.
    """

    records: list[Record] = Field(max_length=MAX_ENTRIES)
    cursor: str | None = None


def read_session(reply: Reply) -> Session:
    """Read getSession.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return read_answer(Session, reply, title=TITLE)


def read_tokens(reply: Reply) -> Tokens:
    """Read createSession or refreshSession.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return read_answer(Tokens, reply, title=TITLE)


def build_profile(session: Session, *, web_base_url: str) -> Profile:
    """Build a profile; the handle is the name, because only the app's view knows another."""
    return Profile(
        platform_account_id=session.did,
        handle=session.handle,
        name=session.handle,
        url=f"{web_base_url}/profile/{session.handle}",
    )


def build_put(did: str, draft: Draft) -> Json:
    """Build the body of putRecord: `swapRecord: null` writes only where nothing is under the key yet."""
    return {"repo": did, "collection": POSTS, "rkey": draft.rkey, "record": draft.record, "swapRecord": None}


def build_key(uri: PostUri) -> dict[str, str]:
    """Build what names one post to getRecord and deleteRecord."""
    return {"repo": uri.repo, "collection": POSTS, "rkey": uri.rkey}


def build_page(did: str, *, wanted: int, cursor: str | None) -> dict[str, str]:
    """Build the query of listRecords."""
    query = {"repo": did, "collection": POSTS, "limit": str(min(max(wanted, 1), MAX_PAGE))}
    return query if cursor is None else {**query, "cursor": cursor}


def build_look_up(uris: Sequence[str]) -> str:
    """Build the query of getPosts: one `uris` for each."""
    return urlencode([("uris", uri) for uri in uris])


def read_published(reply: Reply, *, uri: PostUri, handle: str, web_base_url: str) -> Published:
    """Read the answer to putRecord.

    Raises:
        UnknownOutcome: the server said yes, but not to what it was asked, or not in words we can read.
    """
    written = read_answer(_Written, reply, title=TITLE, lost_means=UnknownOutcome)
    if written.uri != str(uri):
        raise UnknownOutcome(
            f"{TITLE} answered {reply.status}, but for another post than the one that was sent.",
            http_status=reply.status,
            request_id=reply.request_id,
        )
    return build_published(uri, handle=handle, web_base_url=web_base_url, reply=reply)


def build_published(uri: PostUri, *, handle: str, web_base_url: str, reply: Reply | None = None) -> Published:
    """Build the word that a post is live."""
    return Published(
        platform_post_id=str(uri),
        url=build_post_url(uri, handle=handle, web_base_url=web_base_url),
        request_id=(reply and reply.request_id) or "",
        http_status=reply.status if reply else 0,
    )


def read_record(reply: Reply) -> Record:
    """Read getRecord.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return read_answer(Record, reply, title=TITLE)


def read_page(reply: Reply) -> Page:
    """Read listRecords.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return read_answer(Page, reply, title=TITLE)


def read_did(reply: Reply) -> str:
    """Read resolveHandle.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return read_answer(_Resolved, reply, title=TITLE).did


def read_blob(reply: Reply) -> str:
    """Read uploadBlob: the blob as it must stand in a record, as text.

    Raises:
        Unavailable: the answer cannot be read.
    """
    blob = read_answer(_Uploaded, reply, title=TITLE).blob
    return json.dumps(blob.model_dump(by_alias=True), separators=(",", ":"))


def read_media_id(media_id: str) -> Json:
    """Read what `read_blob` gave.

    Raises:
        Rejected: it is something else.
    """
    try:
        return _Blob.model_validate_json(media_id).model_dump(by_alias=True)
    except ValidationError:
        raise Rejected("This is no file that was uploaded to Bluesky.", code="media.id") from None


def read_posts(reply: Reply, *, web_base_url: str) -> list[RemotePost]:
    """Read getPosts: posts with their counts; the ones Bluesky does not show are left out.

    Raises:
        Unavailable: the answer cannot be read.
    """
    views = read_answer(_Posts, reply, title=TITLE).posts
    posts = (
        _read_post(view.uri, view.record, view.author.handle, web_base_url=web_base_url, metrics=view.model_extra or {})
        for view in views
    )
    return [post for post in posts if post is not None]


def read_own_posts(page: Page, *, handle: str, web_base_url: str) -> list[RemotePost]:
    """Turn records into posts; a repository knows no counts. What is no post by its looks is left out."""
    posts = (
        _read_post(record.uri, record.value, handle, web_base_url=web_base_url, metrics={}) for record in page.records
    )
    return [post for post in posts if post is not None]


def read_account_counts(reply: Reply) -> dict[str, int]:
    """Read getProfile's counts.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return pick_counts(read_answer(_Profile, reply, title=TITLE).model_extra or {}, _ACCOUNT_COUNTS)


def read_thread(record: Record) -> tuple[Strong, Strong]:
    """Say what a reply to this post names: the thread's first post, and this one."""
    try:
        root = _Reply.model_validate(record.value.get("reply")).root
    except ValidationError:
        return record.strong, record.strong
    return Strong(uri=root.uri, cid=root.cid), record.strong


class _Written(Tolerant):
    uri: str
    cid: str = Field(min_length=1)


class _Resolved(Tolerant):
    did: Did


class _Link(Tolerant):
    link: str = Field(alias="$link", pattern=r"^[\x21-\x7e]{1,200}$")


class _Blob(Tolerant):
    type: str = Field(alias="$type", pattern="^blob$")
    ref: _Link
    mime_type: str = Field(alias="mimeType", pattern=r"^[\x21-\x7e]{1,100}$")
    size: int = Field(ge=0, le=MAX_COUNT)


class _Uploaded(Tolerant):
    blob: _Blob


class _Author(Tolerant):
    did: str
    handle: Handle = BROKEN_HANDLE


class _View(Tolerant, extra="allow"):
    uri: str
    author: _Author
    record: dict[str, Any]


class _Posts(Tolerant):
    posts: list[_View] = Field(max_length=MAX_ENTRIES)


class _Profile(Tolerant, extra="allow"):
    did: str


class _Strong(Tolerant):
    uri: str = Field(pattern=r"^at://[\x21-\x7e]{1,3000}$")
    cid: str = Field(pattern=r"^[\x21-\x7e]{1,200}$")


class _Reply(Tolerant):
    root: _Strong
    parent: _Strong


class _Post(Tolerant):
    text: str
    created_at: Instant = Field(alias="createdAt")
    reply: _Reply | None = None


def _read_post(uri: str, record: Json, handle: str, *, web_base_url: str, metrics: dict[str, Any]) -> RemotePost | None:
    """Read a post; None when the record is none: anybody may write anything into a repository."""
    try:
        where, post = parse_uri(uri), _Post.model_validate(record)
    except (InvalidInput, ValidationError):
        return None
    return RemotePost(
        platform_post_id=uri,
        text=post.text,
        created_at=post.created_at,
        url=build_post_url(where, handle=handle, web_base_url=web_base_url),
        in_reply_to=post.reply.parent.uri if post.reply else None,
        metrics=pick_counts(metrics, _COUNTS),
    )
