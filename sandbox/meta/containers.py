"""Containers: prepared posts that nobody sees, each published at most once, gone after a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpRequest

from sandbox import clock, ids, jobs, limits, uploads
from sandbox.fetching import Fetched, FetchFailed, fetch
from sandbox.meta.endpoint import DAY
from sandbox.meta.refusals import Refused, invalid
from sandbox.models import Account, Job, Upload

KIND = "container"
LIFE = timedelta(hours=24)
VIDEO_PROCESSING = timedelta(seconds=0.8)
PER_DAY = 400  # containers an account may make in 24 hours

WAITING, OPEN, PUBLISHED = "waiting", "open", "published"  # states of the job; `waiting` for an upload
_CODES = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def open_container(
    request: HttpRequest,
    account: Account,
    *,
    data: Mapping[str, Any],
    is_video: bool,
    awaits_upload: bool = False,
    fails: str = "",
) -> Job:
    """Make a container.

    Args:
        awaits_upload: its video is still to come.
        fails: why its processing will fail; empty when it will not.
    """
    spent = limits.spend(account, endpoint="containers", limit=PER_DAY, window=DAY, now=clock.now())
    if spent.is_spent:
        raise Refused(4, "(#4) Too many media containers were created", status=429)
    return jobs.open_job(
        request,
        account,
        kind=KIND,
        remote_id=str(ids.next_number()),
        data={**data, **({"failure": fails} if fails else {})},
        processing=VIDEO_PROCESSING if is_video else timedelta(0),
        fails=bool(fails),
        state=WAITING if awaits_upload else OPEN,
    )


def find_container(account: Account, container_id: str) -> Job | None:
    """Give an account's container."""
    return jobs.find_job(account.platform, KIND, container_id, account=account)


def status_of(container: Job) -> str:
    """Say where a container stands, in Meta's words: a function of the clock."""
    if container.state == PUBLISHED:
        return "PUBLISHED"
    if clock.now() - container.created_at >= LIFE:
        return "EXPIRED"
    if container.state == WAITING:
        return "IN_PROGRESS"
    return {"processing": "IN_PROGRESS", "failed": "ERROR"}.get(jobs.state_of(container), "FINISHED")


def get_publishable(account: Account, container_id: str) -> Job:
    """Give a container that can be published now. Call it inside the transaction that publishes.

    Raises:
        Refused: it is not there, not ready, dead, a child, or published.
    """
    container = find_container(account, container_id)
    status = status_of(container) if container else "EXPIRED"
    if container is None or status in ("EXPIRED", "PUBLISHED"):
        raise Refused(24, "The requested resource does not exist", subcode=2207006, title="Media not found",
                      advice="The media with this id cannot be found.")  # fmt: skip
    if status == "IN_PROGRESS":
        raise Refused(9007, "Media ID is not available", subcode=2207027, title="Media not ready",
                      advice="The media is not ready to be published. Please wait a moment.")  # fmt: skip
    if status == "ERROR":
        raise Refused(-1, "Create media fail", subcode=2207032)
    if container.data.get("is_child"):
        raise invalid("A carousel item cannot be published by itself")
    return container


def get_children(account: Account, text: str, *, least: int, most: int) -> list[Job]:
    """Give the containers that a carousel is made of.

    Raises:
        Refused: too few or too many, unknown, no children, or not ready.
    """
    wanted = [child.strip() for child in text.split(",") if child.strip()]
    if not least <= len(wanted) <= most:
        raise Refused(100, "Invalid parameter", subcode=2207028, title="Too many or too few items",
                      advice=f"A carousel takes {least} to {most} items.")  # fmt: skip
    found = [find_container(account, child) for child in wanted]
    children = [child for child in found if child is not None and child.data.get("is_child")]
    if len(children) != len(wanted):
        raise Refused(24, "The requested resource does not exist", subcode=2207006)
    if any(status_of(child) != "FINISHED" for child in children):
        raise Refused(9007, "Media ID is not available", subcode=2207027)
    return children


def fetch_media(url: str, *, platform: str, max_bytes: int) -> Fetched:
    """Fetch a file from its public address.

    Raises:
        Refused: it cannot be fetched, or is too large.
        FetchFailed: it is no known kind of file.
    """
    try:
        return fetch(url, platform=platform, max_bytes=max_bytes)
    except FetchFailed as problem:
        if problem.reason == "type":
            raise
        if problem.reason == "size":
            raise Refused(36000, "The image size is too large.", subcode=2207004, title="Image size too large",
                          advice="The image is too large to download. It should be less than 8 MiB.") from None  # fmt: skip
        raise Refused(9004, "Only photo or video can be accepted as media type.", subcode=2207052,
                      title="Media download has failed",
                      advice=f"The media could not be fetched from this URI: {problem}") from None  # fmt: skip


def keep_fetched(request: HttpRequest, account: Account, fetched: Fetched, *, alt_text: str) -> Upload:
    """Keep a file that was fetched, to be shown with its post."""
    upload = uploads.create_upload(account, remote_id=str(ids.next_number()), mime_type=fetched.mime_type)
    uploads.keep_file(upload, fetched.path)
    upload = uploads.finish_upload(request, upload)
    return set_alt_text(upload, alt_text)


def set_alt_text(upload: Upload, alt_text: str) -> Upload:
    """Write down what a file shows."""
    Upload.objects.filter(id=upload.pk).update(alt_text=alt_text)
    upload.refresh_from_db()
    return upload


def files_of(account: Account, container: Job) -> list[Upload]:
    """Give a container's files, in order: its own, or those of its children."""
    kept = Upload.objects.filter(account=account, platform_media_id__in=container.data.get("files", []))
    by_id = {upload.platform_media_id: upload for upload in kept}
    return [by_id[file] for file in container.data.get("files", []) if file in by_id]


def make_code(number: int) -> str:
    """Make the shortcode of a post's number, as addresses show it."""
    code = ""
    while number:
        number, digit = divmod(number, 64)
        code = _CODES[digit] + code
    return code


def is_true(text: str | None) -> bool:
    """Read a flag of a form."""
    return (text or "").lower() in ("true", "1")


def read_parameters(request: HttpRequest) -> dict[str, str]:
    """Give a call's parameters: Meta takes them in a form, in the query, or in both."""
    given = {**request.GET.dict(), **request.POST.dict()}
    return {name: str(value) for name, value in given.items() if name != "access_token"}
