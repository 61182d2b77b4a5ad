"""Making containers: `POST /{ig-id}/media`, and the upload of a video to one.

Source: developers.facebook.com/documentation/instagram-platform, ig-user/media and content-publishing/resumable-uploads (read
2026-11-20).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import access, ids, jobs, uploads
from sandbox.fetching import Fetched, FetchFailed
from sandbox.meta.containers import (
    OPEN,
    VIDEO_PROCESSING,
    WAITING,
    fetch_media,
    find_container,
    get_children,
    is_true,
    keep_fetched,
    open_container,
    read_parameters,
    set_alt_text,
)
from sandbox.meta.endpoint import answer, by_method, get_account
from sandbox.meta.jpeg import read_size
from sandbox.meta.refusals import Refused, invalid, no_such_object
from sandbox.models import Account, Job
from sandbox.platforms.instagram.oauth import BASIC, NAME, PUBLISH

MAX_CAPTION, MAX_HASHTAGS, MAX_MENTIONS = 2200, 30, 20
MAX_IMAGE_BYTES, MAX_VIDEO_BYTES = 8 * 1024 * 1024, 300 * 1024 * 1024
MIN_RATIO, MAX_RATIO, TOLERANCE = 0.8, 1.91, 0.01
MOVING = ("REELS", "STORIES", "VIDEO")
KINDS = {"REELS": "reel", "STORIES": "story", "CAROUSEL": "carousel"}

Form = Mapping[str, str]


def create_container(request: HttpRequest, account: Account) -> HttpResponse:
    """Make a container of an image, a video or a carousel."""
    form = read_parameters(request)
    _check_caption(form.get("caption", ""))
    media_type = form.get("media_type", "")
    if media_type == "CAROUSEL":
        return _answer(request, _put_together(request, account, form))
    if media_type not in ("", "IMAGE", *MOVING) or (
        media_type == "VIDEO" and not is_true(form.get("is_carousel_item"))
    ):
        raise Refused(100, "Unknown media type", subcode=2207023, title="Unknown media type",
                      advice=f"The media type {media_type} is unknown.")  # fmt: skip
    if "image_url" in form:
        return _answer(request, _take_image(request, account, form))
    if media_type not in MOVING:
        raise invalid("The parameter image_url is required")
    if form.get("upload_type") == "resumable":
        return _answer(request, _await_video(request, account, form))
    if "video_url" not in form:
        raise invalid("The parameter video_url is required")
    return _answer(request, _take_video(request, account, form))


def _answer(request: HttpRequest, container: Job) -> HttpResponse:
    body = {"id": container.remote_id}
    if container.state == WAITING:
        version = request.path.split("/")[2]
        body["uri"] = request.build_absolute_uri(f"/{NAME}/ig-api-upload/{version}/{container.remote_id}")
    assert container.account is not None
    return answer(body, account=container.account)


def _check_caption(caption: str) -> None:
    if len(caption) > MAX_CAPTION:
        raise Refused(36004, "The caption was too long.", subcode=2207010, title="Caption too long",
                      advice=f"The submitted caption exceeds {MAX_CAPTION} characters.")  # fmt: skip
    if len(re.findall(r"#\w+", caption)) > MAX_HASHTAGS or len(re.findall(r"@\w+", caption)) > MAX_MENTIONS:
        raise Refused(100, "Too many tags", subcode=2207040, title="Cannot use more than 20 tags",
                      advice="Use fewer tags.")  # fmt: skip


def _put_together(request: HttpRequest, account: Account, form: Form) -> Job:
    children = get_children(account, form.get("children", ""), least=2, most=10)
    files = [file for child in children for file in child.data["files"]]
    return open_container(request, account, data=_describe(form, files=files), is_video=False)


def _take_image(request: HttpRequest, account: Account, form: Form) -> Job:
    if form.get("media_type") == "REELS":
        raise invalid("A reel takes no image_url")
    try:
        fetched = fetch_media(form["image_url"], platform=NAME, max_bytes=MAX_IMAGE_BYTES)
    except FetchFailed:
        raise _wrong_format() from None
    try:
        _check_image(fetched, in_feed=form.get("media_type") != "STORIES")
        kept = keep_fetched(request, account, fetched, alt_text=form.get("alt_text", ""))
    finally:
        fetched.path.unlink(missing_ok=True)
    data = _describe(form, files=[kept.platform_media_id])
    return open_container(request, account, data=data, is_video=False)


def _check_image(fetched: Fetched, *, in_feed: bool) -> None:
    if fetched.mime_type != "image/jpeg":
        raise _wrong_format()
    size = read_size(fetched.path)
    if size is None:
        raise _wrong_format()
    if in_feed and not MIN_RATIO - TOLERANCE <= size[0] / size[1] <= MAX_RATIO + TOLERANCE:
        raise Refused(36003, "The aspect ratio is not supported.", subcode=2207009, title="Unsupported aspect ratio",
                      advice="The image's aspect ratio must be from 4:5 to 1.91:1.")  # fmt: skip


def _take_video(request: HttpRequest, account: Account, form: Form) -> Job:
    try:
        fetched = fetch_media(form["video_url"], platform=NAME, max_bytes=MAX_VIDEO_BYTES)
    except FetchFailed:
        raise Refused(352, "The video format is not supported", subcode=2207026) from None
    fails = "" if fetched.mime_type.startswith("video/") else "2207026"
    kept = keep_fetched(request, account, fetched, alt_text="")
    data = _describe(form, files=[kept.platform_media_id])
    return open_container(request, account, data=data, is_video=True, fails=fails)


def _await_video(request: HttpRequest, account: Account, form: Form) -> Job:
    upload = uploads.create_upload(account, remote_id=str(ids.next_number()))
    data = _describe(form, files=[upload.platform_media_id])
    return open_container(request, account, data=data, is_video=True, awaits_upload=True)


def _describe(form: Form, *, files: list[str]) -> dict[str, Any]:
    media_type = form.get("media_type", "")
    return {
        "kind": KINDS.get(media_type, "post"),
        "is_child": is_true(form.get("is_carousel_item")),
        "caption": form.get("caption", "")
        if media_type != "STORIES"
        else "",  # Stories have none, and nobody complains
        "files": files,
        "is_ai_generated": is_true(form.get("is_ai_generated")),
    }


def _wrong_format() -> Refused:
    return Refused(36001, "The image format is not supported.", subcode=2207005, title="Unsupported format",
                   advice="The image format is not supported. Please use JPEG.")  # fmt: skip


def _receive(request: HttpRequest, container_id: str) -> HttpResponse:
    """Take the bytes of a video for the container that waits for them."""
    try:
        grant = access.get_grant(request, platform=NAME, scopes=(PUBLISH,), schemes=("OAuth",))
    except access.NoAccess:
        return _debug("Invalid access token", kind="NotAuthorizedError", status=401)
    container = find_container(grant.account, container_id)
    if container is None:
        raise no_such_object(container_id, method="post")
    if (
        request.headers.get("offset") != "0"
    ):  # `file_size` is not seen here: Django's server takes no header with an underscore
        return _debug("The header offset is required", kind="ParameterMissing")
    if container.state != WAITING:
        return JsonResponse({"success": True, "message": "Upload successful. The file was here already."})
    upload = uploads.get_upload(NAME, container.data["files"][0], account=grant.account)
    assert upload is not None
    uploads.receive(request, upload, offset=0)
    upload = uploads.finish_upload(request, upload)
    if not upload.mime_type.startswith("video/"):
        return _debug("The file is no video", kind="ProcessingFailedError", retriable=False)
    set_alt_text(upload, "")
    if jobs.change_job(container, state=OPEN, was=WAITING):
        jobs.start_processing(request, container, processing=VIDEO_PROCESSING)
    return JsonResponse({"success": True, "message": "Upload successful. The media is processed asynchronously."})


def _debug(message: str, *, kind: str, status: int = 400, retriable: bool = True) -> HttpResponse:
    return JsonResponse({"debug_info": {"retriable": retriable, "type": kind, "message": message}}, status=status)


receive = by_method(POST=_receive)


def get_own(request: HttpRequest, node: str, *, scopes: tuple[str, ...] = (BASIC,)) -> Account:
    """Say who calls, and that the node is they.

    Raises:
        Refused: it is somebody else, or nobody.
    """
    account = get_account(request, platform=NAME, scopes=scopes)
    if node not in ("me", account.platform_account_id):
        raise no_such_object(node, method=request.method or "get")
    return account
