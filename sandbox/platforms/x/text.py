"""What X does to a text: weighs it, and shows its links as t.co.

Source: docs.x.com/fundamentals/counting-characters (2026-08).
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import unicodedata
from dataclasses import dataclass
from importlib import resources
from types import ModuleType
from typing import Any

MAX_UNITS = 280  # weighted: a link counts 23, an emoji 2


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as X shows it, and where its links are (code points)."""

    text: str
    urls: list[dict[str, Any]]


def count_units(text: str) -> int:
    """Weigh a text as X does."""
    return int(_parser.parse_tweet(text).weightedLength)


def hash_text(text: str) -> str:
    """Give the SHA-256 that two texts share when they count as the same."""
    return hashlib.sha256(unicodedata.normalize("NFC", text).strip().encode()).hexdigest()


def show_text(text: str, *, post_id: int) -> Shown:
    """Replace each link by its t.co form; the same link of the same post always gets the same one."""
    shown, entities, at = "", [], 0
    for found in _links.extract_urls_with_indices(text):
        start, end = found["indices"]
        shown += text[at:start]
        entity = _describe_link(found["url"], post_id=post_id, start=len(shown))
        entities.append(entity)
        shown += entity["url"]
        at = end
    return Shown(shown + text[at:], entities)


def _describe_link(link: str, *, post_id: int, start: int) -> dict[str, Any]:
    short = "https://t.co/" + hashlib.sha256(f"{post_id} {link}".encode()).hexdigest()[:10]
    expanded = link if "://" in link else f"http://{link}"
    display = expanded.partition("://")[2].removeprefix("www.")
    if len(display) > 27:
        display = display[:26] + "…"
    return {
        "start": start,
        "end": start + len(short),
        "url": short,
        "expanded_url": expanded,
        "display_url": display,
    }


def _load(name: str) -> Any:
    """Import from `twitter_text`, which reads its emoji table through `pkg_resources`.

    That module went away with setuptools; the one function it needs is lent for the length of the import.
    """
    lent = ModuleType("pkg_resources")
    lent.resource_string = lambda module, file: (  # type: ignore[attr-defined]
        resources.files(module.rpartition(".")[0]).joinpath(file).read_bytes()
    )
    borrowed = "pkg_resources" not in sys.modules
    if borrowed:
        sys.modules["pkg_resources"] = lent
    try:
        return importlib.import_module(name)
    finally:
        if borrowed:
            del sys.modules["pkg_resources"]


_parser = _load("twitter_text.parse_tweet")
_links = _load("twitter_text.extract_urls")
