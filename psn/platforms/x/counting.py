"""How X counts a text: weighted units, by X's own published algorithm.

docs.x.com/fundamentals/counting-characters (read 2026-11-20): most Latin letters weigh 1, most others 2, an emoji 2 however
many code points it has, and every link 23. The package is checked against X's conformance data in the tests.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from types import ModuleType
from typing import Any


@dataclass(frozen=True, slots=True)
class Count:
    """What a text weighs.

    Args:
        units: weighted.
        valid_characters: False when it holds half a character or one that X refuses, such as U+FFFE; length plays no part.
    """

    units: int
    valid_characters: bool


def count_text(text: str) -> Count:
    """Count a text as X does: well under 1 ms for a post. The first emoji or link loads X's lists, about 0.1 s."""
    countable = _LONE_SURROGATE.sub("\ufffd", text)  # the lists' expressions break on half a character
    return Count(units=_weigh(countable), valid_characters=countable == text and _INVALID.isdisjoint(text))


def has_link(text: str) -> bool:
    """Whether X makes a link of anything in a text; a bare `example.tech` is one."""
    return any(True for _ in _find_links(text))


def _weigh(text: str) -> int:
    """Walk over links and emoji, whichever comes first; what begins inside of one already counted is none any more."""
    text = re.sub(r"\r\n?", "\n", unicodedata.normalize("NFC", text))
    units, position = 0, 0
    for start, end, weight in sorted((*_find_links(text), *_find_emoji(text)), key=lambda found: (found[0], -found[2])):
        if start >= position:
            units += _weigh_plain(text[position:start]) + weight
            position = end
    return units + _weigh_plain(text[position:])


def _weigh_plain(text: str) -> int:
    return len(text) if text.isascii() else len(text) + len(_HEAVY.findall(text))


def _find_links(text: str) -> Iterator[tuple[int, int, int]]:
    """Find what X makes a link of. No link holds a blank, and none is without a dot, so only such words are looked into."""
    if "." not in text:
        return
    for word in _WORD.finditer(text):
        if "." in word.group().strip("."):
            for start, length in _find_links_in_word(word.group()):
                yield word.start() + start, word.start() + start + length, LINK_UNITS


@functools.lru_cache(maxsize=4096)  # whoever splits a text counts the same words again and again
def _find_links_in_word(word: str) -> tuple[tuple[int, int], ...]:
    """Find links in a word, which stands with the blank in front of it: what precedes a link decides where it begins."""
    if any(run.count(".") > MAX_LABELS for run in _HOST_END.split(word)):
        return ()  # and X's expression would take minutes to find that out
    found = {url["indices"][0]: len(url["url"]) for url in _parser().extract_urls_with_indices(word)}
    return tuple(found.items())


def _find_emoji(text: str) -> Iterator[tuple[int, int, int]]:
    """Find X's emoji, each of them the longest of its list that stands there."""
    if text.isascii():
        return
    emoji, lengths = _emoji()
    position = 0
    for candidate in _PERHAPS_EMOJI.finditer(text):
        start, character = candidate.start(), candidate.group()
        if start < position or character not in lengths:
            continue
        if character.isascii() and text[start + 1 : start + 2] not in _KEYCAP:
            continue
        ends = (start + length for length in lengths[character])
        if found := next((end for end in ends if text[start:end] in emoji), None):
            position = found
            yield start, position, EMOJI_UNITS


@functools.cache
def _emoji() -> tuple[frozenset[str], dict[str, list[int]]]:
    """Give X's list of emoji, and by what an emoji begins with, how long such are, longest first.

    The package's own expression tries one after the other, 3,800 of them: 15 us for each flag of a text.
    """
    codes = (emoji.codepoint.split() for emoji in _parser().regexp.emoji.emoji_list)
    listed = frozenset("".join(chr(int(code, 16)) for code in one) for one in codes)
    lengths: dict[str, set[int]] = {}
    for emoji in listed:
        lengths.setdefault(emoji[0], set()).add(len(emoji))
    return listed, {beginning: sorted(found, reverse=True) for beginning, found in lengths.items()}


LINK_UNITS = 23  # transformedURLLength of configuration version 3
EMOJI_UNITS = 2  # defaultWeight
_PERHAPS_EMOJI = re.compile(r"[#*0-9\u0080-\u00bf\u2000-\U0010ffff]")  # no emoji begins with anything else
_KEYCAP = ("\ufe0f", "\u20e3")  # what makes an emoji of a digit, `#` or `*`
_HEAVY = re.compile(r"[^\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")  # what weighs 2; its ranges weigh 1
MAX_LABELS = 127  # of a host name: RFC 1035 ends it at 255 bytes
_WORD = re.compile(r"[ \t\n\u3000]?[^ \t\n\u3000]+")
_HOST_END = re.compile(r"[/?#:]")
# U+FFFE, U+FEFF and U+FFFF: "invalid characters" of X's conformance data (validate.yml, 2021-10-21).
_INVALID = frozenset("\ufffe\ufeff\uffff")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LOADING = threading.Lock()


@functools.cache
def _parser() -> Any:
    """Load `twitter_text`, whose 3.0.0 reads its emoji list through `pkg_resources`.

    That module was part of setuptools, which newer environments do not have, and was never a declared dependency. The one
    function that is needed stands in for it while the package loads. Loaded on the first count, because most commands count nothing.
    """
    with _LOADING:
        before = sys.modules.get("pkg_resources")
        sys.modules["pkg_resources"] = _ResourceReader("pkg_resources")
        try:
            import twitter_text

            return twitter_text
        finally:
            del sys.modules["pkg_resources"]
            if before is not None:
                sys.modules["pkg_resources"] = before


class _ResourceReader(ModuleType):
    """The one function of `pkg_resources` that is needed."""

    @staticmethod
    def resource_string(module: str, name: str) -> bytes:
        return files(module.rpartition(".")[0]).joinpath(name).read_bytes()
