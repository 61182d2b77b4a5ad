"""The units that platforms count in."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.text.counting import count_bytes, count_emoji_bytes, count_graphemes, count_utf16

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
FLAG = "\U0001f1ea\U0001f1f8"

ANYTHING = st.text(st.characters(), max_size=60)
EMOJI_SOUP = st.text(
    st.sampled_from(["a", "#", "1", "\u20e3", "\ufe0f", "\ufe0e", "\u200d", "\u2764", "\u0301", *FAMILY, *FLAG])
)


class TestCounts:
    @pytest.mark.parametrize(
        ("text", "graphemes", "utf16", "size", "emoji_bytes"),
        [
            ("", 0, 0, 0, 0),
            ("abc", 3, 3, 3, 3),
            ("e\u0301", 1, 2, 3, 2),
            ("\u65e5\u672c", 2, 2, 6, 2),
            ("\u0915\u094d\u0937\u093f", 1, 4, 12, 4),
            ("\uac01", 1, 1, 3, 1),
            ("\u1100\u1161\u11a8", 1, 3, 9, 3),
            ("a\r\nb", 3, 4, 4, 4),
            ("\U0001f600", 1, 2, 4, 4),
            (FAMILY, 1, 11, 25, 25),
            (FLAG, 1, 4, 8, 8),
            (FLAG * 2, 2, 8, 16, 16),
            ("\U0001f44d\U0001f3fd", 1, 4, 8, 8),
            ("1\ufe0f\u20e3", 1, 3, 7, 7),
            ("#1", 2, 2, 2, 2),
            ("\u2764\ufe0f", 1, 2, 6, 6),
            ("\u260e\ufe0e", 1, 2, 6, 2),
            ("\u2122", 1, 1, 3, 3),
            ("\ud800", 1, 1, 3, 1),
        ],
        ids=[
            "nothing", "letters", "combined", "kanji", "devanagari", "hangul", "jamo", "line-break", "emoji", "family", "flag",
            "two-flags", "skin", "keycap", "no-keycap", "heart", "text-style", "trademark", "half",
        ],
    )  # fmt: skip
    def test_agree_with_the_platforms(self, text: str, graphemes: int, utf16: int, size: int, emoji_bytes: int) -> None:
        assert (count_graphemes(text), count_utf16(text), count_bytes(text), count_emoji_bytes(text)) == (
            graphemes,
            utf16,
            size,
            emoji_bytes,
        )

    @given(st.one_of(ANYTHING, EMOJI_SOUP))
    def test_keep_their_order(self, text: str) -> None:
        assert count_graphemes(text) <= len(text) <= count_utf16(text) <= count_bytes(text)
        assert len(text) <= count_emoji_bytes(text) <= count_bytes(text)

    @given(ANYTHING, ANYTHING)
    def test_add_up_where_a_line_ends(self, one: str, other: str) -> None:
        for count in (count_utf16, count_bytes, count_emoji_bytes, count_graphemes):
            assert count(f"{one}\n\n{other.lstrip()}") == count(one) + 2 + count(other.lstrip()) or one.endswith("\r")

    @given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Zs"]), max_size=60))
    def test_of_threads_is_one_a_character_without_emoji(self, text: str) -> None:
        assert count_emoji_bytes(text) == len(text)

    @given(st.text(st.characters(codec="ascii")))
    def test_of_ascii_are_all_the_same(self, text: str) -> None:
        text = text.replace("\r", "")
        assert count_graphemes(text) == count_utf16(text) == count_bytes(text) == count_emoji_bytes(text) == len(text)

    def test_of_composed_letters_do_not_depend_on_how_they_were_typed(self) -> None:
        text = "ñandú übermäßig"
        assert count_graphemes(unicodedata.normalize("NFD", text)) == count_graphemes(
            unicodedata.normalize("NFC", text)
        )
