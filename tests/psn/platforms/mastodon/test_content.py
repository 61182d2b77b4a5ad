"""The text of a status, out of the HTML that Mastodon makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.platforms.mastodon.content import is_same_text, read_content, restore_text

LONG = "https://www.example.com/a/very/long/path/that/is/cut?x=1&y=2#end"
LONG_HTML = (
    f'<a href="{LONG.replace("&", "&amp;")}" target="_blank" rel="nofollow noopener" translate="no">'
    '<span class="invisible">https://www.</span><span class="ellipsis">example.com/a/very/long/path/t</span>'
    '<span class="invisible">hat/is/cut?x=1&amp;y=2#end</span></a>'
)
BEN = "https://elsewhere.example/@ben"
BEN_HTML = f'<span class="h-card" translate="no"><a href="{BEN}" class="u-url mention">@<span>ben</span></a></span>'
ANN = "https://here.example/@Ann"
ANN_HTML = f'<span class="h-card" translate="no"><a href="{ANN}" class="u-url mention">@<span>Ann</span></a></span>'
TAG_HTML = '<a href="https://here.example/tags/Python" class="mention hashtag" rel="tag">#<span>Python</span></a>'
MENTIONED = {BEN: "ben@elsewhere.example", ANN: "Ann"}

CASES = {  # what the author wrote: what Mastodon makes of it
    "a line": ("hello", "<p>hello</p>"),
    "lines": ("one\ntwo\nthree", "<p>one<br />two<br />three</p>"),
    "paragraphs": ("one\n\ntwo\nthree", "<p>one</p><p>two<br />three</p>"),
    "escaped": ("a < b && \"c\" 'd' &lt;", "<p>a &lt; b &amp;&amp; &quot;c&quot; &#39;d&#39; &amp;lt;</p>"),
    "a link": (f"See {LONG}, please", f"<p>See {LONG_HTML}, please</p>"),
    "only a link": (LONG, f"<p>{LONG_HTML}</p>"),
    "a hashtag": ("I like #Python!", f"<p>I like {TAG_HTML}!</p>"),
    "a mention": ("Hi @ben@elsewhere.example.", f"<p>Hi {BEN_HTML}.</p>"),
    "a local mention": ("Hi @Ann", f"<p>Hi {ANN_HTML}</p>"),
    "a shortcode": ("Nice :blobcat: day", "<p>Nice :blobcat: day</p>"),
    "blanks inside": ("a  b\tc", "<p>a  b\tc</p>"),
    "emoji": ("👩‍👩‍👧 ok", "<p>👩‍👩‍👧 ok</p>"),
    "links in lines": (f"{LONG}\n{LONG}\n\n#Python", f"<p>{LONG_HTML}<br />{LONG_HTML}</p><p>{TAG_HTML}</p>"),
    "nothing": ("", ""),
}


class TestReadContent:
    @pytest.mark.parametrize(("written", "html"), CASES.values(), ids=CASES.keys())
    def test_gives_back_what_was_written(self, written: str, html: str) -> None:
        assert restore_text(read_content(html), mentioned=MENTIONED) == written

    @pytest.mark.parametrize(("written", "html"), CASES.values(), ids=CASES.keys())
    def test_recognises_what_was_written(self, written: str, html: str) -> None:
        assert is_same_text(written, read_content(html), mentioned=MENTIONED)

    @pytest.mark.parametrize(("written", "html"), CASES.values(), ids=CASES.keys())
    def test_tells_it_from_another_text(self, written: str, html: str) -> None:
        shown = read_content(html)
        for other in (f"{written}.", f"x{written}", f"{written} {LONG}", written[1:] or "x"):
            assert not is_same_text(other, shown, mentioned=MENTIONED)

    @pytest.mark.parametrize(
        "html",
        ["<p>", "</p></a>", "<a>", "<a href='x'>y<a>z", "<!-- x -->hi", "<p class=>hi", "&#0;&nope;", "<", "<a href"],
    )
    def test_reads_any_html(self, html: str) -> None:
        restore_text(read_content(html), mentioned={})

    @given(st.text(max_size=60))
    def test_never_breaks(self, html: str) -> None:
        is_same_text(html, read_content(html), mentioned={})

    @pytest.mark.parametrize("html", ["<a x", "<a href='", "<!--", "<!", "<![CDATA[", "<?", "</"])
    def test_takes_for_text_what_is_no_whole_tag(self, html: str) -> None:
        """Python's reader looks for the end of each through all of the rest: thousands of them kept it busy for minutes."""
        assert restore_text(read_content(f"<p>a {html} b {html}</p>"), mentioned={}) == f"a {html} b {html}"
        assert read_content(html * 20_000) == (html * 20_000,)


class TestIsSameText:
    @pytest.mark.parametrize(
        ("written", "html"),
        [
            ("  one\r\ntwo  \n", "<p>one<br>two</p>"),
            ("one\n\n\n\ntwo", "<p>one</p><p>two</p>"),
            ("one \ntwo", "<p>one <br />two</p>"),
            ("Hi @ann", f"<p>Hi {ANN_HTML}</p>"),
            ("Hi @Ann@here.example!", f"<p>Hi {ANN_HTML}!</p>"),
            ("Hi @BEN@Elsewhere.Example", f"<p>Hi {BEN_HTML}</p>"),
            ("see https://example.com/x", '<p>see <a href="https://example.com/x">example.com/x</a></p>'),
        ],
        ids=[
            "trimmed",
            "empty lines",
            "blank before a line end",
            "case of a name",
            "own instance",
            "case",
            "other server",
        ],
    )
    def test_sees_through_what_an_instance_changes(self, written: str, html: str) -> None:
        assert is_same_text(written, read_content(html), mentioned=MENTIONED)

    @pytest.mark.parametrize(
        ("written", "html"),
        [
            ("Hi @ben", f"<p>Hi {BEN_HTML}</p>"),
            ("Hi @ben@other.example", f"<p>Hi {BEN_HTML}</p>"),
            ("see https://example.com/y", '<p>see <a href="https://example.com/x">https://example.com/x</a></p>'),
            ("onetwo", "<p>one<br>two</p>"),
            ("a.c", "<p>abc</p>"),
        ],
        ids=["no instance", "another instance", "another link", "no line end", "no pattern"],
    )
    def test_tells_likely_looking_texts_apart(self, written: str, html: str) -> None:
        assert not is_same_text(written, read_content(html), mentioned=MENTIONED)
