"""X's JSON both ways, pure.

Implements X API v2.167 (OpenAPI document of 2026-08-22) and reads v2.166 too: on 2026-08-07 the field names changed from
tweet to post (`retweet_count` to `repost_count`, `note_tweet` to `note_post`, …) while addresses and requests kept theirs.
What X means by its refusals is in `refusals.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AliasChoices, Field, StringConstraints

from psn.errors import Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms import replies
from psn.platforms.base import Part, Profile, Published, RemotePost
from psn.platforms.replies import Model, Tolerant
from psn.platforms.values import MAX_ENTRIES, Instant, pick_counts
from psn.platforms.x import matching
from psn.platforms.x.addresses import build_post_url

MAX_IDS = 100  # ids of one look-up, and posts of one page: `ids.maxItems`, `max_results.maximum`
MIN_PAGE = 5  # `max_results.minimum`


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names by which X wants to be asked for fields; it answers in the same."""

    name: str
    params: dict[str, str]

    @property
    def private_params(self) -> dict[str, str]:
        """The same with the counts that only the author sees; of posts older than 30 days there are none."""
        return self.params | {f"{self.name}.fields": self.params[f"{self.name}.fields"] + ",non_public_metrics"}


# "referenced" says what a post replies to: a field of its own before, an expansion since.
POST_WORDS = Vocabulary(
    "post",
    {
        "post.fields": "created_at,entities,note_post,public_metrics",
        "expansions": "referenced_posts",
    },
)
TWEET_WORDS = Vocabulary("tweet", {"tweet.fields": "created_at,entities,note_tweet,public_metrics,referenced_tweets"})

_METRICS = {  # X's name: ours
    "impression_count": "impressions",
    "like_count": "likes",
    "reply_count": "replies",
    "repost_count": "reposts",
    "retweet_count": "reposts",
    "quote_count": "quotes",
    "bookmark_count": "bookmarks",
}
_PRIVATE_METRICS = {"url_link_clicks": "clicks", "user_profile_clicks": "profile_clicks", "engagements": "engagements"}
_ACCOUNT_METRICS = {
    "followers_count": "followers",
    "following_count": "following",
    "post_count": "posts",
    "tweet_count": "posts",
    "listed_count": "listed",
}
_MEDIA_PATH = re.compile(r"/status/(\d+)/(photo|video)/\d+$")


def build_post(part: Part, *, media_ids: Sequence[str], reply_to: str | None) -> dict[str, Any]:
    """Build the body of `POST /2/tweets`, which takes no key it does not know."""
    body: dict[str, Any] = {}
    if part.text:
        body["text"] = part.text
    if media_ids:
        body["media"] = {"media_ids": list(media_ids)}
    if reply_to is not None:
        body["reply"] = {"in_reply_to_tweet_id": reply_to}
    if part.options.get("ai") == "yes":
        body["made_with_ai"] = True  # only when true: older versions refuse the key
    if part.options.get("replies") and reply_to is None:
        body["reply_settings"] = part.options["replies"]
    return body


def read_published(reply: Reply, *, web_base_url: str) -> Published:
    """Read the answer to a created post. An id means that it is live, whatever `errors` stand beside it.

    Raises:
        UnknownOutcome: X said yes, but not in words we can read.
    """
    post = read_answer(_Created, reply, lost_means=UnknownOutcome).data
    return Published(
        platform_post_id=post.id,
        url=build_post_url(post.id, web_base_url=web_base_url),
        request_id=reply.request_id or "",
        http_status=reply.status,
    )


def read_profile(reply: Reply, *, web_base_url: str) -> Profile:
    """Read `GET /2/users/me`.

    Raises:
        Unavailable: the answer cannot be read.
    """
    user = read_answer(_Me, reply).data
    return Profile(
        platform_account_id=user.id, handle=user.username, name=user.name, url=f"{web_base_url}/{user.username}"
    )


def read_capabilities(reply: Reply) -> dict[str, Any]:
    """Read what tier the account has: some may write long posts.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return {"subscription_type": read_answer(_Me, reply).data.subscription_type or "None"}


def read_account_metrics(reply: Reply) -> dict[str, int]:
    """Read an account's own counts.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return pick_counts(read_answer(_Me, reply).data.public_metrics, _ACCOUNT_METRICS)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an account's timeline.

    Args:
        next_token: of the page after it, if there is one.
        is_whole: X sends as many posts as it says it found.
    """

    posts: list[matching.Seen]
    next_token: str | None
    is_whole: bool


def read_timeline(reply: Reply, *, web_base_url: str) -> Page:
    """Read a page of an account's posts, in either vocabulary.

    An empty page counts as one only when X says so in `meta`: that nothing is there is evidence (PUB-6), and an answer with
    nothing but `errors` is none.

    Raises:
        Unavailable: the answer cannot be read.
    """
    page = read_answer(_TimelinePage, reply)
    return Page(
        posts=[_read_post(post, web_base_url=web_base_url) for post in page.data],
        next_token=page.meta.next_token,
        is_whole=(page.meta.result_count or 0) <= len(page.data),
    )


def read_posts(reply: Reply, *, web_base_url: str) -> list[RemotePost]:
    """Read posts looked up by id, in either vocabulary; the ones X does not show are in `errors` and left out.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return [_read_post(post, web_base_url=web_base_url).post for post in read_answer(_Posts, reply).data]


def read_deleted(reply: Reply) -> bool:
    """Say whether X confirms that the post is gone.

    Raises:
        Unavailable: the answer cannot be read.
    """
    return read_answer(_Deleted, reply).data.deleted


def build_page(*, since: datetime | None, wanted: int, next_token: str | None) -> dict[str, str]:
    """Build the query of one page of a timeline.

    Args:
        since: aware; X reads whole seconds, so it is rounded down.
    """
    query = {"max_results": str(min(max(wanted, MIN_PAGE), MAX_IDS))}
    if since is not None:
        query["start_time"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if next_token is not None:
        query["pagination_token"] = next_token
    return query


def read_answer(
    model: type[Model], reply: Reply, *, lost_means: type[Unavailable | UnknownOutcome] = Unavailable
) -> Model:
    """Read an answer of X's; see `psn.platforms.replies`."""
    return replies.read_answer(model, reply, title="X", lost_means=lost_means)


Id = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]


class _Url(Tolerant):
    url: str | None = None
    expanded_url: str | None = None
    media_key: str | None = None


class _Entities(Tolerant):
    urls: list[_Url] | None = None


class _Note(Tolerant):
    text: str
    entities: _Entities | None = None


class _Reference(Tolerant):
    type: str
    id: Id


class _Post(Tolerant):
    id: Id
    text: str
    created_at: Instant
    entities: _Entities | None = None
    note: _Note | None = Field(None, validation_alias=AliasChoices("note_post", "note_tweet"))
    referenced: list[_Reference] = Field([], validation_alias=AliasChoices("referenced_posts", "referenced_tweets"))
    public_metrics: dict[str, Any] = {}
    non_public_metrics: dict[str, Any] = {}  # of posts of the last 30 days


class _Meta(Tolerant):
    next_token: str | None = None
    result_count: int | None = None


class _Posts(Tolerant):
    data: list[_Post] = Field([], max_length=MAX_ENTRIES)  # left out when there is none


class _TimelinePage(_Posts):
    meta: _Meta


class _CreatedPost(Tolerant):
    id: Id


class _Created(Tolerant):
    data: _CreatedPost


class _User(Tolerant):
    id: Id
    username: str = Field(pattern=r"^[A-Za-z0-9_]{1,50}$")  # it becomes part of an address
    name: str = Field("", max_length=500)
    subscription_type: str | None = Field(None, max_length=50)
    public_metrics: dict[str, Any] = {}


class _Me(Tolerant):
    data: _User


class _Deletion(Tolerant):
    deleted: bool


class _Deleted(Tolerant):
    data: _Deletion


def _read_post(post: _Post, *, web_base_url: str) -> matching.Seen:
    written = post.note or post  # a long post is cut off in `text`
    shown = matching.read_shown(written.text, links=_read_links(written.entities or post.entities, post_id=post.id))
    remote = RemotePost(
        platform_post_id=post.id,
        text=matching.restore_text(shown),
        created_at=post.created_at,
        url=build_post_url(post.id, web_base_url=web_base_url),
        in_reply_to=next((reference.id for reference in post.referenced if reference.type == "replied_to"), None),
        metrics=_read_metrics(post),
    )
    return matching.Seen(remote, shown)


def _read_links(entities: _Entities | None, *, post_id: str) -> list[matching.Link]:
    urls = (entities and entities.urls) or []
    return [_read_link(url.url, url, post_id=post_id) for url in urls if url.url]


def _read_link(short: str, url: _Url, *, post_id: str) -> matching.Link:
    """Tell a link to the post's own media from one that the author wrote, which may lead to another post's."""
    leads_to = url.expanded_url or ""
    found = _MEDIA_PATH.search(leads_to)
    if not url.media_key and not (found and found[1] == post_id):
        return matching.Link(short, leads_to)
    if found is None:
        return matching.Link(short, leads_to, media="file")
    return matching.Link(short, leads_to, media="video" if found[2] == "video" else "photo")


def _read_metrics(post: _Post) -> dict[str, int]:
    """Take the counts we know; a missing one stays unknown (ANLYT-1)."""
    return pick_counts(post.non_public_metrics, _PRIVATE_METRICS) | pick_counts(post.public_metrics, _METRICS)
