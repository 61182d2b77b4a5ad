"""X over API v2: sends requests, nothing else."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from psn.deadline import Deadline
from psn.errors import Rejected, Unavailable
from psn.http import TIMEOUT_SECONDS, Http, Reply
from psn.platforms.base import MediaFile, Part, Prepared, Profile, Published, RateLimit, RemotePost
from psn.platforms.x import matching, refusals, upload, wire
from psn.platforms.x.addresses import build_post_url

MAX_PAGES = 64  # of 100 posts; X shows an account's newest 3,200
CLOCK_SKEW = timedelta(seconds=10)  # by which our clock may be ahead of X's: a laptop just woken is not yet in step


class XAdapter:
    """One account on X.

    Args:
        web_base_url: where people look at posts.
        account_id: of the profile; X is asked for it, which costs money, when left out.
        timeout_seconds: for a whole call.
        processing_seconds: how long X may take to get an uploaded file ready.

    Attributes:
        rate_limits: by endpoint (`POST /2/tweets`), as X's headers said last.
    """

    def __init__(
        self,
        api_base_url: str,
        *,
        token: str,
        web_base_url: str,
        account_id: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        processing_seconds: float = upload.PROCESSING_SECONDS,
    ) -> None:
        self._http = Http(api_base_url, token=token, timeout_seconds=timeout_seconds)
        self.web_base_url = web_base_url.rstrip("/")
        self._known_account_id = account_id
        self._processing_seconds = processing_seconds
        self._vocabulary = wire.POST_WORDS
        self.rate_limits: dict[str, RateLimit] = {}

    def __repr__(self) -> str:
        return f"XAdapter({self._http.base_url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def fetch_profile(self) -> Profile:
        """Ask who the token belongs to."""
        reply = self._read("GET", "/2/users/me", endpoint="GET /2/users/me")
        return wire.read_profile(reply, web_base_url=self.web_base_url)

    def fetch_capabilities(self) -> dict[str, Any]:
        """Ask which tier the account has."""
        return wire.read_capabilities(self._read_me("subscription_type"))

    def fetch_account_metrics(self) -> dict[str, int]:
        """Read the account's own counts."""
        return wire.read_account_metrics(self._read_me("public_metrics"))

    def upload_media(self, media: MediaFile) -> str:
        """Upload one file with its alt text and wait until X has it ready. Repeatable and harmless.

        Raises:
            Rejected: X does not take the file.
            Unavailable: not uploaded, or not ready in time.
        """
        return upload.send_media(media, read=self._read, processing_seconds=self._processing_seconds)

    def prepare_post(self, part: Part, *, media_ids: Sequence[str], reply_to: str | None, former: str) -> Prepared:
        """Nothing can be done ahead: X has no drafts, and knows no key that would make a repeat the same call."""
        return Prepared()

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

        A refusal with the code `x.duplicate` is evidence for a post that may already be out, if one was tried before.
        """
        body = wire.build_post(part, media_ids=media_ids, reply_to=reply_to)
        reply = self._http.commit("POST", "/2/tweets", json=body, send_before=send_before)
        return wire.read_published(
            self._checked(reply, endpoint="POST /2/tweets", commit=True), web_base_url=self.web_base_url
        )

    def fetch_recent_posts(self, *, since: datetime | None = None, limit: int = 20) -> list[RemotePost]:
        """Read the account's own newest posts, newest first; X gives the newest 3,200 at most.

        Args:
            since: aware; rounded down to the second.

        Raises:
            Unavailable: not all of them could be read.
        """
        pages = self._turn_pages(since=since, wanted=limit)
        return [seen.post for page in pages for seen in page.posts][:limit]

    def find_published(
        self, part: Part, *, reference: str, since: datetime, reply_to: str | None, known_ids: Collection[str]
    ) -> Published | None:
        """Look for a part among the account's own posts; None when all of them were looked at and it is not there.

        Raises:
            Unavailable: not all of them could be read, or one of them may be it and nobody can tell.
        """
        seen: list[matching.Seen] = []
        for page in self._turn_pages(since=since - CLOCK_SKEW, wanted=None):
            if not page.is_whole:
                raise Unavailable("X has found more posts than it shows.", code="x.incomplete_page")
            seen += page.posts
        found = matching.find_part(part, seen, since=since, reply_to=reply_to, known_ids=known_ids)
        if found is None:
            return None
        return Published(
            platform_post_id=found.platform_post_id,
            url=build_post_url(found.platform_post_id, web_base_url=self.web_base_url),
        )

    def fetch_posts(self, platform_post_ids: Sequence[str]) -> list[RemotePost]:
        """Read posts by id with their metrics; ids X does not know are left out."""
        ids = list(dict.fromkeys(platform_post_ids))
        posts: list[RemotePost] = []
        for start in range(0, len(ids), wire.MAX_IDS):
            params = {"ids": ",".join(ids[start : start + wire.MAX_IDS])}
            reply = self._read_posts("/2/tweets", params, endpoint="GET /2/tweets", private=True)
            posts += wire.read_posts(reply, web_base_url=self.web_base_url)
        return posts

    def delete_post(self, platform_post_id: str) -> None:
        """Delete one own post. One that is already gone is no error.

        Raises:
            Rejected: X keeps it.
        """
        try:
            reply = self._read(
                "DELETE", f"/2/tweets/{quote(platform_post_id, safe='')}", endpoint="DELETE /2/tweets/{id}"
            )
        except Rejected as refusal:
            if refusal.http_status == 404:
                return
            raise
        if not wire.read_deleted(reply):
            raise Rejected(
                "X did not delete the post. Delete it on x.com.", code="x.not_deleted", http_status=reply.status
            )

    def _read_me(self, fields: str) -> Reply:
        return self._read("GET", "/2/users/me", params={"user.fields": fields}, endpoint="GET /2/users/me")

    @functools.cached_property
    def _account_id(self) -> str:
        return self._known_account_id or self.fetch_profile().platform_account_id

    def _turn_pages(self, *, since: datetime | None, wanted: int | None) -> Iterator[wire.Page]:
        """Give the account's posts page by page, newest first, until there are as many as wanted; None for all."""
        token: str | None = None
        got = 0
        for _ in range(MAX_PAGES):
            params = wire.build_page(
                since=since, wanted=wire.MAX_IDS if wanted is None else wanted - got, next_token=token
            )
            reply = self._read_posts(f"/2/users/{self._account_id}/tweets", params, endpoint="GET /2/users/{id}/tweets")
            page = wire.read_timeline(reply, web_base_url=self.web_base_url)
            yield page
            token, got = page.next_token, got + len(page.posts)
            if token is None or (wanted is not None and got >= wanted):
                return
        # Less than everything must not pass for everything: what is not in this list is looked at as not published.
        raise Unavailable("X's pages of the account's posts do not come to an end.", code="x.endless_pages")

    def _read_posts(self, path: str, params: Mapping[str, str], *, endpoint: str, private: bool = False) -> Reply:
        """Ask in the new vocabulary, and once more in the old one where X does not know it yet."""

        def words(vocabulary: wire.Vocabulary) -> dict[str, str]:
            return {**params, **(vocabulary.private_params if private else vocabulary.params)}

        try:
            return self._read("GET", path, params=words(self._vocabulary), endpoint=endpoint)
        except Rejected as refusal:
            if refusal.http_status != 400 or self._vocabulary is wire.TWEET_WORDS:
                raise
        reply = self._read("GET", path, params=words(wire.TWEET_WORDS), endpoint=endpoint)
        self._vocabulary = wire.TWEET_WORDS  # it worked: stay with it
        return reply

    def _read(
        self,
        method: str,
        path: str,
        *,
        endpoint: str,
        params: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        timeout_seconds: float | None = None,
    ) -> Reply:
        reply = self._http.read(
            method, path, params=params, json=json, form=form, files=files, timeout_seconds=timeout_seconds
        )
        return self._checked(reply, endpoint=endpoint)

    def _checked(self, reply: Reply, *, endpoint: str, commit: bool = False) -> Reply:
        limit = refusals.read_rate_limit(reply.headers)
        if limit is not None:
            self.rate_limits[endpoint] = limit
        return refusals.check_reply(reply, now=datetime.now(UTC), commit=commit)
