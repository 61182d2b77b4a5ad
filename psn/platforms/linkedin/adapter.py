"""LinkedIn over its versioned REST API: sends requests, nothing else."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from psn.deadline import Deadline
from psn.errors import Rejected, Unavailable, UnknownOutcome
from psn.http import TIMEOUT_SECONDS, Http, Reply
from psn.platforms.base import MediaFile, Part, Prepared, Profile, Published, RateLimit, RemotePost
from psn.platforms.linkedin import matching, metrics, refusals, upload, wire
from psn.platforms.linkedin.addresses import (
    build_post_url,
    check_account_urn,
    encode_urn,
    is_organization,
    is_post_urn,
    read_created_at,
    split_comment_urn,
)
from psn.platforms.linkedin.stores import Stores
from psn.platforms.linkedin.versions import DEFAULT_VERSION

MAX_PAGES = 20  # of 100 posts or comments

_ADMINISTRATED = "/rest/organizationAcls?q=roleAssignee&role=ADMINISTRATOR&state=APPROVED&count=100"


class LinkedInAdapter:
    """One member or one page on LinkedIn.

    Args:
        web_base_url: where people look at posts.
        account_id: `urn:li:person:…` or `urn:li:organization:…`; the member whose token it is when left out.
        version: of the API, as year and month.
        timeout_seconds: for a whole call but an upload.
        processing_seconds: how long LinkedIn may take to get a video ready.
        sleep: waits for so many seconds between two looks at a video.

    Attributes:
        rate_limits: always empty: LinkedIn's answers say nothing of its limits.

    Raises:
        InvalidInput: the base URL is unsafe, the token could not stand in a header, or the account is neither.
    """

    def __init__(
        self,
        api_base_url: str,
        *,
        token: str,
        web_base_url: str,
        account_id: str | None = None,
        version: str = DEFAULT_VERSION,
        timeout_seconds: float = TIMEOUT_SECONDS,
        processing_seconds: float = upload.PROCESSING_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = Http(api_base_url, token=token, timeout_seconds=timeout_seconds)
        self._stores = Stores(api_base_url, token=token)
        self.web_base_url = web_base_url.rstrip("/")
        self._known_account_id = check_account_urn(account_id) if account_id else None
        self._headers = {"linkedin-version": version, "x-restli-protocol-version": "2.0.0"}
        self._processing_seconds = processing_seconds
        self._sleep = sleep
        self.rate_limits: dict[str, RateLimit] = {}

    def __repr__(self) -> str:
        return f"LinkedInAdapter({self._http.base_url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._stores.close()

    def fetch_profile(self) -> Profile:
        """Ask who the token belongs to; for a page, whether that person administers it, and what it is called.

        Raises:
            Rejected: the person does not administer the page.
        """
        if self._known_account_id and is_organization(self._known_account_id):
            wire.check_administrator(self._ask("GET", _ADMINISTRATED), organization=self._known_account_id)
            number = self._known_account_id.rpartition(":")[2]
            return wire.read_organization(
                self._ask("GET", f"/rest/organizations/{number}"), web_base_url=self.web_base_url
            )
        return wire.read_person(self._ask("GET", "/v2/userinfo"), web_base_url=self.web_base_url)

    def fetch_capabilities(self) -> dict[str, Any]:
        """Nothing to ask: LinkedIn's limits are the same for everybody."""
        return {}

    def fetch_account_metrics(self) -> dict[str, int]:
        """Read a page's number of followers. LinkedIn tells nothing of a member's."""
        if not is_organization(self._author):
            return {}
        return metrics.read_followers(self._ask("GET", metrics.build_follower_query(self._author)))

    def upload_media(self, media: MediaFile) -> str:
        """Upload one file and wait until a video is ready. Repeatable and harmless; its alt text goes with the post.

        Raises:
            Rejected: LinkedIn does not take the file.
            Unavailable: not uploaded, or not ready in time.
        """
        line = upload.Line(
            ask=self._ask,
            put=self._put,
            owner=self._author,
            processing_seconds=self._processing_seconds,
            sleep=self._sleep,
        )
        return upload.send_media(media, line=line)

    def prepare_post(self, part: Part, *, media_ids: Sequence[str], reply_to: str | None, former: str) -> Prepared:
        """Keep what makes a repeat the same call: LinkedIn refuses the same body within ten minutes and names the post it has.

        Raises:
            UnknownOutcome: an earlier call of a comment may have arrived, and nothing is known to stop a second one.
        """
        if former and part.kind == "comment":
            raise UnknownOutcome(
                "The comment may be out already, and LinkedIn does not refuse a second one. Look below the post.",
                code="linkedin.comment_in_doubt",
            )
        kept = wire.read_reference(former) or []
        same = former and len(kept) == len(media_ids)
        return Prepared(reference=former if same else wire.build_reference(media_ids))

    def create_post(
        self,
        part: Part,
        *,
        media_ids: Sequence[str],
        reply_to: str | None,
        prepared: Prepared,
        send_before: Deadline | None,
    ) -> Published:
        """Make one part public: the one call that cannot be taken back.

        Raises:
            Duplicate: LinkedIn has this very post. After our own doubtful call that is the proof that it arrived; of a post
                that was deleted by hand, LinkedIn says so for one or two days more.
        """
        author = self._author
        if part.kind == "comment":
            return self._create_comment(part, actor=author, post_urn=reply_to, send_before=send_before)
        kept = wire.read_reference(prepared.reference)  # of a repeat: the files that the first call named
        body = wire.build_post(part, author=author, media_ids=media_ids if kept is None else kept)
        reply = self._commit("/rest/posts", body, send_before=send_before)
        return wire.read_published(reply, web_base_url=self.web_base_url)

    def find_published(
        self, part: Part, *, reference: str, since: datetime, reply_to: str | None, known_ids: Collection[str]
    ) -> Published | None:
        """Look for a part among a page's posts, or among the comments below one.

        Raises:
            Unavailable: a member's posts cannot be read (`linkedin.cannot_look`), or not all of a page's could be.
        """
        self._check_readable()
        if part.kind == "comment":
            found = self._find_comment(part, post_urn=reply_to, since=since, known_ids=known_ids)
        else:
            seen = [one for page in self._turn_pages(since=since - matching.CLOCK_SKEW) for one in page.posts]
            media_ids = wire.read_reference(reference) or []
            found = matching.find_part(part, seen, media_ids=media_ids, since=since, known_ids=known_ids)
        if found is None:
            return None
        return Published(platform_post_id=found, url=build_post_url(found, web_base_url=self.web_base_url))

    def fetch_recent_posts(self, *, since: datetime | None = None, limit: int = 20) -> list[RemotePost]:
        """Read a page's own newest posts, newest first.

        Raises:
            Unavailable: a member's posts cannot be read (`linkedin.cannot_look`), or not all of them could be.
        """
        self._check_readable()
        posts: list[RemotePost] = []
        for page in self._turn_pages(since=since):
            posts += [one.post for one in page.posts if since is None or one.post.created_at >= since]
            if len(posts) >= limit:
                break
        return posts[:limit]

    def fetch_posts(self, platform_post_ids: Sequence[str]) -> list[RemotePost]:
        """Read posts by name with their metrics; comments, and names that LinkedIn does not know, are left out.

        Of a member's posts only the numbers can be read, and these only with the scope `r_member_postAnalytics`: their text
        is empty, and without the scope the metrics are, too.
        """
        urns = [urn for urn in dict.fromkeys(platform_post_ids) if is_post_urn(urn)]
        if is_organization(self._author):
            batches = [urns[start : start + wire.MAX_IDS] for start in range(0, len(urns), wire.MAX_IDS)]
            return [post for batch in batches for post in self._fetch_page_posts(batch)]
        return self._fetch_member_posts(urns)

    def delete_post(self, platform_post_id: str) -> None:
        """Delete one own post or comment. One that is already gone is no error.

        Raises:
            Rejected: LinkedIn keeps it.
        """
        comment = split_comment_urn(platform_post_id)
        path = f"/rest/posts/{encode_urn(platform_post_id)}"
        if comment is not None:
            post_urn, number = comment
            path = f"{_comments_of(post_urn)}/{number}?actor={encode_urn(self._author)}"
        try:
            self._ask("DELETE", path, restli_method="" if comment else "DELETE")
        except Rejected as refusal:
            if refusal.http_status != 404:
                raise

    @functools.cached_property
    def _author(self) -> str:
        return self._known_account_id or self.fetch_profile().platform_account_id

    def _check_readable(self) -> None:
        if not is_organization(self._author):
            raise Unavailable(
                "LinkedIn does not let an app read a member's own posts. Look on LinkedIn.", code="linkedin.cannot_look"
            )

    def _create_comment(
        self, part: Part, *, actor: str, post_urn: str | None, send_before: Deadline | None
    ) -> Published:
        if post_urn is None or not is_post_urn(post_urn):
            raise Rejected("A comment on LinkedIn needs a post to stand below.", code="comment.place")
        body = wire.build_comment(part, actor=actor, post_urn=post_urn)
        reply = self._commit(_comments_of(post_urn), body, send_before=send_before)
        return wire.read_published_comment(reply, post_urn=post_urn, web_base_url=self.web_base_url)

    def _find_comment(
        self, part: Part, *, post_urn: str | None, since: datetime, known_ids: Collection[str]
    ) -> str | None:
        if post_urn is None or not is_post_urn(post_urn):
            raise Unavailable("There is no post below which to look for the comment.", code="linkedin.cannot_look")
        seen: list[wire.SeenComment] = []
        for page in range(MAX_PAGES):
            path = f"{_comments_of(post_urn)}?start={page * wire.PAGE_SIZE}&count={wire.PAGE_SIZE}"
            comments, is_last = wire.read_comments(self._ask("GET", path), post_urn=post_urn)
            seen += comments
            if is_last:
                return matching.find_comment(part, seen, actor=self._author, since=since, known_ids=known_ids)
        raise _endless()

    def _turn_pages(self, *, since: datetime | None) -> Iterator[wire.Page]:
        """Give a page's posts, newest first, until they are older than wanted; None for all."""
        author = encode_urn(self._author)
        for page in range(MAX_PAGES):
            path = f"/rest/posts?q=author&author={author}&start={page * wire.PAGE_SIZE}&count={wire.PAGE_SIZE}&sortBy=CREATED"
            read = wire.read_page(self._ask("GET", path, restli_method="FINDER"), web_base_url=self.web_base_url)
            yield read
            if read.is_last or (since and min((one.post.created_at for one in read.posts), default=since) < since):
                return
        raise _endless()

    def _fetch_page_posts(self, urns: Sequence[str]) -> list[RemotePost]:
        path = f"/rest/posts?ids={wire.build_list(urns)}"
        posts = wire.read_batch(self._ask("GET", path, restli_method="BATCH_GET"), web_base_url=self.web_base_url)
        known = [urn for urn in urns if urn in posts]
        counts: dict[str, dict[str, int]] = {}
        if countable := [urn for urn in known if ":activity:" not in urn]:
            counts = metrics.read_share_counts(
                self._ask("GET", metrics.build_share_query(countable, organization=self._author))
            )
        return [_with_metrics(posts[urn], counts.get(urn, {})) for urn in known]

    def _fetch_member_posts(self, urns: Sequence[str]) -> list[RemotePost]:
        """Read the numbers of a member's posts; the first 403 says that the scope is not there, and nothing more is asked."""
        posts: list[RemotePost] = []
        may_ask = True
        for urn in urns:
            counts: dict[str, int] = {}
            try:
                counts = self._measure(urn) if may_ask else {}
            except Rejected as refusal:
                if refusal.http_status == 404:
                    continue
                if refusal.http_status != 403:
                    raise
                may_ask = False
            url = build_post_url(urn, web_base_url=self.web_base_url)
            posts.append(RemotePost(urn, "", read_created_at(urn), url, None, counts))
        return posts

    def _measure(self, urn: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for theirs, ours in metrics.MEMBER_QUERIES.items():
            path = metrics.build_member_query(urn, query_type=theirs)
            count = self._count(path) if path else None
            if count is not None:
                counts[ours] = count
        return counts

    def _count(self, path: str) -> int | None:
        """Ask for one number; None when this version of the API does not know it."""
        try:
            return metrics.read_member_count(self._ask("GET", path))
        except Rejected as refusal:
            if refusal.http_status == 400:
                return None
            raise

    def _ask(self, method: str, path: str, *, json: object = None, restli_method: str = "") -> Reply:
        headers = self._headers if path.startswith("/rest/") else {}
        if restli_method:
            headers = {**headers, "x-restli-method": restli_method}
        return self._checked(self._http.read(method, path, json=json, headers=headers))

    def _commit(self, path: str, body: dict[str, Any], *, send_before: Deadline | None) -> Reply:
        reply = self._http.commit("POST", path, json=body, send_before=send_before, headers=self._headers)
        return self._checked(reply, commit=True)

    def _put(
        self, url: str, content: bytes | Iterable[bytes], *, size_bytes: int, timeout_seconds: float, with_token: bool
    ) -> Reply:
        reply = self._stores.put(
            url, content, size_bytes=size_bytes, timeout_seconds=timeout_seconds, with_token=with_token
        )
        if with_token or 200 <= reply.status < 300:
            return self._checked(reply)
        # A store knows no accounts: the address is over or wrong, and a new upload gets another.
        raise Unavailable(
            f"LinkedIn's store did not take the file ({reply.status}).",
            code="linkedin.upload_refused",
            http_status=reply.status,
        )

    def _checked(self, reply: Reply, *, commit: bool = False) -> Reply:
        return refusals.check_reply(reply, now=datetime.now(UTC), web_base_url=self.web_base_url, commit=commit)


def _comments_of(post_urn: str) -> str:
    return f"/rest/socialActions/{encode_urn(post_urn)}/comments"


def _with_metrics(post: RemotePost, counts: dict[str, int]) -> RemotePost:
    return RemotePost(post.platform_post_id, post.text, post.created_at, post.url, post.in_reply_to, counts)


def _endless() -> Unavailable:
    # Less than everything must not pass for everything: what is not in a list is looked at as not published.
    return Unavailable("LinkedIn's pages do not come to an end.", code="linkedin.endless_pages")
