"""Bluesky over the AT Protocol: sends requests, nothing else."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from psn.deadline import Deadline
from psn.errors import InvalidInput, PlatformError, Rejected, Unavailable, UnknownOutcome
from psn.http import TIMEOUT_SECONDS, Http, Reply
from psn.platforms.base import MediaFile, Part, Prepared, Profile, Published, RateLimit, RemotePost
from psn.platforms.bluesky import refusals, upload, wire
from psn.platforms.bluesky.addresses import PostUri, parse_uri
from psn.platforms.bluesky.facets import build_facets, find_handles
from psn.platforms.bluesky.homes import choose_base_url
from psn.platforms.bluesky.records import Draft, Strong, build_record
from psn.platforms.bluesky.tids import CLOCK_IDS, build_tid, find_instant

MAX_PAGES = 100  # of 100 records

_PUT = "com.atproto.repo.putRecord"


def read_clock() -> datetime:
    """Give the present instant: it is part of every record."""
    return datetime.now(UTC)


class BlueskyAdapter:
    """One account on Bluesky.

    Args:
        api_base_url: of the account's own server; from bsky.social on that is found by the token.
        web_base_url: where people look at posts.
        view_base_url: where everybody can read what people see; the account's own server passes such calls on when left out.
        account_id: the account's DID; the server is asked for it when left out.
        timeout_seconds: for a whole call.

    Attributes:
        rate_limits: by endpoint (`POST com.atproto.repo.putRecord`), as headers said last.
    """

    def __init__(
        self,
        api_base_url: str,
        *,
        token: str,
        web_base_url: str,
        view_base_url: str | None = None,
        account_id: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        clock: Callable[[], datetime] = read_clock,
    ) -> None:
        self._http = Http(choose_base_url(api_base_url, token=token), token=token, timeout_seconds=timeout_seconds)
        self._view = Http(view_base_url, timeout_seconds=timeout_seconds) if view_base_url else self._http
        self.web_base_url = web_base_url.rstrip("/")
        self._known_did = account_id
        self._clock = clock
        self.rate_limits: dict[str, RateLimit] = {}

    def __repr__(self) -> str:
        return f"BlueskyAdapter({self._http.base_url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._view.close()

    def fetch_profile(self) -> Profile:
        """Ask who the token belongs to."""
        return wire.build_profile(self._session, web_base_url=self.web_base_url)

    def fetch_capabilities(self) -> dict[str, Any]:
        """Give nothing: all accounts may do the same."""
        return {}

    def fetch_account_metrics(self) -> dict[str, int]:
        """Read the account's own counts: `followers`, `following`, `posts`."""
        reply = self._read("GET", "app.bsky.actor.getProfile", params={"actor": self._did}, http=self._view)
        return wire.read_account_counts(reply)

    def upload_media(self, media: MediaFile) -> str:
        """Upload one file and give its blob. Repeatable and harmless.

        Raises:
            Rejected: the server does not take the file.
            Unavailable: not uploaded.
        """
        return upload.send_media(media, send=self._read)

    def prepare_post(self, part: Part, *, media_ids: Sequence[str], reply_to: str | None, former: str) -> Prepared:
        """Build the record and its key, once: with `former` it is the very same again, so that a repeat is no second post.

        Raises:
            Rejected: what it replies to is gone.
        """
        _ = self._session  # asked before the call that cannot be taken back, not during it
        if former:
            return Prepared(reference=Draft.from_reference(former).to_reference())
        now = self._clock()
        record = build_record(
            part,
            blobs=[wire.read_media_id(media_id) for media_id in media_ids],
            facets=build_facets(part.text, dids=self._resolve(find_handles(part.text))),
            reply=self._fetch_thread(reply_to) if reply_to else None,
            created_at=now,
        )
        rkey = build_tid(now, clock_id=secrets.randbelow(CLOCK_IDS))
        return Prepared(reference=Draft(rkey=rkey, record=record).to_reference())

    def create_post(
        self,
        part: Part,
        *,
        media_ids: Sequence[str],
        reply_to: str | None,
        prepared: Prepared,
        send_before: Deadline | None,
    ) -> Published:
        """Make one part public: the one call that cannot be taken back, and that can be repeated as it is."""
        draft = Draft.from_reference(prepared.reference)
        uri, handle = PostUri(self._did, draft.rkey), self._session.handle
        body = wire.build_put(self._did, draft)
        reply = self._http.commit("POST", f"/xrpc/{_PUT}", json=body, send_before=send_before)
        if refusals.is_swap_refused(reply):
            return self._read_taken(uri, draft, refused=reply)
        reply = self._checked(reply, endpoint=f"POST {_PUT}", commit=True)
        return wire.read_published(reply, uri=uri, handle=handle, web_base_url=self.web_base_url)

    def find_published(
        self, part: Part, *, reference: str, since: datetime, reply_to: str | None, known_ids: Collection[str]
    ) -> Published | None:
        """Look whether the record lies under its key; None when nothing does.

        Raises:
            Unavailable: the server could not be asked.
            UnknownOutcome: there is nothing to ask with, or something else lies there.
        """
        if not reference:
            raise UnknownOutcome("Nothing is known of the call by which Bluesky could find its post.")
        draft = Draft.from_reference(reference)
        uri = PostUri(self._did, draft.rkey)
        if str(uri) in known_ids:
            return None
        found = self._find_record(uri)
        if found is not None and not draft.is_same(found.value):
            raise UnknownOutcome(
                f"Another text lies under this post's key ({uri.rkey}): it may have been changed since."
            )
        return self._build_published(uri) if found else None

    def fetch_recent_posts(self, *, since: datetime | None = None, limit: int = 20) -> list[RemotePost]:
        """Read the account's own newest posts from its repository, newest first. A repository knows no counts.

        Args:
            since: aware; of the instant in a post's key.

        Raises:
            Unavailable: not all of them could be read.
        """
        posts: list[RemotePost] = []
        for page in self._turn_pages(wanted=limit):
            own = wire.read_own_posts(page, handle=self._session.handle, web_base_url=self.web_base_url)
            new = [post for post in own if since is None or _made_at(post) >= since]
            posts += new
            if len(posts) >= limit or len(new) < len(own):
                break
        return posts[:limit]

    def fetch_posts(self, platform_post_ids: Sequence[str]) -> list[RemotePost]:
        """Read posts by id with their counts; ids Bluesky does not know are left out, and there are no views.

        Each comes back under the id it was asked for with, which may have a handle in it as a person pasted it.
        """
        asked = {str(uri): post_id for post_id in platform_post_ids if (uri := self._find_uri(post_id)) is not None}
        uris, posts = list(asked), list[RemotePost]()
        for start in range(0, len(uris), wire.MAX_URIS):
            query = wire.build_look_up(uris[start : start + wire.MAX_URIS])
            reply = self._read("GET", "app.bsky.feed.getPosts", query=query, http=self._view)
            posts += wire.read_posts(reply, web_base_url=self.web_base_url)
        return [
            replace(post, platform_post_id=asked.get(post.platform_post_id, post.platform_post_id)) for post in posts
        ]

    def delete_post(self, platform_post_id: str) -> None:
        """Delete one own post. One that is already gone is no error.

        Raises:
            Rejected: it is somebody else's.
        """
        uri = self._settle(platform_post_id)
        if uri.repo != self._did:
            raise Rejected("This post is in somebody else's repository.", code="bluesky.not_own")
        self._read("POST", "com.atproto.repo.deleteRecord", json=wire.build_key(uri))

    @functools.cached_property
    def _session(self) -> wire.Session:
        return wire.read_session(self._read("GET", "com.atproto.server.getSession"))

    @property
    def _did(self) -> str:
        return self._known_did or self._session.did

    def _settle(self, platform_post_id: str) -> PostUri:
        """Give a post's address with its author's DID, which stays when the handle changes.

        Raises:
            Rejected: it is no post's, or nobody has this handle.
        """
        uri = self._find_uri(platform_post_id)
        if uri is None:
            raise Rejected("Bluesky has no post with this id.", code="bluesky.not_found")
        return uri

    def _find_uri(self, platform_post_id: str) -> PostUri | None:
        try:
            uri = parse_uri(platform_post_id)
        except InvalidInput:
            return None
        if uri.repo.startswith("did:"):
            return uri
        did = self._resolve([uri.repo]).get(uri.repo)
        return PostUri(did, uri.rkey) if did else None

    def _resolve(self, handles: Iterable[str]) -> dict[str, str]:
        """Give the DIDs of handles; who is not found is left out."""
        found: dict[str, str] = {}
        for handle in handles:
            reply = self._ask("GET", "com.atproto.identity.resolveHandle", params={"handle": handle})
            if not refusals.is_handle_unknown(reply):
                found[handle] = wire.read_did(self._checked(reply, endpoint="GET com.atproto.identity.resolveHandle"))
        return found

    def _fetch_thread(self, reply_to: str) -> tuple[Strong, Strong]:
        """Give the exact versions that a reply names: the thread's first post, and the one replied to."""
        parent = self._find_record(self._settle(reply_to))
        if parent is None:
            raise Rejected(
                "The post that this one replies to is gone. Publish what follows as a post of its own.",
                code="bluesky.parent_gone",
            )
        if not parent.cid:
            raise Unavailable("Bluesky did not say which version of the earlier part it has.")
        return wire.read_thread(parent)

    def _find_record(self, uri: PostUri) -> wire.Record | None:
        reply = self._ask("GET", "com.atproto.repo.getRecord", params=wire.build_key(uri))
        if refusals.is_record_absent(reply):
            return None
        return wire.read_record(self._checked(reply, endpoint="GET com.atproto.repo.getRecord"))

    def _read_taken(self, uri: PostUri, draft: Draft, *, refused: Reply) -> Published:
        """Find out what lies under our key when the server would not write there."""
        try:
            found = self._find_record(uri)
        except PlatformError:
            raise UnknownOutcome(
                "Bluesky has something under this post's key, and did not say what.",
                http_status=refused.status,
                request_id=refused.request_id,
            ) from None
        if found is None:
            raise Unavailable("Bluesky had something under this post's key, and it is gone: nothing was written.")
        if not draft.is_same(found.value):
            raise Rejected(
                f"Another post lies under this one's key ({uri.rkey}), so this one cannot go there. Look on bsky.app what it is.",
                code="bluesky.key_taken",
                http_status=refused.status,
            )
        return self._build_published(uri)

    def _build_published(self, uri: PostUri) -> Published:
        return wire.build_published(uri, handle=self._session.handle, web_base_url=self.web_base_url)

    def _turn_pages(self, *, wanted: int) -> Iterator[wire.Page]:
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            query = wire.build_page(self._did, wanted=wanted, cursor=cursor)
            page = wire.read_page(self._read("GET", "com.atproto.repo.listRecords", params=query))
            yield page
            if page.cursor is None or not page.records or page.cursor == cursor:
                return
            cursor = page.cursor
        raise Unavailable("Bluesky's pages of the account's posts do not come to an end.", code="bluesky.endless_pages")

    def _read(
        self,
        method: str,
        nsid: str,
        *,
        params: Mapping[str, str] | None = None,
        query: str = "",
        json: object = None,
        content: Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
        http: Http | None = None,
    ) -> Reply:
        path = f"/xrpc/{nsid}?{query}" if query else f"/xrpc/{nsid}"
        reply = (http or self._http).read(
            method, path, params=params, json=json, content=content, headers=headers, timeout_seconds=timeout_seconds
        )
        return self._checked(reply, endpoint=f"{method} {nsid}")

    def _ask(self, method: str, nsid: str, *, params: Mapping[str, str]) -> Reply:
        """Make a call whose refusal may be the answer."""
        return self._http.read(method, f"/xrpc/{nsid}", params=params)

    def _checked(self, reply: Reply, *, endpoint: str, commit: bool = False) -> Reply:
        limit = refusals.read_rate_limit(reply.headers)
        if limit is not None:
            self.rate_limits[endpoint] = limit
        return refusals.check_reply(reply, now=datetime.now(UTC), commit=commit)


def _made_at(post: RemotePost) -> datetime:
    """Say when a post was made, by its key; what an author writes into it may be anything."""
    return find_instant(parse_uri(post.platform_post_id).rkey) or post.created_at
