"""X's counting, held against the parser that follows X's own, on texts that nobody would write."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psn.platforms.x import counting
from psn.platforms.x.counting import count_text

SOUP = st.lists(
    st.sampled_from(
        [
            "a", "B", "1", "#", "*", "@", " ", "\n", "\r\n", "\t", ".", "/", "-", "_", ":", "https://", "http://t.co/", "example", "com",
            "co.uk", "\u65e5", "\u3002", "\u00e9", "e\u0301", "\u200d", "\ufe0f", "\u20e3", "\U0001f600", "\U0001f468", "\U0001f3fd",
            "\U0001f1ea", "\u2764", "\u2122", "\u200b", "\u00a0", "\u3000", "\u180e", "\x1c", "\x85", "?", "&", "=", "(", ")", "$",
            "\u202a", "\u00f1.com", "\u0440\u0444", "\ufeff", "~", "|",
        ]
    ),
    max_size=25,
).map("".join)  # fmt: skip


class TestCountText:
    @settings(max_examples=300, deadline=None)  # the first count loads X's lists
    @given(SOUP)
    def test_agrees_with_the_parser(self, text: str) -> None:
        assert count_text(text).units == counting._parser().parse_tweet(text).weightedLength

    @pytest.mark.parametrize(
        "text",
        [
            "http://t.co/1\ufe0f\u20e3",
            "https://example.com/1\ufe0f\u20e3",
            "\u3002\t\u00e9co.uk&\u65e5",
            "a.com b.com\nc.com",
            "1\ufe0f\u20e3.com",
            "#\ufe0f\u20e3",
        ],
    )
    def test_agrees_with_the_parser_where_one_thing_stands_in_another(self, text: str) -> None:
        assert count_text(text).units == counting._parser().parse_tweet(text).weightedLength

    def test_looks_wherever_an_emoji_may_begin(self) -> None:
        _, beginnings = counting._emoji()
        assert all(counting._PERHAPS_EMOJI.fullmatch(beginning) for beginning in beginnings)

    @pytest.mark.parametrize(
        "word", ["a." * 5000, "http://" * 1500, "a.com/" * 1500], ids=["labels", "schemes", "paths"]
    )
    def test_is_not_kept_busy_by_a_hostile_word(self, word: str) -> None:
        began = time.process_time()
        count_text(word)
        assert time.process_time() - began < 5  # X's own expression takes minutes for the first
