"""Where things are: servers, and the addresses of posts in the protocol and on the web; pure.

atproto.com/specs/at-uri-scheme, /specs/handle, /specs/did, /specs/record-key (read 2026-11-20).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from psn.errors import InvalidInput

API_BASE_URL = "https://bsky.social"  # signs in for all the servers that Bluesky runs itself
VIEW_BASE_URL = "https://public.api.bsky.app"  # what people see, without a token
WEB_BASE_URL = "https://bsky.app"
HOSTED_SUFFIX = ".host.bsky.network"  # of those servers' own names
POSTS = "app.bsky.feed.post"
BROKEN_HANDLE = "handle.invalid"  # stands where a handle no longer leads to its account

HANDLE = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
DID = r"did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]"
KEY = r"[A-Za-z0-9._:~-]{1,512}"

_SITES = frozenset({"bsky.app", "www.bsky.app", "staging.bsky.app", "main.bsky.dev"})
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})  # where the sandbox shows its posts
_POST_URI = re.compile(rf"at://({DID}|{HANDLE})/{re.escape(POSTS)}/({KEY})")
_POST_PATH = re.compile(rf"(?:/bluesky)?/profile/({DID}|{HANDLE})/post/({KEY})/?")


@dataclass(frozen=True, slots=True)
class PostUri:
    """The address of a post in the protocol.

    Args:
        repo: the author's DID; a handle only where a person gave one.
    """

    repo: str
    rkey: str

    def __str__(self) -> str:
        return f"at://{self.repo}/{POSTS}/{self.rkey}"


def parse_uri(uri: str) -> PostUri:
    """Take the platform's id of a post apart.

    Raises:
        InvalidInput: it is none.
    """
    found = _POST_URI.fullmatch(uri)
    if found is None:
        raise InvalidInput(
            f"This is no id of a post on Bluesky. One looks like at://did:plc:abc/{POSTS}/3kabc.", code="url.post"
        )
    return PostUri(repo=_settle(found[1]), rkey=found[2])


def build_post_url(uri: PostUri, *, handle: str, web_base_url: str) -> str:
    """Build the address where people see a post; by the DID where the handle is broken."""
    author = uri.repo if handle in ("", BROKEN_HANDLE) else handle
    return f"{web_base_url}/profile/{author}/post/{uri.rkey}"


def read_post_url(url: str) -> str:
    """Read Bluesky's id of a post out of the address that a person pasted, or out of the bare id.

    Returns:
        an at-uri; with the author's handle in place of the DID where the address has that.

    Raises:
        InvalidInput: it is not the address of a post on Bluesky, or on a sandbox of this machine.
    """
    pasted = url.strip()
    if pasted.startswith("at://"):
        return str(parse_uri(pasted))
    try:
        address = urlsplit(pasted if "://" in pasted else f"https://{pasted}")  # browsers hide the scheme
        is_known = address.scheme in ("http", "https") and address.hostname in _SITES | _THIS_MACHINE
    except ValueError:
        is_known = False
    found = _POST_PATH.fullmatch(address.path) if is_known else None
    if found is None:
        raise InvalidInput(
            "This is not the address of a post on Bluesky. One looks like https://bsky.app/profile/ana.bsky.social/post/3kabc.",
            code="url.post",
        )
    return str(PostUri(repo=_settle(found[1]), rkey=found[2]))


def _settle(repo: str) -> str:
    """Handles may be written in any case, DIDs may not."""
    return repo if repo.startswith("did:") else repo.lower()
