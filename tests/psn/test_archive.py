"""The container of backups: what was written comes back, and nothing else ever does (HUB-12)."""

from __future__ import annotations

import hashlib
import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn import archive
from psn.archive import BLOCK_BYTES, CHUNK_BYTES, TAG_BYTES, ArchiveWriter, Entry, read_archive, read_key_id
from psn.crypto import Key, create_key
from psn.errors import NotReady

KEY = create_key()
HEAD_BYTES = len(archive.MAGIC) + 2 + len(KEY.id) + 32 + 16
END = bytes(2)  # of the entries: a name without characters
SEALED_BYTES = CHUNK_BYTES + TAG_BYTES


def write(*entries: tuple[str, bytes], key: Key = KEY) -> bytes:
    stream = io.BytesIO()
    writer = ArchiveWriter(stream, key=key)
    for name, content in entries:
        writer.add(name, [content])
    writer.close()
    return stream.getvalue()


def read(raw: bytes, *keys: Key) -> dict[str, bytes]:
    return {name: b"".join(blocks) for name, blocks in read_archive(io.BytesIO(raw), keys=keys or (KEY,))}


def noise(count: int, *, seed: bytes = b"") -> bytes:
    """Bytes that do not compress, always the same."""
    return hashlib.shake_128(seed).digest(count)


LARGE = write(("first", noise(CHUNK_BYTES)), ("second", noise(CHUNK_BYTES, seed=b"2")), ("third", b"3"))


class TestAnArchive:
    @given(st.lists(st.tuples(st.text(min_size=1, max_size=20), st.lists(st.binary(max_size=100))), max_size=5))
    def test_gives_back_what_was_put_in(self, entries: list[tuple[str, list[bytes]]]) -> None:
        stream = io.BytesIO()
        writer = ArchiveWriter(stream, key=KEY)
        written = [writer.add(name, blocks) for name, blocks in entries]
        writer.close()
        stream.seek(0)

        found = [(name, b"".join(blocks)) for name, blocks in read_archive(stream, keys=[KEY])]

        assert found == [(name, b"".join(blocks)) for name, blocks in entries]
        assert written == [Entry(name, len(all_), hashlib.sha256(all_).hexdigest()) for name, all_ in found]

    @pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * CHUNK_BYTES + 7])
    def test_holds_streams_of_every_size(self, size: int) -> None:
        for content in (noise(size), bytes(size)):
            assert read(write(("a", content), ("b", b"after"))) == {"a": content, "b": b"after"}

    @pytest.mark.parametrize("more", range(-3, 4))
    def test_ends_well_where_a_chunk_is_full_to_the_byte(self, more: int, monkeypatch: pytest.MonkeyPatch) -> None:
        raw = write(("a", noise(1000)))
        plain_bytes = len(raw) - HEAD_BYTES - TAG_BYTES  # of what was the one chunk
        monkeypatch.setattr(archive, "CHUNK_BYTES", plain_bytes + more)
        assert read(write(("a", noise(1000)))) == {"a": noise(1000)}

    def test_passes_over_what_nobody_takes(self) -> None:
        names = [name for name, _ in read_archive(io.BytesIO(LARGE), keys=[KEY])]
        assert names == ["first", "second", "third"]

    def test_shows_nothing_of_what_is_in_it(self) -> None:
        raw = write(("accounts", b"the name of a table and a secret" * 100))
        assert b"accounts" not in raw
        assert b"secret" not in raw
        assert len(raw) < 1000  # and is compressed

    def test_never_uses_a_nonce_and_a_key_twice(self) -> None:
        once, again = write(("a", b"the same")), write(("a", b"the same"))
        assert once[HEAD_BYTES:] != again[HEAD_BYTES:]

    def test_takes_no_more_memory_than_a_few_chunks(self, tmp_path: Path) -> None:
        def blocks() -> Iterator[bytes]:
            for number in range(200):
                yield noise(CHUNK_BYTES, seed=number.to_bytes(2)) if number % 2 else bytes(4 * CHUNK_BYTES)

        tracemalloc.start()
        with (tmp_path / "large").open("wb") as file:
            writer = ArchiveWriter(file, key=KEY)
            size = writer.add("large", blocks()).size_bytes
            writer.close()
        written = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        with (tmp_path / "large").open("rb") as source:
            assert sum(len(block) for _, found in read_archive(source, keys=[KEY]) for block in found) == size
        read_again = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size > 100_000_000
        assert written < 16 * CHUNK_BYTES
        assert read_again < 16 * CHUNK_BYTES


ATTACKS: dict[str, Callable[[bytes], bytes]] = {
    "cut after the head": lambda raw: raw[:HEAD_BYTES],
    "cut in the head": lambda raw: raw[: HEAD_BYTES - 1],
    "cut in a chunk": lambda raw: raw[: HEAD_BYTES + SEALED_BYTES + 1000],
    "cut between two chunks": lambda raw: raw[: HEAD_BYTES + SEALED_BYTES],
    "cut by one byte": lambda raw: raw[:-1],
    "without its last chunk": lambda raw: raw[: HEAD_BYTES + (len(raw) - HEAD_BYTES) // SEALED_BYTES * SEALED_BYTES],
    "with a byte more": lambda raw: raw + b"\0",
    "with its own last chunk again": lambda raw: (
        raw + raw[HEAD_BYTES + (len(raw) - HEAD_BYTES) // SEALED_BYTES * SEALED_BYTES :]
    ),
    "with another archive behind it": lambda raw: raw + LARGE,
    "with two chunks exchanged": lambda raw: (
        raw[:HEAD_BYTES]
        + raw[HEAD_BYTES + SEALED_BYTES : HEAD_BYTES + 2 * SEALED_BYTES]
        + raw[HEAD_BYTES : HEAD_BYTES + SEALED_BYTES]
        + raw[HEAD_BYTES + 2 * SEALED_BYTES :]
    ),
    "without its first chunk": lambda raw: raw[:HEAD_BYTES] + raw[HEAD_BYTES + SEALED_BYTES :],
    "with the head of another archive": lambda raw: write(("a", b"a"))[:HEAD_BYTES] + raw[HEAD_BYTES:],
    "with the end of another archive": lambda raw: (
        raw[: HEAD_BYTES + SEALED_BYTES]
        + write(("first", noise(CHUNK_BYTES)), ("second", noise(CHUNK_BYTES, seed=b"2")), ("third", b"3"))[
            HEAD_BYTES + SEALED_BYTES :
        ]
    ),
}


class TestADamagedArchive:
    @pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
    def test_is_refused(self, attack: Callable[[bytes], bytes]) -> None:
        assert read(LARGE)["third"] == b"3"
        with pytest.raises(NotReady) as caught:
            read(attack(LARGE))
        assert caught.value.error_code in ("backup.damaged", "key.wrong")

    @given(st.data())
    def test_is_refused_whichever_bit_was_turned(self, data: st.DataObject) -> None:
        raw = bytearray(write(("users", b"1\tme\n"), ("posts", noise(300))))
        place = data.draw(st.integers(0, len(raw) * 8 - 1))
        raw[place // 8] ^= 1 << place % 8
        with pytest.raises(NotReady):
            read(bytes(raw))

    @given(st.integers(0, 400))
    def test_is_refused_wherever_it_was_cut(self, length: int) -> None:
        raw = write(("users", b"1\tme\n"), ("posts", noise(300)))
        assert length < len(raw)
        with pytest.raises(NotReady):
            read(raw[:length])

    def test_gives_nothing_of_a_chunk_that_was_changed(self) -> None:
        raw = bytearray(LARGE)
        raw[HEAD_BYTES + 100] ^= 1
        entries = read_archive(io.BytesIO(bytes(raw)), keys=[KEY])
        with pytest.raises(NotReady):
            next(entries)

    @pytest.mark.parametrize(
        "content",
        [
            b"no zlib at all",
            b"",
            zlib.compress(b""),
            zlib.compress(END)[:-4],
            zlib.compress(END) + b"more",
            zlib.compress(END + b"more"),
            zlib.compress(b"\0\1a" + struct.pack(">I", BLOCK_BYTES + 1) + bytes(BLOCK_BYTES + 1) + bytes(4) + END),
        ],
        ids=["no zlib", "nothing", "no end", "cut in its checksum", "more behind", "more inside", "a block too large"],
    )
    def test_is_refused_even_when_the_key_s_owner_wrote_it_badly(self, content: bytes) -> None:
        head, chunks = archive._begin(KEY, salt=bytes(32))
        with pytest.raises(NotReady, match="damaged"):
            read(head + chunks.seal(content, is_last=True))
        head, chunks = archive._begin(KEY, salt=bytes(32))
        assert read(head + chunks.seal(zlib.compress(END), is_last=True)) == {}


class TestChunks:
    """What the cipher alone keeps in order, whatever stands in the chunks."""

    @pytest.mark.parametrize(
        "order", [[0, 1], [0], [1, 2], [1, 0, 2], [0, 2], [0, 1, 1, 2], [0, 1, 2, 2], [2], []], ids=str
    )
    def test_open_only_as_they_were_sealed(self, order: list[int]) -> None:
        _, sealer = archive._begin(KEY, salt=bytes(32))
        sealed = [sealer.seal(bytes(CHUNK_BYTES), is_last=number == 2) for number in range(3)]
        assert open_chunks([0, 1, 2], sealed) == [bytes(CHUNK_BYTES)] * 3
        with pytest.raises(NotReady):
            open_chunks(order, sealed)

    def test_of_two_files_do_not_mix(self) -> None:
        sealed = [archive._begin(KEY, salt=bytes([number] * 32))[1].seal(b"a", is_last=True) for number in range(2)]
        assert open_chunks([0], sealed) == [b"a"]
        with pytest.raises(NotReady):
            open_chunks([1], sealed)


def open_chunks(order: list[int], sealed: list[bytes]) -> list[bytes]:
    stream = io.BytesIO(b"".join(sealed[number] for number in order))
    return list(archive._opened(stream, chunks=archive._begin(KEY, salt=bytes(32))[1]))


class TestAForeignFile:
    @pytest.mark.parametrize("raw", [b"", b"PGDMP\x01\x0e", b"PSNARC", b"a shopping list", b"PK\3\4" * 1000])
    def test_is_named_as_such(self, raw: bytes) -> None:
        with pytest.raises(NotReady) as caught:
            read(raw)
        assert caught.value.error_code == "backup.foreign"

    def test_of_a_later_format_asks_for_a_later_psn(self) -> None:
        raw = bytearray(write(("a", b"a")))
        raw[len(archive.MAGIC)] = 2
        with pytest.raises(NotReady) as caught:
            read(bytes(raw))
        assert (caught.value.error_code, caught.value.ask) == ("backup.newer", "git pull")


class TestTheKey:
    def test_is_found_among_several(self) -> None:
        assert read(write(("a", b"a")), create_key(), KEY) == {"a": b"a"}

    def test_that_is_not_here_is_named(self) -> None:
        with pytest.raises(NotReady, match=KEY.id) as caught:
            read(write(("a", b"a")), create_key())
        assert caught.value.error_code == "key.unknown"

    def test_of_the_same_name_is_told_apart(self) -> None:
        with pytest.raises(NotReady) as caught:
            read(write(("a", b"a")), Key(id=KEY.id, secret=create_key().secret))
        assert caught.value.error_code == "key.wrong"

    def test_is_named_without_opening(self) -> None:
        assert read_key_id(io.BytesIO(LARGE)) == KEY.id

    def test_never_stands_in_the_file(self) -> None:
        assert KEY.secret not in LARGE
