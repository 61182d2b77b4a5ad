"""Instagram's upload of videos to a container that waits for one: the whole file in one request.

developers.facebook.com/documentation/instagram-platform/content-publishing/resumable-uploads (2026-03-15, read 2026-11-20). Images
have no such way: Instagram fetches them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO
from urllib.parse import SplitResult, urlsplit

from psn.errors import InvalidInput, PlatformError, Rejected, Unavailable
from psn.http import Http, Reply
from psn.platforms.base import MediaFile
from psn.platforms.instagram.rules import NAME, TITLE
from psn.platforms.replies import Tolerant, read_answer

UPLOAD_HOST = "rupload.facebook.com"
PIECE_BYTES = 1024 * 1024
BASE_SECONDS = 60.0
BYTES_PER_SECOND = 125_000  # 1 Mbit/s, a poor line


def send_video(media: MediaFile, *, address: str, token: str, api_base_url: str) -> None:
    """Upload a video to its container. Repeatable and harmless.

    Args:
        address: which the container came with. The token goes there, so only Instagram's own host will do, or the one that
            the account's own base URL names.

    Raises:
        Rejected: Instagram does not take the file, or it is not there.
        Unavailable: not uploaded, or the address leads elsewhere.
    """
    parts = check_address(address, api_base_url=api_base_url)
    try:
        with media.path.open("rb") as file, _open(parts, token=token) as http:
            size = media.path.stat().st_size
            reply = http.read(
                "POST",
                f"{parts.path}?{parts.query}" if parts.query else parts.path,
                content=_cut(file),
                headers={"offset": "0", "file_size": str(size), "content-length": str(size)},
                timeout_seconds=BASE_SECONDS + size / BYTES_PER_SECOND,
            )
    except OSError as problem:
        raise Rejected(f"{media.path.name} cannot be read: {problem.strerror}.", code="media.unreadable") from problem
    _check(reply)


def check_address(address: str, *, api_base_url: str) -> SplitResult:
    """Take an upload address apart when a token may go there.

    Raises:
        Unavailable: it leads elsewhere.
    """
    try:
        parts, own = urlsplit(address), urlsplit(api_base_url)
        is_meta = parts.scheme == "https" and parts.netloc == UPLOAD_HOST
        is_own = (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
    except ValueError:
        is_meta = is_own = False
    if not (is_meta or is_own):
        raise Unavailable(f"{TITLE} gave no address of its own to upload to.", code=f"{NAME}.upload_address")
    return parts


def _open(parts: SplitResult, *, token: str) -> Http:
    try:
        return Http(f"{parts.scheme}://{parts.netloc}", token=token, auth_scheme="OAuth")
    except InvalidInput as problem:
        raise Unavailable(problem.message, code=f"{NAME}.upload_address") from None


def _cut(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(PIECE_BYTES), b"")


class _DebugInfo(Tolerant):
    retriable: bool = True
    message: str = ""


class _Uploaded(Tolerant):
    success: bool = False
    debug_info: _DebugInfo | None = None


def _check(reply: Reply) -> None:
    answer = read_answer(_Uploaded, reply, title=TITLE)
    if 200 <= reply.status < 300 and answer.success:
        return
    said = answer.debug_info or _DebugInfo()
    kind: type[PlatformError] = Unavailable if said.retriable else Rejected
    words = f': "{said.message[:300]}"' if said.message else ""
    raise kind(
        f"{TITLE} did not take the video ({reply.status}){words}.",
        code=f"{NAME}.upload_failed",
        http_status=reply.status,
        request_id=reply.request_id,
    )
