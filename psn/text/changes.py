"""What became of a post's content between two times it was looked at: in the order in which people read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Literal

MAX_COMPARED = 10_000  # characters of a text; a longer one is told to have changed, without where
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
Deed = Literal["added", "removed", "changed"]
Fate = Literal["same", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text that stayed, came, or went."""

    fate: Fate
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was.

    Args:
        at: where: `scheduled_at`, `options.format`, `parts.0.text`, `parts.1.media.0`.
        before, after: None where there was, or is, nothing.
        pieces: of a text that changed: put together without what was removed, they are the new one.
    """

    at: str
    deed: Deed
    before: Any = None
    after: Any = None
    pieces: tuple[Piece, ...] = field(default=())


def compare_contents(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Say what is different in a post's content; nothing when it is the same.

    Args:
        before, after: `{"scheduled_at": …, "options": {…}, "parts": [{"kind", "text", "media": [{"sha256", "mime_type", "alt_text"}]}]}`;
            what is missing is empty.
    """
    return [
        *_compare("scheduled_at", before.get("scheduled_at"), after.get("scheduled_at")),
        *_compare_options(_named(before.get("options")), _named(after.get("options"))),
        *_compare_parts(before.get("parts") or [], after.get("parts") or []),
    ]


def compare_texts(before: str, after: str) -> tuple[Piece, ...]:
    """Cut two texts into what they share and what only one of them has, word by word."""
    if max(len(before), len(after)) > MAX_COMPARED:
        return tuple(Piece(fate, text) for fate, text in _whole(before, after) if text)
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    pieces: list[Piece] = []
    for _, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new).get_opcodes():
        gone, came = "".join(old[old_from:old_to]), "".join(new[new_from:new_to])
        pieces += [Piece(fate, text) for fate, text in _whole(gone, came) if text]
    return tuple(pieces)


def _whole(gone: str, came: str) -> list[tuple[Fate, str]]:
    return [("same", came)] if gone == came else [("removed", gone), ("added", came)]


def _compare(at: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    deed: Deed = "added" if before is None else ("removed" if after is None else "changed")
    pieces = compare_texts(before, after) if isinstance(before, str) and isinstance(after, str) else ()
    yield Change(at, deed, before, after, pieces if at.endswith((".text", ".alt_text")) else ())


def _compare_options(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        yield from _compare(f"options.{name}", before.get(name), after.get(name))


def _named(options: Any) -> Mapping[str, Any]:
    """Give options by name; what somebody else wrote in their place stands under no name."""
    return options if isinstance(options, Mapping) else ({"": options} if options else {})


def _compare_parts(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    for index, (old, new) in enumerate(zip_longest(before, after)):
        at = f"parts.{index}"
        if old is None or new is None:
            yield from _compare(at, old, new)
            continue
        yield from _compare(f"{at}.kind", old.get("kind"), new.get("kind"))
        yield from _compare(f"{at}.text", old.get("text", ""), new.get("text", ""))
        yield from _compare_media(at, old.get("media") or [], new.get("media") or [])


def _compare_media(
    at: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[Change]:
    for index, (old, new) in enumerate(zip_longest(before, after)):
        where = f"{at}.media.{index}"
        same_file = old is not None and new is not None and old.get("sha256") == new.get("sha256")
        if same_file and old.get("mime_type") == new.get("mime_type"):
            yield from _compare(f"{where}.alt_text", old.get("alt_text", ""), new.get("alt_text", ""))
        else:
            yield from _compare(where, old, new)
