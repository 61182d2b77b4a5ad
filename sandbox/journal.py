"""The journal: every request a platform accepted, written down before anything is done about it."""

from __future__ import annotations

import secrets
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from sandbox import clock
from sandbox.bodies import BODY_SHA256
from sandbox.models import Call

CALLER_PREFIX = "psn-sandbox/"  # how the sandbox's own platforms sign what they fetch

_NOTES = "sandbox.notes"
_REQUEST_ID = "sandbox.request_id"


def open_call(request: HttpRequest, *, platform: str, path: str) -> Call:
    """Write down that a request arrived whole.

    Args:
        path: below the platform's base URL, without the query (an authorize query is nobody's business).
    """
    agent = request.headers.get("User-Agent", "")
    call = Call.objects.create(
        platform=platform,
        at=clock.now(),
        method=request.method or "",
        path=path,
        body_sha256=hash_body(request),
        idempotency_key=request.headers.get("Idempotency-Key", "")[:200],
        request_id=secrets.token_hex(8),
        caller=agent.removeprefix(CALLER_PREFIX)[:20] if agent.startswith(CALLER_PREFIX) else "",
    )
    request.META[_REQUEST_ID] = call.request_id
    return call


def note(request: HttpRequest, **notes: str) -> None:
    """Remember what a view found out about the call: `handle`, `post_id`."""
    request.META.setdefault(_NOTES, {}).update(notes)


def request_id(request: HttpRequest) -> str:
    """Give the id under which the journal has this call."""
    return str(request.META.get(_REQUEST_ID, ""))


def hash_body(request: HttpRequest) -> str:
    """Give the SHA-256 of the call's body in hexadecimal."""
    return str(request.META.get(BODY_SHA256, ""))


def close_call(
    call: Call, request: HttpRequest, *, response: HttpResponseBase | None, outcome: str, fault: str
) -> None:
    """Write down how the call ended, before the client can see it."""
    notes: dict[str, str] = request.META.get(_NOTES, {})
    Call.objects.filter(id=call.pk).update(
        status=response.status_code if response else None, outcome=outcome, fault=fault, **notes
    )


def read_calls(*, limit: int, platform: str = "", path: str = "") -> list[dict[str, Any]]:
    """Give the newest calls, newest first."""
    calls = Call.objects.order_by("-id")
    calls = calls.filter(platform=platform) if platform else calls
    calls = calls.filter(path=path) if path else calls
    return [
        {
            "id": call.pk,
            "platform": call.platform,
            "at": call.at.isoformat(),
            "method": call.method,
            "path": call.path,
            "status": call.status,
            "outcome": call.outcome,
            "fault": call.fault,
            "handle": call.handle,
            "post_id": call.post_id,
            "body_sha256": call.body_sha256,
            "idempotency_key": call.idempotency_key,
            "request_id": call.request_id,
            "caller": call.caller,
        }
        for call in calls[:limit]
    ]
