"""An account on a Mastodon instance, or on a server that speaks its API: sends requests, nothing else."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from psn.deadline import Deadline
from psn.errors import Rejected, Unavailable
from psn.http import TIMEOUT_SECONDS, Content, Http, Reply
from psn.platforms.base import MediaFile, Part, Prepared, Profile, Published, RateLimit, RemotePost
from psn.platforms.mastodon import matching, refusals, upload, wire
from psn.platforms.mastodon.rules import keeps_keys

MAX_PAGES = 64  # of 40 statuses
MAX_SOURCES = 40  # statuses whose source is asked for in one look
MAX_IDS = 20  # of one look-up of several statuses: `DEFAULT_STATUSES_LIMIT` of Mastodon 4.5

_NOT_FOUND = (404, 405, 410)


class MastodonAdapter:
    """One account on an instance.

    Args:
        base_url: the instance's; API and pages alike lie below it.
        account_id: of the profile; the instance is asked for it when left out.
        timeout_seconds: for a whole call.
        processing_seconds: how long the instance may take to get an uploaded file ready.
        wait_seconds: before the first look whether it is.

    Attributes:
        rate_limits: by endpoint (`POST /api/v1/statuses`), as headers said last.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str,
        account_id: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        processing_seconds: float = upload.PROCESSING_SECONDS,
        wait_seconds: float = upload.WAIT_SECONDS,
    ) -> None:
        self._http = Http(base_url, token=token, timeout_seconds=timeout_seconds)
        self._base_url = self._http.base_url
        self._known_account_id = account_id
        self._processing_seconds = processing_seconds
        self._wait_seconds = wait_seconds
        self._looks_up_several = True
        self.rate_limits: dict[str, RateLimit] = {}

    def __repr__(self) -> str:
        return f"MastodonAdapter({self._base_url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def fetch_profile(self) -> Profile:
        """Ask who the token belongs to."""
        return wire.read_profile(self._read_me(), base_url=self._base_url)

    def fetch_capabilities(self) -> dict[str, Any]:
        """Ask the instance for its limits and its version."""
        try:
            reply = self._read("GET", "/api/v2/instance", endpoint="GET /api/v2/instance")
        except Rejected as refusal:
            if refusal.http_status not in _NOT_FOUND:
                raise
            reply = self._read("GET", "/api/v1/instance", endpoint="GET /api/v1/instance")
        return wire.read_capabilities(reply)

    def fetch_account_metrics(self) -> dict[str, int]:
        """Read the account's own counts."""
        return wire.read_account_metrics(self._read_me())

    def upload_media(self, media: MediaFile) -> str:
        """Upload one file with its alt text and wait until the instance has it ready. Repeatable and harmless.

        Raises:
            Rejected: the instance does not take the file.
            Unavailable: not uploaded, or not ready in time.
        """
        return upload.send_media(
            media, read=self._read, processing_seconds=self._processing_seconds, wait_seconds=self._wait_seconds
        )

    def prepare_post(self, part: Part, *, media_ids: Sequence[str], reply_to: str | None, former: str) -> Prepared:
        """Choose the idempotency key, by which a repeat within an hour is the same call.

        The reference is empty where the server is not known to keep keys: there only a look can tell.
        """
        if former:
            return Prepared(reference=former)
        key = uuid4().hex
        return Prepared(reference=key if self._keeps_keys else "", handle=key)

    def create_post(
        self,
        part: Part,
        *,
        media_ids: Sequence[str],
        reply_to: str | None,
        prepared: Prepared,
        send_before: Deadline | None,
    ) -> Published:
        """Make one part public: the one call that cannot be taken back."""
        reply = self._http.commit(
            "POST",
            "/api/v1/statuses",
            json=wire.build_post(part, media_ids=media_ids, reply_to=reply_to),
            headers={"idempotency-key": prepared.reference or prepared.handle},
            send_before=send_before,
        )
        checked = self._checked(reply, endpoint="POST /api/v1/statuses", commit=True)
        return wire.read_published(checked, base_url=self._base_url)

    def find_published(
        self, part: Part, *, reference: str, since: datetime, reply_to: str | None, known_ids: Collection[str]
    ) -> Published | None:
        """Look for a part among the account's own statuses; None when all since then were looked at and it is not there.

        Raises:
            Unavailable: not all of them could be read.
        """
        seen = [one for page in self._turn_pages(since=since - matching.CLOCK_SKEW) for one in page.seen]
        candidates = matching.pick_candidates(part, seen, since=since, reply_to=reply_to, known_ids=known_ids)
        found = next((one for one in candidates if matching.shows_part(part, one)), None) or self._find_by_source(
            part, candidates
        )
        return Published(platform_post_id=found.post.platform_post_id, url=found.post.url) if found else None

    def fetch_recent_posts(self, *, since: datetime | None = None, limit: int = 20) -> list[RemotePost]:
        """Read the account's own newest posts, newest first.

        Raises:
            Unavailable: not all of them could be read.
        """
        posts: list[RemotePost] = []
        for page in self._turn_pages(since=since):
            posts += [one.post for one in page.seen if since is None or one.post.created_at >= since]
            if len(posts) >= limit:
                break
        return posts[:limit]

    def fetch_posts(self, platform_post_ids: Sequence[str]) -> list[RemotePost]:
        """Read posts by id with their metrics; ids the instance does not know are left out."""
        ids = list(dict.fromkeys(platform_post_ids))
        posts: list[RemotePost] = []
        for start in range(0, len(ids), MAX_IDS):
            posts += self._look_up(ids[start : start + MAX_IDS])
        return posts

    def delete_post(self, platform_post_id: str) -> None:
        """Delete one own post. One that is already gone is no error."""
        path = f"/api/v1/statuses/{quote(platform_post_id, safe='')}"
        try:
            self._read("DELETE", path, endpoint="DELETE /api/v1/statuses/{id}")
        except Rejected as refusal:
            if refusal.http_status not in (404, 410):
                raise

    @functools.cached_property
    def _keeps_keys(self) -> bool:
        try:
            return keeps_keys(self.fetch_capabilities().get("version", ""))
        except Rejected:  # a server that does not say what it is
            return False

    @functools.cached_property
    def _account_id(self) -> str:
        return self._known_account_id or self.fetch_profile().platform_account_id

    def _find_by_source(self, part: Part, candidates: Sequence[matching.Seen]) -> matching.Seen | None:
        """Ask for what was typed, where what is shown does not say it."""
        if len(candidates) > MAX_SOURCES:
            raise Unavailable("Too many new posts to look at one by one.", code="mastodon.too_many_posts")
        for one in candidates:
            source = self._read_source(one.post.platform_post_id)
            if source is not None and matching.is_source_of(part, source):
                return one
        return None

    def _read_source(self, post_id: str) -> matching.Source | None:
        path = f"/api/v1/statuses/{quote(post_id, safe='')}/source"
        try:
            return wire.read_source(self._read("GET", path, endpoint="GET /api/v1/statuses/{id}/source"))
        except Rejected as refusal:
            if refusal.http_status in _NOT_FOUND:  # deleted just now, or a server that has no such call
                return None
            raise

    def _turn_pages(self, *, since: datetime | None) -> Iterator[wire.Page]:
        """Give the account's statuses page by page, newest first, until one is older than `since`."""
        path = f"/api/v1/accounts/{quote(self._account_id, safe='')}/statuses"
        params = {"limit": str(wire.MAX_PAGE), "exclude_reblogs": "true"}
        for _ in range(MAX_PAGES):
            reply = self._read("GET", path, params=params, endpoint="GET /api/v1/accounts/{id}/statuses")
            page = wire.read_page(reply, base_url=self._base_url)
            yield page
            is_past = since is not None and any(one.post.created_at < since for one in page.seen)
            if page.next_max_id is None or page.next_max_id == params.get("max_id") or is_past:
                return
            params["max_id"] = page.next_max_id
        # Less than everything must not pass for everything: what is not in this list is looked at as not published.
        raise Unavailable("The pages of the account's posts do not come to an end.", code="mastodon.endless_pages")

    def _look_up(self, ids: Sequence[str]) -> list[RemotePost]:
        """Read statuses by id: in one call where the server has it (Mastodon 4.3), else one by one."""
        if self._looks_up_several:
            path = f"/api/v1/statuses?{urlencode([('id[]', one) for one in ids])}"
            try:
                reply = self._read("GET", path, endpoint="GET /api/v1/statuses")
                return wire.read_posts(reply, base_url=self._base_url)
            except Rejected as refusal:
                if refusal.http_status not in _NOT_FOUND:
                    raise
                self._looks_up_several = False
        return [post for one in ids if (post := self._find_post(one)) is not None]

    def _find_post(self, post_id: str) -> RemotePost | None:
        path = f"/api/v1/statuses/{quote(post_id, safe='')}"
        try:
            reply = self._read("GET", path, endpoint="GET /api/v1/statuses/{id}")
        except Rejected as refusal:
            if refusal.http_status in (404, 410):
                return None
            raise
        return wire.read_post(reply, base_url=self._base_url)

    def _read_me(self) -> Reply:
        path = "/api/v1/accounts/verify_credentials"
        return self._read("GET", path, endpoint=f"GET {path}")

    def _read(
        self,
        method: str,
        path: str,
        *,
        endpoint: str,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, Content, str]] | None = None,
        timeout_seconds: float | None = None,
    ) -> Reply:
        reply = self._http.read(method, path, params=params, form=form, files=files, timeout_seconds=timeout_seconds)
        return self._checked(reply, endpoint=endpoint)

    def _checked(self, reply: Reply, *, endpoint: str, commit: bool = False) -> Reply:
        limit = refusals.read_rate_limit(reply)
        if limit is not None:
            self.rate_limits[endpoint] = limit
        return refusals.check_reply(reply, now=datetime.now(UTC), commit=commit)
