"""Regular expressions over what Unicode knows of characters, which the standard library's do not reach."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
# A letter with an accent: two code points that are one cluster, to which the same things join as to a flag (UAX #29, GB9 to GB13).
_STAND_IN = "x\u0300"


@functools.cache
def expression(pattern: str) -> Any:
    r"""Compile a pattern that needs `\X` or `\p{…}`; kept from then on."""
    # Imported here: it costs 30 ms, and most commands look into no text.
    import regex

    return regex.compile(pattern)


def find_clusters(text: str) -> Iterator[tuple[int, int]]:
    r"""Give where each of the characters begins and ends that people see: extended grapheme clusters (UAX #29).

    Nothing but the beginning of a run of flags says where one of them ends, and `\X` looks for it anew at each of them: 10,000 characters
    of flags take half a second. So flags, which are pairs from the beginning of a run on, are taken out before.
    """
    for cluster in expression(r"\X").finditer(_FLAG.sub(_STAND_IN, text)):
        yield cluster.span()
