"""Where a text can be cut: between paragraphs, lines, sentences and words, and never inside of what belongs together."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from psn.text.expressions import find_clusters
from psn.text.links import find_links
from psn.text.littletext import MENTION as LINKEDIN_MENTION
from psn.text.tags import find_mentions


class Level(IntEnum):
    """What a cut separates; the lower, the better a place it is."""

    PARAGRAPH = 0
    LINE = 1
    SENTENCE = 2
    WORD = 3


@dataclass(frozen=True, slots=True)
class Cut:
    """A place where a text can be cut.

    Args:
        end: index behind the last character of what is before it.
        start: index of the first character of what follows. What lies between is blank, or nothing.
    """

    end: int
    start: int
    level: Level


class KeptTogether:
    """What must not be cut: what people see as one character, links, mentions."""

    def __init__(self, text: str) -> None:
        clusters = None if text.isascii() and "\r" not in text else find_clusters(text)
        self._beginnings = None if clusters is None else {start for start, _ in clusters} | {len(text)}
        spans = [(span.start, span.end) for span in (*find_links(text), *find_mentions(text))]
        self._spans = _joined((*spans, *(mention.span() for mention in LINKEDIN_MENTION.finditer(text))))
        self._ends = [end for _, end in self._spans]

    def allows(self, index: int) -> bool:
        """Say whether a cut in front of this character leaves everything whole."""
        if self._beginnings is not None and index not in self._beginnings:
            return False
        following = bisect.bisect_right(self._ends, index)
        return following == len(self._spans) or index <= self._spans[following][0]


def find_cuts(text: str, kept: KeptTogether) -> list[Cut]:
    """Find where a text can be cut, in order; the last one is its end."""
    found = {cut.end: cut for cut in (*_find_stops(text), *_find_blanks(text))}  # blanks behind a stop go with the cut
    allowed = [found[end] for end in sorted(found) if kept.allows(end) and kept.allows(found[end].start)]
    if allowed and allowed[-1].start == len(text):
        return allowed
    return [*allowed, Cut(len(text), len(text), Level.PARAGRAPH)]


# Blanks, but for those which say that no line ends there: U+00A0, U+2007, U+202F.
_BLANKS = re.compile(r"[^\S\u00a0\u2007\u202f]+")
_LINE_END = re.compile(r"\r\n|[\n\v\f\r\x85\u2028\u2029]")
_SENTENCE_END = re.compile(
    r"[.!?\u2026\u061f\u06d4\u0964\u3002\uff01\uff1f][\"')\]}\u00bb\u201d\u2019\u300d\u300f\uff09]*$"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'])(?:[^\W\d_]|(?:[^\W\d_]\.)+[^\W\d_]"
    r"|Dra?|Sra?|Mrs?|Ms|St|Prof|vs|etc|No|pp?|cf|Inc|Ltd|Uds?|n[o\u00fa]m|p[a\u00e1]g)\.$",
    re.IGNORECASE,
)
_LOOK_BACK = 12  # characters; longer than any abbreviation, and than the brackets that close a sentence
# Chinese and Japanese set no blank behind a stop.
_STOP = re.compile(
    r"(?:(?P<full>[\u3002\uff01\uff1f]+)|[\u3001\uff0c\uff1b\uff1a])[\u300d\u300f\uff09\u3011\u201d\u2019]*"
)


def _find_blanks(text: str) -> Iterator[Cut]:
    for blanks in _BLANKS.finditer(text):
        end, start = blanks.span()
        yield Cut(end, start, _rank(text, end, start))


def _rank(text: str, end: int, start: int) -> Level:
    lines = len(_LINE_END.findall(text, end, start))
    if lines:
        return Level.PARAGRAPH if lines > 1 else Level.LINE
    before = text[max(0, end - _LOOK_BACK) : end]
    ends_here = _SENTENCE_END.search(before) and not _ABBREVIATION.search(before)
    return Level.SENTENCE if ends_here and not text[start : start + 1].islower() else Level.WORD


def _find_stops(text: str) -> Iterator[Cut]:
    for stop in _STOP.finditer(text):
        yield Cut(stop.end(), stop.end(), Level.SENTENCE if stop["full"] else Level.WORD)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
