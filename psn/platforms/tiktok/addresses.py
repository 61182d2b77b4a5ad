"""Addresses of posts on TikTok, and the two kinds of ids that stand for one; pure."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from psn.errors import InvalidInput

_SITES = frozenset({"tiktok.com", "www.tiktok.com", "m.tiktok.com"})
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})  # where the sandbox shows its posts
_ADDRESS = re.compile(r"(?:https://|http://(?:127\.0\.0\.1|localhost)[:/])[\x21-\x7e]{1,2000}")
_POST_ID = re.compile(r"[1-9][0-9]{5,19}")  # 64 bits
_POST_PATH = re.compile(r"(?:/tiktok)?/@[A-Za-z0-9_.]{1,24}/(?:video|photo)/([1-9][0-9]{5,19})/?")


def build_profile_url(handle: str, *, web_base_url: str) -> str:
    """Build the address of an account's page."""
    return f"{web_base_url}/@{quote(handle, safe='')}"


def is_post_id(post_id: str) -> bool:
    """Say whether this is the id of a public post; a publish id is what stands for a post that has none (yet)."""
    return _POST_ID.fullmatch(post_id) is not None


def strip_tracking(url: str) -> str:
    """Give the address without what TikTok hangs on it to see where visitors come from; empty when it is no web address."""
    return url.partition("?")[0] if _ADDRESS.fullmatch(url) else ""


def read_post_url(url: str) -> str:
    """Read TikTok's id of a post out of the address that a person pasted, or out of the bare id.

    Raises:
        InvalidInput: it is not the address of a post on TikTok, or on a sandbox of this machine. A short link of the app's
            (vm.tiktok.com) does not hold the id.
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
            "This is not the address of a post on TikTok. One looks like "
            "https://www.tiktok.com/@handle/video/7411111111111111111; open a short link in a browser to see it.",
            code="url.post",
        )
    return found[1]
