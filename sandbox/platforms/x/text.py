"""What X does to a text: weighs it, tidies it, shows its links as t.co, and appends one for attached media.

Source: docs.x.com/fundamentals/counting-characters (2026-08) for weights, NFC and links; answers of the API for the rest.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
import unicodedata
from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a post: X's key of it, and `photo` or `video`."""

    media_key: str
    kind: str


def count_units(text: str) -> int:
    """Weigh a text as X does."""
    return int(_parser.parse_tweet(text).weightedLength)


def tidy_text(text: str) -> str:
    """Give the text as X keeps it: in NFC, with plain line ends, without white space around it."""
    return re.sub(r"\r\n?", "\n", unicodedata.normalize("NFC", text)).strip()


def show_text(text: str, *, post_id: int) -> Shown:
    """Show a text to people: tidied, each link in its t.co form; the same link of a post always gets the same one."""
    return _shorten(tidy_text(text), post_id=post_id, escaped=False)


def show_json_text(text: str, *, post_id: int, handle: str, attached: Sequence[Attached]) -> Shown:
    """Show a text as the API does: with `&`, `<` and `>` escaped too, and one link at the end for all attached files."""
    shown = _shorten(tidy_text(text), post_id=post_id, escaped=True)
    if not attached:
        return shown
    before = f"{shown.text} " if shown.text else ""
    slug = _hash_link(f"{post_id} media")
    short = f"https://t.co/{slug}"
    entities = [  # each file has an entry, at the same place
        {
            "start": len(before),
            "end": len(before) + len(short),
            "url": short,
            "expanded_url": f"https://x.com/{handle}/status/{post_id}/{one.kind}/1",
            "display_url": f"pic.x.com/{slug}",
            "media_key": one.media_key,
        }
        for one in attached
    ]
    return Shown(before + short, [*shown.urls, *entities])


def _shorten(text: str, *, post_id: int, escaped: bool) -> Shown:
    shown, entities, at = "", [], 0
    for found in _links.extract_urls_with_indices(text):
        start, end = found["indices"]
        shown += _escape(text[at:start]) if escaped else text[at:start]
        entity = _describe_link(found["url"], post_id=post_id, start=len(shown))
        entities.append(entity)
        shown += entity["url"]
        at = end
    return Shown(shown + (_escape(text[at:]) if escaped else text[at:]), entities)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")  # quotes stay as they are


def _hash_link(link: str) -> str:
    return hashlib.sha256(link.encode()).hexdigest()[:10]


def _describe_link(link: str, *, post_id: int, start: int) -> dict[str, Any]:
    short = f"https://t.co/{_hash_link(f'{post_id} {link}')}"
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
