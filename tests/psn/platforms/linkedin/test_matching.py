"""Whether what a page shows is a part of ours (PUB-6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from psn.errors import Unavailable
from psn.platforms.base import MediaFile, Part, RemotePost
from psn.platforms.linkedin.matching import CLOCK_SKEW, find_comment, find_part
from psn.platforms.linkedin.wire import SeenComment, SeenPost

SINCE = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ARTICLE = {"link": "https://example.com/a", "title": "A"}
IMAGE = MediaFile(Path("a.png"), "image/png", 10)
ACTOR = "urn:li:organization:1"


def seen(text: str, *, number: int = 1, seconds: float = 1, media_ids: Sequence[str] = (), link: str = "") -> SeenPost:
    created_at = SINCE + timedelta(seconds=seconds)
    return SeenPost(RemotePost(f"urn:li:share:{number}", text, created_at, "", None, {}), tuple(media_ids), link)


def find(part: Part, *posts: SeenPost, media_ids: Sequence[str] = (), known_ids: Sequence[str] = ()) -> str | None:
    return find_part(part, posts, media_ids=media_ids, since=SINCE, known_ids=known_ids)


class TestFindPart:
    @pytest.mark.parametrize(
        ("written", "shown"),
        [("a", "a"), ("a\n\nb ", "a b"), ("cafe\u0301", "café"), ("a\u200bb", "ab"), (" (x) ", "(x)")],
    )
    def test_takes_for_the_same_what_looks_the_same(self, written: str, shown: str) -> None:
        assert find(Part(0, written), seen(shown)) == "urn:li:share:1"

    @pytest.mark.parametrize("shown", ["", "b", "A", "b a", "ab"])
    def test_does_not_take_another_text(self, shown: str) -> None:
        assert find(Part(0, "a"), seen(shown)) is None

    def test_does_not_decide_about_one_that_was_cut_off(self) -> None:
        with pytest.raises(Unavailable):
            find(Part(0, "a long text (with brackets)"), seen("a long text"))
        assert find(Part(0, "a long text"), seen("a"), seen("a long text", number=2)) == "urn:li:share:2"

    def test_goes_by_the_files_where_there_are_some(self) -> None:
        part = Part(0, "a", (IMAGE,))
        assert find(part, seen("changed", media_ids=["i"]), media_ids=["i"]) == "urn:li:share:1"
        assert find(part, seen("b", media_ids=["j"]), media_ids=["i"]) is None

    def test_does_not_decide_about_the_same_text_with_other_files(self) -> None:
        for media_ids in ((), ("j",)):
            with pytest.raises(Unavailable):
                find(Part(0, "a", (IMAGE,)), seen("a", media_ids=media_ids), media_ids=["i"])
        with pytest.raises(Unavailable):
            find(Part(0, "a"), seen("a", media_ids=["j"]))

    def test_knows_an_article_by_its_card(self) -> None:
        part = Part(0, "a", options=ARTICLE)
        assert find(part, seen("a", link=ARTICLE["link"])) == "urn:li:share:1"
        assert find(part, seen("a", link="https://lnkd.in/x")) == "urn:li:share:1"
        with pytest.raises(Unavailable):
            find(part, seen("a"))
        with pytest.raises(Unavailable):
            find(Part(0, "a"), seen("a", link=ARTICLE["link"]))

    def test_knows_an_article_without_words_by_its_address_alone(self) -> None:
        part = Part(0, "", options=ARTICLE)
        assert find(part, seen("", link=ARTICLE["link"])) == "urn:li:share:1"
        assert find(part, seen("", link="https://example.com/b")) is None

    def test_takes_the_earliest_since_then(self) -> None:
        posts = (seen("a", number=3, seconds=9), seen("a", number=2, seconds=2), seen("a", seconds=-1))
        assert find(Part(0, "a"), *posts) == "urn:li:share:2"
        assert find(Part(0, "a"), *posts, known_ids=["urn:li:share:2"]) == "urn:li:share:3"

    def test_allows_for_clocks_that_differ_and_no_more(self) -> None:
        skew = CLOCK_SKEW.total_seconds()
        assert find(Part(0, "a"), seen("a", seconds=-skew)) == "urn:li:share:1"
        assert find(Part(0, "a"), seen("a", seconds=-skew - 1)) is None


class TestFindComment:
    def test_takes_our_own_with_the_same_words(self) -> None:
        def comment(number: int, text: str, *, actor: str = ACTOR, seconds: float = 1) -> SeenComment:
            return SeenComment(f"c{number}", actor, text, SINCE + timedelta(seconds=seconds))

        def look(*comments: SeenComment, known_ids: Sequence[str] = ()) -> str | None:
            part = Part(1, "first  (!)", kind="comment")
            return find_comment(part, comments, actor=ACTOR, since=SINCE, known_ids=known_ids)

        assert look(comment(2, "first (!)", seconds=5), comment(1, "first (!)")) == "c1"
        assert look(comment(1, "first (!)"), known_ids=["c1"]) is None
        assert look(comment(1, "first (!)", actor="urn:li:person:a")) is None
        assert look(comment(1, "first (!)", seconds=-60)) is None
        assert look(comment(1, "first")) is None
