"""The arguments that say what a post holds: texts, files, comment, options. For every verb that writes one."""

from __future__ import annotations

import argparse
import atexit
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hub.actions import drafts
from hub.management.paths import user_path
from psn.errors import InvalidInput, Usage
from psn.media.addresses import fetch_media
from psn.platforms.base import MediaFile
from psn.text.languages import join_languages

MAX_TEXT_BYTES = 1_000_000
MAX_MEDIA_BYTES = 4 * 1024**3  # TikTok's; nobody takes larger ones
FETCH_SECONDS = 600.0


def add_content_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--text", help="the text; better on stdin or in a file when it has quotes")
    source.add_argument("--stdin", action="store_true", help="read the text from stdin")
    source.add_argument("--file", help="read the text from a file")
    parser.add_argument(
        "--part", action="append", default=[], dest="more", metavar="TEXT", help="the next part of a thread; repeat it"
    )
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        nargs=2,
        metavar=("LANGUAGE", "TEXT"),
        help="the same in another language, written for itself, below the text: --also es 'Hola'",
    )
    parser.add_argument("--thread", action="store_true", dest="split", help="split a long text into a thread")
    parser.add_argument("--numbered", action="store_true", help="with --thread: number the parts, 1/3")
    parser.add_argument("--comment", metavar="TEXT", help="the first comment below the post")
    parser.add_argument(
        "--media",
        action="append",
        default=[],
        metavar="FILE",
        help="a file, or its https address, of the first part; repeat it",
    )
    parser.add_argument(
        "--alt", action="append", default=[], metavar="TEXT", help="alt text of the media, in their order"
    )
    parser.add_argument(
        "--media-of",
        action="append",
        default=[],
        nargs=2,
        metavar=("PART", "FILE"),
        help="a file of a later part of the thread, counted from 1; repeat it",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what the platform lets you choose, as format=reel; `psn_account show` lists them; repeat it",
    )
    parser.add_argument("--approve", action="store_true", help="also approve it: a person said yes")
    parser.add_argument("--dry-run", action="store_true", help="check, change nothing")


def read_content(
    *,
    text: str | None,
    stdin: bool,
    file: str | None,
    more: Sequence[str],
    also: Sequence[tuple[str, str]],
    split: bool,
    numbered: bool,
    comment: str | None,
    media: Sequence[str],
    alt: Sequence[str],
    media_of: Sequence[tuple[str, str]],
    option: Sequence[str],
) -> drafts.Written:
    """Read what the arguments name.

    Raises:
        InvalidInput: a file or text that cannot be read.
        Usage: arguments that do not go together.
    """
    if len(alt) > len(media):
        raise Usage("There are more --alt than --media.")
    files = tuple(
        _read_media(path, alt_text=alt[index] if index < len(alt) else "") for index, path in enumerate(media)
    )
    first = text if text is not None else _read_text(None if stdin else file)
    first = _add_languages(clean_text(first), also)
    parts = [drafts.DraftPart(first, files), *(drafts.DraftPart(clean_text(part)) for part in more)]
    parts = _add_media(parts, media_of)
    if comment is not None:
        parts.append(drafts.DraftPart(clean_text(comment), kind="comment"))
    return drafts.Written(parts, _read_options(option), split, numbered)


def clean_text(text: str) -> str:
    """Refuse what no database and no platform takes, rather than changing it."""
    if "\x00" in text:
        raise InvalidInput("The text contains a NUL character.", code="text.nul")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput("The text is not UTF-8.", code="text.encoding") from None
    return text


def _add_languages(text: str, also: Sequence[tuple[str, str]]) -> str:
    """Put further languages below a text (POST-3)."""
    if not also:
        return text
    sections = {"": text} | {language: clean_text(other) for language, other in also}
    if len(sections) <= len(also):
        raise Usage("--also names a language twice.")
    return join_languages(sections)


def _add_media(parts: list[drafts.DraftPart], media_of: Sequence[tuple[str, str]]) -> list[drafts.DraftPart]:
    for number, path in media_of:
        if not (number.isascii() and number.isdigit() and 1 <= int(number) <= len(parts)):
            raise Usage(f"--media-of {number} names no part: there are {len(parts)}, counted from 1.")
        part = parts[int(number) - 1]
        parts[int(number) - 1] = replace(part, media=(*part.media, _read_media(path, alt_text="")))
    return parts


def _read_options(pairs: Sequence[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise Usage(f"--option takes NAME=VALUE, not {pair!r}.")
        if name.strip() in options:
            raise Usage(f"--option {name.strip()} is given twice.")
        options[name.strip()] = clean_text(value)
    return options


def _read_media(path: str, *, alt_text: str) -> MediaFile:
    if path.startswith(("https://", "http://")):
        folder = tempfile.TemporaryDirectory(prefix="psn-fetched-")
        atexit.register(folder.cleanup)  # its file is copied into the workspace long before
        fetched = fetch_media(path, Path(folder.name), max_bytes=MAX_MEDIA_BYTES, seconds=FETCH_SECONDS)
        return drafts.read_media(str(fetched), alt_text=alt_text)
    return drafts.read_media(str(user_path(path, code="media.unreadable")), alt_text=alt_text)


def _read_text(file: str | None) -> str:
    """Read a text from stdin (None) or a file; the line break at its end is the editor's, not the author's."""
    try:
        raw = _read_bytes(file)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.", code="text.unreadable") from error
    if len(raw) > MAX_TEXT_BYTES:
        raise InvalidInput("The text is larger than a megabyte; that is no post.", code="text.too_large")
    try:
        return raw.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise InvalidInput("The text is not UTF-8.", code="text.encoding") from None


def _read_bytes(file: str | None) -> bytes:
    """Read no more than shows that it is too much: a device has no end."""
    if file is not None:
        with user_path(file, code="text.unreadable").open("rb") as stream:
            return stream.read(MAX_TEXT_BYTES + 1)
    if sys.stdin is None:
        raise InvalidInput("There is no stdin to read the text from.", code="text.unreadable")
    return sys.stdin.buffer.read(MAX_TEXT_BYTES + 1)
