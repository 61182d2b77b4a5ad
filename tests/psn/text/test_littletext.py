"""LinkedIn's little text, both ways."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.text.littletext import RESERVED, escape, show, unescape

SOUP = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *RESERVED,
                "#tag",
                "#a_b",
                "@[Name](urn:li:person:x)",
                "@[A (b) #c](urn:li:organization:1)",
                "{hashtag|\\#|x}",
                " ",
                "x",
            ]
        ),
        st.characters(),
    )
).map("".join)


class TestEscape:
    @pytest.mark.parametrize(
        ("text", "little"),
        [
            ("plain", "plain"),
            ("50% (off) [now] *go* <b> ~x~ {a|b} \\", r"50% \(off\) \[now\] \*go\* \<b\> \~x\~ \{a\|b\} " + "\\\\"),
            ("#tag and # and a#b", r"#tag and \# and a\#b"),
            ("#snake_case", r"{hashtag|\#|snake\_case}"),
            ("mail me@example.com", r"mail me\@example.com"),
            ("Hi @[Ana Gil](urn:li:person:Ab_1-)!", "Hi @[Ana Gil](urn:li:person:Ab_1-)!"),
            ("@[Foo (Bar)](urn:li:organization:12)", r"@[Foo \(Bar\)](urn:li:organization:12)"),
            ("@[not one](https://a.b)", r"\@\[not one\]\(https://a.b\)"),
            ("{hashtag|\\#|x}", r"\{hashtag\|\\\#\|x\}"),
            ("https://a.b/c_d", r"https://a.b/c\_d"),
        ],
        ids=[
            "plain",
            "signs",
            "hashtag",
            "underscore",
            "mail",
            "mention",
            "brackets",
            "no mention",
            "template",
            "link",
        ],
    )
    def test_keeps_hashtags_and_mentions_only(self, text: str, little: str) -> None:
        assert escape(text) == little
        assert unescape(little) == text

    @given(SOUP)
    def test_is_undone_by_unescape(self, text: str) -> None:
        assert unescape(escape(text)) == text

    @given(st.text(st.characters(exclude_characters="#\uff03@")))
    def test_leaves_nothing_reserved_as_it_was(self, text: str) -> None:
        assert not re.search(rf"[{re.escape(RESERVED)}]", re.sub(r"\\.", "", escape(text), flags=re.DOTALL))


class TestShow:
    def test_gives_the_name_of_a_mention(self) -> None:
        assert show("Hi @[Ana Gil](urn:li:person:x), #tag") == "Hi Ana Gil, #tag"
