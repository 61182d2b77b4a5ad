"""Where platforms that fetch media can fetch them (MEDIA-3).

| account | a file's address |
|---|---|
| at the sandbox | in the sandbox's own storage |
| else, with `PSN_MEDIA_BUCKET` | in that bucket, signed by it |
| else, with `PSN_MEDIA_BASE_URL` | at the hub's own web process (`hub/views.py`), signed with the hub's secret key |
| else | there is none, and the post is refused before anything is sent |

Every address ends by itself. Addresses are made again for each try, so none is older than the try that uses it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing

from hub.models import Account
from psn.errors import Finding, InvalidInput, NotFound, NotReady, Problem, Rejected, Unavailable
from psn.media import storage

LIFE = storage.LIFE
CHECK_SECONDS = 5.0  # for the question whether an address would be reachable
UPLOAD_SECONDS = 300.0  # to the sandbox, on this machine

_SALT = "psn.media"
_PROBE = ""  # the file that is none: asks whether the web process is there
_NO_WAY = (
    "It fetches media from a public https address, and none is set up: set PSN_MEDIA_BUCKET (S3, R2, MinIO), or run the web process "
    "(`web` in Procfile) behind a public https address and set PSN_MEDIA_BASE_URL to it."
)


@dataclass(frozen=True, slots=True)
class SignedFile:
    """What a signed address leads to.

    Args:
        path: None for the probe.
        mime_type: as it was found when the file was attached.
    """

    path: Path | None
    mime_type: str


def make_addresses(account: Account, *, kinds: frozenset[str]) -> Callable[[Path, str], str]:
    """Give a maker of public addresses for files of these kinds; others get none.

    The maker may upload. It raises `Rejected` (`media.address`) where there is no way to an address or the set-up is wrong, and
    `Unavailable` where there is one that does not work now.
    """

    def address(path: Path, mime_type: str) -> str:
        kind = mime_type.partition("/")[0]
        if (kind if kind in ("image", "video") else "document") not in kinds:
            return ""
        return public_address(path, mime_type, account=account, now=datetime.now(UTC))

    return address


def public_address(path: Path, mime_type: str, *, account: Account, now: datetime, life: timedelta = LIFE) -> str:
    """Make an address at which the account's platform can fetch a file until it ends.

    Raises:
        Rejected: there is no way to one (`media.address`), or the file cannot be read.
        Unavailable: there is a way that does not work now.
    """
    if account.is_sandbox:
        return _store_at_sandbox(path, mime_type, base_url=account.base_url)
    bucket = _find_bucket()
    try:
        if bucket is not None:
            return storage.upload_file(bucket, path, mime_type, now=now, life=life)
        return _sign_for_web(path, mime_type, ends_at=now + life)
    except (NotReady, InvalidInput) as problem:
        raise Rejected(problem.message, code="media.address") from problem


def check_addresses(account: Account) -> Finding | None:
    """Say what is missing for an account whose platform fetches media, or that nothing answers where it would fetch."""
    if account.is_sandbox:
        return None
    bucket = _find_bucket()
    try:
        if bucket is not None:
            storage.check_bucket(bucket)
        else:
            _check_web(now=datetime.now(UTC))
    except Unavailable as problem:  # it may be up again when the time comes, and reachable from elsewhere
        return _finding(account, problem, level="warning")
    except Problem as problem:
        return _finding(account, problem)
    return None


def delete_ended(*, now: datetime) -> int:
    """Delete files from the bucket whose addresses have ended; say how many."""
    bucket = _find_bucket()
    return storage.delete_ended(bucket, now=now) if bucket is not None else 0


def read_token(token: str, *, now: datetime) -> SignedFile:
    """Read what the web process is asked for.

    Raises:
        NotFound: not signed by this hub, or nothing that may be shown; `media.ended` when it was, until a while ago.
    """
    if settings.HUB is None:  # nothing is signed without a key
        raise NotFound("There is no hub here.", code="media.token")
    try:
        signed: dict[str, Any] = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        raise NotFound("There is no such file.", code="media.token") from None
    if now.timestamp() >= signed["e"]:
        raise NotFound("This address has ended.", code="media.ended")
    return SignedFile(_find_file(signed["p"]) if signed["p"] != _PROBE else None, signed["t"])


def _find_bucket() -> storage.Bucket | None:
    if not settings.MEDIA_BUCKET:
        return None
    return storage.Bucket(settings.MEDIA_BUCKET, settings.MEDIA_ENDPOINT_URL, settings.MEDIA_REGION)


def _store_at_sandbox(path: Path, mime_type: str, *, base_url: str) -> str:
    """Put a file into the storage of the sandbox on this machine."""
    from psn.http import Http  # brings the HTTP library (over 100 ms), and most commands talk to nobody

    parts = urlsplit(base_url)
    key = f"/_storage/{secrets.token_urlsafe(storage.NAME_BYTES)}{path.suffix.lower()}"
    try:
        with Http(f"{parts.scheme}://{parts.netloc}") as http, path.open("rb") as file:
            headers = {"content-type": mime_type, "content-length": str(path.stat().st_size)}
            reply = http.read("PUT", key, content=file, headers=headers, timeout_seconds=UPLOAD_SECONDS)
            if reply.status != 201:
                raise Unavailable("The sandbox did not keep the file.", code="media.storage", http_status=reply.status)
            return f"{http.base_url}{key}"
    except OSError as problem:
        raise Rejected(f"{path.name} cannot be read: {problem.strerror}.", code="media.unreadable") from problem


def _sign_for_web(path: Path, mime_type: str, *, ends_at: datetime) -> str:
    """Sign an address at the web process.

    Raises:
        NotReady: no such address is set up, or none that a platform could reach.
        Rejected: the file is not in the media folder, so the web process would not show it.
    """
    base_url = _get_base_url()
    folder = _media_folder()
    if not path.resolve().is_relative_to(folder):
        raise Rejected(f"{path.name} is not in content/media: attach it again.", code="media.address")
    return f"{base_url}/media/{_sign(path.resolve().relative_to(folder).as_posix(), mime_type, ends_at=ends_at)}"


def _sign(name: str, mime_type: str, *, ends_at: datetime) -> str:
    return signing.dumps({"p": name, "t": mime_type, "e": int(ends_at.timestamp())}, salt=_SALT)


def _get_base_url() -> str:
    from psn.http import check_base_url  # brings the HTTP library (over 100 ms), and most commands talk to nobody

    if not settings.MEDIA_BASE_URL or settings.HUB is None:
        raise NotReady(_NO_WAY, code="media.address")
    base_url = check_base_url(settings.MEDIA_BASE_URL)
    if _is_this_machine(base_url):
        raise NotReady(
            f"PSN_MEDIA_BASE_URL is {base_url}, which no platform can reach: it is this machine's own.",
            code="media.address",
        )
    return base_url


def _is_this_machine(base_url: str) -> bool:
    from psn.http import is_loopback  # as above

    return is_loopback(urlsplit(base_url))


def _check_web(*, now: datetime) -> None:
    """Ask the public address for what only this hub's web process gives."""
    from psn.http import Http  # brings the HTTP library (over 100 ms), and most commands talk to nobody

    base_url = _get_base_url()
    with Http(base_url, timeout_seconds=CHECK_SECONDS) as http:
        reply = http.read("HEAD", f"/media/{_sign(_PROBE, '', ends_at=now + timedelta(minutes=1))}")
    if reply.status != 204:
        raise NotReady(
            f"{base_url} answers {reply.status} where this hub's web process should: start it (`web` in Procfile), and lead "
            "that address to it.",
            code="media.address",
        )


def _find_file(name: str) -> Path:
    """Give a file of the media folder.

    Raises:
        NotFound: there is none, or the name leads out of the folder.
    """
    folder = _media_folder()
    path = (folder / name).resolve()  # a link inside may lead anywhere
    if not path.is_relative_to(folder) or not path.is_file():
        raise NotFound("There is no such file.", code="media.token")
    return path


def _media_folder() -> Path:
    root: Path = settings.WORKSPACE.root
    return (root / "content" / "media").resolve()


def _finding(account: Account, problem: Problem, *, level: Any = "error") -> Finding:
    return Finding(
        target=account.platform,
        code="media.address",
        level=level,
        message=problem.message,
        fix="Set PSN_MEDIA_BUCKET or PSN_MEDIA_BASE_URL where the worker is started, and start it again.",
    )
