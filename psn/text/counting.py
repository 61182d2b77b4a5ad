"""How long a text is, in each of the units that platforms count in.

None of them breaks on half a character (a lone surrogate): what a text must not hold is for the platform's rules to say.
"""

from __future__ import annotations

import functools
import re

from psn.text.expressions import expression, find_clusters

_PERHAPS_EMOJI = re.compile(r"[#*0-9]?[^\x00-\x7f]+")  # with what a keycap surrounds
# Also what is a letter unless told otherwise (©, ™, ☎): phones show most of them as emoji, and what is counted too long is
# refused here, but what is counted too short is refused by the platform, at night.
_EMOJI = r"\p{Extended_Pictographic}(?!\ufe0e)|\p{Emoji_Presentation}|\p{Regional_Indicator}|\u20e3"


def count_graphemes(text: str) -> int:
    r"""Count what people see as characters: extended grapheme clusters (UAX #29). Bluesky's unit.

    `\r\n` is one, a flag is one, and so is a family of emoji.
    """
    if text.isascii() and "\r" not in text:
        return len(text)
    return sum(1 for _ in find_clusters(text))


def count_utf16(text: str) -> int:
    """Count UTF-16 code units: what `length` is in JavaScript and Java. TikTok's unit; the safe one for LinkedIn and Instagram."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def count_bytes(text: str) -> int:
    """Count bytes of UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def count_emoji_bytes(text: str) -> int:
    """Count one for each code point, but its bytes of UTF-8 for an emoji. Threads' unit (Threads API, posts, read 2026-11-20).

    An emoji is a whole grapheme cluster: its joiners, skin tones and variation selectors count their bytes too.
    """
    return len(text) + sum(
        count_bytes(cluster) - len(cluster)
        for run in _PERHAPS_EMOJI.findall(text)
        for cluster in (run[start:end] for start, end in find_clusters(run))
        if _is_emoji(cluster)
    )


@functools.lru_cache(maxsize=4096)  # whoever splits a text looks at the same ones again and again
def _is_emoji(cluster: str) -> bool:
    return expression(_EMOJI).search(cluster) is not None
