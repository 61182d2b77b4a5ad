"""Findings that every platform's rules come to: about options, length, files and alt texts, before anything is sent (PUB-11).

The limits are the platform's; the codes and the words are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from psn.errors import Finding, Level
from psn.media.facts import Target
from psn.media.misfits import find_misfits
from psn.platforms.base import Count, MediaFile, Option, Part

PickTarget = Callable[[str, Mapping[str, str]], Target | None]

# What a file can be at all; used to say which of them a platform takes.
_TYPES = (
    "image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/quicktime", "video/webm", "application/pdf",
    "application/vnd.ms-powerpoint", "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/msword", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
)  # fmt: skip
_ATTACH_AGAIN = "Attach the file again: PSN makes it fit."


def finding(
    part: Part,
    target: str,
    code: str,
    message: str,
    *,
    fix: str,
    at: str | None = None,
    limit: int | str | None = None,
    got: int | str | None = None,
    level: Level = "error",
) -> Finding:
    """Make a finding about a part.

    Args:
        target: the platform's name in code.
        at: inside the post; the part itself when left out.
    """
    at = at or f"parts.{part.index}"
    return Finding(target=target, code=code, message=message, level=level, at=at, limit=limit, got=got, fix=fix)


def check_options(part: Part, options: Sequence[Option], *, target: str) -> list[Finding]:
    """Find options that the platform does not have, and values that an option does not take.

    Options are of the whole post, so only its first part says something: the parts after it would say it again.
    """
    if part.index:
        return []
    known = {option.name: option for option in options}
    return [
        problem
        for name, value in part.options.items()
        if (problem := _check_option(part, known, name, value, target=target)) is not None
    ]


def check_length(part: Part, count: Count, *, target: str, title: str, hint: str = "") -> list[Finding]:
    """Find a text that is too long (`text.too_long`).

    Args:
        title: the platform's name for people.
        hint: what people should know of how the platform counts; a sentence.
    """
    if count.used <= count.limit:
        return []
    surplus = count.used - count.limit
    return [
        finding(
            part,
            target,
            "text.too_long",
            f"{title} would count {count.used} {count.unit}; it takes {count.limit}.",
            limit=count.limit,
            got=count.used,
            fix=f"Cut {surplus} {count.unit}. {hint}".strip(),
        )
    ]


def check_media(
    part: Part,
    pick_target: PickTarget,
    *,
    target: str,
    title: str,
    max_alt: int | None = None,
    count_alt: Callable[[str], int] = len,
    most: int | None = None,
    alone: Collection[str] = (),
) -> list[Finding]:
    """Find what the platform would refuse in a part's files: their number, types, sizes, shapes, lengths and alt texts.

    Args:
        pick_target: the platform's own (`Platform.pick_target`).
        target: the platform's name in code.
        title: the platform's name for people.
        max_alt: of an alt text; None when the platform says nothing of it.
        count_alt: how it counts one.
        most: files in one part; None when the rules count them by themselves.
        alone: kinds (`video`, `document`) and MIME types (`image/gif`) that must be the only file of a part.
    """
    found = list(_check_number(part, target=target, title=title, most=most, alone=alone))
    for position, media in enumerate(part.media):
        at = f"parts.{part.index}.media.{position}"
        found += _check_file(part, media, pick_target, target=target, title=title, at=at)
        found += _check_alt(part, media, target=target, title=title, at=at, max_alt=max_alt, count_alt=count_alt)
    return found


def _check_option(part: Part, known: Mapping[str, Option], name: str, value: str, *, target: str) -> Finding | None:
    if name not in known:
        names = ", ".join(known) or "none"
        return finding(
            part, target, "option.unknown", f"There is no option {name!r} here. There are: {names}.",
            at=f"options.{name}", limit=names, got=name, fix="Leave it out, or write its name as it stands in the list.",
        )  # fmt: skip
    choices = known[name].choices
    if choices and value not in choices:
        return finding(
            part, target, "option.value", f"The option {name} does not take {value!r}.",
            at=f"options.{name}", limit=", ".join(choices), got=value, fix=f"Choose one of: {', '.join(choices)}.",
        )  # fmt: skip
    return None


def _check_number(
    part: Part, *, target: str, title: str, most: int | None, alone: Collection[str]
) -> Iterator[Finding]:
    single = [media for media in part.media if media.kind in alone or media.mime_type in alone]
    if single and len(part.media) > 1:
        yield finding(
            part, target, "media.mixed", f"{title} takes {_indefinite(single[0], alone)} only alone in a post.",
            limit=1, got=len(part.media), fix="Leave that one file, or only the others.",
        )  # fmt: skip
    elif most is not None and len(part.media) > most:
        yield finding(
            part, target, "media.too_many", f"There are {len(part.media)} files; {title} takes {most}.",
            limit=most, got=len(part.media), fix=f"Remove {len(part.media) - most}.",
        )  # fmt: skip


def _indefinite(media: MediaFile, alone: Collection[str]) -> str:
    name = media.kind if media.kind in alone else media.mime_type.partition("/")[2].upper()
    return f"a {name}"


def _check_file(
    part: Part, media: MediaFile, pick_target: PickTarget, *, target: str, title: str, at: str
) -> Iterator[Finding]:
    wanted = pick_target(media.mime_type, part.options)
    if wanted is None or media.mime_type not in wanted.mime_types:
        yield _refuse_type(part, media, pick_target, wanted, target=target, title=title, at=at)
        return
    for misfit in find_misfits(media.facts, mime_type=media.mime_type, size_bytes=media.size_bytes, target=wanted):
        yield finding(
            part, target, misfit.code, f"{misfit.what}; {title} {misfit.takes}.",
            at=at, limit=misfit.limit, got=misfit.got, fix=misfit.fix or _ATTACH_AGAIN,
        )  # fmt: skip


def _refuse_type(
    part: Part, media: MediaFile, pick_target: PickTarget, wanted: Target | None, *, target: str, title: str, at: str
) -> Finding:
    takes = wanted.mime_types if wanted else [name for name in _TYPES if pick_target(name, part.options) is not None]
    fix = _ATTACH_AGAIN if wanted else "Convert it, or leave it out."
    return finding(
        part, target, "media.type", f"{title} does not take {media.mime_type} in such a post.",
        at=at, limit=", ".join(takes) or "none", got=media.mime_type, fix=fix,
    )  # fmt: skip


def _check_alt(
    part: Part,
    media: MediaFile,
    *,
    target: str,
    title: str,
    at: str,
    max_alt: int | None,
    count_alt: Callable[[str], int],
) -> Iterator[Finding]:
    length = count_alt(media.alt_text)
    if max_alt is not None and length > max_alt:
        yield finding(
            part, target, "media.alt_too_long", f"The alt text has {length} characters; {title} takes {max_alt}.",
            at=at, limit=max_alt, got=length, fix="Shorten the alt text.",
        )  # fmt: skip
