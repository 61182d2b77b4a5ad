r"""LinkedIn's little text: what a reader sees of a commentary. Pure.

A backslash makes the next character plain. `{hashtag|\#|word}` and `@[Name](urn)` are elements. What else stands unescaped among
the brackets is no element, and the post ends there: nobody is told.
"""

from __future__ import annotations

import re

_ELEMENT = re.compile(
    r"\\(?P<plain>.)"
    r"|\{hashtag\|\\?[#\uff03]\|(?P<tag>[^{}|]+)\}"
    r"|@\[(?P<name>(?:\\.|[^\]\\])*)\]\(urn:li:(?:person|organization):[A-Za-z0-9_-]+\)"
    r"|(?P<end>[()\[\]{}<>|])"
    r"|(?P<other>.)",
    re.DOTALL,
)


def read_commentary(commentary: str) -> str:
    """Give what a reader sees."""
    seen = ""
    for found in _ELEMENT.finditer(commentary):
        if found["end"]:
            return seen.rstrip()
        if found["tag"]:
            seen += f"#{_unescape(found['tag'])}"
        else:
            seen += found["plain"] or found["other"] or _unescape(found["name"] or "")
    return seen


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
