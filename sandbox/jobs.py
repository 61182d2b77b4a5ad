"""Work that goes on between calls: containers, publish ids, upload sessions, apps that registered themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from sandbox import clock, faults
from sandbox.models import Account, Job


def open_job(
    request: HttpRequest,
    account: Account | None,
    *,
    kind: str,
    remote_id: str,
    platform: str = "",
    data: Mapping[str, Any] | None = None,
    processing: timedelta = timedelta(0),
    fails: bool = False,
    state: str = "open",
) -> Job:
    """Begin work that the clock finishes.

    Args:
        account: whose it is; None for what is nobody's, then with `platform`.
        remote_id: what the platform calls it; one platform has each of a kind only once.
        processing: how long it takes, unless a failure was ordered for this call.
        fails: it ends badly.
    """
    now = clock.now()
    return Job.objects.create(
        account=account,
        platform=account.platform if account else platform,
        kind=kind,
        remote_id=remote_id,
        state=state,
        ready_at=now + faults.processing_time(request, processing),
        fails=fails or faults.processing_fails(request),
        data=dict(data or {}),
        created_at=now,
        changed_at=now,
    )


def find_job(platform: str, kind: str, remote_id: str, *, account: Account | None = None) -> Job | None:
    """Give the work with the platform's id, of this account if one is given."""
    found = Job.objects.filter(platform=platform, kind=kind, remote_id=remote_id).select_related("account")
    return (found.filter(account=account) if account else found).first()


def state_of(job: Job, *, now: datetime | None = None) -> str:
    """Say where the work stands: `processing`, `ready` or `failed` while its state is `open`, else the state itself."""
    if job.state != "open":
        return job.state
    if job.ready_at is not None and (now or clock.now()) < job.ready_at:
        return "processing"
    return "failed" if job.fails else "ready"


def change_job(job: Job, *, state: str | None = None, was: str | None = None, **data: Any) -> bool:
    """Change the state, and what is kept in `data`; False, and nothing changed, when it is not in the state `was` any more.

    Args:
        was: the state it must be in; any when left out.
        data: merged into the job's.
    """
    with transaction.atomic():
        present = Job.objects.filter(id=job.pk).first()
        if present is None or (was is not None and present.state != was):
            return False
        present.state = state or present.state
        present.data = {**present.data, **data}
        present.changed_at = clock.now()
        present.save()
    job.state, job.data, job.changed_at = present.state, present.data, present.changed_at
    return True


def start_processing(request: HttpRequest, job: Job, *, processing: timedelta, fails: bool = False) -> None:
    """Let the processing of an open job begin now: its last part has arrived."""
    job.ready_at = clock.now() + faults.processing_time(request, processing)
    job.fails = fails or faults.processing_fails(request)
    job.changed_at = clock.now()
    job.save(update_fields=["ready_at", "fails", "changed_at"])
