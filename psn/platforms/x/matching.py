"""Whether a post that X shows is a part of ours; pure (PUB-6).

Between `POST /2/tweets` and a timeline X changes a text: it normalises it to NFC, takes the white space around it away,
escapes `&`, `<` and `>`, puts a t.co link in place of each address, and appends one for attached media. So nothing here
guesses which of the author's words X took for an address: X's own list of the links (`entities.urls`) says where they are,
everything between two links must be there letter for letter, and a link must be one of the spellings that X makes equal.

A wrong "it is there" leaves a part unpublished, a wrong "it is not there" publishes it twice. What cannot be told (a t.co
link that the list does not explain) is therefore a third answer.

docs.x.com/fundamentals/counting-characters and /x-api/fundamentals/data-dictionary (read 2026-11-20).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import unquote

from psn.errors import Unavailable
from psn.platforms.base import Part, RemotePost

Likeness = Literal["same", "different", "unclear"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link in a text that X shows.

    Args:
        short: what stands in the text.
        leads_to: the address behind it, as X writes it; empty when X does not tell.
        media: when it leads to the post's own media: `photo`, `video`, or `file` for either.
    """

    short: str
    leads_to: str = ""
    media: Literal["", "photo", "video", "file"] = ""


Shown = tuple[str | Link, ...]  # a text as X shows it: the words, unescaped, and the links between them


@dataclass(frozen=True, slots=True)
class Seen:
    """A post of the timeline with what is needed to recognise it."""

    post: RemotePost
    shown: Shown


def read_shown(text: str, *, links: Iterable[Link]) -> Shown:
    """Take a text apart as it came from X."""
    known: dict[str, Link] = {}
    for link in links:  # each of four pictures has an entry of its own for their one link
        known.setdefault(link.short, link)
    shorts = [rf"{re.escape(short)}(?![A-Za-z0-9])" for short in sorted(known, key=len, reverse=True)]
    pieces = re.split(f"({'|'.join([*shorts, _ANY_SHORT])})", text)
    return tuple(
        _unescape(piece) if index % 2 == 0 else known.get(piece, Link(piece)) for index, piece in enumerate(pieces)
    )


def restore_text(shown: Shown) -> str:
    """Give the text with its links as X writes them out, and without the one that X appended for media."""
    kept = _without_media(shown)
    text = "".join(piece if isinstance(piece, str) else piece.leads_to or piece.short for piece in kept)
    return text if kept == shown else text.rstrip()


def compare_text(written: str, shown: Shown) -> Likeness:
    """Say whether a text that X shows is what was written.

    Two texts are the same when X would show them alike: they differ at most in white space, in invisible characters, in
    Unicode's spelling of the same letters, and in how the same address is spelled.
    """
    wanted = _normalise(written).strip()
    certain = (shown, _without_media(shown))  # the author may have written a link to media out, too
    if any(_fits(wanted, pieces) for pieces in certain):
        return "same"
    possible = (shown, _without_media(shown, guess=True))
    return "unclear" if any(_fits(wanted, pieces, guess=True) for pieces in possible) else "different"


def find_part(
    part: Part, posts: Iterable[Seen], *, since: datetime, reply_to: str | None, known_ids: Collection[str]
) -> RemotePost | None:
    """Find a part among posts of the account.

    Several may be it when the author posted the same by hand: the earliest since `since` is taken, and one from before it
    (the clocks differ) only where there is none.

    Args:
        since: when we began to send it, by our clock.
        reply_to: what it replies to; None finds only what replies to nothing.
        known_ids: posts that are linked to other parts already.

    Raises:
        Unavailable: one of the posts may be it, and X does not show enough of it to tell.
    """
    others = [one for one in posts if one.post.in_reply_to == reply_to and one.post.platform_post_id not in known_ids]
    likeness = {one.post.platform_post_id: _compare(part, one.shown) for one in others}
    found = [one.post for one in others if likeness[one.post.platform_post_id] == "same"]
    if not found and "unclear" in likeness.values():
        raise Unavailable("X does not show where a link leads, so its post cannot be recognised.", code="x.unclear")
    began = since.replace(microsecond=0)  # X tells whole seconds
    return min(
        found,
        key=lambda post: (post.created_at < began, abs(post.created_at - began), int(post.platform_post_id)),
        default=None,
    )


_ANY_SHORT = r"https?://t\.co/[A-Za-z0-9]+"
# Controls that are not white space, soft hyphen, zero-width space, word joiner, byte order mark: none of them is seen.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff]")
_BLANKS = re.compile(r"\s+")
_LINE_END = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")
_ENCODED_LETTERS = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")  # bytes above ASCII
_ORIGIN = re.compile(r"(https?://)([^/?#]*)(/?)(.*)", re.IGNORECASE | re.DOTALL)


def _compare(part: Part, shown: Shown) -> Likeness:
    if not part.text.strip() and not _holds_kind(part, shown):
        return "different"
    return compare_text(part.text, shown)


def _holds_kind(part: Part, shown: Shown) -> bool:
    """Say whether a post's media may be the part's; the only thing that tells posts without text apart."""
    kinds = {media.mime_type.partition("/")[0] for media in part.media if media.mime_type != "image/gif"}
    excluded = {"image": "video", "video": "photo"}
    shown_kinds = {piece.media for piece in shown if isinstance(piece, Link)}
    return not any(excluded.get(kind) in shown_kinds for kind in kinds)


def _without_media(shown: Shown, *, guess: bool = False) -> Shown:
    """Take X's link to the post's own media off the end; in doubt, any link that X does not explain."""
    pieces = list(shown)
    taken = False
    while pieces:
        last = pieces[-1]
        if isinstance(last, Link):
            if not (last.media or (guess and not last.leads_to)):
                break
            taken = True
        elif last.strip():
            break
        pieces.pop()
    return tuple(pieces) if taken else shown


def _fits(written: str, shown: Shown, *, guess: bool = False) -> bool:
    """Say whether words and links, one after the other, are the whole of a text."""
    ends = {0}  # where the pieces so far may end in the text
    for piece in _trim([_normalise(piece) if isinstance(piece, str) else piece for piece in shown]):
        if isinstance(piece, str):
            ends = {end + len(piece) for end in ends if written.startswith(piece, end)}
        elif guess and not piece.leads_to:
            ends = {later for end in ends for later in range(end + 1, _word_end(written, end) + 1)}
        else:
            ends = {end + len(form) for end in ends for form in _spell(piece) if written.startswith(form, end)}
    return len(written) in ends


def _trim(pieces: Sequence[str | Link]) -> list[str | Link]:
    trimmed = list(pieces)
    if trimmed and isinstance(trimmed[0], str):
        trimmed[0] = trimmed[0].lstrip()
    if trimmed and isinstance(trimmed[-1], str):
        trimmed[-1] = trimmed[-1].rstrip()
    return trimmed


def _normalise(text: str) -> str:
    """Give the form that texts share which look the same: NFC, nothing unseen, one blank or line end for several."""
    seen = _UNSEEN.sub("", unicodedata.normalize("NFC", text))
    return _BLANKS.sub(lambda blanks: "\n" if _LINE_END.search(blanks[0]) else " ", seen)


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")  # in this order: `&amp;lt;` is `&lt;`


def _word_end(text: str, start: int) -> int:
    blank = _BLANKS.search(text, start)
    return blank.start() if blank else len(text)


def _spell(link: Link) -> set[str]:
    """Give what an author may have written for X to show this link."""
    forms = {link.short, link.leads_to} - {""}  # an author may write a t.co link, too
    forms |= {_in_letters(form) for form in forms}
    forms |= {other for form in forms for other in _with_and_without_slash(form)}
    forms |= {form.removeprefix("http://") for form in forms}  # X takes a bare `example.com` for `http://example.com`
    return {_normalise(form) for form in forms}


def _with_and_without_slash(address: str) -> set[str]:
    """Give both spellings of a site's front page; everywhere else a slash at the end is another address."""
    parts = _ORIGIN.fullmatch(address)
    if parts is None or (parts[3] and parts[4] and parts[4][0] not in "?#"):
        return {address}
    return {f"{parts[1]}{parts[2]}{slash}{parts[4]}" for slash in ("", "/")}


def _in_letters(address: str) -> str:
    """Undo what makes an address ASCII: punycode in the host, percent signs for other letters behind it."""
    parts = _ORIGIN.fullmatch(address)
    if parts is None:
        return address
    try:
        host = parts[2].encode("ascii").decode("idna") if "xn--" in parts[2] else parts[2]
        rest = _ENCODED_LETTERS.sub(lambda letters: unquote(letters[0], errors="strict"), parts[3] + parts[4])
    except UnicodeError:
        return address
    return f"{parts[1]}{host}{rest}"
