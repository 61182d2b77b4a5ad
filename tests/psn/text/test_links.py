"""Links, hashtags and mentions in texts."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.text.links import find_links
from psn.text.spans import Span
from psn.text.tags import find_hashtags, find_mentions

SOUP = st.lists(
    st.sampled_from(
        [
            "https://",
            "http://",
            "a.b",
            "/",
            "(",
            ")",
            "[",
            "]",
            ".",
            ",",
            " ",
            "\n",
            "#",
            "@",
            "_",
            "1",
            "é",
            "日",
            "😀",
            "。",
            "x",
            "\u200b",
        ]
    )
).map("".join)


HINDI = "\u0939\u093f\u0928\u094d\u0926\u0940"


class TestFindLinks:
    @pytest.mark.parametrize(
        ("text", "links"),
        [
            ("see https://example.com.", ["https://example.com"]),
            ("(https://en.wikipedia.org/wiki/A_(b))", ["https://en.wikipedia.org/wiki/A_(b)"]),
            ("https://a.b/x?y=[1]&z=2!", ["https://a.b/x?y=[1]&z=2"]),
            ("HTTP://ÑANDÚ.es/Q", ["HTTP://ÑANDÚ.es/Q"]),
            ("\u201chttps://a.b/c\u201d", ["https://a.b/c"]),
            ("\u898b\u3066\uff1ahttps://a.b/\u65e5\u672c\u3002\u7d42", ["https://a.b/\u65e5\u672c"]),
            ("https://[::1]:80/x https://a.b:8080", ["https://[::1]:80/x", "https://a.b:8080"]),
            ("https:// https://. xhttps://a.b ftp://a.b example.com", []),
            ("https://a.b/c...", ["https://a.b/c"]),
            ("**https://a.b/c**", ["https://a.b/c"]),
            ("https://a.b/?q='x'", ["https://a.b/?q='x"]),
            ("", []),
        ],
        ids=["stop", "brackets", "query", "upper", "quoted", "japanese", "ports", "none", "dots", "stars", "quotes", "nothing"],
    )  # fmt: skip
    def test_ends_where_the_sentence_goes_on(self, text: str, links: list[str]) -> None:
        assert [link.text for link in find_links(text)] == links

    @given(SOUP)
    def test_gives_places_in_order_that_hold_what_they_say(self, text: str) -> None:
        for find in (find_links, find_hashtags, find_mentions):
            spans = find(text)
            assert all(text[span.start : span.end] == span.text and span.text for span in spans)
            assert all(one.end <= other.start for one, other in itertools.pairwise(spans))

    def test_takes_a_long_text_of_brackets_in_its_stride(self) -> None:
        assert find_links("https://a.b/" + "(" * 20_000 + ")" * 20_000)
        assert find_links("https://a.b/" + ")" * 50_000)[0].text == "https://a.b/"


class TestFindHashtags:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("#python and #caf\u00e9, #2026 #a1!", ["python", "caf\u00e9", "a1"]),
            (f"#{HINDI} \uff03\u65e5\u672c\u8a9e\u3002", [HINDI, "\u65e5\u672c\u8a9e"]),
            ("a#b &#39; ##c https://a.b/#d https://a.b/?x=#e /#f", []),
            ("#snake_case #_ #1_ (#x)", ["snake_case", "x"]),
            ("#paral\u00b7lel", ["paral\u00b7lel"]),
        ],
        ids=["latin", "other", "none", "underscores", "joined"],
    )  # fmt: skip
    def test_finds_words_of_any_script(self, text: str, names: list[str]) -> None:
        assert [tag.name for tag in find_hashtags(text)] == names


class TestFindMentions:
    @pytest.mark.parametrize(
        ("text", "mentions"),
        [
            ("@ana, @ana.bsky.social. (@ana@mastodon.social)", ["@ana", "@ana.bsky.social", "@ana@mastodon.social"]),
            ("me@example.com user+x@a.b @ @. https://a.b/@ana https://a.b/?to=@ana", []),
            ("@a_b-c @x@host:3000!", ["@a_b-c", "@x@host:3000"]),
            ("\uff20ana", ["\uff20ana"]),
        ],
        ids=["kinds", "none", "signs", "wide"],
    )
    def test_finds_names_and_no_mail_addresses(self, text: str, mentions: list[str]) -> None:
        assert [mention.text for mention in find_mentions(text)] == mentions

    def test_takes_a_long_text_of_marks_in_its_stride(self) -> None:
        assert find_mentions("@" * 50_000) == []
        assert find_mentions("@a" * 20_000 + "@") == []


class TestSpan:
    def test_knows_its_name_and_its_neighbours(self) -> None:
        span = Span(3, 7, "#tag")
        assert span.name == "tag"
        assert span.overlaps(Span(6, 9, "g x"))
        assert not span.overlaps(Span(7, 9, " x"))
