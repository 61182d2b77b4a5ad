"""The pieces of a video: `PUT` to the address that opening it gave. The last one makes the post.

Source: developers.tiktok.com/doc/content-posting-api-media-transfer-guide (2026-11).
"""

from __future__ import annotations

import hmac
import re
from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from sandbox import clock, jobs, journal, uploads
from sandbox.models import Job, Upload
from sandbox.platforms.tiktok import publishing
from sandbox.platforms.tiktok.refusals import no_such_path
from sandbox.tokens import hash_secret

UPLOAD_LIFE = timedelta(hours=1)
_RANGE = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})")


def put_piece(request: HttpRequest) -> HttpResponse:
    """Take a piece that follows on what is here."""
    if request.method != "PUT":
        return no_such_path(request)
    job = _find_job(request)
    if job is None or job.account is None:
        return HttpResponse(status=404)
    journal.note(request, handle=job.account.handle)
    if clock.now() >= job.created_at + UPLOAD_LIFE:
        return HttpResponse(status=403)
    found = _RANGE.fullmatch(request.headers.get("Content-Range", ""))
    length = request.headers.get("Content-Length", "")
    if request.content_type not in publishing.VIDEO_TYPES or found is None or not length.isdigit():
        return HttpResponse(status=400)
    first, last, total = (int(number) for number in found.groups())
    if last - first + 1 != int(length) or total != job.data["total"]:
        return HttpResponse(status=400)
    if not _is_next(job, first=first, size=int(length)):
        return HttpResponse(status=416)
    upload = uploads.get_upload("tiktok", job.remote_id)
    if upload is None or uploads.receive(request, upload, offset=first) != int(length):
        return HttpResponse(status=400)
    return _keep(request, job, upload, first=first, end=last + 1)


def _find_job(request: HttpRequest) -> Job | None:
    number, token = request.GET.get("upload_id", ""), request.GET.get("upload_token", "")
    if not (number.isascii() and number.isdigit() and len(number) < 12):
        return None
    job = Job.objects.filter(pk=int(number), platform="tiktok", kind=publishing.KIND).select_related("account").first()
    known = str(job.data.get("token", "")) if job else ""
    return job if known and hmac.compare_digest(known, hash_secret(token)) else None


def _is_next(job: Job, *, first: int, size: int) -> bool:
    """Whether this is the piece that is awaited: pieces come in order, all of one size but the last."""
    total, chunk, chunks = job.data["total"], job.data["chunk"], job.data["chunks"]
    is_last = first == chunk * (chunks - 1)
    return bool(first == job.data["received"] and size == (total - first if is_last else chunk))


def _keep(request: HttpRequest, job: Job, upload: Upload, *, first: int, end: int) -> HttpResponse:
    """Count the piece; of two that came at the same time one counts."""
    with transaction.atomic():
        job.refresh_from_db()
        if job.data["received"] != first:
            return HttpResponse(status=416)
        is_whole = end == job.data["total"]
        jobs.change_job(job, received=end)
        if is_whole:
            _begin(request, job, upload)
    response = HttpResponse(status=201 if is_whole else 206)
    response["Content-Range"] = f"bytes 0-{end - 1}/{job.data['total']}"
    return response


def _begin(request: HttpRequest, job: Job, upload: Upload) -> None:
    """Let TikTok work on a video that is here whole."""
    uploads.finish_upload(request, upload)
    wrong = upload.mime_type not in publishing.VIDEO_TYPES
    jobs.start_processing(request, job, processing=publishing.PROCESSING, fails=wrong or job.fails)
    if wrong:
        jobs.change_job(job, reason="file_format_check_failed")
    publishing.publish(request, job, files=[upload])
