"""Addresses of posts on an instance, both ways; pure.

Any host may be an instance, so nothing here knows whether one is: only the shape of the path is looked at. Ids are numbers at
Mastodon itself, and letters and digits at servers that speak its API (Pleroma, GoToSocial).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from psn.errors import InvalidInput

_ID = r"[0-9A-Za-z]{1,64}"
_BARE_ID = re.compile(r"[0-9]{1,20}|[0-9A-Za-z]{18,26}")
# `/@ana/7`, `/@ana@elsewhere.example/7`, `/@ana/statuses/7`, `/users/ana/statuses/7`, `/web/statuses/7`, `/statuses/7`, `/notice/7`;
# below another path at the sandbox. What follows the id shows another view of the post: `/embed`.
_NAME = r"[\w.-]+(?:@[\w.:-]+)?"
_POST_PATH = re.compile(
    rf"(?:/[\w.-]+)*/(?:@{_NAME}|@{_NAME}/statuses|users/{_NAME}/statuses|web/statuses|web/@{_NAME}|statuses|notice)/({_ID})(?:/embed)?/?"
)


def build_post_url(post_id: str, *, base_url: str) -> str:
    """Build an address that leads to a post, for an instance that gives none."""
    return f"{base_url}/statuses/{post_id}"


def read_post_url(url: str) -> str:
    """Read the instance's id of a post out of the address that a person pasted, or out of the bare id.

    Raises:
        InvalidInput: it is not the address of a post.
    """
    pasted = url.strip()
    if _BARE_ID.fullmatch(pasted):
        return pasted
    try:
        address = urlsplit(pasted if "://" in pasted else f"https://{pasted}")  # browsers hide the scheme
        is_web = address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:
        is_web = False
    found = _POST_PATH.fullmatch(address.path) if is_web else None
    if found is None:
        raise InvalidInput(
            "This is not the address of a post on your instance. One looks like https://mastodon.example/@handle/1234567890.",
            code="url.post",
        )
    return found[1]
