"""The content of a post on its way into the hub: texts from the command line, media copied into the workspace."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

from hub.models import Account, Post, PostMedia, PostPart
from hub.publishing import carrying
from hub.publishing.content import facts_of, hash_content, hash_file, load_parts, stored_path
from psn.errors import Finding, InvalidInput
from psn.media.documents import build_carousel
from psn.media.fitting import fit_media
from psn.media.probe import read_facts
from psn.media.sniff import sniff_mime_type
from psn.platforms.base import MediaFile, Part, PartKind, Platform
from psn.platforms.registry import get_platform
from psn.text.splitting import split_thread


@dataclass(frozen=True, slots=True)
class DraftPart:
    """One part as a person gave it."""

    text: str
    media: tuple[MediaFile, ...] = ()
    kind: PartKind = "post"

    def to_part(self, index: int, *, options: Mapping[str, str]) -> Part:
        """Give it in the form that rules check."""
        return Part(index=index, text=self.text, media=self.media, kind=self.kind, options=options)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Parts whose media a platform takes.

    Args:
        findings: what was changed for that.
    """

    parts: list[DraftPart]
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Written:
    """What a person wrote for a post.

    Args:
        split: the first text becomes as many parts as the platform needs, with numbers if `numbered`.
    """

    parts: list[DraftPart]
    options: dict[str, str]
    split: bool = False
    numbered: bool = False

    def options_of(self, account: Account) -> dict[str, str]:
        """Give the options for an account: `linkedin.title` is LinkedIn's alone, `title` of every platform that knows it."""
        known = {option.name for option in get_platform(account.platform).options}
        shared = {name: value for name, value in self.options.items() if name in known}
        own = f"{account.platform}."
        return shared | {name.removeprefix(own): value for name, value in self.options.items() if name.startswith(own)}

    def for_account(self, account: Account) -> list[DraftPart]:
        """Give the parts for an account, whose platform counts in its own way."""
        first, *others = self.parts
        if not self.split:
            return self.parts
        platform, facts = get_platform(account.platform), facts_of(account)
        limit = platform.count_text(first.text, facts).limit
        texts = split_thread(
            first.text, count=lambda text: platform.count_text(text, facts).used, limit=limit, numbering=self.numbered
        )
        return [replace(first, text=texts[0]), *(DraftPart(text) for text in texts[1:]), *others]


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part's row and its media rows, not saved yet.

    Args:
        is_kept: its files are in the workspace; not for a rehearsal.
    """

    part: PostPart
    media: list[PostMedia]
    is_kept: bool


def read_media(path: str, *, alt_text: str = "") -> MediaFile:
    """Look at a file a person named.

    Raises:
        InvalidInput: there is no such file, or no platform takes its type.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise InvalidInput(f"There is no file {path}.", code="media.not_found")
    mime_type = sniff_mime_type(file)
    return MediaFile(
        path=file,
        mime_type=mime_type,
        size_bytes=file.stat().st_size,
        alt_text=alt_text,
        facts=read_facts(file, mime_type),
    )


def fit_parts(parts: Sequence[DraftPart], *, platform: Platform, options: Mapping[str, str], folder: Path) -> Fitted:
    """Make every file one that the platform takes: format, size, colours (MEDIA-1). What it takes as it is stays as it is.

    Done when a draft is written, so that what a person approves is byte for byte what is sent.

    Args:
        folder: for changed files, until they are copied into the workspace.

    Raises:
        InvalidInput: a file cannot be made to fit; the reason says why.
    """
    findings: list[Finding] = []
    fitted = [_fit_part(part, platform=platform, options=options, folder=folder, findings=findings) for part in parts]
    return Fitted(fitted, findings)


def _fit_part(
    part: DraftPart, *, platform: Platform, options: Mapping[str, str], folder: Path, findings: list[Finding]
) -> DraftPart:
    media = part.media
    if options.get("format") == "document" and media and all(file.kind == "image" for file in media):
        media = (_bind(media, folder=folder),)
        findings.append(_changed(platform, "The images became the pages of one PDF."))
    return replace(
        part,
        media=tuple(
            _fit_file(file, platform=platform, options=options, folder=folder, findings=findings) for file in media
        ),
    )


def _fit_file(
    file: MediaFile,
    *,
    platform: Platform,
    options: Mapping[str, str],
    folder: Path,
    findings: list[Finding],
) -> MediaFile:
    target = platform.pick_target(file.mime_type, options)
    if target is None:
        return file  # the platform's own rules say what it takes instead
    fitted = fit_media(file.path, target, folder)
    findings += [_changed(platform, f"{file.path.name}: {change}") for change in fitted.changes]
    return replace(
        file,
        path=fitted.path,
        mime_type=fitted.mime_type,
        size_bytes=fitted.path.stat().st_size,
        facts=fitted.facts,
    )


def _bind(media: Sequence[MediaFile], *, folder: Path) -> MediaFile:
    path = build_carousel([file.path for file in media], folder / f"{uuid.uuid4()}.pdf")
    return MediaFile(
        path=path,
        mime_type="application/pdf",
        size_bytes=path.stat().st_size,
        alt_text=media[0].alt_text,
        facts=read_facts(path, "application/pdf"),
    )


def _changed(platform: Platform, message: str) -> Finding:
    return Finding(target=platform.name, code="media.changed", level="info", message=message)


def build_rows(post: Post, parts: Sequence[DraftPart], *, copy_media: bool) -> list[StoredPart]:
    """Make the rows of a post's content; media go into the workspace, so that what was approved is what is sent."""
    stored = []
    for index, draft in enumerate(parts):
        part = PostPart(user_id=post.user_id, post_id=post.id, index=index, text=draft.text, kind=draft.kind)
        media = [_media_row(part, number, file, copy=copy_media) for number, file in enumerate(draft.media)]
        stored.append(StoredPart(part=part, media=media, is_kept=copy_media))
    return stored


def hash_rows(post: Post, stored: Sequence[StoredPart]) -> str:
    """Hash content that is not saved yet."""
    for item in stored:
        item.part._prefetched_objects_cache = {"media": item.media}  # type: ignore[attr-defined]  # as prefetch_related leaves it
    return hash_content(post, [item.part for item in stored])


def save_rows(post: Post, stored: Sequence[StoredPart]) -> None:
    """Save a new post with its content."""
    post.save(force_insert=True)
    save_parts(stored)
    post.refresh_from_db()


def save_parts(stored: Sequence[StoredPart]) -> None:
    """Save the content of a draft."""
    for item in stored:
        item.part.save(force_insert=True)
        _save_media(item)


def replace_parts(post: Post, stored: Sequence[StoredPart]) -> None:
    """Put new content in the place of a draft's old one.

    A part keeps its row, because attempts refer to it: what was tried stays on record. Of a post with nothing live, only the
    first part can have been tried.
    """
    before = {part.index: part for part in load_parts(post)}
    for item in stored:
        if old := before.pop(item.part.index, None):
            PostMedia.objects.filter(part_id=old.id).delete()
            PostPart.objects.filter(id=old.id).update(text=item.part.text, kind=item.part.kind)
            item.part.id = old.id
        else:
            item.part.save(force_insert=True)
        _save_media(item)
    PostPart.objects.filter(id__in=[part.id for part in before.values()]).delete()


def _save_media(item: StoredPart) -> None:
    """Save a part's media; where the hub carries files, with every byte of them."""
    for media in item.media:
        media.part_id = item.part.id
        media.save(force_insert=True)
        if item.is_kept:
            carrying.put(media)


def _media_row(part: PostPart, index: int, file: MediaFile, *, copy: bool) -> PostMedia:
    carrying.check_size(file.path.name, file.size_bytes)
    digest = hash_file(file.path)
    if copy:
        _keep_copy(file, digest=digest)
    return PostMedia(
        user_id=part.user_id,
        part_id=part.id,
        index=index,
        path=stored_path(digest, mime_type=file.mime_type),
        sha256=digest,
        mime_type=file.mime_type,
        size_bytes=file.size_bytes,
        alt_text=file.alt_text,
        facts=file.facts.to_dict() if file.facts else {},
    )


def _keep_copy(file: MediaFile, *, digest: str) -> None:
    """Copy a file into the media folder under its own hash, in one step."""
    root: Path = settings.WORKSPACE.root
    target = root / stored_path(digest, mime_type=file.mime_type)
    if target.is_file() and hash_file(target) == digest:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out, file.path.open("rb") as source:
            shutil.copyfileobj(source, out)
        os.replace(temporary, target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise InvalidInput(
            f"{file.path} cannot be copied into content/media: {error.strerror}.", code="media.copy_failed"
        ) from error
