"""Opening a post: videos that are going to be uploaded, photos that are fetched.

Source: developers.tiktok.com, content-posting-api-reference-direct-post, -upload-video, -photo-post (2026-11).
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest
from pydantic import Field

from sandbox import fetching, ids, jobs, posts, uploads
from sandbox.models import Account, Grant, Job, Upload
from sandbox.platforms.tiktok import creators
from sandbox.platforms.tiktok.endpoint import Body, endpoint, read_body
from sandbox.platforms.tiktok.refusals import Refusal
from sandbox.tokens import hash_secret

KIND = "publish"
PROCESSING = timedelta(seconds=0.2)  # minutes at TikTok
MB = 1000 * 1000
MIN_CHUNK, MAX_CHUNK, MAX_CHUNKS = 5 * MB, 64 * MB, 1000
MAX_BYTES = 4000 * MB
MAX_PHOTO_BYTES = 20 * MB
VIDEO_TYPES = ("video/mp4", "video/quicktime", "video/webm")
PHOTO_TYPES = ("image/jpeg", "image/webp")
PULL_FAILURES = {"size": "picture_size_check_failed", "type": "file_format_check_failed"}  # else photo_pull_failed


class PostInfo(Body):
    """What a direct post says, and who may see it."""

    title: str = ""
    description: str = ""
    privacy_level: str = ""
    disable_comment: bool = False
    disable_duet: bool = False
    disable_stitch: bool = False
    video_cover_timestamp_ms: int = 0
    auto_add_music: bool = False
    brand_content_toggle: bool = False
    brand_organic_toggle: bool = False
    is_aigc: bool = False


class VideoSource(Body):
    """How the video comes. The sandbox takes uploads only."""

    source: Literal["FILE_UPLOAD"]
    video_size: Annotated[int, Field(ge=1, le=MAX_BYTES)]
    chunk_size: Annotated[int, Field(ge=1)]
    total_chunk_count: Annotated[int, Field(ge=1, le=MAX_CHUNKS)]


class InboxBody(Body):
    """A video for the inbox."""

    source_info: VideoSource


class DirectBody(InboxBody):
    """A video to be posted."""

    post_info: PostInfo


class PhotoSource(Body):
    """Where the photos are."""

    source: Literal["PULL_FROM_URL"]
    photo_images: Annotated[list[str], Field(min_length=1, max_length=35)]
    photo_cover_index: Annotated[int, Field(ge=0)] = 0


class PhotoBody(Body):
    """Photos, to be posted or for the inbox."""

    media_type: Literal["PHOTO"]
    post_mode: Literal["DIRECT_POST", "MEDIA_UPLOAD"]
    post_info: PostInfo = PostInfo()
    source_info: PhotoSource


@endpoint(method="POST", scopes=("video.upload",), per_minute=6)
def open_draft(request: HttpRequest, grant: Grant) -> dict[str, object]:
    """Open the upload of a draft."""
    body = read_body(request, InboxBody)
    check_drafts(grant.account)
    return _open_upload(request, grant.account, body.source_info, mode="inbox", info=PostInfo())


@endpoint(method="POST", scopes=("video.publish",), per_minute=6)
def open_video(request: HttpRequest, grant: Grant) -> dict[str, object]:
    """Open the upload of a direct post."""
    body = read_body(request, DirectBody)
    check_words(title=(body.post_info.title, 2200))
    check_post(grant.account, body.post_info)
    return _open_upload(request, grant.account, body.source_info, mode="direct", info=body.post_info)


@endpoint(method="POST", scopes=("video.publish", "video.upload"), per_minute=6)
def open_photos(request: HttpRequest, grant: Grant) -> dict[str, object]:
    """Fetch photos, and make a post or a draft of them."""
    body = read_body(request, PhotoBody)
    info, is_direct = body.post_info, body.post_mode == "DIRECT_POST"
    if ("video.publish" if is_direct else "video.upload") not in grant.scope.split():
        raise Refusal("scope_not_authorized")
    check_words(title=(info.title, 90), description=(info.description, 4000))
    if body.source_info.photo_cover_index >= len(body.source_info.photo_images):
        raise Refusal("invalid_params", "photo_cover_index is out of range.")
    _check_before(grant.account, info, is_direct=is_direct)
    files, reason = _fetch(request, grant.account, body.source_info.photo_images)
    with transaction.atomic():
        _check_before(grant.account, info, is_direct=is_direct)
        job = _open_job(
            request, grant.account, prefix="p_pub_url" if is_direct else "p_inbox_url", mode="direct" if is_direct else "inbox",
            data={"info": info.model_dump(), "media": "PHOTO", "total": 0, "reason": reason}, fails=bool(reason),
        )  # fmt: skip
        publish(request, job, files=files)
    return {"publish_id": job.remote_id}


def publish(request: HttpRequest, job: Job, *, files: list[Upload]) -> None:
    """Make the post of a job whose files are here, unless it is going to fail."""
    account, info = job.account, job.data["info"]
    if job.fails or account is None:
        return
    is_direct, is_photo = job.data["mode"] == "direct", job.data["media"] == "PHOTO"
    words = [info["title"], info["description"]] if is_photo else [info["title"]]
    post = posts.create_post(
        request,
        account,
        text="\n".join(word for word in words if word),
        kind=("photos" if is_photo else "video") if is_direct else "inbox",
        uploads=files,
        data={
            "visibility": info["privacy_level"] if is_direct else "inbox",
            "media": job.data["media"],
            "title": info["title"],
            "description": info["description"] if is_photo else info["title"],
            "comments": not info["disable_comment"],
            "publish_id": job.remote_id,
        },
        made_with_ai=info["is_aigc"],
    )
    jobs.change_job(job, post=post.remote_id)


def check_words(**words: tuple[str, int]) -> None:
    """Refuse a text that is too long, counted in UTF-16 units."""
    for name, (text, limit) in words.items():
        if len(text.encode("utf-16-le")) // 2 > limit:
            raise Refusal("invalid_params", f"{name} is longer than {limit} UTF-16 runes.")


def check_drafts(account: Account) -> None:
    """Refuse a draft when too many wait."""
    if creators.count_drafts(account) >= creators.MAX_DRAFTS:
        raise Refusal("spam_risk_too_many_pending_share")


def check_post(account: Account, info: PostInfo) -> None:
    """Refuse a direct post that this creator may not make."""
    if creators.count_posted(account) >= creators.MAX_POSTS:
        raise Refusal("spam_risk_too_many_posts")
    if account.handle.startswith("banned"):
        raise Refusal("spam_risk_user_banned_from_posting")
    if info.privacy_level not in creators.levels_of(account):
        raise Refusal("privacy_level_option_mismatch")
    if account.handle.startswith("unaudited") and info.privacy_level != "SELF_ONLY":
        raise Refusal("unaudited_client_can_only_post_to_private_accounts")
    if info.brand_content_toggle and info.privacy_level == "SELF_ONLY":
        raise Refusal("invalid_params", "Branded content cannot be private.")


def _check_before(account: Account, info: PostInfo, *, is_direct: bool) -> None:
    if is_direct:
        check_post(account, info)
    else:
        check_drafts(account)


def _open_upload(
    request: HttpRequest, account: Account, source: VideoSource, *, mode: str, info: PostInfo
) -> dict[str, object]:
    _check_chunks(source)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        job = _open_job(
            request, account, prefix="v_pub_file" if mode == "direct" else "v_inbox_file", mode=mode,
            data={
                "info": info.model_dump(), "media": "VIDEO", "total": source.video_size, "reason": "",
                "chunk": source.chunk_size, "chunks": source.total_chunk_count, "token": hash_secret(token),
            },
        )  # fmt: skip
        uploads.create_upload(account, remote_id=job.remote_id, category="video", total_bytes=source.video_size)
    query = f"upload_id={job.pk}&upload_token={token}"
    return {"publish_id": job.remote_id, "upload_url": request.build_absolute_uri(f"/tiktok/upload/video/?{query}")}


def _check_chunks(source: VideoSource) -> None:
    """Refuse a cut that TikTok does not take. media-transfer-guide"""
    size, chunk = source.video_size, source.chunk_size
    if source.total_chunk_count != size // chunk:
        raise Refusal("invalid_params", "The total chunk count is invalid")
    if (chunk < MIN_CHUNK and chunk != size) or chunk > MAX_CHUNK or (size > MAX_CHUNK and chunk == size):
        raise Refusal("invalid_params", "The chunk size is invalid")


def _open_job(
    request: HttpRequest, account: Account, *, prefix: str, mode: str, data: dict[str, Any], fails: bool = False
) -> Job:
    return jobs.open_job(
        request,
        account,
        kind=KIND,
        remote_id=f"{prefix}~v2-1.{ids.next_number()}",
        data={"mode": mode, "received": 0, "post": "", **data},
        processing=PROCESSING if data["media"] == "PHOTO" else timedelta(0),
        fails=fails,
    )


def _fetch(request: HttpRequest, account: Account, addresses: list[str]) -> tuple[list[Upload], str]:
    """Fetch all photos; or give why not.

    Raises:
        Refusal: an address is not one that was verified: here, not on this machine.
    """
    files: list[Upload] = []
    for address in addresses:
        try:
            fetched = fetching.fetch(address, platform="tiktok", max_bytes=MAX_PHOTO_BYTES)
        except fetching.FetchFailed as problem:
            if problem.reason == "address":
                raise Refusal("url_ownership_unverified") from None
            return [], PULL_FAILURES.get(problem.reason, "photo_pull_failed")
        upload = uploads.create_upload(account, remote_id=f"photo.{ids.next_number()}", mime_type=fetched.mime_type)
        uploads.keep_file(upload, fetched.path)
        files.append(uploads.finish_upload(request, upload))
        if fetched.mime_type not in PHOTO_TYPES:
            return [], "file_format_check_failed"
    return files, ""
