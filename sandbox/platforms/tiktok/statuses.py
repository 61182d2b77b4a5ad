"""What became of a post: `POST /v2/post/publish/status/fetch/`."""

from __future__ import annotations

from django.http import HttpRequest

from sandbox import clock, jobs, posts
from sandbox.models import Grant, Job
from sandbox.platforms.tiktok import creators, publishing
from sandbox.platforms.tiktok.endpoint import Body, endpoint, read_body
from sandbox.platforms.tiktok.refusals import Refusal

ORDERED_FAILURE = "file_format_check_failed"  # of a processing that somebody ordered to fail


class StatusBody(Body):
    """Which post is meant."""

    publish_id: str


@endpoint(method="POST", scopes=("video.upload", "video.publish"), per_minute=30)
def fetch_status(request: HttpRequest, grant: Grant) -> dict[str, object]:
    """Say how far a post is."""
    job = jobs.find_job("tiktok", publishing.KIND, read_body(request, StatusBody).publish_id)
    if job is None:
        raise Refusal("invalid_publish_id")
    if job.account != grant.account:
        raise Refusal("token_not_authorized_for_specified_publish_id")
    status = describe(job)
    is_photo = job.data["media"] == "PHOTO"
    return {
        "status": status,
        "fail_reason": (job.data["reason"] or ORDERED_FAILURE) if status == "FAILED" else "",
        "publicaly_available_post_id": _find_public(job) if status == "PUBLISH_COMPLETE" else [],
        "uploaded_bytes": 0 if is_photo else job.data["received"],
        "downloaded_bytes": 0,
    }


def describe(job: Job) -> str:
    """Say where a post stands, as TikTok calls it."""
    if job.data["received"] < job.data["total"]:
        return "PROCESSING_UPLOAD"
    match jobs.state_of(job):
        case "processing":
            return "PROCESSING_DOWNLOAD" if job.data["media"] == "PHOTO" else "PROCESSING_UPLOAD"
        case "failed":
            return "FAILED"
        case _:
            return "PUBLISH_COMPLETE" if job.data["mode"] == "direct" else "SEND_TO_USER_INBOX"


def _find_public(job: Job) -> list[int]:
    """Give the id of a post that everybody may see, once TikTok has looked it through."""
    post = posts.find_post("tiktok", job.data["post"])
    if post is None or post.data["visibility"] != creators.PUBLIC:
        return []
    return [int(post.remote_id)] if post.created_at + creators.MODERATED_AFTER <= clock.now() else []
