"""Which server an account lives on: from its handle to its DID, from that to the document that names its server (PDS).

atproto.com/specs/handle, /specs/did, /guides/identity (read 2026-11-20). Bluesky's own servers are all spoken to at bsky.social, which
signs in for them; somebody else's is spoken to itself. Only for accounts that were connected without a base URL.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from pydantic import Field

from psn.errors import InvalidInput, NeedsReconnect, Unavailable
from psn.http import Http, check_base_url
from psn.platforms.bluesky import wire
from psn.platforms.bluesky.addresses import API_BASE_URL, DID, HANDLE, HOSTED_SUFFIX, VIEW_BASE_URL
from psn.platforms.bluesky.claims import find_home_of
from psn.platforms.bluesky.refusals import is_handle_unknown
from psn.platforms.replies import Tolerant, read_answer

DIRECTORY_URL = "https://plc.directory"

_SERVICE = "#atproto_pds"
_WEB_HOST = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?")


def choose_base_url(base_url: str, *, token: str) -> str:
    """Give the server to speak to with a token: an account's own base URL, or from bsky.social on the one the token is for.

    The token goes where it came from: the name of the server stands in it because that server put it there.
    """
    return (find_home_of(token) or base_url) if base_url == API_BASE_URL else base_url


def find_home(identifier: str, *, resolver_url: str = VIEW_BASE_URL, directory_url: str = DIRECTORY_URL) -> str:
    """Find the server where somebody signs in.

    Args:
        identifier: handle, DID, or e-mail address; the last only Bluesky's own servers know.

    Returns:
        its base URL; bsky.social for its own servers and for whom nobody knows: it will say so.

    Raises:
        Unavailable: nobody could be asked.
        NeedsReconnect: the account's document does not name the handle, so a password must not go where it leads.
    """
    if re.fullmatch(DID, identifier):
        return _choose(_fetch_document(identifier, directory_url=directory_url))
    if not re.fullmatch(HANDLE, identifier):
        return API_BASE_URL
    did = _resolve_handle(identifier, resolver_url=resolver_url)
    if did is None:
        return API_BASE_URL
    document = _fetch_document(did, directory_url=directory_url)
    if f"at://{identifier.lower()}" not in [name.lower() for name in document.names]:
        raise NeedsReconnect(
            f"{identifier} leads to an account that does not call itself so. Check the handle, or connect by the account's DID.",
            code="bluesky.handle_mismatch",
        )
    return _choose(document)


class _Service(Tolerant):
    id: str = ""
    endpoint: object = Field("", alias="serviceEndpoint")


class _Document(Tolerant):
    """A DID document, as far as it says who somebody is and where they live."""

    names: list[str] = Field([], alias="alsoKnownAs")
    services: list[_Service] = Field([], alias="service")


def _choose(document: _Document) -> str:
    named = [service.endpoint for service in document.services if service.id.endswith(_SERVICE)]
    try:
        home = check_base_url(str(named[0]))
    except (IndexError, InvalidInput):
        raise Unavailable(
            "The account's document names no server that could be asked. Connect it with --base-url.",
            code="bluesky.no_server",
        ) from None
    host = urlsplit(home).hostname or ""
    return API_BASE_URL if host.endswith(HOSTED_SUFFIX) else home


def _resolve_handle(handle: str, *, resolver_url: str) -> str | None:
    with Http(resolver_url) as http:
        reply = http.read("GET", "/xrpc/com.atproto.identity.resolveHandle", params={"handle": handle})
    if is_handle_unknown(reply):
        return None
    return wire.read_did(reply)


def _fetch_document(did: str, *, directory_url: str) -> _Document:
    base_url, path = _locate_document(did, directory_url=directory_url)
    with Http(base_url) as http:
        reply = http.read("GET", path)
    if not 200 <= reply.status < 300:
        raise Unavailable(
            f"The account's document could not be read ({reply.status}). Try again, or connect with --base-url.",
            code="bluesky.no_document",
            http_status=reply.status,
        )
    return read_answer(_Document, reply, title="The directory of accounts")


def _locate_document(did: str, *, directory_url: str) -> tuple[str, str]:
    method, _, name = did.removeprefix("did:").partition(":")
    if method == "plc":
        return directory_url, f"/{quote(did, safe=':')}"
    host = unquote(name)
    if method == "web" and _WEB_HOST.fullmatch(host):
        return f"https://{host}", "/.well-known/did.json"
    raise Unavailable(
        f"PSN cannot look up accounts of the kind did:{method}. Connect it with --base-url.", code="bluesky.no_document"
    )
