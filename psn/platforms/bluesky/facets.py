"""What can be clicked in a text: links, mentions and hashtags, as ranges of UTF-8 bytes; pure.

app.bsky.richtext.facet (bluesky-social/atproto d6296a1, 2026-08-20).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from psn.platforms.bluesky.addresses import HANDLE
from psn.text.counting import count_bytes, count_graphemes
from psn.text.links import find_links
from psn.text.spans import Span
from psn.text.tags import find_hashtags, find_mentions

MAX_TAG_GRAPHEMES = 64  # facet#tag: tag.maxGraphemes,
MAX_TAG_BYTES = 640  # and tag.maxLength

_HANDLE = re.compile(HANDLE)


def find_handles(text: str) -> list[str]:
    """Find the handles that a text mentions, each once, in lower case. Only a handle with a dot in it is one here."""
    return list(dict.fromkeys(span.name.lower() for span in _find_mentions(text)))


def build_facets(text: str, *, dids: Mapping[str, str]) -> list[dict[str, Any]]:
    """Build a text's facets, in order.

    Args:
        dids: by handle in lower case; a mention of nobody stays plain text, as in Bluesky's own app.
    """
    found = [(span, _link(span)) for span in find_links(text)]
    found += [(span, _mention(dids[name])) for span in _find_mentions(text) if (name := span.name.lower()) in dids]
    found += [(span, _tag(span)) for span in find_hashtags(text) if _is_short(span.name)]
    return [_facet(text, span, feature) for span, feature in sorted(found, key=lambda one: one[0].start)]


def _find_mentions(text: str) -> list[Span]:
    return [span for span in find_mentions(text) if _HANDLE.fullmatch(span.name)]


def _is_short(tag: str) -> bool:
    return count_graphemes(tag) <= MAX_TAG_GRAPHEMES and count_bytes(tag) <= MAX_TAG_BYTES


def _link(span: Span) -> dict[str, str]:
    return {"$type": "app.bsky.richtext.facet#link", "uri": span.text}


def _mention(did: str) -> dict[str, str]:
    return {"$type": "app.bsky.richtext.facet#mention", "did": did}


def _tag(span: Span) -> dict[str, str]:
    return {"$type": "app.bsky.richtext.facet#tag", "tag": span.name}


def _facet(text: str, span: Span, feature: dict[str, str]) -> dict[str, Any]:
    start = count_bytes(text[: span.start])
    return {"index": {"byteStart": start, "byteEnd": start + count_bytes(span.text)}, "features": [feature]}
