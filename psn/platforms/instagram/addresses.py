"""Addresses of posts on Instagram; pure.

An address holds a post's shortcode, and nothing leads from that to the id that the API wants. So a shortcode stands for the id
until the adapter looks it up among the account's own posts.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from psn.errors import InvalidInput

_SITES = frozenset({"instagram.com", "www.instagram.com", "m.instagram.com"})
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})  # where the sandbox shows its posts
_POST_ID = re.compile(r"[1-9][0-9]{9,24}")
# `/p/CODE/`, `/reel/CODE/`, `/reels/CODE/`, with the handle in front or not; below `/instagram` at the sandbox
_POST_PATH = re.compile(r"(?:/[A-Za-z0-9_.]{1,40}){0,2}/(?:p|reels?|tv)/([A-Za-z0-9_-]{5,40})/?")
_STORY_PATH = re.compile(r"(?:/instagram)?/stories/[A-Za-z0-9_.]{1,40}/([1-9][0-9]{9,24})/?")


def read_post_url(url: str) -> str:
    """Read a post's shortcode, or a story's id, out of the address that a person pasted; or the bare id.

    Raises:
        InvalidInput: it is not the address of a post on Instagram, or on a sandbox of this machine.
    """
    pasted = url.strip()
    if _POST_ID.fullmatch(pasted):
        return pasted
    try:
        address = urlsplit(pasted if "://" in pasted else f"https://{pasted}")  # browsers hide the scheme
        is_known = address.scheme in ("http", "https") and address.hostname in _SITES | _THIS_MACHINE
    except ValueError:
        is_known = False
    found = (_POST_PATH.fullmatch(address.path) or _STORY_PATH.fullmatch(address.path)) if is_known else None
    if found is None:
        raise InvalidInput(
            "This is not the address of a post on Instagram. One looks like https://www.instagram.com/p/DCkkKl_OGb1/.",
            code="url.post",
        )
    return found[1]


def is_shortcode(platform_post_id: str) -> bool:
    """Say whether an id came out of an address and has to be looked up."""
    return not _POST_ID.fullmatch(platform_post_id)
