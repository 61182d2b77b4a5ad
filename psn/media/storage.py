"""Files in a bucket, from where platforms fetch them: S3, R2, MinIO (MEDIA-3).

Nobody can guess a file's name, and its address is signed and ends. The name begins with the instant at which the address ends, so
what nobody can fetch any more is found by name alone and deleted. A bucket stays private: it needs no public access.

Keys come from the environment, as every S3 client reads them (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from psn.errors import NotReady, Rejected, Unavailable

PREFIX = "psn-media/"
LIFE = timedelta(
    hours=6
)  # a platform may take an hour to fetch a video (TikTok, media-transfer-guide, read 2026-11-20)
CONNECT_SECONDS = 10
READ_SECONDS = 60  # without a byte
TRIES = 3
NAME_BYTES = 24  # of randomness

_NOT_READY = {
    "NoSuchBucket": "there is no such bucket",
    "404": "there is no such bucket",
    "AccessDenied": "the keys may not use it",
    "403": "the keys may not use it",
    "InvalidAccessKeyId": "the access key is unknown",
    "SignatureDoesNotMatch": "the secret key is wrong",
    "AuthorizationHeaderMalformed": "the region is wrong (PSN_MEDIA_REGION)",
    "PermanentRedirect": "the region is wrong (PSN_MEDIA_REGION)",
    "301": "the region is wrong (PSN_MEDIA_REGION)",
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where files lie.

    Args:
        endpoint_url: of R2, MinIO and others; empty for Amazon's own.
        region: `auto` at R2; empty where the environment says it.
    """

    name: str
    endpoint_url: str = ""
    region: str = ""


def upload_file(bucket: Bucket, path: Path, mime_type: str, *, now: datetime, life: timedelta = LIFE) -> str:
    """Put a file into a bucket, in pieces, and give an address of it that ends.

    Args:
        now: aware.

    Raises:
        NotReady: the bucket or its keys are not as they should be.
        Unavailable: it cannot be reached now; what was begun is harmless.
        Rejected: the file cannot be read.
    """
    name = _make_name(path, ends_at=now + life)
    store = _open(bucket, object_parameters={"ContentType": mime_type, "CacheControl": "private, no-store"})
    try:
        with _translated(bucket), path.open("rb") as file:
            return str(store.url(store.save(name, file), expire=int(life.total_seconds())))
    except OSError as problem:
        raise Rejected(f"{path.name} cannot be read: {problem.strerror}.", code="media.unreadable") from problem


def delete_ended(bucket: Bucket, *, now: datetime) -> int:
    """Delete the files whose addresses have ended, and say how many there were.

    Raises:
        NotReady, Unavailable: as of `upload_file`.
    """
    store = _open(bucket)
    with _translated(bucket):
        _, names = store.listdir(PREFIX)
        ended = [name for name in names if _has_ended(name, now=now)]
        for name in ended:
            store.delete(PREFIX + name)
    return len(ended)


def check_bucket(bucket: Bucket) -> None:
    """Look whether a bucket is there and may be used, without writing to it.

    Raises:
        NotReady, Unavailable: as of `upload_file`.
    """
    store = _open(bucket, tries=1)
    with _translated(bucket):
        store.connection.meta.client.head_bucket(Bucket=bucket.name)


def _make_name(path: Path, *, ends_at: datetime) -> str:
    suffix = path.suffix.lower() if path.suffix[1:].isalnum() else ""  # some platforms look at it
    return f"{PREFIX}{int(ends_at.timestamp())}-{secrets.token_urlsafe(NAME_BYTES)}{suffix}"


def _has_ended(name: str, *, now: datetime) -> bool:
    """Say whether a file's address has ended. What has another kind of name is not ours."""
    ends_at, _, rest = name.partition("-")
    return bool(rest) and ends_at.isdigit() and len(ends_at) < 12 and datetime.fromtimestamp(int(ends_at), UTC) <= now


def _open(bucket: Bucket, *, tries: int = TRIES, **options: Any) -> Any:
    """Open a bucket; nothing is sent yet.

    Raises:
        InvalidInput: the endpoint is reached without encryption, and not on this machine.
    """
    # Imported here because they take a quarter of a second, and few commands need a bucket.
    from botocore.config import Config
    from storages.backends.s3 import S3Storage

    from psn.http import check_base_url

    if bucket.endpoint_url:
        check_base_url(bucket.endpoint_url)
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"max_attempts": tries, "mode": "standard"},
        signature_version="s3v4",
        s3={"addressing_style": "path" if bucket.endpoint_url else "virtual"},
        request_checksum_calculation="when_required",  # not every store of this kind knows the newer checksums
        response_checksum_validation="when_required",
    )
    return S3Storage(
        bucket_name=bucket.name,
        endpoint_url=bucket.endpoint_url or None,
        region_name=bucket.region or None,
        client_config=config,
        default_acl=None,
        querystring_auth=True,
        custom_domain=None,
        location="",
        **options,
    )


@contextmanager
def _translated(bucket: Bucket) -> Iterator[None]:
    """Turn the library's errors into ours, without their text: it may quote what was sent."""
    from boto3.exceptions import Boto3Error  # slow, as above
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    try:
        yield
    except (NoCredentialsError, PartialCredentialsError):
        raise _not_ready(bucket, "there are no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") from None
    except ClientError as problem:
        raise _translate(bucket, str(problem.response.get("Error", {}).get("Code", ""))) from None
    except Boto3Error as problem:
        cause = problem.__context__
        code = str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else ""
        raise _translate(bucket, code) from None
    except BotoCoreError:
        raise _translate(bucket, "") from None


def _translate(bucket: Bucket, code: str) -> NotReady | Unavailable:
    if code in _NOT_READY:
        return _not_ready(bucket, _NOT_READY[code])
    return Unavailable(f"The bucket {bucket.name} cannot be reached.", code="media.storage")


def _not_ready(bucket: Bucket, reason: str) -> NotReady:
    return NotReady(f"The bucket {bucket.name} cannot be used: {reason}.", code="media.bucket")
