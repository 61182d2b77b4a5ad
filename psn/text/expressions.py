"""Regular expressions over what Unicode knows of characters, which the standard library's do not reach."""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def expression(pattern: str) -> Any:
    r"""Compile a pattern that needs `\X` or `\p{…}`; kept from then on."""
    # Imported here: it costs 30 ms, and most commands look into no text.
    import regex

    return regex.compile(pattern)
