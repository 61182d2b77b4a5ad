"""LinkedIn's media upload: ask for an address, put the bytes there, and for a video say which parts make it.

learn.microsoft.com/linkedin/marketing/community-management/shares/{images,videos,documents}-api (read 2026-11-20). An upload
that no post names is seen by nobody, so it can be repeated (PUB-3). Its owner must be the post's author.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from pydantic import Field

from psn.errors import Rejected, Unavailable
from psn.http import Reply
from psn.platforms.base import MediaFile
from psn.platforms.linkedin.addresses import encode_urn
from psn.platforms.linkedin.rules import DOCUMENT, IMAGE, VIDEO
from psn.platforms.linkedin.wire import TITLE
from psn.platforms.replies import Tolerant, read_answer

CHUNK_BYTES = 256 * 1024  # read from the file at a time
MAX_PART_BYTES = 64 * 1024 * 1024  # LinkedIn asks for 4 MiB; a part is held in memory
BYTES_PER_SECOND = 25_000  # 0.2 Mbit/s, a poor line
PROCESSING_SECONDS = 300.0
FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.5, 10.0  # between two looks; doubled each time. LinkedIn names none


class Ask(Protocol):
    """The adapter's way to make a repeatable call; raises when LinkedIn refuses."""

    def __call__(self, method: str, path: str, *, json: object = None) -> Reply: ...


class Put(Protocol):
    """The adapter's way to put bytes at an address that LinkedIn gave; raises when they are not taken.

    Args:
        with_token: the address wants to see our token.
    """

    def __call__(
        self, url: str, content: bytes | Iterable[bytes], *, size_bytes: int, timeout_seconds: float, with_token: bool
    ) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Line:
    """What an upload needs of the adapter.

    Args:
        owner: the author of the post to be.
        processing_seconds: how long LinkedIn may take to get a video ready.
        sleep: waits for so many seconds.
    """

    ask: Ask
    put: Put
    owner: str
    processing_seconds: float = PROCESSING_SECONDS
    sleep: Callable[[float], None] = time.sleep


def send_media(media: MediaFile, *, line: Line) -> str:
    """Upload a file and give LinkedIn's name for it.

    Raises:
        Rejected: LinkedIn does not take the file, or it is not there.
        Unavailable: not uploaded, or not ready in time.
    """
    try:
        if media.mime_type in VIDEO.mime_types:
            return _send_video(media.path, line=line)
        kind = "image" if media.mime_type in IMAGE.mime_types else "document"
        if kind == "document" and media.mime_type not in DOCUMENT.mime_types:
            raise Rejected(f"LinkedIn does not take {media.mime_type}.", code="media.type")
        return _send_whole(media.path, kind=kind, line=line)
    except OSError as problem:
        raise Rejected(f"{media.path.name} cannot be read: {problem.strerror}.", code="media.unreadable") from problem


class _Place(Tolerant):
    upload_url: str = Field(validation_alias="uploadUrl")
    image: str = ""
    document: str = ""


class _Opened(Tolerant):
    value: _Place


class _Span(Tolerant):
    upload_url: str = Field(validation_alias="uploadUrl")
    first_byte: int = Field(validation_alias="firstByte", ge=0)
    last_byte: int = Field(validation_alias="lastByte", ge=0)


class _VideoPlace(Tolerant):
    video: str = Field(pattern=r"^urn:li:video:")
    upload_token: str = Field("", validation_alias="uploadToken")
    instructions: list[_Span] = Field(validation_alias="uploadInstructions", min_length=1)


class _VideoOpened(Tolerant):
    value: _VideoPlace


class _Progress(Tolerant):
    status: str = ""
    reason: str = Field("", validation_alias="processingFailureReason")


def _send_whole(path: Path, *, kind: str, line: Line) -> str:
    size_bytes = path.stat().st_size
    place = read_answer(_Opened, _open(f"{kind}s", {}, line=line), title=TITLE).value
    urn = place.image if kind == "image" else place.document
    if not urn.startswith(f"urn:li:{kind}:"):
        raise Unavailable(f"LinkedIn did not say which {kind} it opened.", code="linkedin.upload")
    with path.open("rb") as file:
        line.put(
            place.upload_url,
            _read_pieces(file),
            size_bytes=size_bytes,
            timeout_seconds=_allow(size_bytes),
            with_token=True,
        )
    return urn


def _send_video(path: Path, *, line: Line) -> str:
    size_bytes = path.stat().st_size
    wanted = {"fileSizeBytes": size_bytes, "uploadCaptions": False, "uploadThumbnail": False}
    place = read_answer(_VideoOpened, _open("videos", wanted, line=line), title=TITLE).value
    spans = sorted(place.instructions, key=lambda span: span.first_byte)
    _check_spans(spans, size_bytes=size_bytes)
    with path.open("rb") as file:
        tags = [_send_span(file, span, line=line) for span in spans]
    order = {"video": place.video, "uploadToken": place.upload_token, "uploadedPartIds": tags}
    line.ask("POST", "/rest/videos?action=finalizeUpload", json={"finalizeUploadRequest": order})
    _wait_until_ready(place.video, line=line)
    return place.video


def _open(collection: str, wanted: dict[str, Any], *, line: Line) -> Reply:
    order = {"owner": line.owner, **wanted}
    return line.ask("POST", f"/rest/{collection}?action=initializeUpload", json={"initializeUploadRequest": order})


def _check_spans(spans: list[_Span], *, size_bytes: int) -> None:
    """Check that LinkedIn asks for every byte once, and for none that there is not."""
    ends = [-1, *(span.last_byte for span in spans)]
    joined = all(span.first_byte == before + 1 for span, before in zip(spans, ends, strict=False))
    small = all(0 <= span.last_byte - span.first_byte < MAX_PART_BYTES for span in spans)
    if not (joined and small and ends[-1] == size_bytes - 1):
        raise Unavailable("LinkedIn asks for parts that do not make up the video.", code="linkedin.upload")


def _send_span(file: IO[bytes], span: _Span, *, line: Line) -> str:
    """Send one part and give the tag by which LinkedIn knows it. The address itself is the permission: no token."""
    size_bytes = span.last_byte - span.first_byte + 1
    file.seek(span.first_byte)
    content = file.read(size_bytes)
    reply = line.put(
        span.upload_url, content, size_bytes=len(content), timeout_seconds=_allow(size_bytes), with_token=False
    )
    tag = reply.headers.get("etag", "")
    if not tag:
        raise Unavailable("LinkedIn took a part of the video and gave no tag for it.", code="linkedin.upload")
    return tag


def _wait_until_ready(urn: str, *, line: Line) -> None:
    waited, pause = 0.0, FIRST_WAIT_SECONDS
    while not _is_ready(urn, line=line):
        if waited + pause > line.processing_seconds:
            raise Unavailable(
                f"LinkedIn has not got the video ready within {line.processing_seconds:g} s.",
                code="linkedin.media_not_ready",
            )
        line.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, MAX_WAIT_SECONDS)


def _is_ready(urn: str, *, line: Line) -> bool:
    """Ask whether a video may be posted. Whoever may not ask (403) finds out when posting it."""
    try:
        progress = read_answer(_Progress, line.ask("GET", f"/rest/videos/{encode_urn(urn)}"), title=TITLE)
    except Rejected as refusal:
        if refusal.http_status == 403:
            return True
        raise
    if progress.status == "PROCESSING_FAILED":
        raise Rejected(
            f"LinkedIn could not process the video{f' ({progress.reason[:100]})' if progress.reason else ''}. "
            "Convert it (MP4 with H.264 and AAC) and try again.",
            code="linkedin.media_failed",
        )
    return progress.status == "AVAILABLE"


def _read_pieces(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK_BYTES), b"")


def _allow(size_bytes: int) -> float:
    """Say how long so many bytes may take, in seconds."""
    return 60.0 + size_bytes / BYTES_PER_SECOND
