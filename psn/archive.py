"""A file of named streams, compressed and encrypted, written and read piece by piece (HUB-12).

    magic and format | key id | salt | proof of the key      the head, in the clear; the file's key is made from it
    chunk | chunk | … | last chunk                           AES-256-GCM, CHUNK_BYTES of plaintext each but for the last
    entry | entry | … | end                                  inside: zlib over names and their blocks

Every chunk's nonce holds its number and whether it is the last, so a file that was cut, put together from others, turned around or
changed in one bit does not open (the STREAM construction: Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and
its Nonce-Reuse Misuse-Resistance", CRYPTO 2015, section 7). The key of one file is derived from the hub's (HKDF, RFC 5869) and a salt
of its own, so no nonce ever meets the same key twice. Nobody without the hub's key can make a file that opens.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from psn.crypto import Key
from psn.errors import NotReady

MAGIC = b"PSNARCH"
FORMAT = 1
CHUNK_BYTES = 256 * 1024  # of plaintext: what a reader holds in memory, a few times over
BLOCK_BYTES = 64 * 1024
MAX_CHUNKS = 2**32  # a petabyte; the number of a chunk has four bytes
TAG_BYTES = 16
_SALT_BYTES = 32
_PROOF_BYTES = 16
_PREFIX_BYTES = 7  # of a nonce; number and last-flag are the other five
_LABEL = b"psn archive"


@dataclass(frozen=True, slots=True)
class Entry:
    """A stream that was written.

    Args:
        size_bytes, sha256: of its plain content; `sha256` in hex.
    """

    name: str
    size_bytes: int
    sha256: str


class ArchiveWriter:
    """Writes entries one after the other; the file is whole only after `close`.

    Args:
        stream: where to write, at the place where the archive begins.
    """

    def __init__(self, stream: BinaryIO, *, key: Key) -> None:
        self._stream = stream
        head, self._chunks = _begin(key, salt=os.urandom(_SALT_BYTES))
        stream.write(head)
        self._squeeze = zlib.compressobj(1)  # a third slower than none, and a fifth of the size
        self._waiting = bytearray()

    def add(self, name: str, blocks: Iterable[bytes | memoryview]) -> Entry:
        """Write one stream to its end."""
        digest, size = hashlib.sha256(), 0
        self._put(_named(name))
        for block in _gathered(blocks):
            digest.update(block)
            size += len(block)
            self._put(struct.pack(">I", len(block)))
            self._put(block)
        self._put(struct.pack(">I", 0))
        return Entry(name, size, digest.hexdigest())

    def close(self) -> None:
        """Write the end, without which the file does not open. The stream stays open."""
        self._put(_named(""))
        self._waiting += self._squeeze.flush()
        self._write_full_chunks()
        self._stream.write(self._chunks.seal(bytes(self._waiting), is_last=True))

    def _put(self, plain: bytes) -> None:
        self._waiting += self._squeeze.compress(plain)
        self._write_full_chunks()

    def _write_full_chunks(self) -> None:
        while len(self._waiting) > CHUNK_BYTES:  # not the very last byte: some chunk must be the last one
            self._stream.write(self._chunks.seal(bytes(self._waiting[:CHUNK_BYTES]), is_last=False))
            del self._waiting[:CHUNK_BYTES]


def read_archive(stream: BinaryIO, *, keys: Iterable[Key]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Give every entry's name and its blocks, in the order they were written; what is not taken of an entry is passed over.

    Every block was authenticated before it is given. That the file is whole is certain when this iterator has ended.

    Args:
        stream: where to read, at the place where the archive begins.
        keys: those that may have been used.

    Raises:
        NotReady: `backup.foreign` no archive, `backup.newer` of a later format, `key.unknown`, `key.wrong`, `backup.damaged` cut or
            changed.
    """
    plain = _Plain(stream, chunks=_read_head(stream, keys=keys))
    while name := plain.take(struct.unpack(">H", plain.take(2))[0]).decode():
        blocks = _blocks(plain)
        yield name, blocks
        for _ in blocks:
            pass
    plain.check_end()


def read_key_id(stream: BinaryIO) -> str:
    """Tell which key opens an archive.

    Raises:
        NotReady: it is none, or of a later format.
    """
    return _read_key_id(stream)[1]


def unknown_key(key_id: str) -> NotReady:
    """Build the refusal for an archive that cannot be read, or not be used, for want of a key."""
    return NotReady(
        f"The backup needs key {key_id}, which this hub's file in config/ does not hold. Nothing was changed.",
        code="key.unknown",
        ask="Find HUB_ENCRYPTION_KEY in the file that belonged to the backup's hub, and give that line on stdin with --key-stdin.",
    )


class _Chunks:
    """Seals and opens the chunks of one file in their order."""

    def __init__(self, *, secret: bytes, prefix: bytes) -> None:
        self._cipher, self._prefix, self._number = AESGCM(secret), prefix, 0

    def seal(self, plain: bytes, *, is_last: bool) -> bytes:
        return self._cipher.encrypt(self._next_nonce(is_last=is_last), plain, None)

    def open(self, sealed: bytes, *, is_last: bool) -> bytes:
        try:
            return self._cipher.decrypt(self._next_nonce(is_last=is_last), sealed, None)
        except InvalidTag:
            raise _damaged() from None

    def _next_nonce(self, *, is_last: bool) -> bytes:
        if self._number >= MAX_CHUNKS:
            raise _damaged()
        nonce = self._prefix + struct.pack(">IB", self._number, is_last)
        self._number += 1
        return nonce


class _Plain:
    """The plain bytes of an archive, a few at a time, never more in memory than was asked for and two chunks."""

    def __init__(self, stream: BinaryIO, *, chunks: _Chunks) -> None:
        self._pieces = _decompressed(_opened(stream, chunks=chunks))
        self._waiting = bytearray()

    def take(self, count: int) -> bytes:
        while len(self._waiting) < count:
            piece = next(self._pieces, None)
            if piece is None:
                raise _damaged()
            self._waiting += piece
        taken = bytes(self._waiting[:count])
        del self._waiting[:count]
        return taken

    def check_end(self) -> None:
        """Refuse what follows the end; reading on is also what opens the last chunk."""
        if self._waiting or next(self._pieces, None) is not None:
            raise _damaged()


def _begin(key: Key, *, salt: bytes) -> tuple[bytes, _Chunks]:
    """Derive the key of one file; give the file's head, too."""
    key_id = key.id.encode()
    start = MAGIC + bytes([FORMAT, len(key_id)]) + key_id + salt
    derived = HKDF(SHA256(), length=32 + _PREFIX_BYTES + _PROOF_BYTES, salt=salt, info=_LABEL + start).derive(
        key.secret
    )
    head = start + derived[32 + _PREFIX_BYTES :]
    return head, _Chunks(secret=derived[:32], prefix=derived[32 : 32 + _PREFIX_BYTES])


def _read_head(stream: BinaryIO, *, keys: Iterable[Key]) -> _Chunks:
    start, key_id = _read_key_id(stream)
    salt, proof = _exactly(stream, _SALT_BYTES), _exactly(stream, _PROOF_BYTES)
    key = next((key for key in keys if key.id == key_id), None)
    if key is None:
        raise unknown_key(key_id)
    head, chunks = _begin(key, salt=salt)
    if not hmac.compare_digest(head, start + salt + proof):
        raise NotReady(
            f"The backup does not open with key {key_id}: it is another key of that name, or the file's beginning is damaged.",
            code="key.wrong",
            ask="Find HUB_ENCRYPTION_KEY in the hub.env that belongs to the backup, or take another copy of the file.",
        )
    return chunks


def _read_key_id(stream: BinaryIO) -> tuple[bytes, str]:
    """Read the head up to the key's id; gives these bytes, too."""
    start = stream.read(len(MAGIC) + 2)
    if len(start) < len(MAGIC) + 2 or not start.startswith(MAGIC):
        raise NotReady(
            "The file is no backup of a hub.", code="backup.foreign", ask="Give a file that psn_hub backup wrote."
        )
    if start[-2] != FORMAT:
        raise NotReady(
            f"The backup has format {start[-2]}; this PSN reads format {FORMAT}. Update your clone: git pull.",
            code="backup.newer",
            ask="git pull",
        )
    key_id = _exactly(stream, start[-1])
    if not key_id.isalnum() or not key_id.isascii():
        raise _damaged()
    return start + key_id, key_id.decode()


def _opened(stream: BinaryIO, *, chunks: _Chunks) -> Iterator[bytes]:
    """Open the chunks; the one that nothing follows is the last one, and must have been sealed as such."""
    sealed = _read_fully(stream, CHUNK_BYTES + TAG_BYTES)
    while True:
        following = _read_fully(stream, CHUNK_BYTES + TAG_BYTES)
        yield chunks.open(sealed, is_last=not following)
        if not following:
            return
        sealed = following


def _decompressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Undo the compression, at most a chunk at a time, however small the sealed chunk was."""
    expand = zlib.decompressobj()
    for piece in pieces:
        yield from _expanded(expand, piece)
    if not expand.eof or expand.unused_data:
        raise _damaged()


def _expanded(expand: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    while True:
        try:
            plain = expand.decompress(piece, CHUNK_BYTES)
        except zlib.error as error:  # the key is right and the content is not: a fault of whoever wrote it
            raise _damaged() from error
        if plain:
            yield plain
        piece = expand.unconsumed_tail
        if not piece:  # the checksum at the very end is taken only after everything before it was given
            return


def _blocks(plain: _Plain) -> Iterator[bytes]:
    while size := struct.unpack(">I", plain.take(4))[0]:
        if size > BLOCK_BYTES:
            raise _damaged()
        yield plain.take(size)


def _gathered(blocks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Put many small blocks together and cut large ones; give none that is empty."""
    waiting = bytearray()
    for block in blocks:
        waiting += block
        while len(waiting) >= BLOCK_BYTES:
            yield bytes(waiting[:BLOCK_BYTES])
            del waiting[:BLOCK_BYTES]
    if waiting:
        yield bytes(waiting)


def _named(name: str) -> bytes:
    raw = name.encode()
    return struct.pack(">H", len(raw)) + raw


def _exactly(stream: BinaryIO, count: int) -> bytes:
    read = _read_fully(stream, count)
    if len(read) != count:
        raise _damaged()
    return read


def _read_fully(stream: BinaryIO, count: int) -> bytes:
    """Read so many bytes, or what is left of the file."""
    read = bytearray()
    while len(read) < count and (piece := stream.read(count - len(read))):
        read += piece
    return bytes(read)


def _damaged() -> NotReady:
    return NotReady(
        "The backup is damaged: it was cut, or changed since it was written. Nothing was changed.",
        code="backup.damaged",
        ask="Take another copy of the file, or an older backup.",
    )
