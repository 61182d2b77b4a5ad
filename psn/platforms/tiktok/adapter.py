"""TikTok over its Content Posting and Display APIs: sends requests, nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from psn.deadline import Deadline
from psn.errors import NeedsReconnect, PlatformError, QuotaSpent, Rejected, Unavailable, UnknownOutcome
from psn.http import TIMEOUT_SECONDS, Http, Reply
from psn.platforms.base import AccountFacts, MediaFile, Part, Prepared, Profile, Published, RateLimit, RemotePost
from psn.platforms.tiktok import following, refusals, rules, upload, wire
from psn.platforms.tiktok.addresses import build_profile_url, is_post_id

MAX_PAGES = 64  # of 20 posts
CLOCK_SKEW = timedelta(seconds=10)  # by which our clock may be ahead of TikTok's
ASK_SECONDS = 10.0  # for one question about a post that TikTok has already

_JSON = {"content-type": "application/json; charset=UTF-8"}


class TikTokAdapter:
    """One account on TikTok.

    Args:
        web_base_url: where people look at posts.
        timeout_seconds: for a whole call.
        processing_seconds: how long to wait for the end of a post that TikTok has already.
        poll_seconds: between two questions about it.

    Attributes:
        rate_limits: empty; TikTok says nothing of them.
    """

    def __init__(
        self,
        api_base_url: str,
        *,
        token: str,
        web_base_url: str,
        timeout_seconds: float = TIMEOUT_SECONDS,
        processing_seconds: float = following.PROCESSING_SECONDS,
        poll_seconds: float = following.POLL_SECONDS,
    ) -> None:
        self._http = Http(api_base_url, token=token, timeout_seconds=timeout_seconds)
        self.web_base_url = web_base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._processing_seconds = processing_seconds
        self._poll_seconds = poll_seconds
        self.rate_limits: dict[str, RateLimit] = {}

    def __repr__(self) -> str:
        return f"TikTokAdapter({self._http.base_url!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def fetch_profile(self) -> Profile:
        """Ask who the token belongs to. The handle is known only to whoever may post directly; others see the name instead."""
        open_id, name = wire.read_user(self._ask("GET", "/v2/user/info/", fields=wire.USER_FIELDS))
        handle = self._find_handle() or name
        return Profile(
            platform_account_id=open_id,
            handle=handle,
            name=name,
            url=build_profile_url(handle, web_base_url=self.web_base_url),
        )

    def fetch_capabilities(self) -> dict[str, Any]:
        """Ask what this creator may choose from in a direct post; empty when the app may not post directly."""
        creator = self._find_creator()
        return creator.model_dump() if creator else {}

    def fetch_account_metrics(self) -> dict[str, int]:
        """Read the account's own counts."""
        return wire.read_account_metrics(self._ask("GET", "/v2/user/info/", fields=wire.STATS_FIELDS))

    def upload_media(self, media: MediaFile) -> str:
        """Give a photo's public address, which TikTok fetches. A video's upload belongs to its post, so here it is only looked at.

        Raises:
            Rejected: the file is not there, or has no public address.
        """
        if media.kind == "video":
            upload.measure(media)
            return media.path.name
        if not media.public_url:
            raise Rejected(
                f"TikTok fetches photos from a public address, and {media.path.name} has none. Set up a store for media.",
                code="media.no_public_url",
            )
        return media.public_url

    def prepare_post(self, part: Part, *, media_ids: Sequence[str], reply_to: str | None, former: str) -> Prepared:
        """Ask what the creator may do, open the upload, and send all of a video but its last piece.

        Args:
            former: of no use: an upload takes no second last piece.

        Raises:
            Rejected: TikTok does not take it.
        """
        _check_shape(part, reply_to=reply_to)
        if rules.is_direct(part.options):
            self._check_choices(part)
        if not rules.has_video(part):
            return Prepared()  # photos are one call, and TikTok names it only in its answer
        (video,) = part.media
        plan = upload.plan_pieces(upload.measure(video))
        path, body = wire.build_video(part, plan)
        opened = wire.read_opened(self._ask("POST", path, json=body))
        last = upload.send_first_pieces(video, plan, upload_url=opened.upload_url)
        return Prepared(reference=opened.publish_id, handle=last.to_handle())

    def create_post(
        self,
        part: Part,
        *,
        media_ids: Sequence[str],
        reply_to: str | None,
        prepared: Prepared,
        send_before: Deadline | None,
    ) -> Published:
        """Send what makes the post, and wait a while for its end: the one call that cannot be taken back.

        Raises:
            UnknownOutcome: TikTok may have it, or has it and is still working on it (`tiktok.processing`).
            Unavailable: surely not out.
            Rejected: TikTok does not take it; `CameToNothing`: it took it, and gave it up.
        """
        if rules.has_video(part):
            publish_id = prepared.reference
            upload.send_last_piece(
                part.media[0],
                upload.LastPiece.from_handle(prepared.handle),
                send_before=send_before,
                timeout_seconds=self._timeout_seconds,
            )
        else:
            publish_id = self._send_photos(part, media_ids, send_before=send_before)
        return following.follow(
            publish_id,
            ask=self._ask_status,
            find_url=self._find_url,
            seconds=self._processing_seconds,
            poll_seconds=self._poll_seconds,
        )

    def find_published(
        self, part: Part, *, reference: str, since: datetime, reply_to: str | None, known_ids: Collection[str]
    ) -> Published | None:
        """Ask what became of a publish id; without one, look for the text among the account's public posts.

        None when TikTok did not get all of it, or gave it up for a reason that may pass.

        Raises:
            Unavailable: TikTok is still working on it, or does not tell.
            UnknownOutcome: TikTok cannot tell: the publish id was lost, and it is no public post.
            CameToNothing: it failed for good.
        """
        if not reference:
            return self._find_among_public(part, since=since, known_ids=known_ids)
        try:
            status = self._ask_status(reference)
        except Rejected as refusal:
            raise Unavailable(
                refusal.message, code=refusal.error_code, http_status=refusal.http_status, request_id=refusal.request_id
            ) from refusal
        try:
            found = following.read_end(reference, status, find_url=self._find_url)
        except Unavailable:
            return None
        if found is not None:
            return found
        if status.state == "uploading" and _is_cut_short(part, status):
            return None
        raise Unavailable("TikTok has the post and is still working on it.", code="tiktok.processing")

    def fetch_recent_posts(self, *, since: datetime | None = None, limit: int = 20) -> list[RemotePost]:
        """Read the account's own newest public posts, newest first. What only its owner sees never shows here.

        Args:
            since: aware.
        """
        found: list[RemotePost] = []
        for video in self._turn_pages(since=since):
            found.append(video.post)
            if len(found) >= limit:
                break
        return found

    def fetch_posts(self, platform_post_ids: Sequence[str]) -> list[RemotePost]:
        """Read public posts by id, or by the publish id under which PSN knows one: it comes back under the id that was asked for.

        What is not public (drafts, posts for their owner only, posts TikTok still looks through) is left out: its counts are
        not known.
        """
        asked = {self._find_post_id(one): one for one in dict.fromkeys(platform_post_ids)}
        ids = [post_id for post_id in asked if post_id]
        posts: list[RemotePost] = []
        for start in range(0, len(ids), wire.MAX_IDS):
            posts += [video.post for video in self._look_up(ids[start : start + wire.MAX_IDS])]
        return [_rename(post, asked[post.platform_post_id]) for post in posts if post.platform_post_id in asked]

    def delete_post(self, platform_post_id: str) -> None:
        """Refuse: TikTok has no such call.

        Raises:
            Rejected: always.
        """
        raise Rejected("TikTok lets no app delete posts. Delete it in the TikTok app.", code="tiktok.no_delete")

    def _check_choices(self, part: Part) -> None:
        """Ask the creator's choices anew, as TikTok demands before every direct post, and hold this post against them."""
        creator = self._ask_creator()
        account = AccountFacts(capabilities=creator.model_dump())
        problem = next((one for one in rules.check_parts([part], account) if one.level == "error"), None)
        if problem is not None:
            raise Rejected(f"{problem.message} {problem.fix or ''}".strip(), code=problem.code)

    def _send_photos(self, part: Part, addresses: Sequence[str], *, send_before: Deadline | None) -> str:
        reply = self._http.commit(
            "POST",
            "/v2/post/publish/content/init/",
            json=wire.build_photos(part, addresses),
            headers=_JSON,
            send_before=send_before,
        )
        return wire.read_publish_id(refusals.check_reply(reply, now=datetime.now(UTC), commit=True))

    def _find_among_public(self, part: Part, *, since: datetime, known_ids: Collection[str]) -> Published | None:
        """Look for a text among the public posts; its absence says nothing, as TikTok shows a post only after looking it through."""
        wanted = _normalise(part.text)
        hidden = not rules.is_direct(part.options) or part.options.get("visibility") == rules.PRIVATE
        lost = "TikTok named the post only in the answer that was lost. Look into the app's inbox and at the profile."
        if hidden or not wanted:
            raise UnknownOutcome(lost, code="tiktok.cannot_tell")
        for video in reversed(list(self._turn_pages(since=since - CLOCK_SKEW))):
            texts = [_normalise(text) for text in video.texts]
            if wanted in texts and video.post.platform_post_id not in known_ids:
                return Published(platform_post_id=video.post.platform_post_id, url=video.post.url)
        raise Unavailable(lost, code="tiktok.cannot_tell")

    def _turn_pages(self, *, since: datetime | None) -> Iterator[wire.Video]:
        """Give the account's public posts, newest first, back to `since`."""
        body: dict[str, int] = {"max_count": wire.MAX_IDS}
        for _ in range(MAX_PAGES):
            page = wire.read_videos(self._ask("POST", "/v2/video/list/", fields=wire.VIDEO_FIELDS, json=body))
            for video in page.posts:
                if since is not None and video.post.created_at < since.replace(microsecond=0):
                    return
                yield video
            if page.cursor is None:
                return
            body["cursor"] = page.cursor
        raise Unavailable("TikTok's pages of the account's posts do not come to an end.", code="tiktok.endless_pages")

    def _look_up(self, post_ids: Sequence[str], *, timeout_seconds: float | None = None) -> list[wire.Video]:
        body = {"filters": {"video_ids": list(post_ids)}}
        path, fields = "/v2/video/query/", wire.VIDEO_FIELDS
        return wire.read_videos(
            self._ask("POST", path, fields=fields, json=body, timeout_seconds=timeout_seconds)
        ).posts

    def _find_post_id(self, platform_post_id: str) -> str:
        """Give a post's public id; empty when it has none (yet)."""
        if is_post_id(platform_post_id):
            return platform_post_id
        try:
            return self._ask_status(platform_post_id).post_id
        except Rejected as refusal:
            if refusal.error_code == refusals.UNKNOWN_ID:
                return ""
            raise

    def _find_url(self, post_id: str) -> str:
        """Give a public post's address; empty when it cannot be had: the post is out all the same."""
        try:
            return next((video.post.url for video in self._look_up([post_id], timeout_seconds=ASK_SECONDS)), "")
        except PlatformError:
            return ""

    def _find_handle(self) -> str:
        try:
            creator = self._find_creator()
        except (Rejected, QuotaSpent):  # barred, or as many posts as a day has: it may not post, but it is this account
            return ""
        return creator.creator_username if creator else ""

    def _find_creator(self) -> wire.Creator | None:
        """Ask what this creator may do; None when the app has no say in direct posts."""
        try:
            return self._ask_creator()
        except NeedsReconnect as refusal:
            if refusal.error_code == refusals.NO_SCOPE:
                return None
            raise

    def _ask_creator(self) -> wire.Creator:
        return wire.read_creator(self._ask("POST", "/v2/post/publish/creator_info/query/", json={}))

    def _ask_status(self, publish_id: str) -> wire.Status:
        path = "/v2/post/publish/status/fetch/"
        reply = self._ask("POST", path, json={"publish_id": publish_id}, timeout_seconds=ASK_SECONDS)
        return wire.read_status(reply, request_id=refusals.read_log_id(reply))

    def _ask(
        self, method: str, path: str, *, fields: str = "", json: object = None, timeout_seconds: float | None = None
    ) -> Reply:
        reply = self._http.read(
            method,
            path,
            params={"fields": fields} if fields else None,
            json=json,
            headers=_JSON if json is not None else None,
            timeout_seconds=timeout_seconds,
        )
        return refusals.check_reply(reply, now=datetime.now(UTC))


def _check_shape(part: Part, *, reply_to: str | None) -> None:
    """Refuse what no post on TikTok is; the rules say so earlier and kinder."""
    if reply_to is not None or part.index or part.kind == "comment":
        raise Rejected("TikTok's API has neither threads nor comments.", code="tiktok.one_part")
    if not part.media or (rules.has_video(part) and len(part.media) > 1):
        raise Rejected("TikTok takes one video or some photos, never text alone.", code="tiktok.media")


def _is_cut_short(part: Part, status: wire.Status) -> bool:
    """Whether TikTok misses bytes of the video, so that nothing was made of it."""
    whole = sum(media.size_bytes for media in part.media)
    return status.uploaded_bytes is not None and status.uploaded_bytes < whole


def _normalise(text: str) -> str:
    return " ".join(text.split())


def _rename(post: RemotePost, platform_post_id: str) -> RemotePost:
    return RemotePost(
        platform_post_id=platform_post_id,
        text=post.text,
        created_at=post.created_at,
        url=post.url,
        in_reply_to=post.in_reply_to,
        metrics=post.metrics,
    )
