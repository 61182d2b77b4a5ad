"""LinkedIn's names of things (URNs) and addresses of posts, both ways; pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote, unquote, urlsplit

from psn.errors import InvalidInput

POST_URN = r"urn:li:(?:share|ugcPost|activity):[0-9]{1,19}"
PERSON_PREFIX = "urn:li:person:"
ORGANIZATION_PREFIX = "urn:li:organization:"

_SITES = frozenset({"linkedin.com", "www.linkedin.com", "m.linkedin.com"})
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})  # where the sandbox shows its posts
_ACCOUNT = re.compile(r"urn:li:(?:person:[A-Za-z0-9_-]{1,64}|organization:[0-9]{1,19})")
_POST = re.compile(POST_URN)
_COMMENT = re.compile(r"urn:li:comment:\(((?:urn:li:)?(?:share|ugcPost|activity):[0-9]{1,19}),([0-9]{1,19})\)")
# `/posts/jane-doe_some-words-activity-7141138937766391808-AbCd`
_SLUG_PATH = re.compile(r"/posts/.*-(share|ugcPost|activity)-([0-9]{10,19})(?:-[\w-]+)?")


def check_account_urn(urn: str) -> str:
    """Give back the name of a person or an organization.

    Raises:
        InvalidInput: it is neither.
    """
    if not _ACCOUNT.fullmatch(urn):
        raise InvalidInput(
            f"{urn!r} names no account on LinkedIn. A page's name looks like urn:li:organization:1234.",
            code="linkedin.account",
        )
    return urn


def is_organization(urn: str) -> bool:
    """Say whether an account is a page."""
    return urn.startswith(ORGANIZATION_PREFIX)


def is_post_urn(text: str) -> bool:
    """Say whether this is the name of a post."""
    return _POST.fullmatch(text) is not None


def find_post_urn(text: str) -> str | None:
    """Find the first name of a post in a sentence."""
    found = _POST.search(text)
    return found[0] if found else None


def split_comment_urn(urn: str) -> tuple[str, str] | None:
    """Take a comment's name apart: the post it stands below, and its id there. None when it is no comment's."""
    parts = _COMMENT.fullmatch(urn)
    if parts is None:
        return None
    post = parts[1] if parts[1].startswith("urn:li:") else f"urn:li:{parts[1]}"
    return post, parts[2]


def build_comment_urn(post_urn: str, comment_id: str) -> str:
    """Build a comment's name."""
    return f"urn:li:comment:({post_urn},{comment_id})"


def encode_urn(urn: str) -> str:
    """Encode a name for a path or a Rest.li list: its colons, and a comment's brackets and comma."""
    return quote(urn, safe="")


def read_created_at(urn: str) -> datetime:
    """Read when a post was made out of its name: the number's bits above the 22nd are Unix milliseconds.

    Not documented; holds for every share and ugcPost whose date is known (urn:li:share:7141138937766391808 is of 2023-12-14).
    """
    return datetime.fromtimestamp((int(urn.rpartition(":")[2]) >> 22) / 1000, tz=UTC)


def build_post_url(urn: str, *, web_base_url: str) -> str:
    """Build the address where people see a post, or a post with one of its comments opened."""
    comment = split_comment_urn(urn)
    if comment is None:
        return f"{web_base_url}/feed/update/{urn}"
    return f"{web_base_url}/feed/update/{comment[0]}?commentUrn={encode_urn(urn)}"


def read_post_url(url: str) -> str:
    """Read LinkedIn's name of a post out of the address that a person pasted, or out of the bare name.

    The address of a comment gives the comment's name.

    Raises:
        InvalidInput: it is not the address of a post on LinkedIn, or on a sandbox of this machine.
    """
    pasted = url.strip()
    if _POST.fullmatch(pasted) or split_comment_urn(pasted):
        return pasted
    found = _read_address(pasted)
    if found is None:
        raise InvalidInput(
            "This is not the address of a post on LinkedIn. One looks like "
            "https://www.linkedin.com/feed/update/urn:li:share:7141138937766391808 (under the post: … → Copy link to post).",
            code="url.post",
        )
    return found


def _read_address(pasted: str) -> str | None:
    try:
        address = urlsplit(pasted if "://" in pasted else f"https://{pasted}")  # browsers hide the scheme
        if address.scheme not in ("http", "https") or address.hostname not in _SITES | _THIS_MACHINE:
            return None
    except ValueError:
        return None
    for comment in parse_qs(address.query).get("commentUrn", []):
        if split_comment_urn(comment):
            return comment
    path = unquote(address.path).rstrip("/")
    if (slug := _SLUG_PATH.search(path)) is not None:
        return f"urn:li:{slug[1]}:{slug[2]}"
    last = path.rpartition("/")[2]
    return last if "/feed/update/" in path and _POST.fullmatch(last) else None
