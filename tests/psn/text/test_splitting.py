"""Texts as threads: nothing lost, nothing torn."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psn.errors import InvalidInput
from psn.platforms.x.counting import count_text
from psn.text.counting import count_bytes, count_emoji_bytes, count_graphemes, count_utf16
from psn.text.expressions import expression
from psn.text.links import find_links
from psn.text.splitting import split_thread
from psn.text.tags import find_mentions

WORDS = [
    "word", "longer-word", "a", "I", "Dr.", "e.g.", "end.", "end!", "so?\u201d", "https://example.com/a/path?q=1", "@ana@mastodon.social",
    "#tag", "\u65e5\u672c\u8a9e\u3002\u4e2d\u6587", "\u4e2d\u6587\uff0c", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1ea\U0001f1f8", "e\u0301e\u0301", "\u0915\u094d\u0937\u093f", "no\u00a0break", "x" * 30, "\u0600 x", "\u200d",
    "@[Some One](urn:li:person:x1)",
]  # fmt: skip
BLANKS = [" ", "  ", "\n", "\n\n", "\r\n\r\n", "\t", " \n \n ", "\u2029", "\u3000"]
TEXTS = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(BLANKS)), max_size=60).map(
    lambda pairs: "".join(word + blank for word, blank in pairs)
)
COUNTS: dict[str, Callable[[str], int]] = {
    "characters": len,
    "graphemes": count_graphemes,
    "utf16": count_utf16,
    "bytes": count_bytes,
    "emoji bytes": count_emoji_bytes,
    "x": lambda text: count_text(text).units,
}


def places(text: str, parts: list[str]) -> list[tuple[int, int]]:
    """Find where the parts stand in the text; between them nothing but blanks may be."""
    found, position = [], 0
    for part in parts:
        start = text.index(part, position)
        assert not text[position:start].strip()
        found.append((start, start + len(part)))
        position = start + len(part)
    assert not text[position:].strip()
    return found


class TestSplitThread:
    @settings(max_examples=150, deadline=None)  # the first count of X's loads its lists
    @given(TEXTS, st.sampled_from(sorted(COUNTS)), st.integers(60, 120))
    def test_never_loses_or_tears_anything(self, text: str, unit: str, limit: int) -> None:
        count = COUNTS[unit]
        parts = split_thread(text, count=count, limit=limit)
        assert all(count(part) <= limit for part in parts)
        if len(parts) > 1:
            assert all(part and part == part.strip(" \t\r\n\u2029\u3000") for part in parts)
        taken = places(text, parts)
        for kept in (*find_links(text), *find_mentions(text)):
            assert any(start <= kept.start and kept.end <= end for start, end in taken), kept
        assert sum(map(count_graphemes, parts)) <= count_graphemes(text)

    @settings(max_examples=60)
    @given(TEXTS, st.integers(70, 120))
    def test_numbers_its_parts_inside_the_limit(self, text: str, limit: int) -> None:
        parts = split_thread(text, count=count_graphemes, limit=limit, numbering=True)
        assert all(count_graphemes(part) <= limit for part in parts)
        if len(parts) > 1:
            bare = [part.removesuffix(f" {number}/{len(parts)}") for number, part in enumerate(parts, start=1)]
            assert all(len(part) < len(whole) for part, whole in zip(bare, parts, strict=True))
            places(text, bare)

    @settings(max_examples=60)
    @given(st.text(st.characters(), max_size=200), st.integers(1, 20))
    def test_takes_any_text_or_says_what_is_too_long(self, text: str, limit: int) -> None:
        stuck = any(count_bytes(cluster) > limit for cluster in expression(r"\X").findall(text.strip()))
        with pytest.raises(InvalidInput) if stuck else nullcontext():
            parts = split_thread(text, count=count_bytes, limit=limit)
            assert all(count_bytes(part) <= limit for part in parts)
            places(text, parts)

    @settings(max_examples=40)
    @given(TEXTS, st.integers(0, 10_000))
    def test_holds_for_counts_that_follow_no_rule(self, text: str, seed: int) -> None:
        def count(part: str) -> int:
            return zlib.crc32(f"{seed}{part!r}".encode()) % 100 if len(part) > 40 else len(part)

        parts = split_thread(text, count=count, limit=60)
        assert all(count(part) <= 60 for part in parts)
        places(text, parts)

    def test_leaves_a_short_text_as_it_is(self) -> None:
        assert split_thread(" \n as it is \n", count=len, limit=280) == [" \n as it is \n"]
        assert split_thread("", count=len, limit=280, numbering=True) == [""]

    def test_prefers_paragraphs_to_lines_to_sentences_to_words(self) -> None:
        assert split_thread("One two.\n\nThree four.", count=len, limit=19) == ["One two.", "Three four."]
        assert split_thread("One two six\nthree four five", count=len, limit=19) == ["One two six", "three four five"]
        assert split_thread("One two. Three four five", count=len, limit=16) == ["One two.", "Three four five"]
        assert split_thread("One two three four", count=len, limit=14) == ["One two three", "four"]

    def test_takes_no_abbreviation_for_an_end(self) -> None:
        assert (
            split_thread("We asked Dr. Smith, e.g. Today it is fine", count=len, limit=30)[0]
            == "We asked Dr. Smith, e.g. Today"
        )

    def test_sets_no_blank_where_none_was(self) -> None:
        text = "\u6211\u4eec\u6765\u4e86\u3002" * 10
        parts = split_thread(text, count=len, limit=12)
        assert "".join(parts) == text
        assert all(part.endswith("\u3002") for part in parts)

    def test_cuts_a_word_only_when_it_is_too_long_by_itself(self) -> None:
        parts = split_thread("short " + "x" * 25 + " end", count=len, limit=10)
        assert parts == ["short", "x" * 10, "x" * 10, "xxxxx end"]

    def test_knows_no_largest_number_of_parts(self) -> None:
        parts = split_thread("word " * 4000, count=len, limit=14, numbering=True)
        assert len(parts) == 4000
        assert (parts[0], parts[-1]) == ("word 1/4000", "word 4000/4000")

    @pytest.mark.parametrize(
        ("text", "limit"),
        [("see https://example.com/" + "a" * 50, 30), ("hi @" + "a" * 40, 30), ("a" + "\u0301" * 50, 30), ("abc", 0)],
        ids=["link", "mention", "character", "no room"],
    )
    def test_says_what_cannot_be_cut(self, text: str, limit: int) -> None:
        with pytest.raises(InvalidInput, match="counts") as refused:
            split_thread(text, count=len, limit=limit)
        assert refused.value.error_code == "text.cannot_split"

    def test_counts_seldom(self) -> None:
        counted = []

        def count(part: str) -> int:
            counted.append(len(part))
            return len(part)

        parts = split_thread("Some words, and a sentence. " * 360, count=count, limit=280)
        assert len(counted) < 8 * len(parts)
        assert sum(counted) < 10 * 360 * 28
