r"""LinkedIn's little text: what a post's `commentary` is written in.

learn.microsoft.com/linkedin/marketing/community-management/shares/little-text-format (read 2026-11-20). Brackets and the like
mean something there; one that was meant as itself and not escaped may silently cut the rest of a post off.

People write a mention as `@[Exact Name](urn:li:organization:123)`, here and at LinkedIn alike. Hashtags are written plainly.
"""

from __future__ import annotations

import re

from psn.text.spans import Span
from psn.text.tags import find_hashtags

RESERVED = r"\|{}@[]()<>#*_~"

MENTION = re.compile(r"@\[(?P<name>[^\[\]\r\n]+)\]\((?P<urn>urn:li:[A-Za-z]+:[A-Za-z0-9_-]+)\)")
_RESERVED = re.compile(f"[{re.escape(RESERVED)}]")
_ESCAPED = re.compile(rf"\{{hashtag\|\\#\|(?P<tag>[^|{{}}]*)\}}|\\(?P<plain>[{re.escape(RESERVED)}])")


def escape(text: str) -> str:
    """Write a text as little text: everything stands for itself but mentions and hashtags."""
    elements = sorted((*_find_mentions(text), *_find_hashtags(text)), key=lambda element: element[0].start)
    written, position = [], 0
    for span, little in elements:
        if span.start >= position:  # a hashtag inside of a mention's name is a part of the name
            written += [_escape_plain(text[position : span.start]), little]
            position = span.end
    return "".join((*written, _escape_plain(text[position:])))


def unescape(little: str) -> str:
    """Read the text back that `escape` wrote."""
    return _ESCAPED.sub(_read_element, little)


def show(text: str) -> str:
    """Give what readers see of a text: of a mention, its name."""
    return MENTION.sub(lambda mention: mention["name"], text)


def _escape_plain(text: str) -> str:
    return _RESERVED.sub(r"\\\g<0>", text)


def _find_mentions(text: str) -> list[tuple[Span, str]]:
    return [
        (Span(*mention.span(), mention.group()), f"@[{_escape_plain(mention['name'])}]({mention['urn']})")
        for mention in MENTION.finditer(text)
    ]


def _find_hashtags(text: str) -> list[tuple[Span, str]]:
    return [(tag, _write_hashtag(tag)) for tag in find_hashtags(text)]


def _write_hashtag(tag: Span) -> str:
    """Leave it as it is where it holds nothing that is reserved but its mark; a template holds any."""
    plain = tag.text[1:]
    if tag.text[0] != "#" or not _RESERVED.search(plain):
        return tag.text[0] + _escape_plain(plain)
    return rf"{{hashtag|\#|{_escape_plain(plain)}}}"


def _read_element(element: re.Match[str]) -> str:
    if element["plain"] is not None:
        return element["plain"]
    return "#" + unescape(element["tag"])
