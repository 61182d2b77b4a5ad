"""A place in a text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """What stands at a place in a text: `text[start:end]`.

    Args:
        start, end: code points, as Python counts. Platforms that count bytes want `count_bytes(text[:start])`.
        text: what stands there, with its mark: `#python`, `@ana`.
    """

    start: int
    end: int
    text: str

    @property
    def name(self) -> str:
        """Without the mark in front."""
        return self.text.lstrip("#\uff03@\uff20")

    def overlaps(self, other: Span) -> bool:
        """Say whether two places share a character."""
        return self.start < other.end and other.start < self.end
