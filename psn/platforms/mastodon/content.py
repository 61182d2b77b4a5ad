"""The text of a status, out of the HTML that an instance makes of it; pure.

docs.joinmastodon.org/spec/activitypub ("HTML sanitization"), /entities/Status (read 2026-11-20). Mastodon keeps the author's
characters and adds to them: empty lines end a `<p>`, line ends become `<br>`, a link is shown shortened with the rest of it in
spans that nobody sees, a hashtag is a link, and a mention is a link that shows the name without its instance.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

_BLOCKS = frozenset({"p", "div", "blockquote", "pre", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6"})
_NO_TAG = re.compile(r"<(?!/?[A-Za-z][^<>]{0,4000}>)")
_NAME = r"[\w.-]+"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A link in a status.

    Args:
        shown: its whole text, with what nobody sees.
        address: where it leads.
        is_mention: what it shows may lack the name's instance.
    """

    shown: str
    address: str
    is_mention: bool = False


Pieces = tuple[str | Anchor, ...]


def read_content(html: str) -> Pieces:
    """Take a status apart into text and links; a hashtag is text, letter for letter as it was written.

    What is no whole tag (comments too, of which an instance leaves none) is taken for text: Python's reader looks for the end of each
    that has none through all of the rest, and over again: a minute for 75 kB of `<a `.
    """
    reader = _Reader()
    reader.feed(_NO_TAG.sub("&lt;", html))
    reader.close()
    return reader.finish()


def restore_text(pieces: Pieces, *, mentioned: Mapping[str, str]) -> str:
    """Give the text as its author wrote it, as far as that is known.

    Args:
        mentioned: the full name (`ana`, `ben@elsewhere.example`) by the address a mention leads to.
    """
    return "".join(_restore(piece, mentioned) for piece in pieces).strip()


def is_same_text(written: str, pieces: Pieces, *, mentioned: Mapping[str, str]) -> bool:
    """Say whether a status shows what was written.

    White space makes no difference: an instance trims it and folds empty lines.
    """
    pattern = "".join(_match(piece, mentioned) for piece in _squeeze(pieces))
    return re.fullmatch(pattern, squeeze(written)) is not None


def squeeze(text: str) -> str:
    """Give the form that texts share which differ in white space only."""
    return re.sub(r"\s+", lambda blanks: "\n" if "\n" in blanks[0] else " ", text.replace("\r", "\n")).strip()


def _restore(piece: str | Anchor, mentioned: Mapping[str, str]) -> str:
    if isinstance(piece, str):
        return piece
    if piece.is_mention:
        return f"@{mentioned[piece.address]}" if piece.address in mentioned else piece.shown
    return piece.shown if piece.shown.startswith(("http://", "https://")) else piece.address or piece.shown


def _match(piece: str | Anchor, mentioned: Mapping[str, str]) -> str:
    """Give a pattern of everything an author may have written for this piece to be shown."""
    if isinstance(piece, str):
        return re.escape(piece)
    if not piece.is_mention:
        forms = {squeeze(piece.shown), squeeze(piece.address)} - {""}
        return f"(?:{'|'.join(sorted((re.escape(form) for form in forms), key=len, reverse=True))})"
    name, _, instance = (mentioned.get(piece.address) or piece.shown.removeprefix("@")).partition("@")
    # A local name may be written with or without its instance.
    where = f"@{re.escape(instance)}" if instance else rf"(?:@{_NAME}(?::[0-9]+)?)?"
    return f"(?i:@{re.escape(name)}{where})"


def _squeeze(pieces: Pieces) -> list[str | Anchor]:
    """Fold the white space of the text pieces, at both ends of the whole too."""
    squeezed: list[str | Anchor] = []
    for index, piece in enumerate(pieces):
        if isinstance(piece, Anchor):
            squeezed.append(piece)
            continue
        text = squeeze(f"|{piece}|")[1:-1]  # blanks at its ends stand between it and its neighbours
        text = text.lstrip() if index == 0 else text
        squeezed.append(text.rstrip() if index == len(pieces) - 1 else text)
    return squeezed


@dataclass
class _Open:
    address: str
    classes: frozenset[str]
    shown: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    """Collects text and links. Any HTML will do: what it does not know, it reads the text of."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str | Anchor] = []
        self._text: list[str] = []
        self._anchor: _Open | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._write("\n")
        elif tag in _BLOCKS and (self._text or self._pieces):
            self._write("\n\n")
        elif tag == "li":
            self._write("\n")
        elif tag == "a":
            known = {name: value or "" for name, value in attrs}
            self._end_anchor()
            self._anchor = _Open(known.get("href", ""), frozenset(known.get("class", "").split()))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end_anchor()

    def handle_data(self, data: str) -> None:
        self._write(data)

    def finish(self) -> Pieces:
        self._end_anchor()
        self._end_text()
        return tuple(self._pieces)

    def _write(self, text: str) -> None:
        (self._anchor.shown if self._anchor else self._text).append(text)

    def _end_text(self) -> None:
        if self._text:
            self._pieces.append("".join(self._text))
            self._text = []

    def _end_anchor(self) -> None:
        anchor, self._anchor = self._anchor, None
        if anchor is None:
            return
        shown = "".join(anchor.shown)
        if "hashtag" in anchor.classes or shown.startswith("#"):
            self._text.append(shown)
            return
        self._end_text()
        self._pieces.append(Anchor(shown, anchor.address, is_mention="mention" in anchor.classes))
