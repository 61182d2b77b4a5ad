"""Files: uploaded whole, named by their content, dropped when no record names them. com.atproto.repo.uploadBlob (2026-11)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from sandbox import clock, uploads
from sandbox.models import Account, Attachment, Upload
from sandbox.platforms.bluesky import lexicon, problems
from sandbox.platforms.bluesky.cids import name_file
from sandbox.platforms.bluesky.endpoint import PLATFORM, answer, signed_in

MAX_BYTES = 50_000_000  # what a server takes unless its owner says otherwise
KEPT_FOR = timedelta(hours=1)  # while no record names it


@signed_in(method="POST")
def upload_blob(request: HttpRequest, account: Account) -> HttpResponse:
    """Take a file; the same content is the same file."""
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise problems.standard(413)
    if not request.content_type:
        raise problems.refuse("Request encoding (Content-Type) required but not provided")
    received = uploads.create_upload(
        account, remote_id=f"receiving-{secrets.token_hex(8)}", mime_type=request.content_type
    )
    uploads.receive(request, received)
    with uploads.file_path(received).open("rb") as file:
        cid = name_file(hashlib.file_digest(file, "sha256").digest())
    return answer({"blob": describe_blob(_settle(request, received, cid=cid))})


def describe_blob(upload: Upload) -> dict[str, Any]:
    """Give a file as it must stand in a record."""
    return {
        "$type": "blob",
        "ref": {"$link": upload.platform_media_id},
        "mimeType": upload.mime_type,
        "size": upload.total_bytes,
    }


def get_blobs(account: Account, record: lexicon.PostRecord) -> list[Upload]:
    """Give the files that a new record names.

    Raises:
        Refusal: one is not there any more, or is not what may stand at its place.
    """
    found = [_get_blob(account, *wanted) for wanted in lexicon.blobs_of(record)]
    alts = dict(lexicon.alts_of(record))
    for upload in found:  # the same content in two posts is one file here: the newest post describes it
        Upload.objects.filter(id=upload.pk).update(alt_text=alts.get(upload.platform_media_id, ""))
    return found


def _get_blob(account: Account, blob: lexicon.Blob, kind: str, max_bytes: int) -> Upload:
    cid = blob.ref.link
    found = uploads.get_upload(PLATFORM, cid, account=account)
    if found is None or not _is_kept(found):
        raise problems.refuse(f"Could not find blob: {cid}", "BlobNotFound")
    if blob.mime_type != found.mime_type:
        message = f"Referenced Mimetype does not match stored blob. Expected: {found.mime_type}, Got: {blob.mime_type}"
        raise problems.refuse(message, "InvalidMimeType")
    if not found.mime_type.startswith(kind):
        message = f"Wrong type of file. It is {found.mime_type} but it must match {kind}*."
        raise problems.refuse(message, "InvalidMimeType")
    if found.total_bytes > max_bytes:
        message = f"This file is too large. It is {found.total_bytes}B but the maximum size is {max_bytes}B."
        raise problems.refuse(message, "BlobTooLarge")
    return found


def _is_kept(upload: Upload) -> bool:
    return upload.started_at + KEPT_FOR > clock.now() or Attachment.objects.filter(upload=upload).exists()


def _settle(request: HttpRequest, received: Upload, *, cid: str) -> Upload:
    """Give a file its name, or drop it for the same one that is there already."""
    with transaction.atomic():
        same = uploads.get_upload(PLATFORM, cid, account=received.account)
        if same is None:
            Upload.objects.filter(id=received.pk).update(platform_media_id=cid)
            received.refresh_from_db()
            return uploads.finish_upload(request, received)
        received.delete()
        Upload.objects.filter(id=same.pk).update(started_at=clock.now())
    uploads.file_path(received).unlink()
    return same
