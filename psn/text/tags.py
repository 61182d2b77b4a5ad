"""Hashtags and mentions in a text."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable

from psn.text.expressions import expression
from psn.text.links import find_links
from psn.text.spans import Span

# Letters, marks and digits of any script, with the joiners that Persian, Japanese and Catalan words need inside.
# U+FF03 is a wide `#`, U+FF20 a wide `@`.
_WORD = r"[\p{L}\p{M}\p{N}_]+"
_HASHTAG = (
    r"(?<![\p{L}\p{M}\p{N}_&/#\uff03@])[#\uff03](?=[\p{N}_]*[\p{L}\p{M}])"
    rf"{_WORD}(?:[\u00b7\u30fb\u200c]{_WORD})*"
)
_NAME = r"(?>[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)"  # whole or not at all
_MENTION = re.compile(
    rf"(?<![\w@\uff20/.+-])[@\uff20]{_NAME}(?:@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?)?(?![@\uff20])"
)


def find_hashtags(text: str) -> list[Span]:
    """Find hashtags, in order: `#` and a word of any script that is not a mere number. What stands in a link is none."""
    if "#" not in text and "\uff03" not in text:
        return []
    return _outside_links(text, expression(_HASHTAG).finditer(text))


def find_mentions(text: str) -> list[Span]:
    """Find mentions, in order: `@ana`, `@ana.bsky.social`, `@ana@mastodon.social`. E-mail addresses and what stands in a link are none."""
    return _outside_links(text, _MENTION.finditer(text))


def _outside_links(text: str, found: Iterable[re.Match[str]]) -> list[Span]:
    links = find_links(text)
    ends = [link.end for link in links]
    spans = [Span(match.start(), match.end(), match.group()) for match in found]
    return [span for span in spans if not _is_in_one(span, links, ends)]


def _is_in_one(span: Span, links: list[Span], ends: list[int]) -> bool:
    following = bisect.bisect_right(ends, span.start)  # the first link that ends behind where this begins
    return following < len(links) and span.overlaps(links[following])
