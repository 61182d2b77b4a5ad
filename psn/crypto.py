"""Sealing: AES-256-GCM with key ids and bound context (SPEC HUB-8).

A sealed value is text, `v1.<key id>.<base64url of nonce and ciphertext>`. The context it was sealed for (table, row, column) is
authenticated with it, so a value moved to another row or column does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from psn.errors import NotReady

KEY_BYTES = 32
NONCE_BYTES = 12  # the size GCM is specified for (NIST SP 800-38D, 8.2)
VERSION = "v1"
_KEY_TEXT = re.compile(r"(?P<id>[a-z0-9]{4,16}):(?P<key>[A-Za-z0-9_-]{43}=?)")


@dataclass(frozen=True, slots=True)
class Key:
    """One 256-bit key and the name by which ciphertexts refer to it."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.id!r})"

    def to_text(self) -> str:
        """Give the key as it stands in `config/hub.env`."""
        return f"{self.id}:{base64.urlsafe_b64encode(self.secret).decode().rstrip('=')}"


def create_key() -> Key:
    """Make a random key with a random id."""
    return Key(id=os.urandom(4).hex(), secret=os.urandom(KEY_BYTES))


def read_key(text: str) -> Key:
    """Read a key from its text form.

    Raises:
        NotReady: it is not a key; the value is never repeated in the message.
    """
    match = _KEY_TEXT.fullmatch(text.strip())
    if match is None:
        raise NotReady(
            "The hub's encryption key is not readable: expected <id>:<43 characters>. Restore config/hub.env from your backup.",
            code="key.malformed",
            next_command="psn_validate",
        )
    return Key(id=match["id"], secret=base64.urlsafe_b64decode(match["key"].rstrip("=") + "="))


class Keyring:
    """The keys this process may open with; the first one seals.

    Args:
        keys: newest first.
    """

    def __init__(self, *keys: Key) -> None:
        if not keys:
            raise NotReady("There is no encryption key.", code="key.missing", next_command="psn_setup")
        self.current = keys[0]
        self._by_id: Mapping[str, Key] = {key.id: key for key in keys}

    def seal(self, plaintext: str, *, context: str) -> str:
        """Encrypt with the current key, bound to its place (`table:row:column`)."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self.current.secret).encrypt(nonce, plaintext.encode(), _bound(self.current.id, context))
        return f"{VERSION}.{self.current.id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, context: str) -> str:
        """Decrypt a value sealed for this place.

        Raises:
            NotReady: the key is not here, or the value was altered or moved.
        """
        key_id, body = _split(sealed)
        key = self._by_id.get(key_id)
        if key is None:
            raise NotReady(
                f"A value was sealed with key {key_id}, which config/hub.env does not hold. Restore that file, or enter the secret again.",
                code="key.unknown",
                next_command="psn_validate",
            )
        try:
            opened = AESGCM(key.secret).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], _bound(key_id, context))
        except InvalidTag:
            raise NotReady(
                f"A sealed value does not open with key {key_id}: the key is wrong, or the value was altered or moved.",
                code="key.wrong",
                next_command="psn_validate",
            ) from None
        return opened.decode()


def key_id_of(sealed: str) -> str:
    """Tell which key a value was sealed with, without opening it."""
    return _split(sealed)[0]


def _split(sealed: str) -> tuple[str, bytes]:
    version, _, rest = sealed.partition(".")
    key_id, _, body = rest.partition(".")
    try:
        raw = base64.urlsafe_b64decode(body)
    except (binascii.Error, ValueError):
        raw = b""
    if (
        version != VERSION or len(raw) <= NONCE_BYTES or base64.urlsafe_b64encode(raw).decode() != body
    ):  # one spelling only
        raise NotReady("A sealed value is damaged.", code="key.damaged", next_command="psn_validate")
    return key_id, raw


def _bound(key_id: str, context: str) -> bytes:
    return f"{VERSION}:{key_id}:{context}".encode()
