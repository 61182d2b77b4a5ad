"""Which of the account's own posts is a part of ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from psn.platforms.meta.matching import CLOCK_SKEW, Seen, find_part, fold_text

BEGAN = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)


def seen(number: int, text: str = "hello", *, after: float = 5, **fields: Any) -> Seen:
    return Seen(str(number), text, BEGAN + timedelta(seconds=after), **fields)


def find(*posts: Seen, text: str = "hello", **options: Any) -> str | None:
    found = find_part(text, posts, **{"since": BEGAN, "known_ids": (), **options})
    return found.platform_post_id if found else None


class TestFindPart:
    def test_takes_the_earliest_of_several(self) -> None:
        assert find(seen(3, after=9), seen(2, after=5), seen(1, after=5)) == "1"

    def test_takes_the_newest_where_nobody_knows_when_it_began(self) -> None:
        assert find(seen(1), seen(2, after=9), newest=True) == "2"

    def test_takes_no_older_one(self) -> None:
        assert find(seen(1, after=-60)) is None

    def test_forgives_clocks_that_differ(self) -> None:
        assert find(seen(1, after=-CLOCK_SKEW.total_seconds())) == "1"

    def test_takes_no_other_words(self) -> None:
        assert find(seen(1, "hello!"), seen(2, "Hello")) is None

    @pytest.mark.parametrize("known", ["1", "ABCDEF"])
    def test_takes_none_that_is_linked_already(self, known: str) -> None:
        assert find(seen(1, shortcode="ABCDEF"), known_ids={known}) is None

    def test_takes_only_a_reply_to_the_same_post(self) -> None:
        posts = (seen(1), seen(2, in_reply_to="8"), seen(3, in_reply_to="9"))
        assert find(*posts, reply_to="9") == "3"
        assert find(*posts) == "1"


class TestFoldText:
    @pytest.mark.parametrize("shown", [" hello  world\n", "hello\r\nworld", "hello\u00a0world"])
    def test_forgives_white_space(self, shown: str) -> None:
        assert fold_text(shown) == fold_text("hello world")

    def test_forgives_the_spelling_of_letters(self) -> None:
        assert fold_text("cafe\u0301") == fold_text("café")

    def test_forgives_nothing_else(self) -> None:
        assert fold_text("hello world") != fold_text("helloworld")
