"""Recognising a part of ours in what X shows."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from psn.errors import Unavailable
from psn.platforms.base import MediaFile, Part, RemotePost
from psn.platforms.x.matching import Link, Seen, Shown, compare_text, find_part, read_shown, restore_text
from sandbox.platforms.x.text import Attached, show_json_text

BEGAN = datetime(2026, 11, 20, 8, 0, 0, 400_000, tzinfo=UTC)
PHOTO = Link("https://t.co/m", "https://x.com/ann/status/7/photo/1", media="photo")
VIDEO = Link("https://t.co/m", "https://x.com/ann/status/7/video/1", media="video")

# What X would take, with plenty of what it changes. U+FEFF, U+FFFE and U+FFFF it refuses.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff\ufffe\uffff")
BITS = st.sampled_from(
    [
        *("https://example.com", "https://example.com/", "http://example.com/a?b=1&c=2#d", "example.com", "x.org/a/"),
        *("Example.COM", "https://münchen.de/straße", "https://de.wikipedia.org/wiki/K%C3%A4se", "http://a.de/é?q=ü"),
        *("https://x.com/ann/status/9/photo/1", "ann@example.com", "a.b", "https://", "http://localhost", "www.x.com"),
        *("&amp;", "&lt;", "&", "<", ">", '"', "'", "e\u0301", "é", "ﬁ", "Å", "\u0301", "가", "👨‍👩‍👧", "🇩🇪", "❤️"),
        *(" ", "  ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u200b", "#tag", "@ann", "word", "字", ".", ")"),
    ]
)
TEXTS = st.lists(BITS | st.text(CHARACTERS, max_size=8), max_size=12).map("".join)
FILES = st.lists(st.builds(Attached, media_key=st.just("3_1"), kind=st.sampled_from(["photo", "video"])), max_size=4)
IDS = st.integers(min_value=1, max_value=2**63 - 1)


def show(written: str, *, post_id: int = 7, attached: list[Attached] | None = None) -> Shown:
    """Give a text as the sandbox's X sends it, read."""
    shown = show_json_text(written, post_id=post_id, handle="ann", attached=attached or [])
    links = [Link(url["url"], url["expanded_url"], media="file" if "media_key" in url else "") for url in shown.urls]
    return read_shown(shown.text, links=links)


def see(
    *shown: str | Link, post_id: str = "7", seconds: float = 1, reply_to: str | None = None, texts: Shown = ()
) -> Seen:
    created_at = BEGAN.replace(microsecond=0) + timedelta(seconds=seconds)
    post = RemotePost(post_id, restore_text(shown), created_at, "", in_reply_to=reply_to, metrics={})
    return Seen(post, shown)


def find(
    *posts: Seen, text: str = "hi", media: tuple[str, ...] = (), reply_to: str | None = None, known: str = ""
) -> str | None:
    files = tuple(MediaFile(Path("a"), mime_type, 1) for mime_type in media)
    found = find_part(Part(0, text, media=files), posts, since=BEGAN, reply_to=reply_to, known_ids=known.split())
    return found.platform_post_id if found else None


class TestCompareText:
    @given(written=TEXTS, post_id=IDS, attached=FILES)
    def test_recognises_everything_that_the_rendering_makes_of_it(
        self, written: str, post_id: int, attached: list[Attached]
    ) -> None:
        assert compare_text(written, show(written, post_id=post_id, attached=attached)) == "same"

    @given(written=TEXTS, attached=FILES, data=st.data())
    def test_never_takes_a_text_for_another_with_one_letter_changed(
        self, written: str, attached: list[Attached], data: st.DataObject
    ) -> None:
        places = [at for at, letter in enumerate(written) if letter.isalnum()]
        assume(places)
        at = data.draw(st.sampled_from(places))
        letter = data.draw(st.sampled_from("qQ7é字").filter(lambda other: other != _nfc(written[at])))

        other = written[:at] + letter + written[at + 1 :]

        assume(_nfc(other) != _nfc(written))
        assert compare_text(other, show(written, attached=attached)) == "different"

    @given(written=TEXTS, attached=FILES, data=st.data())
    def test_never_takes_a_text_for_another_with_one_letter_more(
        self, written: str, attached: list[Attached], data: st.DataObject
    ) -> None:
        at = data.draw(st.integers(0, len(written)))
        letter = data.draw(st.sampled_from("qQ7字"))

        other = written[:at] + letter + written[at:]

        assert compare_text(other, show(written, attached=attached)) == "different"
        assert compare_text(written, show(other, attached=attached)) == "different"

    @pytest.mark.parametrize(
        ("written", "leads_to"),
        [
            ("example.com", "http://example.com"),
            ("example.com/", "http://example.com"),
            ("http://example.com", "http://example.com/"),
            ("https://example.com?a=1", "https://example.com/?a=1"),
            ("https://example.com/#top", "https://example.com#top"),
            ("http://münchen.de/a", "http://xn--mnchen-3ya.de/a"),
            ("https://a.de/Käse%20b", "https://a.de/K%C3%A4se%20b"),
            ("https://t.co/abc", "https://example.com/the/target"),
            ("https://a.b/?x=1&y=2", "https://a.b/?x=1&y=2"),
        ],
    )
    def test_knows_the_spellings_of_a_link(self, written: str, leads_to: str) -> None:
        assert compare_text(f"see {written}!", ("see ", Link("https://t.co/abc", leads_to), "!")) == "same"

    @pytest.mark.parametrize(
        ("written", "leads_to"),
        [
            ("http://example.com", "https://example.com"),
            ("example.com", "https://example.com"),
            ("https://example.com/a", "https://example.com/a/"),
            ("https://example.com/?a=1", "https://example.com/?a=2"),
            ("https://example.com/A", "https://example.com/a"),
            ("https://a.de/b%20c", "https://a.de/b c"),
            ("https://münchen.de", "https://xn--mnche-1ya.de"),
            ("https://example.com/%zz", "https://example.com/%ff"),
        ],
    )
    def test_tells_links_apart(self, written: str, leads_to: str) -> None:
        assert compare_text(written, (Link("https://t.co/abc", leads_to),)) == "different"

    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("a & b <c>", "a &amp; b &lt;c&gt;"),
            ("&lt; &amp;", "&amp;lt; &amp;amp;"),
            ("  hi\r\nthere  ", "hi\nthere"),
            ("e\u0301", "é"),
            ("a\u200bb", "ab"),
        ],
    )
    def test_knows_what_x_does_to_words(self, written: str, shown: str) -> None:
        assert compare_text(written, read_shown(shown, links=[])) == "same"

    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("a < b", "a &amp;lt; b"),
            ("ab", "a b"),
            ("a b", "a\nb"),
            ("Hi", "hi"),
            ("hi", "hi."),
            ("hi", ""),
            ("👨‍👩‍👧", "👨👩👧"),
        ],
    )
    def test_tells_words_apart(self, written: str, shown: str) -> None:
        assert compare_text(written, read_shown(shown, links=[])) == "different"

    def test_takes_off_the_link_to_media_at_the_end_only(self) -> None:
        assert compare_text("look", ("look ", PHOTO)) == "same"
        assert compare_text("look here", ("look ", PHOTO, " here")) == "different"
        assert compare_text("", (PHOTO,)) == "same"
        assert compare_text(f"look {PHOTO.leads_to}", ("look ", PHOTO)) == "same"

    @pytest.mark.parametrize("written", ["see https://example.com", "see", "see anything"])
    def test_does_not_guess_where_an_unexplained_link_leads(self, written: str) -> None:
        assert compare_text(written, read_shown("see https://t.co/abc", links=[])) == "unclear"

    @pytest.mark.parametrize("written", ["sea https://example.com", "see https://example.com now", "see two words"])
    def test_knows_that_no_link_could_make_it_the_same(self, written: str) -> None:
        assert compare_text(written, read_shown("see https://t.co/abc", links=[])) == "different"

    def test_is_quick_with_many_links(self) -> None:
        written = "a.b " * 60
        assert compare_text(written, show(written)) == "same"
        assert compare_text(written + "!", show(written)) == "different"


class TestReadShown:
    def test_does_not_take_a_link_for_the_beginning_of_another(self) -> None:
        short, longer = (
            Link("https://t.co/ab", "https://short.example"),
            Link("https://t.co/abc", "https://long.example"),
        )
        assert read_shown("https://t.co/abc https://t.co/ab", links=[short, longer]) == ("", longer, " ", short, "")
        assert read_shown("https://t.co/abc", links=[short]) == ("", Link("https://t.co/abc"), "")

    def test_reads_the_one_link_of_four_pictures_once(self) -> None:
        assert restore_text(read_shown("look https://t.co/m", links=[PHOTO] * 4)) == "look"


class TestFindPart:
    def test_finds_nothing_among_other_posts(self) -> None:
        assert find(see("ho"), see("hi!"), see("hi ", Link("https://t.co/a", "https://example.com"))) is None
        assert find() is None

    def test_minds_what_it_replies_to(self) -> None:
        posts = (see("hi", post_id="1"), see("hi", post_id="2", reply_to="5"), see("hi", post_id="3", reply_to="6"))
        assert [find(*posts, reply_to=parent) for parent in (None, "5", "6", "7")] == ["1", "2", "3", None]

    def test_never_takes_a_post_that_is_linked_already(self) -> None:
        posts = see("hi", post_id="1"), see("hi", post_id="2", seconds=2)
        assert find(*posts, known="1") == "2"
        assert find(*posts, known="1 2") is None

    def test_takes_the_earliest_since_the_call_began(self) -> None:
        posts = [see("hi", post_id=str(9 + at), seconds=at) for at in (5, 3, 0, -1, -2)]
        assert find(*posts) == "9"
        assert find(*posts, known="9") == "12"

    def test_takes_one_from_before_only_when_there_is_no_other(self) -> None:
        posts = see("hi", post_id="1", seconds=-4), see("hi", post_id="2", seconds=-2)
        assert find(*posts) == "2"
        assert find(*posts, see("hi", post_id="3", seconds=60)) == "3"

    def test_takes_the_first_of_two_in_the_same_second(self) -> None:
        assert find(see("hi", post_id="12"), see("hi", post_id="9")) == "9"

    def test_finds_a_part_without_text_by_its_kind_of_media(self) -> None:
        photo, video, words = see(PHOTO, post_id="1"), see(VIDEO, post_id="2"), see("hi ", PHOTO, post_id="3")
        assert find(words, video, photo, text="", media=("image/png", "image/jpeg")) == "1"
        assert find(words, video, photo, text=" \n", media=("video/mp4",)) == "2"
        assert find(words, video, text="", media=("image/png",)) is None
        assert find(words, video, text="", media=("image/gif",)) == "2"

    def test_says_when_it_cannot_tell(self) -> None:
        hidden = see("hi ", Link("https://t.co/a"), post_id="1")
        with pytest.raises(Unavailable) as caught:
            find(hidden, text="hi https://example.com")
        assert caught.value.error_code == "x.unclear"
        assert find(hidden, text="hi https://example.com", known="1") is None
        assert find(hidden, text="hi https://example.com", reply_to="5") is None
        clear = see("hi ", Link("https://t.co/a", "https://example.com"), post_id="2")
        assert find(hidden, clear, text="hi https://example.com") == "2"


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
