"""What chaos must know of each platform: the call that cannot be taken back, who bears witness to it, and what a repeat of it does.

| again | a second call with the reference of the first |
|---|---|
| post | makes a second post, or cannot be made: only looks tell whether the first arrived |
| window | makes none for a while; the sandbox forgets after `pace.WINDOW_SECONDS` |
| never | makes none: a container is published once |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from tests.chaos import pace

Again = Literal["post", "window", "never"]


@dataclass(frozen=True, slots=True)
class Vendor:
    """One platform under chaos.

    Args:
        commits: what makes something public, as the sandbox matches calls: the post's own first, then its comments', or what else there is.
        lookups: what the witness asks.
        prepares: what goes before a commit and may fail harmlessly.
        works_on: the call whose outcome it works on for a while, before that is ready or out; empty for none.
        again: what a repeat does.
        looks: how many make evidence of absence.
        parts: how many parts a post has, to draw from.
        follows: what the parts after the first are.
        media: what posts carry, to draw from: `picture`, `video`, or nothing.
        options: what posts are made with, to draw from.
        organization: the page for which the first account acts.
        times: arguments of the adapter that take shorter times here.
        constants: names in the adapter's module that do.
    """

    name: str
    commits: tuple[str, ...]
    lookups: tuple[str, ...]
    prepares: tuple[str, ...]
    works_on: str = ""
    again: Again = "post"
    looks: int = 2
    parts: Sequence[int] = (1,)
    follows: Literal["post", "comment"] = "post"
    media: Sequence[str] = ("",)
    options: Sequence[Mapping[str, str]] = field(default_factory=lambda: ({},))
    organization: str = ""
    times: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)

    def is_commit(self, operation: str) -> bool:
        """Whether a call (`POST /2/tweets`, from the platform's base on) makes something public."""
        return any(fnmatchcase(operation, pattern) for pattern in self.commits)


SOMETIMES_A_PICTURE = ("picture", *[""] * 7)
THREADED = (1, 1, 1, 2, 3)
CONTAINER_TIMES = {"waits": pace.CONTAINER_WAITS}
CONTAINER_CONSTANTS = {"URL_SECONDS": pace.CALL_SECONDS}
DIRECT = {"format": "direct", "visibility": "PUBLIC_TO_EVERYONE"}

VENDORS = {
    vendor.name: vendor
    for vendor in (
        Vendor(
            name="x",
            commits=("POST /2/tweets",),
            lookups=("GET /2/users/*/tweets",),
            prepares=("POST /2/media/upload",),
            parts=THREADED,
            media=SOMETIMES_A_PICTURE,
        ),
        Vendor(
            name="linkedin",
            commits=("POST /rest/posts", "POST /rest/socialActions/*/comments"),
            lookups=("GET /rest/posts", "GET /rest/socialActions/*/comments"),
            prepares=("POST /rest/images", "PUT /dms-uploads/*/*"),
            again="window",
            looks=1,
            parts=(1, 1, 1, 2),
            follows="comment",
            media=("picture", *[""] * 3),
            organization="urn:li:organization:1",  # the sandbox gives it to every member
        ),
        Vendor(
            name="instagram",
            commits=("POST /*/*/media_publish", "POST /*/*/comments"),
            lookups=("GET /*/*", "GET /*/*/media", "GET /*/*/comments"),
            prepares=("POST /*/*/media", "GET /*/*"),
            works_on="POST /*/*/media",
            again="never",
            parts=(1, 1, 1, 2),
            follows="comment",
            media=("picture",),
            times=CONTAINER_TIMES,
            constants=CONTAINER_CONSTANTS,
        ),
        Vendor(
            name="tiktok",
            commits=("PUT /upload/video/", "POST /v2/post/publish/content/init/"),
            lookups=("POST /v2/post/publish/status/fetch/", "POST /v2/video/list/"),
            prepares=("POST /v2/post/publish/video/init/", "POST /v2/post/publish/creator_info/query/"),
            works_on="PUT /upload/video/",
            media=("video", "video", "picture"),
            options=(DIRECT, DIRECT, {"format": "inbox"}),
            times={"processing_seconds": pace.FOLLOW_SECONDS, "poll_seconds": pace.FOLLOW_SECONDS / 5},
            constants={"ASK_SECONDS": pace.CALL_SECONDS},
        ),
        Vendor(
            name="bluesky",
            commits=("POST /xrpc/com.atproto.repo.putRecord",),
            lookups=("GET /xrpc/com.atproto.repo.getRecord",),
            prepares=("POST /xrpc/com.atproto.repo.uploadBlob", "GET /xrpc/com.atproto.server.getSession"),
            again="never",
            looks=1,
            parts=THREADED,
            media=SOMETIMES_A_PICTURE,
        ),
        Vendor(
            name="mastodon",
            commits=("POST /api/v1/statuses",),
            lookups=("GET /api/v1/accounts/*/statuses",),
            prepares=("POST /api/v2/media", "GET /api/v2/instance"),
            again="window",
            parts=THREADED,
            media=SOMETIMES_A_PICTURE,
            times={"processing_seconds": 2.0, "wait_seconds": 0.1},
        ),
        Vendor(
            name="threads",
            commits=("POST /*/*/threads_publish",),
            lookups=("GET /*/*", "GET /*/*/threads", "GET /*/*/replies"),
            prepares=("POST /*/*/threads", "GET /*/*"),
            works_on="POST /*/*/threads",
            again="never",
            parts=THREADED,
            media=SOMETIMES_A_PICTURE,
            times=CONTAINER_TIMES,
            constants=CONTAINER_CONSTANTS,
        ),
    )
}
NAMES = tuple(VENDORS)
