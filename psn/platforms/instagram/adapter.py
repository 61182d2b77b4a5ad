"""Instagram's content publishing: sends requests, nothing else."""

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
from psn.platforms.instagram import upload, wire
from psn.platforms.instagram.addresses import is_shortcode
from psn.platforms.instagram.rules import NAME, TITLE, pick_shape
from psn.platforms.meta import matching
from psn.platforms.meta.answers import Quota, read_created, read_insights, read_published_id
from psn.platforms.meta.calls import PAGE, Calls
from psn.platforms.meta.containers import WAITS, Container
from psn.platforms.meta.publishing import FORMER_SPAN, Containers, find_url
from psn.platforms.meta.refusals import WINDOW

UPLOADED = "upload"  # stands for the id of a video: it is uploaded to its container, which is made with the text
URL_SECONDS = 10.0  # patience for the address of what is live already


class InstagramAdapter:
    """One professional account on Instagram.

    Args:
        web_base_url: where people look at posts.
        version: of the Graph API.
        account_id: of the profile; Instagram is asked for it when left out.
        timeout_seconds: for a whole call.
        waits: seconds between two questions whether a post is ready.
        sleep: waits.

    Attributes:
        rate_limits: `calls` in percent of what is allowed, `publish` in posts.
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
        self._token = token
        self._known_account_id = account_id
        self._containers = Containers(
            name=NAME, title=TITLE, look=self._look, explain=wire.explain_failure, waits=waits, sleep=sleep
        )
        self.web_base_url = web_base_url.rstrip("/")
        self.rate_limits = self._calls.rate_limits

    def __repr__(self) -> str:
        return f"InstagramAdapter({self._calls.http.base_url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._calls.http.close()

    def fetch_profile(self) -> Profile:
        """Ask who the token belongs to."""
        reply = self._calls.get("/me", fields=wire.PROFILE_FIELDS)
        return wire.read_profile(reply, web_base_url=self.web_base_url)

    def fetch_capabilities(self) -> dict[str, Any]:
        """Ask how many more posts Instagram takes today: `quota_left` of `quota_total`."""
        quota = self._fetch_quota()
        return {"quota_left": quota.left, "quota_total": quota.total} if quota else {}

    def fetch_account_metrics(self) -> dict[str, int]:
        """Read followers, following and posts."""
        return wire.read_counts(self._calls.get("/me", fields=wire.COUNT_FIELDS))

    def upload_media(self, media: MediaFile) -> str:
        """Give the address that Instagram fetches a file from. A video without one is uploaded with its post.

        Raises:
            Rejected: an image without a public address.
        """
        if media.public_url:
            return media.public_url
        if media.kind == "video":
            return UPLOADED
        raise _no_address()

    def prepare_post(self, part: Part, *, media_ids: Sequence[str], reply_to: str | None, former: str) -> Prepared:
        """Make the part's container and wait until it can be published; the container of an earlier call goes first.

        Raises:
            UnknownOutcome: the container of the earlier call was published, but the post cannot be seen yet.
            Rejected: Instagram does not take it.
            RateLimited: no more posts today.
            Unavailable: not ready in time.
        """
        if part.kind == "comment":
            return Prepared()
        since = datetime.now(UTC) - FORMER_SPAN
        find_live = functools.partial(self._find_live, part, since=since, known_ids=(), newest=True)
        taken = self._containers.take_former(former, find_live=find_live)
        if taken is not None:
            return taken
        self._check_quota()
        return Prepared(reference=self._make_container(part, addresses=_pick_addresses(part, media_ids)))

    def create_post(
        self,
        part: Part,
        *,
        media_ids: Sequence[str],
        reply_to: str | None,
        prepared: Prepared,
        send_before: Deadline | None,
    ) -> Published:
        """Publish a container, or send a comment: the one call that cannot be taken back.

        Raises:
            Duplicate: the container was published by the earlier call.
        """
        self._containers.check_live(prepared)
        if part.kind == "comment":
            parent = self._get_media_id(reply_to or "")
            path, form, shown = f"/{parent}/comments", {"message": part.text}, parent
        else:
            path, form, shown = f"/{self._account_id}/media_publish", {"creation_id": prepared.reference}, ""
        reply = self._calls.commit(path, form, send_before=send_before)
        platform_post_id = read_published_id(reply, title=TITLE)
        return Published(
            platform_post_id=platform_post_id,
            url=self._find_url(shown or platform_post_id),
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
        if part.kind == "comment":
            with self._containers.doubting():
                return self._find_comment(part, since=since, reply_to=reply_to or "", known_ids=known_ids)
        find_live = functools.partial(self._find_live, part, since=since, known_ids=known_ids)
        return self._containers.find_outcome(reference, find_live=find_live)

    def fetch_recent_posts(self, *, since: datetime | None = None, limit: int = 20) -> list[RemotePost]:
        """Read the account's own newest posts, newest first; Stories are not among them."""
        posts: list[RemotePost] = []
        for seen, counts in self._turn_posts("media", since=since, size=min(limit, PAGE)):
            posts.append(wire.to_remote(seen, metrics=counts))
            if len(posts) >= limit:
                break
        return posts

    def fetch_posts(self, platform_post_ids: Sequence[str]) -> list[RemotePost]:
        """Read posts by id with their metrics; ids Instagram does not know are left out."""
        found = [self._fetch_post(asked) for asked in dict.fromkeys(platform_post_ids)]
        return [post for post in found if post is not None]

    def delete_post(self, platform_post_id: str) -> None:
        """Refuse: Instagram deletes only for apps with Facebook Login.

        Raises:
            Rejected: always, with what to do.
        """
        raise Rejected(
            "Instagram lets no app that uses Instagram's own login delete a post. Open the post in the Instagram app, "
            "tap the three dots, and choose Delete.",
            code="instagram.delete_by_hand",
        )

    @functools.cached_property
    def _account_id(self) -> str:
        return self._known_account_id or self.fetch_profile().platform_account_id

    def _fetch_quota(self) -> Quota | None:
        path = f"/{self._account_id}/content_publishing_limit"
        quota = wire.read_publishing_limit(self._calls.get(path, fields="quota_usage,config"))
        if quota is not None:
            self.rate_limits["publish"] = quota.to_rate_limit(now=datetime.now(UTC))
        return quota

    def _check_quota(self) -> None:
        quota = self._fetch_quota()
        if quota is not None and not quota.left:
            # The window rolls: places in it become free one by one, so there is no instant to name.
            raise RateLimited(
                f"Instagram let this account publish {quota.total} times in 24 hours, and all are used.",
                retry_at=datetime.now(UTC) + WINDOW,
            )

    def _make_container(self, part: Part, *, addresses: Sequence[str]) -> str:
        waits = self._containers.begin_waiting()
        shape = pick_shape(part)
        if shape != "carousel":
            form = wire.build_single(part, part.media[0], shape=shape, address=addresses[0])
            return self._make_one(form, waits=waits, media=part.media[0])
        children = [
            self._make_one(wire.build_child(media, address=address), waits=waits, media=media)
            for media, address in zip(part.media, addresses, strict=True)
        ]
        return self._make_one(wire.build_carousel(part, children=children), waits=waits)

    def _make_one(self, form: dict[str, str], *, waits: Iterator[float], media: MediaFile | None = None) -> str:
        created = read_created(self._calls.post(f"/{self._account_id}/media", form), title=TITLE)
        if media is not None and "upload_type" in form:
            upload.send_video(media, address=created.uri, token=self._token, api_base_url=self._calls.http.base_url)
        self._containers.await_finished(created.id, waits=waits)
        return created.id

    def _look(self, container_id: str) -> Container:
        return wire.read_container(self._calls.get(f"/{container_id}", fields="status_code,status"))

    def _find_live(
        self, part: Part, *, since: datetime, known_ids: Collection[str], newest: bool = False
    ) -> Published | None:
        shape = pick_shape(part)
        edge, text = ("stories", "") if shape == "story" else ("media", part.text)
        kinds = {"image": "image", "video": "reel"}
        kind = kinds.get(part.media[0].kind, "") if shape == "story" and part.media else shape
        seen = [one for one, _ in self._turn_posts(edge, since=since, size=PAGE) if one.kind == kind]
        found = matching.find_part(text, seen, since=since, known_ids=known_ids, newest=newest)
        return Published(found.platform_post_id, found.url) if found else None

    def _find_comment(
        self, part: Part, *, since: datetime, reply_to: str, known_ids: Collection[str]
    ) -> Published | None:
        parent = self._get_media_id(reply_to)
        pages = self._calls.turn_pages(f"/{parent}/comments", wire.read_comments_page, fields=wire.COMMENT_FIELDS)
        seen = [one for page in pages for one in page]
        found = matching.find_part(part.text, seen, since=since, known_ids=known_ids)
        return Published(found.platform_post_id, self._find_url(parent)) if found else None

    def _turn_posts(
        self, edge: str, *, since: datetime | None, size: int
    ) -> Iterator[tuple[matching.Seen, dict[str, int]]]:
        """Give the account's posts, newest first, until they are older than that."""
        oldest = since - matching.CLOCK_SKEW if since else None
        path = f"/{self._account_id}/{edge}"
        for page in self._calls.turn_pages(path, wire.read_media_page, fields=wire.MEDIA_FIELDS, size=size):
            for seen, counts in page:
                if matching.is_older(seen, oldest):
                    return
                yield seen, counts

    def _fetch_post(self, asked: str) -> RemotePost | None:
        try:
            reply = self._calls.get(f"/{self._get_media_id(asked)}", fields=wire.MEDIA_FIELDS)
        except Rejected as refusal:
            if refusal.error_code in ("instagram.not_found", "instagram.wrong_kind"):
                return None
            raise
        seen, counts = wire.read_media(reply)
        metrics = counts | self._fetch_metrics(seen)
        return wire.to_remote(seen, metrics=metrics, asked_id=asked)

    def _fetch_metrics(self, seen: matching.Seen) -> dict[str, int]:
        wanted = wire.METRICS.get(seen.product, wire.METRICS["FEED"])
        try:
            reply = self._calls.get(f"/{seen.platform_post_id}/insights", metric=",".join(wanted))
        except Rejected as refusal:
            # A Story that fewer than five people saw is refused as if a permission were missing.
            if seen.product == "STORY" and refusal.error_code == "instagram.permission":
                return {}
            raise
        return read_insights(reply, title=TITLE, names=wire.METRIC_NAMES)

    def _get_media_id(self, platform_post_id: str) -> str:
        """Give Instagram's id of a post that may be known by its shortcode only.

        Raises:
            Rejected: no own post has it.
        """
        if not is_shortcode(platform_post_id):
            return platform_post_id
        for seen, _ in self._turn_posts("media", since=None, size=PAGE):
            if seen.shortcode == platform_post_id:
                return seen.platform_post_id
        raise Rejected(f"No post of this account has the address {platform_post_id!r}.", code="instagram.not_found")

    def _find_url(self, platform_post_id: str) -> str:
        return find_url(
            lambda: wire.read_permalink(
                self._calls.get(f"/{platform_post_id}", fields="permalink", timeout_seconds=URL_SECONDS)
            ),
            otherwise=f"{self.web_base_url}/",
        )


def _pick_addresses(part: Part, media_ids: Sequence[str]) -> list[str]:
    """Give each file's address; empty for a video that is uploaded. The part's own is fresher than what was stored."""
    stored = ["" if media_id == UPLOADED else media_id for media_id in media_ids]
    stored += [""] * (len(part.media) - len(stored))
    addresses = [media.public_url or stored[index] for index, media in enumerate(part.media)]
    if any(media.kind == "image" and not address for media, address in zip(part.media, addresses, strict=True)):
        raise _no_address()
    return addresses


def _no_address() -> Rejected:
    return Rejected(
        "Instagram fetches images from a public address, and there is none. Set up a place for media.",
        code="media.address",
    )
