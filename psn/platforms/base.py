"""What a platform can do: the one interface that every vendor's folder offers (PLAT-1).

A part goes out in four steps, of which only the third cannot be taken back:

    upload_media → prepare_post → create_post → (doubt?) find_published
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from psn.deadline import Deadline
from psn.errors import Finding
from psn.media.facts import MediaFacts, Target
from psn.oauth.spec import SignIn

PartKind = Literal["post", "comment"]
Ability = Literal[
    "text", "thread", "comment", "image", "images", "gif", "video", "reel", "story", "document", "article",
    "inbox", "metrics", "account_metrics", "recent", "delete", "organization",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file to be published.

    Args:
        mime_type: sniffed from the bytes, not taken from the name.
        alt_text: empty when there is none.
        facts: what is inside; None when nobody looked.
        public_url: where the platform can fetch the file, for those that fetch (`Platform.fetches`); empty elsewhere.
    """

    path: Path
    mime_type: str
    size_bytes: int
    alt_text: str = ""
    facts: MediaFacts | None = None
    public_url: str = field(default="", repr=False)  # signed: whoever has it has the file

    @property
    def kind(self) -> str:
        """`image`, `video`, or `document`."""
        major = self.mime_type.partition("/")[0]
        return major if major in ("image", "video") else "document"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a post: the post itself, the next part of a thread, or its first comment.

    Args:
        options: of the whole post, the same for each of its parts: what the platform declares in `Platform.options`.
    """

    index: int
    text: str
    media: tuple[MediaFile, ...] = ()
    kind: PartKind = "post"
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """Something a person may choose for a post besides its text and media.

    Args:
        name: in the command line and in JSON: `visibility`.
        meaning: one line for people.
        choices: the values there are; empty for a free text.
    """

    name: str
    meaning: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is known of an account when its posts are checked.

    Args:
        capabilities: as `Adapter.fetch_capabilities` gave it when last asked; empty when nobody asked.
        scopes: granted; empty when unknown.
    """

    capabilities: Mapping[str, Any] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset()


NOTHING_KNOWN = AccountFacts()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A part that is ready: everything is done but the one call (PUB-3).

    Args:
        reference: by which the platform tells this call from any other: an idempotency key, a record with its key, the id of
            a container. Stored before the call; whoever doubts it later asks with it. Empty where there is no such thing.
        handle: what the call needs besides, like an upload address; never stored.
    """

    reference: str = ""
    handle: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Published:
    """The platform's word that a part is live.

    Args:
        delivered: not live: it lies in the platform's app, where a person must finish it.
    """

    platform_post_id: str
    url: str
    request_id: str = ""
    http_status: int = 0
    delivered: bool = False


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


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What is left of an endpoint's limit, as the platform's headers said last (PLAT-3)."""

    limit: int
    remaining: int
    resets_at: datetime


class Adapter(Protocol):
    """A connected account on a platform: sends requests, nothing else.

    Every method raises from `psn.errors.PlatformError`'s tree and nothing else.

    Attributes:
        rate_limits: by endpoint (`POST /2/tweets`), as headers said last; empty where a platform says nothing.
    """

    rate_limits: dict[str, RateLimit]

    def fetch_profile(self) -> Profile:
        """Ask who the token belongs to."""
        ...

    def fetch_capabilities(self) -> dict[str, Any]:
        """Ask what this very account may do: an instance's limits, a tier, a creator's choices. JSON; empty where all are alike."""
        ...

    def fetch_account_metrics(self) -> dict[str, int]:
        """Read the account's own counts (`followers`, `following`, `posts`, …); an absent name is unknown, not zero."""
        ...

    def upload_media(self, media: MediaFile) -> str:
        """Upload one file and give the platform's media id; where the platform fetches, its address. Repeatable and harmless."""
        ...

    def prepare_post(self, part: Part, *, media_ids: Sequence[str], reply_to: str | None, former: str) -> Prepared:
        """Do everything that can be done before the one call, and that nobody sees. Repeatable and harmless.

        Args:
            reply_to: the platform's id of the part before this one.
            former: the reference of an earlier call of this part that may have arrived; empty when there was none, or
                when it is of no use any more. Where a platform can make a repeat the same call, this makes it so.

        Raises:
            Rejected: the platform does not take it.
        """
        ...

    def create_post(
        self,
        part: Part,
        *,
        media_ids: Sequence[str],
        reply_to: str | None,
        prepared: Prepared,
        send_before: Deadline | None,
    ) -> Published:
        """Make one part public: the one call that cannot be taken back.

        Args:
            reply_to: the platform's id of the part before this one.
            send_before: after it no byte may leave any more; None for no deadline.

        Raises:
            UnknownOutcome: the part may be live.
            Unavailable: surely not sent.
            Duplicate: the platform has it, and says where.
        """
        ...

    def find_published(
        self, part: Part, *, reference: str, since: datetime, reply_to: str | None, known_ids: Collection[str]
    ) -> Published | None:
        """Find out what became of a call whose outcome nobody knows (PUB-6).

        None means that the platform was asked, or everything since then was looked at, and the part is not there. Of several
        that may be it, the earliest.

        Args:
            reference: of the doubtful call, as `prepare_post` gave it.
            since: aware; when the doubtful call began. Clocks may differ by some seconds.
            reply_to: the platform's id of what the part replies to; None finds only a post that replies to nothing.
            known_ids: platform ids that are linked to other parts already; never taken.

        Raises:
            Unavailable: not everything could be looked at, or what is there cannot be told from the part; later it may.
            UnknownOutcome: the platform shows no such thing, now or later.
            CameToNothing: the platform says that this call failed for good, and why.
        """
        ...

    def fetch_recent_posts(self, *, since: datetime | None = None, limit: int = 20) -> list[RemotePost]:
        """Read the account's own newest posts, newest first."""
        ...

    def fetch_posts(self, platform_post_ids: Sequence[str]) -> list[RemotePost]:
        """Read posts by id with their metrics; ids the platform does not know are left out."""
        ...

    def delete_post(self, platform_post_id: str) -> None:
        """Delete one own post. One that is already gone is no error.

        Raises:
            Rejected: the platform keeps it, or has no such call.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Witness:
    """How a platform bears witness to a call whose outcome nobody knows (PUB-6).

    Args:
        looks: how long after the end of the doubtful call to ask it (`Adapter.find_published`). Absent at every one of them
            is evidence of absence. Empty when it cannot be asked.
        repeat_within: for so long after a doubtful call began, the same call again, with the same reference, makes no second
            post; None when it might. It holds for calls with a reference only.
        duplicate_codes: codes of refusals which, after our own doubtful call, say that the part is probably out.
    """

    looks: tuple[timedelta, ...] = ()
    repeat_within: timedelta | None = None
    duplicate_codes: frozenset[str] = frozenset()


class Connect(Protocol):
    """Makes the adapter of one account."""

    def __call__(
        self,
        api_base_url: str,
        token: str,
        timeout_seconds: float | None = None,
        account_id: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Adapter:
        """Make it.

        Args:
            account_id: the platform's own of the profile, where it is known.
            timeout_seconds: for a whole call; the HTTP layer's own when left out.
            settings: of the platform (`Platform.settings`), where they differ from its defaults.

        Raises:
            InvalidInput: the address is unsafe, or the token could not stand in a header.
        """
        ...


@dataclass(frozen=True, slots=True)
class Count:
    """How long a platform thinks a text is.

    Args:
        used, limit: in the platform's own unit.
        unit: its name, for people: `characters`, `graphemes`.
        cut_at: index into the text (code points) behind which the platform hides the rest of a long post; None when it shows all.
    """

    used: int
    limit: int
    unit: str
    cut_at: int | None = None


@dataclass(frozen=True, slots=True)
class Platform:
    """One vendor's declaration.

    Args:
        name: in code, tables and JSON: `x`.
        api_base_url: where the API lives unless an account says otherwise; empty when every account must (an instance).
        web_base_url: where people look at posts and authorize apps; with an account's own base URL, that serves both.
        sign_in: how people connect.
        abilities: what it offers; what is not named is refused before anything is sent.
        options: what a person may choose for a post.
        check_parts: the platform's own limits, before anything is sent; pure.
        count_text: how long it thinks a part's text is, for an account of which this is known.
        pick_target: what it takes for a file of this MIME type in a post with these options; None when it takes no such file.
        connect: makes the adapter from (base URL, access token) and, if need be, a time-out for its calls.
        read_post_url: the platform's id of a post from its address, or from the bare id; raises InvalidInput (`url.post`).
        witness: how it can tell what became of a call.
        fetches: kinds of media (`MediaFile.kind`) that it fetches from a public address instead of taking an upload.
        prepares: `prepare_post` talks to the platform and may take its time.
        posts_per_day: what it lets one account publish in 24 hours; None when it has no such rule.
        settings: its own, with their defaults: the version of its API.
        check_settings: finds out whether `settings` are (still) good, on a day; None where nothing ages.
        price_usd: what it charges the app's owner for publishing these parts, in US dollars; None when it is free.
        handle_pattern: what a handle at the sandbox may look like.
    """

    name: str
    title: str
    api_base_url: str
    web_base_url: str
    sign_in: SignIn
    abilities: frozenset[Ability]
    check_parts: Callable[[Sequence[Part], AccountFacts], list[Finding]]
    count_text: Callable[[str, AccountFacts], Count]
    pick_target: Callable[[str, Mapping[str, str]], Target | None]
    connect: Connect
    read_post_url: Callable[[str], str]
    witness: Witness = field(default_factory=Witness)
    options: tuple[Option, ...] = ()
    fetches: frozenset[str] = frozenset()
    prepares: bool = True
    posts_per_day: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    check_settings: Callable[[Mapping[str, str], date], list[Finding]] | None = None
    price_usd: Callable[[Sequence[Part]], float] | None = None
    handle_pattern: str = r"[A-Za-z0-9_]{1,15}"
