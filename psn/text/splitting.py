"""A long text as a thread: parts that each are short enough, cut where a reader would pause."""

from __future__ import annotations

import bisect
import functools
from collections.abc import Callable, Sequence

from psn.errors import InvalidInput
from psn.text.boundaries import Cut, KeptTogether, Level, find_cuts

Measure = Callable[[str], int]

# A better place to cut is taken when the part still holds this share of the characters it could.
_WORTH_IT = ((Level.PARAGRAPH, 0.3), (Level.LINE, 0.4), (Level.SENTENCE, 0.5))
_MOST_DIGITS = 12  # only a count that takes one digit for more than another gets there
_FAR = 10  # parts: so far from the end of a word that is too long, nobody need count whether the rest of it is short enough
_ESTIMATES = 4  # most counts nearly follow the length; one that does not is searched by halving


def split_thread(text: str, *, count: Measure, limit: int, numbering: bool = False) -> list[str]:
    """Split a text into parts that each count `limit` at most; one that is short enough stays as it is.

    Nothing is lost or changed: only blanks where the text is cut, and at its ends, belong to no part. A word is cut only when it
    is too long by itself, and what people see as one character, a link or a mention never is.

    Args:
        count: the platform's way to count a part.
        limit: in its unit.
        numbering: close each part with its number, like `2/7`, inside the limit.

    Raises:
        InvalidInput: something that cannot be cut is too long by itself (`text.cannot_split`).
    """
    if count(text) <= limit:
        return [text]
    splitting = _Splitting(text, limit=limit)
    return splitting.split_numbered(count) if numbering else splitting.split(count)


class _Splitting:
    """A text and where it can be cut, found once for every try."""

    def __init__(self, text: str, *, limit: int) -> None:
        self._text = text
        self._limit = limit
        self._kept = KeptTogether(text)
        self._cuts = find_cuts(text, self._kept)
        self._ends = [cut.end for cut in self._cuts]

    def split_numbered(self, count: Measure) -> list[str]:
        """Split, leaving room for numbers of so many digits that they suffice."""
        for digits in range(1, _MOST_DIGITS):
            room = f" {'9' * digits}/{'9' * digits}"
            parts = self.split(functools.partial(_count_with, room, count=count))
            if len(parts) == 1:
                return parts
            numbered = [f"{part} {number}/{len(parts)}" for number, part in enumerate(parts, start=1)]
            if all(count(part) <= self._limit for part in numbered):
                return numbered
        raise InvalidInput(
            "The parts cannot be numbered inside the limit. Leave the numbers out.", code="text.cannot_split"
        )

    def split(self, measure: Measure) -> list[str]:
        """Split from the beginning on, each part as long as it can well be."""
        parts: list[str] = []
        start = self._cuts[0].start if self._cuts[0].end == 0 else 0
        inner: list[int] = []  # places inside a word that is too long by itself
        while start < len(self._text):
            is_far = bool(parts and inner) and inner[-1] - start > _FAR * len(parts[-1])
            cut = None if is_far else self._pick(start, measure)
            if cut is None:
                if not inner or inner[-1] <= start:
                    inner = self._find_inner(start)
                cut = self._pick_inner(start, inner, measure)
            parts.append(self._text[start : cut.end])
            start = cut.start
        return parts or [""]

    def _pick(self, start: int, measure: Measure) -> Cut | None:
        """Pick the best cut behind a place; None when not even the first word behind it is short enough."""
        first = bisect.bisect_right(self._ends, start)
        last = self._find_last(start, self._ends, first, measure)
        if last is None or last == len(self._ends) - 1:
            return None if last is None else self._cuts[last]
        most = self._ends[last] - start
        for level, share in _WORTH_IT:
            for index in range(last, first - 1, -1):
                if self._ends[index] - start < most * share:
                    break
                if self._cuts[index].level <= level and self._fits(start, self._ends[index], measure):
                    return self._cuts[index]
        return self._cuts[last]

    def _find_inner(self, start: int) -> list[int]:
        end = self._ends[bisect.bisect_right(self._ends, start)]
        return [index for index in range(start + 1, end) if self._kept.allows(index)]

    def _pick_inner(self, start: int, inner: Sequence[int], measure: Measure) -> Cut:
        first = bisect.bisect_right(inner, start)
        last = self._find_last(start, inner, first, measure)
        if last is not None:
            return Cut(inner[last], inner[last], Level.WORD)
        end = inner[first] if first < len(inner) else self._ends[bisect.bisect_right(self._ends, start)]
        stuck = self._text[start:end]
        raise InvalidInput(
            f"The text cannot be split: {_shortened(stuck)} counts {measure(stuck)} by itself, and a part takes {self._limit}. "
            "Shorten it.",
            code="text.cannot_split",
        )

    def _find_last(self, start: int, ends: Sequence[int], first: int, measure: Measure) -> int | None:
        """Find the last of some places to which the text from `start` on is short enough, by few counts."""
        low, high = first - 1, len(ends)  # the one fits, the other does not
        guess = bisect.bisect_right(ends, start + self._limit) - 1
        tries = 0
        while high - low > 1:
            guess = min(max(guess, low + 1), high - 1)
            used = measure(self._text[start : ends[guess]])
            low, high = (guess, high) if used <= self._limit else (low, guess)
            tries += 1
            if tries < _ESTIMATES:
                guess = bisect.bisect_right(ends, start + (ends[guess] - start) * self._limit // max(used, 1)) - 1
            else:
                guess = (low + high) // 2
        return low if low >= first else None

    def _fits(self, start: int, end: int, measure: Measure) -> bool:
        return measure(self._text[start:end]) <= self._limit


def _count_with(room: str, part: str, *, count: Measure) -> int:
    return count(part + room)


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
