"""Where LinkedIn wants uploaded bytes: addresses that it hands out, which may lead anywhere, and who sees our token there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from psn.errors import InvalidInput, Unavailable
from psn.http import Http, Reply, check_base_url

_ADDRESS = re.compile(r"[\x21-\x7e]{1,8192}")  # what can stand in a request line


class Stores:
    """The connections to where an account's uploads go.

    Args:
        home: base URL of all other calls.
    """

    def __init__(self, home: str, *, token: str) -> None:
        self._home = urlsplit(home)
        self._token = token
        self._opened: dict[tuple[str, bool], Http] = {}  # by origin and whether it sees the token

    def close(self) -> None:
        """Close the connections."""
        for http in self._opened.values():
            http.close()

    def put(
        self, url: str, content: bytes | Iterable[bytes], *, size_bytes: int, timeout_seconds: float, with_token: bool
    ) -> Reply:
        """Put bytes at an address that LinkedIn gave.

        Args:
            with_token: the address wants to see our token. It does so only at LinkedIn itself, and where all other calls go.

        Raises:
            Unavailable: the address is unsafe, or no complete answer came.
        """
        parts = self._split(url)
        http = self._open(parts, with_token=with_token and self._is_trusted(parts))
        return http.read(
            "PUT",
            f"{parts.path}?{parts.query}" if parts.query else parts.path,
            content=content,
            headers={"content-type": "application/octet-stream", "content-length": str(size_bytes)},
            timeout_seconds=timeout_seconds,
        )

    def _open(self, parts: SplitResult, *, with_token: bool) -> Http:
        key = (f"{parts.scheme}://{parts.netloc}", with_token)
        if key not in self._opened:
            self._opened[key] = Http(key[0], token=self._token if with_token else None)
        return self._opened[key]

    def _split(self, url: str) -> SplitResult:
        """Take an address apart: https anywhere, http on this machine and only when all other calls go there, too."""
        try:
            parts = urlsplit(url)
            check_base_url(f"{parts.scheme}://{parts.netloc}")
        except (InvalidInput, ValueError):
            parts = SplitResult("", "", "", "", "")
        if not _ADDRESS.fullmatch(url) or parts.scheme not in ("https", self._home.scheme):
            raise Unavailable("LinkedIn gave an unsafe address for the upload.", code="linkedin.upload_address")
        return parts

    def _is_trusted(self, parts: SplitResult) -> bool:
        is_home = (parts.scheme, parts.netloc) == (self._home.scheme, self._home.netloc)
        return is_home or (parts.scheme == "https" and f".{parts.hostname}".endswith(".linkedin.com"))
