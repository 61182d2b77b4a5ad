"""Uploads: one-shot and in parts, processing of videos and GIFs, alt text.

Source: spec v2.167 and docs.x.com/x-api/media (2026-11).
"""

from __future__ import annotations

import base64
import binascii
import shutil
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from pydantic import Field

from sandbox import clock, feed
from sandbox.models import Account, Upload
from sandbox.platforms.x import filetypes, problems, uploads
from sandbox.platforms.x.endpoint import Body, answer, check_parameters, endpoint, read_body
from sandbox.uploads import get_upload

WRITE = ("media.write",)
MAX_SEGMENT = 999
CATEGORIES = Literal[
    "amplify_video", "tweet_gif", "tweet_image", "tweet_video", "dm_gif", "dm_image", "dm_video", "subtitles"
]
NumericId = Annotated[str, Field(pattern=r"^[0-9]{1,19}$")]


class InitializeBody(Body):
    """What is going to be uploaded."""

    media_type: str = ""
    media_category: CATEGORIES = "tweet_image"
    total_bytes: Annotated[int, Field(ge=1)]
    additional_owners: list[NumericId] = []
    shared: bool = False


class OneShotBody(Body):
    """A whole file in one JSON body."""

    media: str
    media_category: CATEGORIES
    additional_owners: str = ""


class AppendBody(Body):
    """One part in a JSON body."""

    media: str
    segment_index: Annotated[int, Field(ge=0, le=MAX_SEGMENT)]


class AltText(Body):
    """`metadata.alt_text`."""

    text: Annotated[str, Field(max_length=1000)]


class Metadata(Body):
    """`metadata`, as far as the sandbox shows it."""

    alt_text: AltText


class MetadataBody(Body):
    """What to say about a file."""

    id: NumericId
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    category: str


@endpoint("POST /2/media/upload", scopes=WRITE, per_window=500)
def upload(request: HttpRequest, account: Account) -> HttpResponse:
    """Take a whole file."""
    file = _read_file(request)
    mime_type = filetypes.sniff(file.content)
    started = uploads.start_upload(account, mime_type=mime_type, category=file.category, total_bytes=len(file.content))
    uploads.file_path(started).write_bytes(file.content)
    return answer({"data": uploads.describe_upload(uploads.finish_upload(request, started), now=clock.now())})


@endpoint("POST /2/media/upload/initialize", scopes=WRITE, per_window=1875)
def initialize(request: HttpRequest, account: Account) -> HttpResponse:
    """Open an upload in parts."""
    body = read_body(request, InitializeBody)
    started = uploads.start_upload(
        account, mime_type=body.media_type, category=body.media_category, total_bytes=body.total_bytes
    )
    uploads.parts_path(started).mkdir()
    return answer({"data": uploads.describe_upload(started, now=clock.now())})


@endpoint("POST /2/media/upload/{id}/append", scopes=WRITE, per_window=1875)
def append(request: HttpRequest, account: Account, media_id: str) -> HttpResponse:
    """Take one part; the same part may come again."""
    open_upload = uploads.get_open(account, media_id)
    index, content = _read_part(request)
    parts = uploads.parts_path(open_upload)
    draft = parts / f"{index}.{id(request)}"
    draft.write_bytes(content)
    draft.replace(parts / f"{index:03d}")
    return answer({"data": {"expires_at": int((open_upload.started_at + uploads.UPLOAD_LIFE).timestamp())}})


@endpoint("POST /2/media/upload/{id}/finalize", scopes=WRITE, per_window=1875)
def finalize(request: HttpRequest, account: Account, media_id: str) -> HttpResponse:
    """Put the parts together; a video or GIF is processed from now on."""
    open_upload = uploads.get_open(account, media_id)
    parts = sorted(uploads.parts_path(open_upload).glob("[0-9][0-9][0-9]"))
    size = sum(part.stat().st_size for part in parts)
    if size != open_upload.total_bytes or [int(part.name) for part in parts] != list(range(len(parts))):
        message = (
            f"The parts hold {size} bytes in {len(parts)} segments, {open_upload.total_bytes} bytes were announced."
        )
        raise problems.invalid_request(message, parameter="id", value=media_id)
    with uploads.file_path(open_upload).open("wb") as target:
        for part in parts:
            target.write(part.read_bytes())
    finished = uploads.finish_upload(request, open_upload)
    shutil.rmtree(uploads.parts_path(open_upload), ignore_errors=True)
    return answer({"data": uploads.describe_upload(finished, now=clock.now())})


@endpoint("GET /2/media/upload", scopes=WRITE, per_window=1000)
def read_status(request: HttpRequest, account: Account) -> HttpResponse:
    """Say how far the processing is."""
    check_parameters(request, allowed=frozenset({"command", "media_id"}))
    if request.GET.get("command", "STATUS") != "STATUS":
        raise problems.invalid_request("command must be STATUS.", parameter="command", value=request.GET["command"])
    found = uploads.get_upload(account, request.GET.get("media_id", ""), parameter="media_id")
    return answer({"data": uploads.describe_upload(found, now=clock.now())})


@endpoint("POST /2/media/metadata", scopes=WRITE, per_window=500)
def write_metadata(request: HttpRequest, account: Account) -> HttpResponse:
    """Keep the alt text of a file."""
    body = read_body(request, MetadataBody)
    found = uploads.get_upload(account, body.id, parameter="id")
    Upload.objects.filter(id=found.pk).update(alt_text=body.metadata.alt_text.text)
    metadata = {"alt_text": {"text": body.metadata.alt_text.text}}
    return answer({"data": {"id": body.id, "associated_metadata": metadata}})


@feed.page
def show_file(request: HttpRequest, media_id: str) -> HttpResponseBase:
    """Give a finished file to people."""
    found = get_upload("x", media_id)
    if found is None:
        raise Http404("There is no such file.")
    return feed.show_media(request, found.file)


def _read_file(request: HttpRequest) -> _File:
    if request.content_type == "multipart/form-data":
        category = request.POST.get("media_category", "")
        if category not in get_args(CATEGORIES):
            raise problems.invalid_request("media_category is wrong.", parameter="media_category", value=category)
        return _File(_read_upload(request), category)
    body = read_body(request, OneShotBody)
    return _File(_decode(body.media), body.media_category)


def _read_part(request: HttpRequest) -> tuple[int, bytes]:
    if request.content_type == "multipart/form-data":
        index = request.POST.get("segment_index", "")
        if not (index.isascii() and index.isdigit() and int(index) <= MAX_SEGMENT):
            message = f"segment_index must be from 0 to {MAX_SEGMENT}."
            raise problems.invalid_request(message, parameter="segment_index", value=index)
        return int(index), _read_upload(request)
    body = read_body(request, AppendBody)
    return body.segment_index, _decode(body.media)


def _read_upload(request: HttpRequest) -> bytes:
    file = request.FILES.get("media")
    if isinstance(file, UploadedFile):
        return bytes(file.read())
    raise problems.invalid_request("The part named media is missing.", parameter="media", value="")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise problems.invalid_request("media is not base64.", parameter="media", value="") from None
