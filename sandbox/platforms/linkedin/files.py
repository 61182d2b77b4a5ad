"""Uploads: an address for each file, the bytes that are put there, and what becomes of them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import clock, ids, uploads
from sandbox.models import Grant, Upload
from sandbox.platforms.linkedin import members, refusals
from sandbox.platforms.linkedin.endpoint import Body, endpoint, get_grant, has_scope, read_body

PART_BYTES = 4 * 1024 * 1024
URL_LIFE = timedelta(hours=24)
PROCESSING = timedelta(seconds=0.5)  # of a video
TYPES = {
    "image": ("image/jpeg", "image/png", "image/gif"),
    "video": ("video/mp4",),
    "document": (
        "application/pdf",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
}
_STATUS = {"open": "WAITING_UPLOAD", "processing": "PROCESSING", "ready": "AVAILABLE", "failed": "PROCESSING_FAILED"}


class FileOrder(Body):
    """Whose an image or a document is going to be."""

    owner: str


class VideoOrder(FileOrder):
    """What video is coming."""

    file_size_bytes: int
    upload_captions: bool = False
    upload_thumbnail: bool = False


class InitializeFile(Body):
    """The order's envelope."""

    initialize_upload_request: FileOrder


class InitializeVideo(Body):
    """The order's envelope."""

    initialize_upload_request: VideoOrder


class FinalizeOrder(Body):
    """Which parts make a video, in order."""

    video: str
    upload_token: str
    uploaded_part_ids: list[str]


class Finalize(Body):
    """The order's envelope."""

    finalize_upload_request: FinalizeOrder


def act(**views: Callable[..., HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Make a view of several, one per `action`."""

    def view(request: HttpRequest) -> HttpResponse:
        chosen = views.get(request.GET.get("action", ""))
        if chosen is None:
            return refusals.Refusal(400, "ILLEGAL_ARGUMENT", "There is no such action").to_response()
        return chosen(request)

    return view


@endpoint("images.ACTION-initializeUpload")
def open_image(request: HttpRequest, grant: Grant) -> HttpResponse:
    """Give an address for an image."""
    return _open_file(request, grant, kind="image")


@endpoint("documents.ACTION-initializeUpload")
def open_document(request: HttpRequest, grant: Grant) -> HttpResponse:
    """Give an address for a document."""
    return _open_file(request, grant, kind="document")


@endpoint("videos.ACTION-initializeUpload")
def open_video(request: HttpRequest, grant: Grant) -> HttpResponse:
    """Give an address for each part of a video."""
    order = read_body(request, InitializeVideo).initialize_upload_request
    size = order.file_size_bytes
    if size < 1:
        raise refusals.wrong_field("INVALID_VALUE_FOR_FIELD", "fileSizeBytes must be positive", field="/fileSizeBytes")
    upload = _create(grant, order.owner, kind="video", data={"token": secrets.token_hex(8), "size": size, "parts": {}})
    parts = [
        {
            "uploadUrl": _address(request, upload, part=str(number)),
            "firstByte": first,
            "lastByte": min(first + PART_BYTES, size) - 1,
        }
        for number, first in enumerate(range(0, size, PART_BYTES))
    ]
    value = {
        "uploadUrlsExpireAt": _expires_at(upload),
        "video": upload.platform_media_id,
        "uploadInstructions": parts,
        "uploadToken": upload.data["token"],
        "thumbnailUploadUrl": "",
    }
    return JsonResponse({"value": value})


@endpoint("videos.ACTION-finalizeUpload")
def finalize_video(request: HttpRequest, _grant: Grant) -> HttpResponse:
    """Put a video together; it is processed from now on."""
    order = read_body(request, Finalize).finalize_upload_request
    upload = uploads.get_upload("linkedin", order.video)
    if upload is None or upload.data.get("token") != order.upload_token:
        raise refusals.wrong_field("INVALID_URN_ID", f"{order.video} is not being uploaded", field="/video")
    size = upload.data["size"]
    wanted = [upload.data["parts"].get(str(number)) for number in range(-(-size // PART_BYTES))]
    if wanted != order.uploaded_part_ids or uploads.size_of(upload) != size:
        raise refusals.wrong_field(
            "INVALID_VALUE_FOR_FIELD", "The parts do not make up the video", field="/uploadedPartIds"
        )
    _finish(request, upload, processing=PROCESSING)
    return HttpResponse(status=200)


def put_file(request: HttpRequest, secret: str, part: str) -> HttpResponse:
    """Take bytes at an address that was given. An image or a document comes with the token, a video's part without."""
    upload = Upload.objects.filter(account__platform="linkedin", data__secret=secret).select_related("account").first()
    if upload is None:
        return HttpResponse(status=404)
    if clock.now() > upload.started_at + URL_LIFE:
        return refusals.Refusal(400, "EXPIRED_UPLOAD_URL", "The upload URL has expired").to_response()
    try:
        return _take_part(request, upload, part=part) if upload.category == "video" else _take_whole(request, upload)
    except refusals.Refusal as refusal:
        return refusal.to_response()


def read_status(kind: str) -> Callable[..., HttpResponse]:
    """Make the view that says how far a file is; whoever may only write does not learn it of an image or a document."""

    @endpoint(f"{kind}s.GET")
    def view(_request: HttpRequest, grant: Grant, urn: str) -> HttpResponse:
        upload = uploads.get_upload("linkedin", urn)
        if kind != "video" and not has_scope(grant, "r_organization_social"):
            raise refusals.access_denied(f"{kind}s.GET")
        if upload is None or upload.category != kind:
            raise refusals.not_found(urn)
        owner = upload.account.platform_account_id
        return JsonResponse({"id": urn, "owner": owner, "status": _STATUS[uploads.state_of(upload)]})

    return view


def _open_file(request: HttpRequest, grant: Grant, *, kind: str) -> HttpResponse:
    order = read_body(request, InitializeFile).initialize_upload_request
    upload = _create(grant, order.owner, kind=kind, data={})
    value = {
        "uploadUrlExpiresAt": _expires_at(upload),
        "uploadUrl": _address(request, upload, part="whole"),
        kind: upload.platform_media_id,
    }
    return JsonResponse({"value": value})


def _create(grant: Grant, owner: str, *, kind: str, data: dict[str, Any]) -> Upload:
    author = members.get_author(
        grant,
        owner,
        what=f"{kind}s.ACTION-initializeUpload",
        person="w_member_social",
        organization="w_organization_social",
    )
    urn = f"urn:li:{kind}:D4D22AQ{ids.next_number():x}"
    return uploads.create_upload(
        author, remote_id=urn, category=kind, total_bytes=data.get("size", 0), data={"secret": secrets.token_urlsafe(24), **data}
    )  # fmt: skip


def _take_whole(request: HttpRequest, upload: Upload) -> HttpResponse:
    get_grant(request, name="uploads.PUT")
    uploads.receive(request, upload, offset=0)
    _finish(request, upload, processing=timedelta(0))
    return HttpResponse(status=201)


def _take_part(request: HttpRequest, upload: Upload, *, part: str) -> HttpResponse:
    if "Authorization" in request.headers:
        raise refusals.Refusal(400, "ILLEGAL_ARGUMENT", "Only one way to show a permission is allowed")
    number, size = int(part) if part.isdigit() else -1, upload.data["size"]
    if not 0 <= number * PART_BYTES < size:
        raise refusals.not_found(f"part {part}")
    got = uploads.receive(request, upload, offset=number * PART_BYTES)
    if got != min(PART_BYTES, size - number * PART_BYTES):
        raise refusals.Refusal(400, "ILLEGAL_ARGUMENT", f"Part {number} has {got} bytes")
    tag = f"/ambry-video/signedId/{hashlib.sha256(f'{upload.pk} {number}'.encode()).hexdigest()[:32]}"
    with transaction.atomic():
        fresh = Upload.objects.get(id=upload.pk)
        fresh.data["parts"][str(number)] = tag
        fresh.save(update_fields=["data"])
    return HttpResponse(status=200, headers={"ETag": tag})


def _finish(request: HttpRequest, upload: Upload, *, processing: timedelta) -> None:
    found = uploads.sniff_file(upload)
    uploads.finish_upload(request, upload, processing=processing, fails=found not in TYPES[upload.category])


def _address(request: HttpRequest, upload: Upload, *, part: str) -> str:
    return request.build_absolute_uri(f"/linkedin/dms-uploads/{upload.data['secret']}/{part}?ca=vector_ads&sync=0")


def _expires_at(upload: Upload) -> int:
    return int((upload.started_at + URL_LIFE).timestamp() * 1000)
