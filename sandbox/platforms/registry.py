"""Which platforms there are, and what the rest of the sandbox must know of each."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Protocol

from django.http import HttpRequest, HttpResponse

if TYPE_CHECKING:  # declarations are read before Django is set up
    from sandbox.models import Post

# dotted names of the declarations, in the order in which people see them
PLATFORMS = {
    "x": "sandbox.platforms.x",
    "linkedin": "sandbox.platforms.linkedin",
    "instagram": "sandbox.platforms.instagram",
    "tiktok": "sandbox.platforms.tiktok",
    "bluesky": "sandbox.platforms.bluesky",
    "mastodon": "sandbox.platforms.mastodon",
    "threads": "sandbox.platforms.threads",
}


class Canned(Protocol):
    """Gives any refusal on order, in the platform's own shape."""

    def __call__(self, status: int, *, retry_after: int | None, now: datetime) -> HttpResponse:
        """Make it.

        Args:
            status: 400 to 599.
            retry_after: seconds until it is over, in whatever header the platform tells it; None when nobody said.
        """
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a shown text: where it stands (code points), where it leads, and its tooltip."""

    start: int
    end: int
    url: str
    title: str = ""
    shown: str = ""  # instead of the text at that place


@dataclass(frozen=True, slots=True)
class ShownText:
    """A post's text as a reader sees it. Everything is escaped later; `links` are in order and do not overlap."""

    text: str
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True)
class SandboxPlatform:
    """One platform's declaration.

    Args:
        name: the first part of its paths: `x`.
        title: for people: `LinkedIn`.
        urls: dotted name of the module whose `urlpatterns` lie below `/<name>/`.
        canned: the answer to a call that was ordered to be refused.
        commit: the call that makes a post public, as method and path; where there are several, the usual one.
        post_path, profile_path: where people look at a post, or at an account, below `/<name>`; each begins with a slash.
        handle_pattern: of what people type on a consent page, after `@` is taken off and it is in lower case; fullmatch.
        handle_hint: the same in words: "1 to 15 letters, digits or underscores".
        expire_token: ends a call's access token; None for the usual bearer token or `access_token` parameter.
        show_counts: what the feed tells of a post of this age: (plural label, count); None for views and likes.
        show_text: the text as a reader sees it; None for the post's text with its http links marked.
        noun: what it calls a post.
        mark, colour: one or two letters on a colour (CSS), by which people tell platforms at a glance.
        request_id_header: the header in which every answer carries the journal's request id; empty for none.
    """

    name: str
    title: str
    urls: str
    canned: Canned
    commit: str
    post_path: Callable[[Post], str]
    profile_path: Callable[[str], str]
    handle_pattern: str = r"[a-z0-9_]{1,30}"
    handle_hint: str = "1 to 30 letters, digits or underscores"
    expire_token: Callable[[HttpRequest], None] | None = None
    show_counts: Callable[[Post, timedelta], Sequence[tuple[str, int]]] | None = None
    show_text: Callable[[Post], ShownText] | None = None
    noun: str = "post"
    mark: str = "?"
    colour: str = "#6b7280"
    request_id_header: str = "x-request-id"


@cache
def platforms() -> dict[str, SandboxPlatform]:
    """Give all platforms by name, in a stable order."""
    return {name: importlib.import_module(module).PLATFORM for name, module in PLATFORMS.items()}


def get_platform(name: str) -> SandboxPlatform:
    """Give the platform with this name; KeyError when there is none."""
    return platforms()[name]
