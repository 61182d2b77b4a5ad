"""Whether one of the account's own posts is a part of ours; pure (PUB-6).

A container that was published does not tell its post's id, so the account's own posts have to. That one of them is it is certain
by then: only which one is asked, and the earliest with the same words since the call began answers it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

CLOCK_SKEW = timedelta(seconds=10)  # by which our clock may be ahead; their timestamps are whole seconds besides


@dataclass(frozen=True, slots=True)
class Seen:
    """A post, or a comment, of the account's own.

    Args:
        shortcode: in its address; empty when unknown.
        kind: of its media, in the platform's words; empty for none.
        product: where it stands there: `FEED`, `REELS`, `STORY`, `THREADS`.
        in_reply_to: of a reply.
    """

    platform_post_id: str
    text: str
    created_at: datetime
    url: str = ""
    shortcode: str = ""
    kind: str = ""
    product: str = ""
    in_reply_to: str | None = None


def find_part(
    text: str,
    seen: Iterable[Seen],
    *,
    since: datetime,
    known_ids: Collection[str],
    reply_to: str | None = None,
    newest: bool = False,
) -> Seen | None:
    """Find the earliest with these words since then that nobody else has claimed.

    Args:
        reply_to: only a reply to this; None for what replies to nothing.
        newest: the latest instead, where nobody knows when the call began.
    """
    wanted = fold_text(text)
    matching = [
        one
        for one in seen
        if one.created_at >= since - CLOCK_SKEW
        and one.in_reply_to == reply_to
        and fold_text(one.text) == wanted
        and not {one.platform_post_id, one.shortcode} & set(known_ids)
    ]
    ordered = sorted(matching, key=lambda one: (one.created_at, int(one.platform_post_id)), reverse=newest)
    return ordered[0] if ordered else None


def is_older(seen: Seen, than: datetime | None) -> bool:
    """Say whether a post is from before an instant; never, where there is none."""
    return than is not None and seen.created_at < than


def fold_text(text: str) -> str:
    """Give a text without what a platform may change in it: the spelling of letters in Unicode, and white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())
