"""Calls to one of Meta's Graph hosts: the version in the path, the refusals, what the headers say about limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from psn.deadline import Deadline
from psn.errors import Unavailable
from psn.http import Http, Reply
from psn.platforms.base import RateLimit
from psn.platforms.meta import refusals
from psn.platforms.meta.answers import Paging

T = TypeVar("T")
PAGE = 50  # posts a page
MAX_PAGES = 40


class Calls:
    """One account's calls.

    Args:
        name, title: of the platform, in codes and for people.
        version: of the API, the first part of every path: `v25.0`.

    Attributes:
        rate_limits: what the headers said last, in percent of the allowed calls, under `calls`.
    """

    def __init__(
        self, api_base_url: str, *, token: str, name: str, title: str, version: str, timeout_seconds: float
    ) -> None:
        self.http = Http(api_base_url, token=token, timeout_seconds=timeout_seconds)
        self.name = name
        self.title = title
        self.version = version
        self.rate_limits: dict[str, RateLimit] = {}

    def get(self, path: str, *, timeout_seconds: float | None = None, **params: str) -> Reply:
        """Read something; parameters that are empty are left out."""
        given = {key: value for key, value in params.items() if value}
        reply = self.http.read("GET", self._below(path), params=given, timeout_seconds=timeout_seconds)
        return self._checked(reply)

    def post(self, path: str, form: Mapping[str, str]) -> Reply:
        """Make something that nobody sees; may be repeated."""
        return self._checked(self.http.read("POST", self._below(path), form=form))

    def delete(self, path: str) -> Reply:
        """Delete something; may be repeated."""
        return self._checked(self.http.read("DELETE", self._below(path)))

    def commit(self, path: str, form: Mapping[str, str], *, send_before: Deadline | None) -> Reply:
        """Make something public: the call that cannot be taken back.

        Raises:
            Unavailable: surely not sent.
            UnknownOutcome: it may be live.
        """
        reply = self.http.commit("POST", self._below(path), form=form, send_before=send_before)
        return self._checked(reply, commit=True)

    def turn_pages(
        self, path: str, read: Callable[[Reply], tuple[list[T], Paging]], *, fields: str, size: int = PAGE
    ) -> Iterator[list[T]]:
        """Give a list page by page.

        Raises:
            Unavailable: it does not come to an end, and less than everything must not pass for everything.
        """
        after = ""
        for _ in range(MAX_PAGES):
            items, paging = read(self.get(path, after=after, fields=fields, limit=str(max(size, 1))))
            yield items
            if not paging.next or paging.cursors.after in ("", after):
                return
            after = paging.cursors.after
        raise Unavailable(f"{self.title}'s pages do not come to an end.", code=f"{self.name}.endless_pages")

    def _below(self, path: str) -> str:
        return f"/{self.version}{path}"

    def _checked(self, reply: Reply, *, commit: bool = False) -> Reply:
        now = datetime.now(UTC)
        usage = refusals.read_usage(reply.headers, now=now)
        if usage is not None:
            self.rate_limits["calls"] = usage
        return refusals.check_reply(reply, title=self.title, name=self.name, now=now, commit=commit)
