"""Sealing: what is sealed opens with its key in its place, and in no other way (HUB-8)."""

from __future__ import annotations

import base64
import pickle

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from psn.crypto import KEY_BYTES, Key, Keyring, create_key, key_id_of, read_key
from psn.errors import NotReady

PLACE = "oauth_tokens:1:access_token_sealed"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="
OLD, NEW = Key(id="old0", secret=b"o" * KEY_BYTES), Key(id="new0", secret=b"n" * KEY_BYTES)

quickly = settings(max_examples=60, deadline=None, derandomize=True)
keys = st.builds(
    Key, id=st.from_regex(r"[a-z0-9]{4,16}", fullmatch=True), secret=st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
)
texts = st.text(max_size=200)


def refusal(keyring: Keyring, sealed: str, *, place: str = PLACE) -> str:
    """Give the code with which it is refused."""
    with pytest.raises(NotReady) as caught:
        keyring.open(sealed, context=place)
    return caught.value.error_code


class TestKeyring:
    @quickly
    @given(keys, texts, texts)
    def test_opens_what_it_sealed(self, key: Key, text: str, place: str) -> None:
        sealed = Keyring(key).seal(text, context=place)
        assert Keyring(key).open(sealed, context=place) == text
        assert key_id_of(sealed) == key.id

    @quickly
    @given(texts)
    def test_never_seals_twice_alike(self, text: str) -> None:
        assert Keyring(NEW).seal(text, context=PLACE) != Keyring(NEW).seal(text, context=PLACE)

    @quickly
    @given(st.text("xyz", min_size=8))
    def test_shows_nothing_of_what_it_sealed(self, text: str) -> None:
        sealed = Keyring(NEW).seal(text, context=PLACE)
        assert text not in sealed
        assert text.encode() not in base64.urlsafe_b64decode(sealed.split(".")[2])

    @quickly
    @given(texts, texts, texts)
    def test_opens_nothing_in_another_place(self, text: str, place: str, other: str) -> None:
        assume(place != other)
        assert refusal(Keyring(NEW), Keyring(NEW).seal(text, context=place), place=other) == "key.wrong"

    @quickly
    @given(st.text(max_size=20), st.data())
    def test_opens_nothing_that_was_altered_by_a_bit(self, text: str, data: st.DataObject) -> None:
        version, key_id, body = Keyring(NEW).seal(text, context=PLACE).split(".")
        raw = bytearray(base64.urlsafe_b64decode(body))
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        altered = f"{version}.{key_id}.{base64.urlsafe_b64encode(bytes(raw)).decode()}"
        assert refusal(Keyring(NEW), altered) == "key.wrong"

    @pytest.mark.parametrize("text", ["", "a", "ab", "abc"], ids=["=", "==", "no padding", "= again"])
    def test_opens_nothing_in_which_any_character_was_replaced(self, text: str) -> None:
        sealed = Keyring(NEW).seal(text, context=PLACE)
        for position, character in enumerate(sealed):
            for other in ALPHABET + ".!\n é":
                if other != character:
                    refusal(Keyring(NEW, OLD), sealed[:position] + other + sealed[position + 1 :])

    @quickly
    @given(texts, st.data())
    def test_opens_nothing_that_was_cut_or_lengthened(self, text: str, data: st.DataObject) -> None:
        sealed = Keyring(NEW).seal(text, context=PLACE)
        at = data.draw(st.integers(0, len(sealed) - 1))
        refusal(Keyring(NEW), sealed[:at])
        refusal(Keyring(NEW), sealed[:at] + data.draw(st.sampled_from(ALPHABET + " \n!")) + sealed[at:])

    @quickly
    @given(st.text())
    def test_calls_anything_else_damaged_or_unknown(self, text: str) -> None:
        assert refusal(Keyring(NEW), text) in {"key.damaged", "key.unknown"}

    def test_opens_with_the_old_key_and_seals_with_the_new_one(self) -> None:
        keyring = Keyring(NEW, OLD)
        assert keyring.open(Keyring(OLD).seal("text", context=PLACE), context=PLACE) == "text"
        assert key_id_of(keyring.seal("text", context=PLACE)) == NEW.id

    def test_names_the_key_it_does_not_have(self) -> None:
        sealed = Keyring(OLD).seal("text", context=PLACE)
        assert refusal(Keyring(NEW), sealed) == "key.unknown"
        with pytest.raises(NotReady, match="old0"):
            Keyring(NEW).open(sealed, context=PLACE)

    @quickly
    @given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES), texts)
    def test_opens_nothing_with_another_key_of_the_same_name(self, secret: bytes, text: str) -> None:
        assume(secret != NEW.secret)
        assert refusal(Keyring(Key(id=NEW.id, secret=secret)), Keyring(NEW).seal(text, context=PLACE)) == "key.wrong"

    def test_opens_nothing_under_the_name_of_another_key(self) -> None:
        same = Key(id="same", secret=NEW.secret)
        relabelled = Keyring(NEW).seal("text", context=PLACE).replace(NEW.id, same.id)
        assert refusal(Keyring(same), relabelled) == "key.wrong"

    def test_is_never_empty(self) -> None:
        with pytest.raises(NotReady) as caught:
            Keyring()
        assert caught.value.error_code == "key.missing"


class TestKey:
    @quickly
    @given(keys)
    def test_is_read_as_it_was_written(self, key: Key) -> None:
        assert read_key(key.to_text()) == key
        assert read_key(f" {key.to_text()}=\n") == key

    @quickly
    @given(keys)
    def test_never_shows_its_secret(self, key: Key) -> None:
        text = key.to_text().split(":")[1]
        for shown in (repr(key), str(key), f"{key}", repr([key]), repr(Keyring(key))):
            assert text not in shown
            assert repr(key.secret)[2:-1] not in shown

    def test_is_made_of_256_random_bits(self) -> None:
        made = [create_key() for _ in range(20)]
        assert {len(key.secret) for key in made} == {KEY_BYTES}
        assert len({key.secret for key in made}) == len({key.id for key in made}) == 20

    def test_is_a_plain_value(self) -> None:
        assert pickle.loads(pickle.dumps(NEW)) == NEW


class TestReadKey:
    MALFORMED = {
        "nothing": "",
        "no id": f"{'S' * 43}",
        "short": f"abcd:{'S' * 42}",
        "long": f"abcd:{'S' * 44}",
        "wrong letters": f"abcd:{'S' * 42}+",
        "wrong id": f"AB:{'S' * 43}",
        "two lines": f"abcd:{'S' * 43}\nabcd:{'S' * 43}",
    }

    @pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
    def test_refuses(self, text: str) -> None:
        with pytest.raises(NotReady) as caught:
            read_key(text)
        assert caught.value.error_code == "key.malformed"

    @quickly
    @given(st.text("STUVWXYZ0123456789", min_size=12, max_size=80))
    def test_never_repeats_what_it_refuses(self, text: str) -> None:
        with pytest.raises(NotReady) as caught:
            read_key(f"abcd:{text}!")
        error = caught.value
        assert text not in f"{error} {error.ask} {error.next_command} {error.__cause__} {error.__context__}"
