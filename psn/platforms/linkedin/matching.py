"""Whether a post or a comment that LinkedIn shows is a part of ours; pure (PUB-6).

LinkedIn gives a page's commentary back as the little text that was sent, a hashtag perhaps as a template; it may change white
space, and in the worst case has cut the text off. A wrong "it is there" leaves a part unpublished, a wrong "it is not there"
publishes it twice: what begins like ours and stops short is therefore a third answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from psn.errors import Unavailable
from psn.platforms.base import Part
from psn.platforms.linkedin.rules import format_of
from psn.platforms.linkedin.wire import SeenComment, SeenPost

CLOCK_SKEW = timedelta(
    seconds=10
)  # by which our clock may be ahead of LinkedIn's: a laptop just woken is not yet in step

Likeness = Literal["same", "different", "unclear"]


def find_part(
    part: Part, posts: Iterable[SeenPost], *, media_ids: Sequence[str], since: datetime, known_ids: Collection[str]
) -> str | None:
    """Find a part among a page's posts, and give the post's name.

    Args:
        media_ids: names of the files that our call carried.
        since: when we began to send it, by our clock.
        known_ids: posts that are linked to other parts already.

    Raises:
        Unavailable: one of the posts may be it, and nobody can tell.
    """
    others = [
        one for one in posts if one.post.platform_post_id not in known_ids and one.post.created_at >= since - CLOCK_SKEW
    ]
    likeness = {one.post.platform_post_id: _compare(part, one, media_ids=media_ids) for one in others}
    found = [one.post for one in others if likeness[one.post.platform_post_id] == "same"]
    if not found and "unclear" in likeness.values():
        raise Unavailable("One of the page's posts begins like this one and is shorter.", code="linkedin.unclear")
    first = min(found, key=lambda post: (post.created_at < since, post.created_at), default=None)
    return first.platform_post_id if first else None


def find_comment(
    part: Part, comments: Iterable[SeenComment], *, actor: str, since: datetime, known_ids: Collection[str]
) -> str | None:
    """Find a part among the comments below a post, and give the comment's name: the earliest of several."""
    found = [
        one
        for one in comments
        if one.actor == actor
        and one.urn not in known_ids
        and one.created_at >= since - CLOCK_SKEW
        and _normalise(one.text) == _normalise(part.text)
    ]
    first = min(found, key=lambda one: (one.created_at < since, one.created_at), default=None)
    return first.urn if first else None


_BLANKS = re.compile(r"\s+")
# Controls that are not white space, soft hyphen, zero-width space, word joiner, byte order mark: none of them is seen.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff]")


def _compare(part: Part, seen: SeenPost, *, media_ids: Sequence[str]) -> Likeness:
    written, shown = _normalise(part.text), _normalise(seen.post.text)
    if format_of(part) == "article":
        carries_same = bool(seen.link) and (bool(written) or seen.link == part.options.get("link"))
    elif set(media_ids) == set(seen.media_ids) and media_ids:
        return "same"  # a file's name was made for this very call: nothing else carries it
    else:
        carries_same = not media_ids and not seen.media_ids and not seen.link
    if carries_same and written == shown:
        return "same"
    # Cut off, or with files under other names: LinkedIn would have changed more than it is known to.
    return "unclear" if shown and written.startswith(shown) else "different"


def _normalise(text: str) -> str:
    """Give the form that texts share which look the same."""
    return _BLANKS.sub(" ", _UNSEEN.sub("", unicodedata.normalize("NFC", text))).strip()
