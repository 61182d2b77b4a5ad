"""How Threads counts a text, and the links in it. Source: developers.facebook.com/documentation/threads/posts (2026-04-14)."""

from __future__ import annotations

import re

import regex

from sandbox.meta.refusals import Refused, invalid

MAX_CHARACTERS = 500
MAX_LINKS = 5
_EMOJI = regex.compile(r"\p{Extended_Pictographic}(?!\ufe0e)|\p{Emoji_Presentation}|\p{Regional_Indicator}|\u20e3")
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]']")


def count(text: str) -> int:
    """Count one for each character, and its bytes for an emoji."""
    clusters = regex.findall(r"\X", text)
    return sum(len(one.encode()) if not one.isascii() and _EMOJI.search(one) else len(one) for one in clusters)


def check_text(text: str, *, link: str) -> None:
    """Refuse what is too long, or leads to too many places.

    Args:
        link: attached; empty for none.

    Raises:
        Refused: it is.
    """
    if count(text) > MAX_CHARACTERS:
        raise invalid(f"Param text must be at most {MAX_CHARACTERS} characters long")
    if len({*_LINK.findall(text), *([link] if link else [])}) > MAX_LINKS:
        raise Refused(100, "THREADS_API__LINK_LIMIT_EXCEEDED", subcode=4279009)
