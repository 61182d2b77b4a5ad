"""Links in a text: where they begin, and where the sentence goes on."""

from __future__ import annotations

import re

from psn.text.spans import Span

# Quotation marks and the stops and brackets of Chinese and Japanese end a link: nobody sets a blank in front of them.
# A scheme is asked for: without one, where a link ends and a sentence begins differs from platform to platform.
_LINK = re.compile(
    r"(?<![\w@#$])https?://[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b<>\"\u201c\u201d\u00ab\u00bb\u201e\u201f\u3002\u3001\uff0c\uff01\uff1f\uff1b\uff1a\uff09\u300d\u300f\u3011]+",
    re.IGNORECASE,
)
_HOST = re.compile(r"https?://(?:[^/?#@]*@)?(?:[^\W_]|\[[0-9a-f:.]+\])", re.IGNORECASE)
_TRAILING = ".,;:!?'*_~|\u2019\u2018\u2026"
_PAIRS = {")": "(", "]": "[", "}": "{"}


def find_links(text: str) -> list[Span]:
    """Find links with a scheme (http, https), in order.

    What closes the sentence is no part of a link: `.` `,` `!` and the like at its end, and a bracket that opened before it.
    """
    if "://" not in text:
        return []
    spans = []
    for match in _LINK.finditer(text):
        link = _without_tail(match.group())
        if _HOST.match(link):
            spans.append(Span(match.start(), match.start() + len(link), link))
    return spans


def _without_tail(link: str) -> str:
    end = len(link)
    surplus = {closing: link.count(closing) - link.count(opening) for closing, opening in _PAIRS.items()}
    while end:
        last = link[end - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _TRAILING:
            break
        end -= 1
    return link[:end]
