"""Media given by their address: fetched from the public internet, and from nowhere else.

Whoever wrote the address may have had a router, a metadata service of a cloud or a database on this machine in mind. So every
address that a host resolves to must be a public one, the connection goes to exactly the one that was looked at, and the same
is asked anew of every redirect.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from psn.errors import InvalidInput, Unavailable
from psn.media.fitted import keep_file, unwritable, working_file
from psn.media.sniff import sniff_mime_type

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

MAX_REDIRECTS = 5
MAX_ADDRESSES = 3  # of a host, tried one after the other
MAX_URL_CHARACTERS = 4096
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_LATER = frozenset((408, 425, 429))
# Not public either, whatever `is_global` says: other addresses wrapped up (IPv4-mapped and -compatible, Teredo, 6to4, NAT64),
# and what was given back (6to4 relays, site-local).
_WRAPPED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10",
        "192.88.99.0/24",
    )
)  # fmt: skip


def is_public(address: IpAddress) -> bool:
    """Say whether an address is on the public internet, for itself and not as a way to another."""
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address.version == network.version and address in network for network in _WRAPPED)


def resolve_host(host: str, port: int) -> list[str]:
    """Ask for the addresses of a host; everything the system takes for an address comes back as it will be called.

    Raises:
        OSError: there are none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def fetch_media(
    url: str,
    out_dir: Path,
    *,
    max_bytes: int,
    seconds: float,
    resolve: Resolve = resolve_host,
    is_allowed: Callable[[IpAddress], bool] = is_public,
) -> Path:
    """Fetch an image, a video or a document; the file is named for its content.

    Args:
        url: https.
        seconds: for all of it, redirects included.
        resolve: host and port to addresses; may raise OSError.
        is_allowed: which addresses may be called.

    Raises:
        InvalidInput: the address leads elsewhere than to the public internet (`media.url`), there is nothing (`media.url`), it is
            too large (`media.too_large`) or no such file (`media.type`).
        Unavailable: it cannot be had just now; another try may do (`media.unreachable`).
    """
    errand = _Errand(max_bytes, time.monotonic() + seconds, resolve, is_allowed)
    with working_file(out_dir) as path:
        _fetch(url, path, errand)
        return keep_file(path, mime_type=sniff_mime_type(path))


@dataclass(frozen=True, slots=True)
class _Errand:
    """What holds for all of a fetch, redirects included."""

    max_bytes: int
    ends_at: float  # monotonic
    resolve: Resolve
    is_allowed: Callable[[IpAddress], bool]

    def left(self, host: str) -> float:
        """Give the seconds that are left."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise Unavailable(f"{host} took too long.", code="media.unreachable")
        return left


def _fetch(url: str, path: Path, errand: _Errand) -> None:
    for _ in range(MAX_REDIRECTS + 1):
        parts = _check_url(url)
        redirect = _ask(parts, path, errand)
        if redirect is None:
            return
        url = urljoin(url, redirect)
    raise InvalidInput(
        f"The address leads on and on, over {MAX_REDIRECTS} times. Give the file's own.", code="media.url"
    )


def _ask(parts: SplitResult, path: Path, errand: _Errand) -> str | None:
    """Download a file, or give the address that it is said to be at."""
    from psn.http import download  # here, because it brings the HTTP library and most posts fetch nothing

    host = parts.hostname or ""
    trouble: Unavailable | None = None
    for address in _find_addresses(parts, errand):
        try:
            with path.open("wb") as stream:
                answer = download(
                    parts.geturl(), address=address, to=stream, max_bytes=errand.max_bytes, seconds=errand.left(host)
                )
        except Unavailable as problem:
            trouble = problem
            continue
        except OSError as problem:
            raise unwritable(path.parent, problem) from problem
        errand.left(host)  # an answer that was cut off because time was up may look whole
        return _read_answer(answer.status, answer.headers.get("location", ""), host)
    raise Unavailable(f"{host} cannot be reached just now. Try again later.", code="media.unreachable") from trouble


def _read_answer(status: int, location: str, host: str) -> str | None:
    if status == 200:
        return None
    if status in _REDIRECTS and location:
        return location
    if status >= 500 or status in _LATER:
        raise Unavailable(f"{host} answered {status}. Try again later.", code="media.unreachable", http_status=status)
    raise InvalidInput(f"{host} answered {status}: there is no file for everybody at this address.", code="media.url")


def _check_url(url: str) -> SplitResult:
    """Accept an address as browsers do, with its host in ASCII."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        netloc = (f"[{host}]" if ":" in host else host) + (f":{parts.port}" if parts.port is not None else "")
        good = parts.port != 0 and len(url) <= MAX_URL_CHARACTERS and not re.search(r"[\s\\\x00-\x1f\x7f]", url)
    except ValueError:  # of which UnicodeError is one
        parts, host, netloc, good = SplitResult("", "", "", "", ""), "", "", False
    if not good or not host or parts.scheme not in ("https", "http") or parts.username or parts.password:
        raise InvalidInput(
            "An address looks like https://example.com/picture.jpg, without a name or password in it.", code="media.url"
        )
    return parts._replace(netloc=netloc)


def _find_addresses(parts: SplitResult, errand: _Errand) -> list[str]:
    """Resolve a host once, and refuse it when any of its addresses may not be called."""
    host = parts.hostname or ""
    errand.left(host)
    try:
        found = list(errand.resolve(host, parts.port or (443 if parts.scheme == "https" else 80)))
    except (OSError, UnicodeError) as problem:
        raise Unavailable(f"{host} has no address just now.", code="media.unreachable") from problem
    for text in found:
        _check_address(text, parts, errand)
    return found[:MAX_ADDRESSES]


def _check_address(text: str, parts: SplitResult, errand: _Errand) -> None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        address = None
    if address is None or not errand.is_allowed(address):
        raise InvalidInput(
            f"{parts.hostname} is not on the public internet ({text}). Give a file instead.", code="media.url"
        )
    if parts.scheme != "https" and not address.is_loopback:
        raise InvalidInput(
            f"{parts.hostname} would be asked without encryption. Give an https address.", code="media.url"
        )
