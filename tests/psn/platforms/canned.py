"""What each platform answers when all is well, call by call, and the calls that PSN makes of it.

The shapes are those of the platforms' own documents, as each folder's `wire.py` names them; the sandbox answers in more detail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from psn.media.facts import MediaFacts
from psn.platforms.base import Adapter, MediaFile, Part
from psn.platforms.bluesky.adapter import BlueskyAdapter
from psn.platforms.bluesky.records import Draft
from psn.platforms.bluesky.tids import build_tid
from psn.platforms.instagram.adapter import InstagramAdapter
from psn.platforms.linkedin.adapter import LinkedInAdapter
from psn.platforms.mastodon.adapter import MastodonAdapter
from psn.platforms.threads.adapter import ThreadsAdapter
from psn.platforms.tiktok.adapter import TikTokAdapter
from psn.platforms.x.adapter import XAdapter
from tests.psn.platforms.stub import Request, build_answer

TEXT = "Hello from the garden."
CREATED = "2026-11-20T12:00:00Z"
CREATED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SINCE = datetime(2026, 11, 20, 11, 59, 58, tzinfo=UTC)
DID = "did:plc:abcdefghijklmnopqrstuvwx"
RKEY = build_tid(CREATED_AT, clock_id=7)
URI = f"at://{DID}/app.bsky.feed.post/{RKEY}"
SHARE = "urn:li:share:7397253427200000000"
COMMENT = f"urn:li:comment:({SHARE},7397253427200000001)"
PAGE = "urn:li:organization:42"
META_ID = "17900000000000001"
X_ID = "1900000000000000001"
TIKTOK_ID = "7411111111111111111"
PUBLISH_ID = "v_inbox_file~v2.7411111111111111112"


@dataclass(frozen=True)
class Canned:
    """An answer; `{base}` in its text is the server's own address."""

    body: Any = None
    status: int = 200
    headers: tuple[str, ...] = ()

    def to_bytes(self, base: str) -> bytes:
        """Give it as it goes over the line."""
        text = "" if self.body is None else json.dumps(self.body)
        headers = ("content-type: application/json", *self.headers)
        return build_answer(self.status, text.replace("{base}", base).encode(), headers)


Rule = tuple[str, str, Canned | Callable[[Request], Canned]]


def find_answer(rules: list[Rule], request: Request) -> Canned:
    """Give the answer to a request: the first rule that fits."""
    for method, pattern, answer in rules:
        if method == request.method and re.search(pattern, request.target):
            return answer(request) if callable(answer) else answer
    raise LookupError(f"nothing canned for {request.method} {request.target}")


def _query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.target).query).items()}


_X_POST = {
    "id": X_ID,
    "text": TEXT,
    "created_at": CREATED,
    "entities": {"urls": [{"url": "https://t.co/abc", "expanded_url": "https://example.com/a"}]},
    "referenced_posts": [],
    "public_metrics": {"impression_count": 10, "like_count": 3},
    "non_public_metrics": {"url_link_clicks": 1},
}
_X_MEDIA = {"data": {"id": "77", "processing_info": {"state": "succeeded", "check_after_secs": 1}}}
X_RULES: list[Rule] = [
    (
        "GET",
        r"^/2/users/me",
        Canned(
            {
                "data": {
                    "id": "1001",
                    "username": "ana",
                    "name": "Ana",
                    "subscription_type": "None",
                    "public_metrics": {"followers_count": 1, "following_count": 2, "post_count": 3},
                }
            }
        ),
    ),
    ("GET", r"^/2/users/1001/tweets", Canned({"data": [_X_POST], "meta": {"result_count": 1}})),
    ("GET", r"^/2/tweets\?", Canned({"data": [_X_POST]})),
    ("GET", r"^/2/media/upload", Canned(_X_MEDIA)),
    ("POST", r"^/2/tweets$", Canned({"data": {"id": X_ID, "text": TEXT}}, 201)),
    ("POST", r"^/2/media/", Canned(_X_MEDIA)),
    ("DELETE", r"^/2/tweets/", Canned({"data": {"deleted": True}})),
]

_CREATED_MS = int(CREATED_AT.timestamp() * 1000)
_LI_POST = {"id": SHARE, "commentary": TEXT, "createdAt": _CREATED_MS}
_LI_COMMENT = {
    "id": "7397253427200000001",
    "object": SHARE,
    "actor": PAGE,
    "commentUrn": COMMENT,
    "message": {"text": TEXT},
    "created": {"time": _CREATED_MS},
}


def _open_linkedin_video(request: Request) -> Canned:
    size, part = json.loads(request.body)["initializeUploadRequest"]["fileSizeBytes"], 4 * 1024 * 1024
    spans = [
        {"uploadUrl": "{base}/upload/2", "firstByte": first, "lastByte": min(first + part, size) - 1}
        for first in range(0, size, part)
    ]
    return Canned({"value": {"video": "urn:li:video:V1", "uploadToken": "t", "uploadInstructions": spans}})


LINKEDIN_RULES: list[Rule] = [
    ("GET", r"^/v2/userinfo", Canned({"sub": "abc", "name": "Ana Díaz"})),
    ("GET", r"^/rest/organizationAcls", Canned({"elements": [{"organization": PAGE, "role": "ADMINISTRATOR"}]})),
    ("GET", r"^/rest/organizations/42", Canned({"id": 42, "vanityName": "works", "localizedName": "Works"})),
    ("GET", r"^/rest/networkSizes/", Canned({"firstDegreeSize": 5})),
    ("POST", r"^/rest/images", Canned({"value": {"uploadUrl": "{base}/upload/1", "image": "urn:li:image:C1"}})),
    ("POST", r"^/rest/videos\?action=initializeUpload", _open_linkedin_video),
    ("POST", r"^/rest/videos\?action=finalizeUpload", Canned({})),
    ("GET", r"^/rest/videos/", Canned({"status": "AVAILABLE"})),
    ("PUT", r"^/upload/", Canned(None, 201, ("etag: tag-1",))),
    ("POST", r"^/rest/posts", Canned(None, 201, (f"x-restli-id: {SHARE}",))),
    ("POST", r"^/rest/socialActions/", Canned(_LI_COMMENT, 201)),
    ("GET", r"^/rest/socialActions/", Canned({"elements": [_LI_COMMENT], "paging": {"links": []}})),
    ("GET", r"^/rest/posts\?q=author", Canned({"elements": [_LI_POST], "paging": {"links": []}})),
    ("GET", r"^/rest/posts\?ids=", Canned({"results": {SHARE: _LI_POST}})),
    (
        "GET",
        r"^/rest/organizationalEntityShareStatistics",
        Canned({"elements": [{"share": SHARE, "totalShareStatistics": {"impressionCount": 5, "likeCount": 1}}]}),
    ),
    ("GET", r"^/rest/memberCreatorPostAnalytics", Canned({"elements": [{"count": 5}]})),
    ("DELETE", r"^/rest/", Canned(None, 204)),
]

_IG_POST = {
    "id": META_ID,
    "caption": TEXT,
    "permalink": "https://www.instagram.com/p/DCkkKl_OGb1/",
    "shortcode": "DCkkKl_OGb1",
    "timestamp": "2026-11-20T12:00:00+0000",
    "media_type": "IMAGE",
    "media_product_type": "FEED",
    "like_count": 3,
    "comments_count": 1,
}
_USED = '{"178": [{"call_count": 3, "total_time": 1, "total_cputime": 1, "estimated_time_to_regain_access": 0}]}'
_USAGE = (f"x-business-use-case-usage: {_USED}",)
_INSIGHTS = {
    "data": [{"name": "views", "values": [{"value": 7}]}, {"name": "followers_count", "total_value": {"value": 9}}]
}
_QUOTA = {"quota_usage": 3, "config": {"quota_total": 50, "quota_duration": 86400}}
INSTAGRAM_RULES: list[Rule] = [
    ("GET", r"/me\?.*username", Canned({"id": "1", "user_id": "178", "username": "ana", "name": "Ana"}, 200, _USAGE)),
    (
        "GET",
        r"/me\?",
        Canned({"id": "1", "username": "ana", "followers_count": 5, "follows_count": 6, "media_count": 7}),
    ),
    ("GET", r"/content_publishing_limit", Canned({"data": [_QUOTA]})),
    ("GET", r"/178/(media|stories)", Canned({"data": [_IG_POST], "paging": {"cursors": {"after": "abc"}}})),
    (
        "GET",
        r"/comments",
        Canned({"data": [{"id": META_ID, "text": TEXT, "timestamp": CREATED}], "paging": {"cursors": {"after": "a"}}}),
    ),
    ("GET", r"/insights", Canned(_INSIGHTS)),
    ("GET", r"/556\?", Canned({"id": "556", "status_code": "PUBLISHED", "status": "Published"})),
    ("GET", r"fields=status_code", Canned({"id": "555", "status_code": "FINISHED", "status": "Finished"})),
    ("GET", r"fields=permalink$", Canned({"id": META_ID, "permalink": "https://www.instagram.com/p/DCkkKl_OGb1/"})),
    ("GET", r"/v25.0/[0-9]+\?", Canned(_IG_POST)),
    ("POST", r"/178/media$", Canned({"id": "555", "uri": "{base}/rupload/1?a=b"})),
    ("POST", r"^/rupload/", Canned({"success": True, "message": "Upload successful."})),
    ("POST", r"/(media_publish|comments)$", Canned({"id": META_ID})),
]
_TH_POST = {
    "id": META_ID,
    "text": TEXT,
    "permalink": "https://www.threads.net/@ana/post/DCkkKl_OGb1",
    "shortcode": "DCkkKl_OGb1",
    "timestamp": "2026-11-20T12:00:00+0000",
    "media_type": "TEXT_POST",
    "media_product_type": "THREADS",
}
THREADS_RULES: list[Rule] = [
    ("GET", r"/me\?", Canned({"id": "178", "username": "ana", "name": "Ana"}, 200, _USAGE)),
    (
        "GET",
        r"/threads_publishing_limit",
        Canned({"data": [{**_QUOTA, "reply_quota_usage": 1, "reply_config": _QUOTA["config"]}]}),
    ),
    ("GET", r"insights", Canned(_INSIGHTS)),
    ("GET", r"/178/threads\?", Canned({"data": [_TH_POST], "paging": {"cursors": {"after": "abc"}}})),
    (
        "GET",
        r"/178/replies\?",
        Canned({"data": [{**_TH_POST, "replied_to": {"id": META_ID}}], "paging": {"cursors": {"after": "abc"}}}),
    ),
    ("GET", r"/556\?", Canned({"id": "556", "status": "PUBLISHED", "error_message": ""})),
    ("GET", r"fields=id%2Cstatus", Canned({"id": "555", "status": "FINISHED", "error_message": ""})),
    ("GET", r"fields=permalink$", Canned({"permalink": "https://www.threads.net/@ana/post/DCkkKl_OGb1"})),
    ("GET", r"/v1.0/[0-9]+\?", Canned(_TH_POST)),
    ("POST", r"/178/threads$", Canned({"id": "555"})),
    ("POST", r"/threads_publish$", Canned({"id": META_ID})),
    ("DELETE", r"/v1.0/", Canned({"success": True})),
]

_OK = {"code": "ok", "message": "", "log_id": "2026112012"}
_VIDEO = {
    "id": TIKTOK_ID,
    "title": TEXT,
    "video_description": TEXT,
    "create_time": int(CREATED_AT.timestamp()),
    "share_url": f"https://www.tiktok.com/@ana/video/{TIKTOK_ID}?utm=1",
    "view_count": 9,
    "like_count": 2,
}
TIKTOK_RULES: list[Rule] = [
    (
        "GET",
        r"^/v2/user/info/",
        Canned(
            {
                "data": {"user": {"open_id": "open-1", "display_name": "Ana", "follower_count": 5, "video_count": 2}},
                "error": _OK,
            }
        ),
    ),
    (
        "POST",
        r"/creator_info/",
        Canned(
            {
                "data": {
                    "creator_username": "ana",
                    "creator_nickname": "Ana",
                    "privacy_level_options": ["PUBLIC_TO_EVERYONE", "SELF_ONLY"],
                    "comment_disabled": False,
                    "max_video_post_duration_sec": 300,
                },
                "error": _OK,
            }
        ),
    ),
    (
        "POST",
        r"/video/init/",
        Canned({"data": {"publish_id": PUBLISH_ID, "upload_url": "{base}/upload/1?a=b"}, "error": _OK}),
    ),
    ("POST", r"/content/init/", Canned({"data": {"publish_id": PUBLISH_ID}, "error": _OK})),
    ("PUT", r"^/upload/", Canned(None, 201)),
    (
        "POST",
        r"/status/fetch/",
        Canned(
            {
                "data": {
                    "status": "PUBLISH_COMPLETE",
                    "publicaly_available_post_id": [int(TIKTOK_ID)],
                    "uploaded_bytes": 16,
                },
                "error": _OK,
            }
        ),
    ),
    (
        "POST",
        r"^/v2/video/(list|query)/",
        Canned({"data": {"videos": [_VIDEO], "cursor": 0, "has_more": False}, "error": _OK}),
    ),
]

_RECORD = {"$type": "app.bsky.feed.post", "text": TEXT, "createdAt": "2026-11-20T12:00:00.000Z"}
_BLOB = {"$type": "blob", "ref": {"$link": "bafkreiabc"}, "mimeType": "image/jpeg", "size": 16}


def _put_record(request: Request) -> Canned:
    body = json.loads(request.body)
    return Canned({"uri": f"at://{body['repo']}/{body['collection']}/{body['rkey']}", "cid": "bafyabc"})


def _get_record(request: Request) -> Canned:
    asked = _query(request)
    return Canned(
        {"uri": f"at://{asked['repo']}/{asked['collection']}/{asked['rkey']}", "cid": "bafyabc", "value": _RECORD}
    )


BLUESKY_RULES: list[Rule] = [
    ("GET", r"server.getSession", Canned({"did": DID, "handle": "ana.bsky.social"})),
    ("GET", r"actor.getProfile", Canned({"did": DID, "followersCount": 4, "followsCount": 5, "postsCount": 6})),
    ("GET", r"identity.resolveHandle", Canned({"did": DID})),
    ("GET", r"repo.getRecord", _get_record),
    ("GET", r"repo.listRecords", Canned({"records": [{"uri": URI, "cid": "bafyabc", "value": _RECORD}]})),
    (
        "GET",
        r"feed.getPosts",
        Canned(
            {
                "posts": [
                    {
                        "uri": URI,
                        "cid": "bafyabc",
                        "author": {"did": DID, "handle": "ana.bsky.social"},
                        "record": {
                            **_RECORD,
                            "reply": {"root": {"uri": URI, "cid": "b"}, "parent": {"uri": URI, "cid": "b"}},
                        },
                        "likeCount": 3,
                    }
                ]
            }
        ),
    ),
    ("POST", r"repo.uploadBlob", Canned({"blob": _BLOB})),
    ("POST", r"repo.putRecord", _put_record),
    ("POST", r"repo.deleteRecord", Canned({})),
]

_STATUS: dict[str, Any] = {
    "id": "115000000000000001",
    "created_at": CREATED,
    "content": f"<p>{TEXT}</p>",
    "url": "https://mastodon.example/@ana/115000000000000001",
    "uri": "https://mastodon.example/users/ana/statuses/115000000000000001",
    "spoiler_text": "",
    "in_reply_to_id": None,
    "mentions": [],
    "media_attachments": [],
    "reblog": None,
    "favourites_count": 3,
    "reblogs_count": 1,
    "replies_count": 0,
}
MASTODON_RULES: list[Rule] = [
    (
        "GET",
        r"verify_credentials",
        Canned(
            {
                "id": "9",
                "username": "ana",
                "display_name": "Ana",
                "url": "https://mastodon.example/@ana",
                "followers_count": 2,
                "following_count": 3,
                "statuses_count": 4,
            }
        ),
    ),
    (
        "GET",
        r"/api/v[12]/instance",
        Canned(
            {
                "version": "4.5.0",
                "configuration": {
                    "statuses": {
                        "max_characters": 500,
                        "max_media_attachments": 4,
                        "characters_reserved_per_url": 23,
                    },
                    "media_attachments": {"supported_mime_types": ["image/jpeg"], "description_limit": 1500},
                },
            }
        ),
    ),
    ("GET", r"/api/v1/accounts/9/statuses", Canned([_STATUS])),
    ("GET", r"/source$", Canned({"id": "115000000000000001", "text": TEXT, "spoiler_text": ""})),
    ("GET", r"/api/v1/statuses\?", Canned([_STATUS])),
    ("GET", r"/api/v1/statuses/", Canned(_STATUS)),
    ("GET", r"/api/v1/media/", Canned({"id": "31"})),
    ("POST", r"/api/v1/statuses$", Canned(_STATUS)),
    ("POST", r"/api/v2/media", Canned({"id": "31", "type": "image", "url": None}, 200)),
    ("DELETE", r"/api/v1/statuses/", Canned(_STATUS)),
]


@dataclass(frozen=True)
class Case:
    """A platform as a test sees it.

    Args:
        post_id: of a post that is there.
        post_ids: what an id of it may look like: what ends in an address, and in the hub.
        commit: which request makes a post public; method and a pattern of the target.
        reference: of an earlier call.
        options: without which it publishes nothing.
        text_alone: a text is a post.
        comments_on: the post below which it takes a first comment; empty where it takes none.
    """

    name: str
    rules: list[Rule]
    connect: Callable[[str], Adapter]
    post_id: str
    post_ids: str
    commit: tuple[str, str]
    reference: str = ""
    options: tuple[tuple[str, str], ...] = ()
    text_alone: bool = True
    comments_on: str = ""


def _no_wait(_seconds: float) -> None:
    """Let no time pass."""


_TOKEN = "token-of-a-test"
_META_IDS = r"[0-9]{1,25}|[A-Za-z0-9_-]{5,40}"
_URNS = r"urn:li:(share|ugcPost|activity):[0-9]{1,19}|urn:li:comment:\(urn:li:(share|ugcPost|activity):[0-9]{1,19},[0-9]{1,19}\)"
_AT_URIS = r"at://did:[a-z]+:[\w.:%-]{1,256}/app\.bsky\.feed\.post/[\w.:~-]{1,512}"
_DRAFT = Draft(rkey=RKEY, record=dict(_RECORD)).to_reference()


def _x(url: str) -> Adapter:
    return XAdapter(url, token=_TOKEN, web_base_url=url, timeout_seconds=0.5, processing_seconds=0)


def _linkedin(url: str, account_id: str | None = None) -> Adapter:
    return LinkedInAdapter(
        url,
        token=_TOKEN,
        web_base_url=url,
        account_id=account_id,
        timeout_seconds=0.5,
        processing_seconds=0,
        sleep=_no_wait,
    )


def _page(url: str) -> Adapter:
    return _linkedin(url, PAGE)


def _instagram(url: str) -> Adapter:
    return InstagramAdapter(
        url, token=_TOKEN, web_base_url=url, version="v25.0", timeout_seconds=0.5, waits=(0, 0), sleep=_no_wait
    )


def _threads(url: str) -> Adapter:
    return ThreadsAdapter(
        url, token=_TOKEN, web_base_url=url, version="v1.0", timeout_seconds=0.5, waits=(0, 0), sleep=_no_wait
    )


def _tiktok(url: str) -> Adapter:
    return TikTokAdapter(
        url, token=_TOKEN, web_base_url=url, timeout_seconds=0.5, processing_seconds=0, poll_seconds=0.001
    )


def _bluesky(url: str) -> Adapter:
    return BlueskyAdapter(url, token=_TOKEN, web_base_url=url, timeout_seconds=0.5)


def _mastodon(url: str) -> Adapter:
    return MastodonAdapter(url, token=_TOKEN, timeout_seconds=0.5, processing_seconds=0, wait_seconds=0)


CASES = [
    Case("x", X_RULES, _x, X_ID, r"[0-9]{1,19}", ("POST", "/2/tweets$")),
    Case("linkedin", LINKEDIN_RULES, _linkedin, SHARE, _URNS, ("POST", "/rest/posts$"), "1"),
    Case("linkedin page", LINKEDIN_RULES, _page, SHARE, _URNS, ("POST", "/rest/posts$"), "1", comments_on=SHARE),
    Case(
        "instagram",
        INSTAGRAM_RULES,
        _instagram,
        META_ID,
        _META_IDS,
        ("POST", "/media_publish$"),
        "555",
        text_alone=False,
        comments_on=META_ID,
    ),
    Case(
        "tiktok",
        TIKTOK_RULES,
        _tiktok,
        TIKTOK_ID,
        r"[\x21-\x7e]{1,200}",
        ("POST", "/content/init/$"),
        PUBLISH_ID,
        (("format", "direct"), ("visibility", "PUBLIC_TO_EVERYONE")),
        text_alone=False,
    ),
    Case("bluesky", BLUESKY_RULES, _bluesky, URI, _AT_URIS, ("POST", "putRecord$"), _DRAFT),
    Case(
        "mastodon", MASTODON_RULES, _mastodon, _STATUS["id"], r"[0-9A-Za-z_-]{1,64}", ("POST", "/statuses$"), "a" * 32
    ),
    Case("threads", THREADS_RULES, _threads, META_ID, _META_IDS, ("POST", "/threads_publish$"), "555"),
]


@dataclass(frozen=True)
class Files:
    """Two small files, of which the platforms look at nothing but the size."""

    folder: Path

    def picture(self) -> MediaFile:
        """A picture with a public address."""
        return self._make("picture.jpg", "image/jpeg")

    def video(self) -> MediaFile:
        """A video without one."""
        return replace(self._make("video.mp4", "video/mp4"), public_url="")

    def _make(self, name: str, mime_type: str) -> MediaFile:
        path = self.folder / name
        path.write_bytes(b"sixteen bytes...")
        facts = MediaFacts(width=1080, height=1080, duration_seconds=4.0)
        return MediaFile(path, mime_type, 16, "A gradient", facts, f"https://media.example/{name}")


Call = Callable[[Adapter], Any]


def build_part(case: Case, files: Files) -> tuple[Part, list[str]]:
    """Build the simplest post of a platform, and give what stands for its files."""
    picture = files.picture()
    media = () if case.text_alone else (picture,)
    return Part(0, TEXT, media, options=dict(case.options)), [one.public_url for one in media]


def list_calls(case: Case, files: Files) -> Iterator[tuple[str, Call]]:
    """Give every call of the interface, by a name for people."""
    picture, video = files.picture(), files.video()
    plain, media_ids = build_part(case, files)
    filmed = replace(plain, media=(video,))

    def publish(part: Part, ids: list[str], reply_to: str | None = None, former: str = "") -> Call:
        def call(adapter: Adapter) -> Any:
            prepared = adapter.prepare_post(part, media_ids=ids, reply_to=reply_to, former=former)
            return adapter.create_post(part, media_ids=ids, reply_to=reply_to, prepared=prepared, send_before=None)

        return call

    def find(part: Part, reference: str, reply_to: str | None = None) -> Call:
        return lambda adapter: adapter.find_published(
            part, reference=reference, since=SINCE, reply_to=reply_to, known_ids=()
        )

    yield "fetch_profile", lambda adapter: adapter.fetch_profile()
    yield "fetch_capabilities", lambda adapter: adapter.fetch_capabilities()
    yield "fetch_account_metrics", lambda adapter: adapter.fetch_account_metrics()
    yield "upload_media of a picture", lambda adapter: adapter.upload_media(picture)
    yield "upload_media of a video", lambda adapter: adapter.upload_media(video)
    yield "create_post", publish(plain, media_ids)
    if case.reference and case.name not in ("linkedin", "tiktok"):
        yield "create_post once more", publish(plain, media_ids, former=case.reference)
    if case.name in ("instagram", "tiktok"):
        yield "create_post of a video", publish(filmed, ["upload"])
    if case.name in ("x", "bluesky", "mastodon", "threads"):
        yield "create_post of a reply", publish(replace(plain, index=1), [], case.post_id)
    if case.comments_on:
        comment = Part(1, TEXT, kind="comment")
        yield "create_post of a comment", publish(comment, [], case.comments_on)
        yield "find_published of a comment", find(comment, "", case.comments_on)
    yield "find_published", find(plain, case.reference)
    if case.name in ("instagram", "threads"):
        yield "find_published of what is out", find(plain, "556")
        yield "create_post of what is out", publish(plain, media_ids, former="556")
    if case.name == "tiktok":
        yield "find_published without a reference", find(plain, "")
    yield "fetch_recent_posts", lambda adapter: adapter.fetch_recent_posts(since=SINCE, limit=5)
    yield "fetch_posts", lambda adapter: adapter.fetch_posts([case.post_id])
    if case.name == "tiktok":
        yield "fetch_posts by publish id", lambda adapter: adapter.fetch_posts([PUBLISH_ID])
    yield "delete_post", lambda adapter: adapter.delete_post(case.post_id)
