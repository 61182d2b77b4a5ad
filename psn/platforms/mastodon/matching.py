"""Whether a status that an instance shows is a part of ours; pure (PUB-6).

A wrong "it is there" leaves a part unpublished, a wrong "it is not there" publishes it twice. An instance that makes more of a
text than Mastodon does (Markdown, for one) may show it so that it cannot be recognised; then its source can be asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from psn.platforms.base import Part, RemotePost
from psn.platforms.mastodon.content import Pieces, is_same_text, squeeze

CLOCK_SKEW = timedelta(
    seconds=10
)  # by which our clock may be ahead of the instance's: a laptop just woken is not yet in step


@dataclass(frozen=True, slots=True)
class Seen:
    """A status of the account with what is needed to recognise it.

    Args:
        mentioned: full names by the address a mention leads to.
        files: how many it carries.
    """

    post: RemotePost
    shown: Pieces
    spoiler: str
    mentioned: Mapping[str, str]
    files: int


@dataclass(frozen=True, slots=True)
class Source:
    """What the author typed, as the instance kept it."""

    text: str
    spoiler: str


def pick_candidates(
    part: Part, seen: Iterable[Seen], *, since: datetime, reply_to: str | None, known_ids: Collection[str]
) -> list[Seen]:
    """Give the statuses that may be the part by everything but their text, the likeliest first.

    Several may be it when the author posted the same by hand: the earliest since `since` comes first, and one from before it
    (the clocks differ) only after those.

    Args:
        since: when we began to send it, by our clock.
        reply_to: what it replies to; None takes only what replies to nothing.
        known_ids: statuses that are linked to other parts already.
    """
    fitting = [
        one
        for one in seen
        if one.post.in_reply_to == reply_to
        and one.post.platform_post_id not in known_ids
        and one.post.created_at >= since - CLOCK_SKEW
        and one.files == len(part.media)
    ]
    return sorted(
        fitting,
        key=lambda one: (one.post.created_at < since, abs(one.post.created_at - since), one.post.platform_post_id),
    )


def shows_part(part: Part, seen: Seen) -> bool:
    """Say whether a status shows the part's text below the part's warning."""
    text, spoiler = _expect(part)
    return squeeze(seen.spoiler) == spoiler and is_same_text(text, seen.shown, mentioned=seen.mentioned)


def is_source_of(part: Part, source: Source) -> bool:
    """Say whether the part is what the author of a status typed."""
    return (squeeze(source.text), squeeze(source.spoiler)) == _expect(part)


def _expect(part: Part) -> tuple[str, str]:
    """Give text and warning as the instance keeps them; a warning above no text becomes the text."""
    text, spoiler = squeeze(part.text), squeeze(part.options.get("spoiler", ""))
    return (text, spoiler) if text else (spoiler, "")
