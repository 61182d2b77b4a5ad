"""What a platform can do: the one interface that every vendor's folder offers (PLAT-1)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from psn.deadline import Deadline
from psn.errors import Finding
from psn.oauth.spec import OAuthSpec

PartKind = Literal["post", "comment"]


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file to be published.

    Args:
        mime_type: sniffed from the bytes, not taken from the name.
        alt_text: empty when there is none.
    """

    path: Path
    mime_type: str
    size_bytes: int
    alt_text: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a post: the post itself, the next part of a thread, or its first comment."""

    index: int
    text: str
    media: tuple[MediaFile, ...] = ()
    kind: PartKind = "post"


@dataclass(frozen=True, slots=True)
class Published:
    """The platform's word that a part is live."""

    platform_post_id: str
    url: str
    request_id: str = ""
    http_status: int = 0


@dataclass(frozen=True, slots=True)
class RemotePost:
    """A post as the platform shows it to us.

    Args:
        text: with links expanded back to what the author wrote.
        metrics: totals since publication by the field's name (`impressions`, `likes`, …); an absent name is unknown, not zero.
    """

    platform_post_id: str
    text: str
    created_at: datetime
    url: str
    in_reply_to: str | None
    metrics: dict[str, int]


@dataclass(frozen=True, slots=True)
class Profile:
    """Who an access token belongs to."""

    platform_account_id: str
    handle: str
    name: str
    url: str


class Adapter(Protocol):
    """A connected account on a platform: sends requests, nothing else.

    Every method raises from `psn.errors.PlatformError`'s tree and nothing else.
    """

    def fetch_profile(self) -> Profile:
        """Ask who the token belongs to."""
        ...

    def upload_media(self, media: MediaFile) -> str:
        """Upload one file and give the platform's media id. Repeatable and harmless."""
        ...

    def create_post(
        self, part: Part, *, media_ids: Sequence[str], reply_to: str | None, send_before: Deadline | None
    ) -> Published:
        """Make one part public: the one call that cannot be taken back.

        Args:
            reply_to: the platform's id of the part before this one.
            send_before: after it no byte may leave any more; None for no deadline.

        Raises:
            UnknownOutcome: the part may be live.
            Unavailable: surely not sent.
        """
        ...

    def fetch_recent_posts(self, *, since: datetime | None = None, limit: int = 20) -> list[RemotePost]:
        """Read the account's own newest posts, newest first."""
        ...

    def find_published(
        self, part: Part, *, since: datetime, reply_to: str | None, known_ids: Collection[str]
    ) -> Published | None:
        """Look for a part among the account's own posts, after a call whose outcome nobody knows (PUB-6).

        None means that everything since then was looked at and it is not there. Of several that may be it, the earliest.

        Args:
            since: aware; when the doubtful call began. Clocks may differ by some seconds.
            reply_to: the platform's id of what the part replies to; None finds only a post that replies to nothing.
            known_ids: platform ids that are linked to other parts already; never taken.

        Raises:
            Unavailable: not everything could be looked at, or what is there cannot be told from the part.
        """
        ...

    def fetch_posts(self, platform_post_ids: Sequence[str]) -> list[RemotePost]:
        """Read posts by id with their metrics; ids the platform does not know are left out."""
        ...

    def delete_post(self, platform_post_id: str) -> None:
        """Delete one own post. One that is already gone is no error."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Witness:
    """How a platform bears witness to a call whose outcome nobody knows (PUB-6).

    Args:
        kind: `none`: not at all, a person must look; `repeat`: the same call again is answered with the first one's post;
            `ask`: it can be asked about the very call; `search`: the part can be looked for (`Adapter.find_published`).
        looks: how long after the end of the doubtful call to look. Absent at every one of them is evidence of absence.
        duplicate_codes: codes of refusals which, after our own doubtful call, say that the part is probably out.
    """

    kind: Literal["none", "repeat", "ask", "search"]
    looks: tuple[timedelta, ...] = ()
    duplicate_codes: frozenset[str] = frozenset()


class Connect(Protocol):
    """Makes the adapter of one account."""

    def __call__(
        self, api_base_url: str, token: str, timeout_seconds: float | None = None, account_id: str | None = None
    ) -> Adapter:
        """Make it.

        Args:
            account_id: the platform's own of the profile, where it is known.
            timeout_seconds: for a whole call; the HTTP layer's own when left out.

        Raises:
            InvalidInput: the address is unsafe, or the token could not stand in a header.
        """
        ...


@dataclass(frozen=True, slots=True)
class Platform:
    """One vendor's declaration.

    Args:
        name: in code, tables and JSON: `x`.
        api_base_url: where the API lives unless an account says otherwise.
        web_base_url: where people look at posts and authorize apps; with an account's own base URL, that serves both.
        check_parts: the platform's own limits, before anything is sent; pure.
        connect: makes the adapter from (base URL, access token) and, if need be, a time-out for its calls.
        read_post_url: the platform's id of a post from its address, or from the bare id; raises InvalidInput (`url.post`).
        witness: how it can tell what became of a call.
    """

    name: str
    title: str
    api_base_url: str
    web_base_url: str
    oauth: OAuthSpec
    check_parts: Callable[[Sequence[Part]], list[Finding]]
    connect: Connect
    read_post_url: Callable[[str], str]
    witness: Witness = Witness("none")
