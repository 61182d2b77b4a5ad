"""The Threads API: sends requests, nothing else."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from psn.deadline import Deadline
from psn.errors import RateLimited, Rejected
from psn.http import TIMEOUT_SECONDS
from psn.platforms.base import MediaFile, Part, Prepared, Profile, Published, RemotePost
from psn.platforms.meta import matching
from psn.platforms.meta.answers import Quota, read_created, read_insights, read_published_id
from psn.platforms.meta.calls import PAGE, Calls
from psn.platforms.meta.containers import WAITS, Container
from psn.platforms.meta.publishing import FORMER_SPAN, Containers, find_url
from psn.platforms.meta.refusals import WINDOW
from psn.platforms.threads import wire
from psn.platforms.threads.addresses import is_shortcode
from psn.platforms.threads.rules import NAME, TITLE

URL_SECONDS = 10.0  # patience for the address of what is live already


class ThreadsAdapter:
    """One account on Threads.

    Args:
        web_base_url: where people look at posts.
        version: of the API.
        account_id: of the profile; Threads is asked for it when left out.
        timeout_seconds: for a whole call.
        waits: seconds between two questions whether a post is ready.
        sleep: waits.

    Attributes:
        rate_limits: `calls` in percent of what is allowed, `posts` and `replies` in their number.
    """

    def __init__(
        self,
        api_base_url: str,
        *,
        token: str,
        web_base_url: str,
        version: str,
        account_id: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        waits: Sequence[float] = WAITS,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._calls = Calls(
            api_base_url, token=token, name=NAME, title=TITLE, version=version, timeout_seconds=timeout_seconds
        )
        self._known_account_id = account_id
        self._containers = Containers(
            name=NAME, title=TITLE, look=self._look, explain=wire.explain_failure, waits=waits, sleep=sleep
        )
        self.web_base_url = web_base_url.rstrip("/")
        self.rate_limits = self._calls.rate_limits

    def __repr__(self) -> str:
        return f"ThreadsAdapter({self._calls.http.base_url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._calls.http.close()

    def fetch_profile(self) -> Profile:
        """Ask who the token belongs to."""
        reply = self._calls.get("/me", fields=wire.PROFILE_FIELDS)
        return wire.read_profile(reply, web_base_url=self.web_base_url)

    def fetch_capabilities(self) -> dict[str, Any]:
        """Ask how many more posts and replies Threads takes today: `quota_left`, `replies_left`, and of how many."""
        known: dict[str, Any] = {}
        quotas = self._fetch_quotas()
        for name, words in (("posts", "quota"), ("replies", "replies")):
            quota = quotas.get(name)
            if quota is not None:
                known |= {f"{words}_left": quota.left, f"{words}_total": quota.total}
        return known

    def fetch_account_metrics(self) -> dict[str, int]:
        """Read followers; what else Threads tells of an account is of single days."""
        reply = self._calls.get(f"/{self._account_id}/threads_insights", metric="followers_count")
        return read_insights(reply, title=TITLE, names={"followers_count": "followers"})

    def upload_media(self, media: MediaFile) -> str:
        """Give the address that Threads fetches a file from.

        Raises:
            Rejected: there is none.
        """
        if media.public_url:
            return media.public_url
        raise _no_address()

    def prepare_post(self, part: Part, *, media_ids: Sequence[str], reply_to: str | None, former: str) -> Prepared:
        """Make the part's container and wait until it can be published; the container of an earlier call goes first.

        Raises:
            UnknownOutcome: the container of the earlier call was published, but the post cannot be seen yet.
            Rejected: Threads does not take it.
            RateLimited: no more posts today.
            Unavailable: not ready in time.
        """
        parent = None if reply_to is None else self._get_post_id(reply_to)
        since = datetime.now(UTC) - FORMER_SPAN
        find_live = functools.partial(self._find_live, part, parent=parent, since=since, known_ids=(), newest=True)
        taken = self._containers.take_former(former, find_live=find_live)
        if taken is not None:
            return taken
        self._check_quota("posts" if parent is None else "replies")
        return Prepared(reference=self._make_container(part, media_ids=media_ids, parent=parent))

    def create_post(
        self,
        part: Part,
        *,
        media_ids: Sequence[str],
        reply_to: str | None,
        prepared: Prepared,
        send_before: Deadline | None,
    ) -> Published:
        """Publish a container: the one call that cannot be taken back.

        Raises:
            Duplicate: the container was published by the earlier call.
        """
        self._containers.check_live(prepared)
        path, form = f"/{self._account_id}/threads_publish", {"creation_id": prepared.reference}
        reply = self._calls.commit(path, form, send_before=send_before)
        platform_post_id = read_published_id(reply, title=TITLE)
        return Published(
            platform_post_id=platform_post_id,
            url=self._find_url(platform_post_id),
            request_id=reply.request_id or "",
            http_status=reply.status,
        )

    def find_published(
        self, part: Part, *, reference: str, since: datetime, reply_to: str | None, known_ids: Collection[str]
    ) -> Published | None:
        """Ask the container; where it was published, find the post among the account's own.

        Raises:
            CameToNothing: the container failed for good while it was published.
            Unavailable: nobody can tell yet.
        """
        with self._containers.doubting():
            parent = None if reply_to is None else self._get_post_id(reply_to)
        find_live = functools.partial(self._find_live, part, parent=parent, since=since, known_ids=known_ids)
        return self._containers.find_outcome(reference, find_live=find_live)

    def fetch_recent_posts(self, *, since: datetime | None = None, limit: int = 20) -> list[RemotePost]:
        """Read the account's own newest posts, newest first; replies are not among them."""
        posts: list[RemotePost] = []
        for seen in self._turn_posts("threads", since=since, size=min(limit, PAGE)):
            posts.append(wire.to_remote(seen, metrics={}))
            if len(posts) >= limit:
                break
        return posts

    def fetch_posts(self, platform_post_ids: Sequence[str]) -> list[RemotePost]:
        """Read posts by id with their metrics; ids Threads does not know are left out."""
        found = [self._fetch_post(asked) for asked in dict.fromkeys(platform_post_ids)]
        return [post for post in found if post is not None]

    def delete_post(self, platform_post_id: str) -> None:
        """Delete one own post. One that is already gone is no error.

        Raises:
            Rejected: Threads keeps it.
        """
        try:
            reply = self._calls.delete(f"/{self._get_post_id(platform_post_id)}")
        except Rejected as refusal:
            if refusal.error_code == "threads.not_found":
                return
            raise
        if not wire.read_deleted(reply):
            raise Rejected("Threads did not delete the post. Delete it in the app.", code="threads.not_deleted")

    @functools.cached_property
    def _account_id(self) -> str:
        return self._known_account_id or self.fetch_profile().platform_account_id

    def _fetch_quotas(self) -> dict[str, Quota]:
        path = f"/{self._account_id}/threads_publishing_limit"
        quotas = wire.read_publishing_limit(self._calls.get(path, fields=wire.QUOTA_FIELDS))
        now = datetime.now(UTC)
        self.rate_limits |= {name: quota.to_rate_limit(now=now) for name, quota in quotas.items()}
        return quotas

    def _check_quota(self, name: str) -> None:
        quota = self._fetch_quotas().get(name)
        if quota is not None and not quota.left:
            # The window rolls: places in it become free one by one, so there is no instant to name.
            raise RateLimited(
                f"Threads took {quota.total} {name} from this account in 24 hours, and takes no more for now.",
                retry_at=datetime.now(UTC) + WINDOW,
            )

    def _make_container(self, part: Part, *, media_ids: Sequence[str], parent: str | None) -> str:
        waits = self._containers.begin_waiting()
        addresses = _pick_addresses(part, media_ids)
        children: list[str] = []
        if len(part.media) > 1:
            children = [
                self._make_one(wire.build_child(media, address=address), waits=waits)
                for media, address in zip(part.media, addresses, strict=True)
            ]
        form = wire.build_post(part, addresses=addresses, children=children, reply_to=parent)
        return self._make_one(form, waits=waits)

    def _make_one(self, form: dict[str, str], *, waits: Iterator[float]) -> str:
        created = read_created(self._calls.post(f"/{self._account_id}/threads", form), title=TITLE)
        self._containers.await_finished(created.id, waits=waits)
        return created.id

    def _look(self, container_id: str) -> Container:
        return wire.read_container(self._calls.get(f"/{container_id}", fields="id,status,error_message"))

    def _find_live(
        self, part: Part, *, parent: str | None, since: datetime, known_ids: Collection[str], newest: bool = False
    ) -> Published | None:
        edge, kind = ("threads" if parent is None else "replies"), wire.pick_kind(part)
        seen = [one for one in self._turn_posts(edge, since=since, size=PAGE) if one.kind == kind]
        found = matching.find_part(part.text, seen, since=since, known_ids=known_ids, reply_to=parent, newest=newest)
        return Published(found.platform_post_id, found.url) if found else None

    def _turn_posts(self, edge: str, *, since: datetime | None, size: int) -> Iterator[matching.Seen]:
        """Give the account's posts or replies, newest first, until they are older than that."""
        oldest = since - matching.CLOCK_SKEW if since else None
        fields = wire.POST_FIELDS if edge == "threads" else wire.REPLY_FIELDS
        path = f"/{self._account_id}/{edge}"
        for page in self._calls.turn_pages(path, wire.read_page, fields=fields, size=size):
            for seen in page:
                if matching.is_older(seen, oldest):
                    return
                yield seen

    def _fetch_post(self, asked: str) -> RemotePost | None:
        try:
            seen = wire.read_post(self._calls.get(f"/{self._get_post_id(asked)}", fields=wire.REPLY_FIELDS))
        except Rejected as refusal:
            if refusal.error_code in ("threads.not_found", "threads.wrong_kind"):
                return None
            raise
        reply = self._calls.get(f"/{seen.platform_post_id}/insights", metric=wire.METRICS)
        metrics = read_insights(reply, title=TITLE, names=wire.METRIC_NAMES)
        return wire.to_remote(seen, metrics=metrics, asked_id=asked)

    def _get_post_id(self, platform_post_id: str) -> str:
        """Give Threads' id of a post that may be known by its shortcode only.

        Raises:
            Rejected: no own post has it.
        """
        if not is_shortcode(platform_post_id):
            return platform_post_id
        for edge in ("threads", "replies"):
            for seen in self._turn_posts(edge, since=None, size=PAGE):
                if seen.shortcode == platform_post_id:
                    return seen.platform_post_id
        raise Rejected(f"No post of this account has the address {platform_post_id!r}.", code="threads.not_found")

    def _find_url(self, platform_post_id: str) -> str:
        return find_url(
            lambda: wire.read_permalink(
                self._calls.get(f"/{platform_post_id}", fields="permalink", timeout_seconds=URL_SECONDS)
            ),
            otherwise=f"{self.web_base_url}/",
        )


def _pick_addresses(part: Part, media_ids: Sequence[str]) -> list[str]:
    """Give the address of each file. The part's own is fresher than what was stored."""
    stored = [*media_ids, *[""] * (len(part.media) - len(media_ids))]
    addresses = [media.public_url or stored[index] for index, media in enumerate(part.media)]
    if not all(addresses):
        raise _no_address()
    return addresses


def _no_address() -> Rejected:
    return Rejected(
        "Threads fetches files from a public address, and there is none. Set up a place for media.",
        code="media.address",
    )
