"""Failures on demand: which ones are ordered, and what each does to a call (PLAT-4).

| kind | what happens |
|---|---|
| latency | the call waits `seconds` first, then goes on as usual |
| status | nothing is carried out; the answer has `status` in the platform's own error shape |
| expired_token | the call's access token ends now, so only a refresh helps |
| drop_before | nothing is carried out; the connection is closed without an answer |
| drop_after | the call is carried out; the connection is closed without an answer |
| garbage | the call is carried out; the answer's body stops half way |
| invisible | the call is carried out; a post it creates stays out of timelines until `seconds` after its creation |

`latency` and `invisible` go together with one of the others: an answer may come late, or be lost, and the timeline lag too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F
from django.http import HttpRequest, HttpResponse

from sandbox import clock
from sandbox.models import Fault
from sandbox.platforms.x import access, problems

KINDS = ("latency", "status", "expired_token", "drop_before", "drop_after", "garbage", "invisible")
TIMED = ("latency", "invisible")  # these need `seconds`, and leave room for another one

_HIDDEN_FOR = "sandbox.hidden_for"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ends: `response` is None when the client gets none."""

    response: HttpResponse | None
    outcome: str
    fault: str = ""


def take_faults(*, platform: str, operation: str) -> list[Fault]:
    """Take what is ordered for a call: at most one of each timed kind and one other failure, the oldest first.

    Args:
        operation: method and path, `POST /2/tweets`.
    """
    ordered = [fault for fault in active_faults() if fault.platform == platform and matches(fault.match, operation)]
    groups = [[fault for fault in ordered if fault.kind == kind] for kind in TIMED]
    groups.append([fault for fault in ordered if fault.kind not in TIMED])
    taken = [next((fault for fault in group if _take(fault)), None) for group in groups]
    return [fault for fault in taken if fault]


def active_faults() -> list[Fault]:
    """Give the failures that still wait for a call, oldest first."""
    return list(Fault.objects.exclude(times_left=0).order_by("id"))


def matches(pattern: str, operation: str) -> bool:
    """Say whether a pattern names this call.

    `*` and `{…}` stand for one part, as in `POST /2/media/upload/{id}/append`; `*` alone for every call.
    """
    if pattern == "*":
        return True
    wanted, got = _parts(pattern), _parts(operation)
    pairs = zip(wanted, got, strict=False)
    return len(wanted) == len(got) and all(part in ("*", other) or part.startswith("{") for part, other in pairs)


def end_call(request: HttpRequest, *, faults: list[Fault], answer: Callable[[HttpRequest], HttpResponse]) -> Ending:
    """Carry a call out the way the faults say."""
    ending: Ending | None = None
    for fault in faults:
        if fault.kind == "latency":
            time.sleep(fault.seconds)
        elif fault.kind == "invisible":
            request.META[_HIDDEN_FOR] = timedelta(seconds=fault.seconds)
        else:
            ending = _fail(request, fault=fault, answer=answer)
    if ending:
        return ending
    return Ending(answer(request), "answered", fault=faults[0].kind if faults else "")


def hidden_for(request: HttpRequest) -> timedelta | None:
    """Say how long a post that this call creates stays out of timelines."""
    hidden: timedelta | None = request.META.get(_HIDDEN_FOR)
    return hidden


def _fail(request: HttpRequest, *, fault: Fault, answer: Callable[[HttpRequest], HttpResponse]) -> Ending:
    if fault.kind == "drop_before":
        return Ending(None, "dropped_before", fault=fault.kind)
    if fault.kind == "status":
        return Ending(_refuse(fault), "answered", fault=fault.kind)
    if fault.kind == "expired_token":
        access.expire_token(request)
        return Ending(answer(request), "answered", fault=fault.kind)
    response = answer(request)
    if fault.kind == "drop_after":
        return Ending(None, "dropped_after", fault=fault.kind)
    response.content = response.content[: len(response.content) // 2]
    return Ending(response, "garbled", fault=fault.kind)


def _refuse(fault: Fault) -> HttpResponse:
    return problems.canned(fault.status or 503, retry_after=fault.retry_after, now=clock.now()).to_response()


def _take(fault: Fault) -> bool:
    if fault.times_left is None:
        return True
    return bool(Fault.objects.filter(id=fault.pk, times_left__gt=0).update(times_left=F("times_left") - 1))


def _parts(operation: str) -> list[str]:
    method, _, path = operation.partition(" ")
    return [method, *path.strip("/").split("/")]
