"""X's account ids: decimal, fixed by the handle. Posts and media have the sandbox's own numbers, which are as X's."""

from __future__ import annotations

import hashlib


def account_id(handle: str) -> str:
    """Give the id of the account with this handle."""
    return str(10**9 + int(hashlib.sha256(handle.lower().encode()).hexdigest()[:12], 16))
