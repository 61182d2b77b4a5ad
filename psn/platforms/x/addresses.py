"""Addresses of posts on X, both ways; pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from psn.errors import InvalidInput

_SITES = frozenset({"x.com", "www.x.com", "mobile.x.com", "twitter.com", "www.twitter.com", "mobile.twitter.com"})
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})  # where the sandbox shows its posts
_POST_ID = re.compile(r"[1-9][0-9]{0,18}")  # 64 bits. X API v2.167: `PostId`
# `/handle/status/7`, `/i/web/status/7`, `/x/handle/status/7`; what follows the id points into the post: `/photo/1`
_POST_PATH = re.compile(r"(?:/[A-Za-z0-9_]{1,15}){1,3}/status(?:es)?/([1-9][0-9]{0,18})(?:/(?:photo|video)/[0-9])?/?")


def build_post_url(post_id: str, *, web_base_url: str) -> str:
    """Build the address where people see a post. X leads from it to the one with the author's handle."""
    return f"{web_base_url}/i/web/status/{post_id}"


def read_post_url(url: str) -> str:
    """Read X's id of a post out of the address that a person pasted, or out of the bare id.

    Raises:
        InvalidInput: it is not the address of a post on X, or on a sandbox of this machine.
    """
    pasted = url.strip()
    if _POST_ID.fullmatch(pasted):
        return pasted
    try:
        address = urlsplit(pasted if "://" in pasted else f"https://{pasted}")  # browsers hide the scheme
        is_known = address.scheme in ("http", "https") and address.hostname in _SITES | _THIS_MACHINE
    except ValueError:
        is_known = False
    found = _POST_PATH.fullmatch(address.path) if is_known else None
    if found is None:
        raise InvalidInput(
            "This is not the address of a post on X. One looks like https://x.com/handle/status/1234567890123456789.",
            code="url.post",
        )
    return found[1]
