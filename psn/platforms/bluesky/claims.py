"""What a session's token says of itself; pure.

Tokens are JWTs (RFC 7519) of the account's server, which alone checks them. What stands in one is read here for what no answer
says in other words: how long it lives, what it allows, and which server it is for.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

_HOST = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says; empty or None where it does not.

    Args:
        audience: DID of the server it is for.
        life: from when it was made to when it ends.
    """

    scope: str = ""
    audience: str = ""
    life: timedelta | None = None


def read_claims(token: str) -> Claims:
    """Read a token; one that is no JWT says nothing."""
    try:
        payload = token.split(".")[1]
        body = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return Claims()
    if not isinstance(body, dict):
        return Claims()
    return Claims(scope=_text(body, "scope"), audience=_text(body, "aud"), life=_read_life(body))


def find_home_of(token: str) -> str | None:
    """Give the address of the server that a token is for, or None when it does not say."""
    method, _, name = read_claims(token).audience.removeprefix("did:").partition(":")
    host = unquote(name)
    return f"https://{host}" if method == "web" and _HOST.fullmatch(host) else None


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _read_life(body: dict[str, Any]) -> timedelta | None:
    made, ends = body.get("iat"), body.get("exp")
    if not (isinstance(made, int) and isinstance(ends, int)):
        return None
    try:
        return timedelta(seconds=max(ends - made, 0))
    except OverflowError:
        return None
