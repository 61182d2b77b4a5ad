"""Secrets come on stdin: arguments stand in the process list and in the shell's history (HUB-7)."""

from __future__ import annotations

import sys

from psn.errors import InvalidInput

MAX_BYTES = 100_000


def read_secret(*, code: str, example: str) -> str:
    """Read everything on stdin as text; what it holds is never repeated.

    Args:
        code: of the refusal.
        example: how the command is written, with its redirection.

    Raises:
        InvalidInput: stdin is a terminal, or holds no UTF-8, or far too much.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise InvalidInput(f"The value comes on stdin: {example}", code=code)
    raw = sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("What came on stdin is no UTF-8 text.", code=code) from None
    if len(raw) > MAX_BYTES:
        raise InvalidInput(f"More than {MAX_BYTES} bytes came on stdin.", code=code)
    return text
