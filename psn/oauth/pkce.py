"""Proof Key for Code Exchange, RFC 7636: method S256, and TikTok's own reading of it."""

from __future__ import annotations

import base64
import hashlib
import secrets

from psn.oauth.spec import Pkce

VERIFIER_BYTES = 48  # become 64 characters; RFC 7636 §4.1 wants 43 to 128


def create_verifier() -> str:
    """Make a random secret for one authorization."""
    return secrets.token_urlsafe(VERIFIER_BYTES)


def build_challenge(verifier: str, *, method: Pkce = "s256") -> str:
    """Build what the authorize URL shows of the secret (§4.2).

    Args:
        method: `s256_hex` is TikTok's: the hash in hex. developers.tiktok.com/doc/login-kit-desktop (read 2026-11-20)
    """
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    if method == "s256_hex":
        return digest.hex()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
