"""Bluesky: an account's own server (PDS) and the view that everybody reads, on one base URL. Sources stand in each file."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.metrics import count_share
from sandbox.platforms.bluesky.names import HANDLE
from sandbox.platforms.bluesky.problems import canned
from sandbox.platforms.registry import Link, SandboxPlatform, ShownText

if TYPE_CHECKING:
    from sandbox.models import Post

# share of those who saw a post; nobody is told how many those are
RATIOS = {"likeCount": 0.05, "replyCount": 0.006, "repostCount": 0.012, "quoteCount": 0.002, "bookmarkCount": 0.007}
_SHOWN = (("likes", "likeCount"), ("reposts", "repostCount"))


def count(post: Post, name: str, *, age: timedelta) -> int:
    """Say how many people did this with a post of this age."""
    return count_share(post.remote_id, name, age=age, ratio=RATIOS[name])


def show_text(post: Post) -> ShownText:
    """Show a text with what its facets make clickable: a wrong range is seen at once."""
    text: str = post.data["record"]["text"]
    facets = sorted(post.data["record"].get("facets", []), key=lambda facet: facet["index"]["byteStart"])
    links: list[Link] = []
    for facet in facets:
        start, end = (_count_characters(text, facet["index"][name]) for name in ("byteStart", "byteEnd"))
        if facet["features"] and start < end and (not links or links[-1].end <= start):
            links.append(Link(start, end, *_lead(facet["features"][0])))
    return ShownText(text, links)


def _lead(feature: dict[str, str]) -> tuple[str, str]:
    """Say where a facet leads, and its tooltip."""
    if "did" in feature:
        return f"https://bsky.app/profile/{feature['did']}", feature["did"]
    return feature["uri"] if "uri" in feature else f"https://bsky.app/hashtag/{feature['tag']}", ""


def _count_characters(text: str, size: int) -> int:
    return len(text.encode()[:size].decode(errors="ignore"))


PLATFORM = SandboxPlatform(
    name="bluesky",
    title="Bluesky",
    urls="sandbox.platforms.bluesky.urls",
    canned=canned,
    commit="POST /xrpc/com.atproto.repo.putRecord",
    post_path=lambda post: f"/profile/{post.account.handle}/post/{post.data['rkey']}",
    profile_path=lambda handle: f"/profile/{handle}",
    handle_pattern=HANDLE,
    handle_hint="a domain name, like ana.bsky.social",
    show_text=show_text,
    show_counts=lambda post, age: [(label, count(post, name, age=age)) for label, name in _SHOWN],
    colour="#0a7aff",
    mark="B",
    request_id_header="",
)
