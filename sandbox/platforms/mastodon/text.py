"""What an instance makes of a text: how long it is, what in it is a link, and the HTML in which it is shown. Pure.

docs.joinmastodon.org/user/posting and /spec/activitypub (read 2026-11-20).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

import regex
from django.utils.html import escape, format_html

MAX_CHARACTERS = 500
LINK_CHARACTERS = 23
SHOWN_CHARACTERS = 30  # of a link, behind its scheme and `www.`

_CLUSTER = regex.compile(r"\X")
_HOST = r"(?:[\w-]+\.)+[^\W\d_]{2,}"  # needs a top-level domain, so an address of this machine is none
_FOUND = re.compile(
    rf"(?P<link>(?<![\w@])https?://{_HOST}(?::\d+)?(?:[/?#][^\s<>\"]*)?)"
    rf"|(?<![\w/=])@(?P<name>\w+(?:[.-]+\w+)*)(?:@(?P<instance>{_HOST}(?::\d+)?))?"
    r"|(?<![\w/&])#(?P<tag>\w*[^\W\d]\w*)"
)
_TAIL = ".,;:!?'\""


@dataclass(frozen=True, slots=True)
class Entity:
    """A place in a text that is shown as a link.

    Args:
        name: of a tag; of a mention with its instance, if it has one.
    """

    start: int
    end: int
    kind: Literal["link", "mention", "tag"]
    name: str = ""


def find_entities(text: str) -> list[Entity]:
    """Find links, mentions and hashtags, in order."""
    return [_read_match(found) for found in _FOUND.finditer(text)]


def count_characters(text: str) -> int:
    """Count as an instance does: any link is 23, a mention counts without its instance."""
    counted, at = 0, 0
    for entity in find_entities(text):
        counted += _count(text[at : entity.start])
        counted += {
            "link": LINK_CHARACTERS,
            "mention": 1 + len(entity.name.partition("@")[0]),
            "tag": entity.end - entity.start,
        }[entity.kind]
        at = entity.end
    return counted + _count(text[at:])


def count_plain(text: str) -> int:
    """Count a text in which nothing is a link: a warning."""
    return _count(text)


def write_html(text: str, *, base: str, profile_of: Callable[[str], str]) -> str:
    """Write a status as an instance shows it.

    Args:
        base: of the instance's addresses.
        profile_of: address of a mentioned account; empty where there is none.
    """
    html, at = "", 0
    for entity in find_entities(text):
        html += escape(text[at : entity.start]) + _write(entity, text[entity.start : entity.end], base, profile_of)
        at = entity.end
    html += escape(text[at:])
    paragraphs = re.split(r"\n\n+", re.sub(r"\r\n?", "\n", html))
    return "".join(f"<p>{paragraph.replace(chr(10), '<br />')}</p>" for paragraph in paragraphs) if html else ""


def _read_match(found: re.Match[str]) -> Entity:
    if found["link"]:
        link = found["link"].rstrip(_TAIL)
        while link.endswith(")") and link.count(")") > link.count("("):
            link = link[:-1].rstrip(_TAIL)
        return Entity(found.start(), found.start() + len(link), "link")
    if found["tag"]:
        return Entity(found.start(), found.end(), "tag", found["tag"])
    name = found["name"] + (f"@{found['instance']}" if found["instance"] else "")
    return Entity(found.start(), found.end(), "mention", name)


def _write(entity: Entity, text: str, base: str, profile_of: Callable[[str], str]) -> str:
    if entity.kind == "link":
        return _write_link(text)
    if entity.kind == "tag":
        address = f"{base}/tags/{quote(entity.name)}"
        return format_html('<a href="{}" class="mention hashtag" rel="tag">#<span>{}</span></a>', address, entity.name)
    profile = profile_of(entity.name)
    if not profile:
        return escape(text)
    return format_html(
        '<span class="h-card" translate="no"><a href="{}" class="u-url mention">@<span>{}</span></a></span>',
        profile,
        entity.name.partition("@")[0],
    )


def _write_link(url: str) -> str:
    """Write a link shortened: what is cut off is there, and nobody sees it."""
    scheme = re.match(r"https?://(?:www\.)?", url)
    front = scheme[0] if scheme else ""
    shown, rest = url[len(front) :][:SHOWN_CHARACTERS], url[len(front) :][SHOWN_CHARACTERS:]
    if len(rest) == 1:  # an ellipsis is as long
        shown, rest = shown + rest, ""
    return format_html(
        '<a href="{}" target="_blank" rel="nofollow noopener" translate="no"><span class="invisible">{}</span>'
        '<span class="{}">{}</span><span class="invisible">{}</span></a>',
        url, front, "ellipsis" if rest else "", shown, rest,
    )  # fmt: skip


def _count(text: str) -> int:
    return sum(1 for _ in _CLUSTER.finditer(text))
