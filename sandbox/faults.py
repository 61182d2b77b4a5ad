"""Failures on demand: which ones are ordered, and what each does to a call (PLAT-4).

| kind | what happens |
|---|---|
| latency | the call waits `seconds` first, then goes on as usual |
| status | nothing is carried out; the answer has `status` in the platform's own error shape |
| expired_token | the call's access token ends now, so only a refresh helps |
| drop_before | nothing is carried out; the connection is closed without an answer |
| drop_after | the call is carried out; the connection is closed without an answer |
| garbage | the call is carried out; the answer's body stops half way |
| html | the call is carried out; the answer is a proxy's HTML page with 200 |
| huge | the call is carried out; the answer has a body of 64 MB |
| redirect | the call is carried out; the answer leads to an address outside of this machine |
| invisible | the call is carried out; a post it creates stays out of timelines until `seconds` after its creation |
| slow_processing | the call is carried out; a file or container it creates is in processing for `seconds` |
| fail_processing | the call is carried out; the processing of a file or container it creates fails in the end |

Those that say only how long or how well something goes on (`BESIDES`) go together with one of the others: an answer may come
late, or be lost, and the timeline lag too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from sandbox import access, clock
from sandbox.models import Fault
from sandbox.platforms.registry import platforms

Kind = Literal[
    "latency", "status", "expired_token", "drop_before", "drop_after", "garbage", "html", "huge", "redirect",
    "invisible", "slow_processing", "fail_processing",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
TIMED = ("latency", "invisible", "slow_processing")  # these need `seconds`
BESIDES = (*TIMED, "fail_processing")  # these leave room for another one

HUGE_BYTES = 64 * 1024 * 1024
FOREIGN_ADDRESS = "http://10.0.0.1/"  # private, so that even a client that follows it reaches nobody's server
PROXY_PAGE = (
    "<!doctype html><html><head><title>Please wait</title></head><body><h1>Checking your connection</h1></body></html>"
)

_HIDDEN_FOR = "sandbox.hidden_for"
_PROCESSING_FOR = "sandbox.processing_for"
_PROCESSING_FAILS = "sandbox.processing_fails"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ends: `response` is None when the client gets none."""

    response: HttpResponseBase | None
    outcome: str
    fault: str = ""


Answer = Callable[[HttpRequest], HttpResponseBase]


def take_faults(*, platform: str, operation: str) -> list[Fault]:
    """Take what is ordered for a call: at most one of each kind in `BESIDES` and one other failure, the oldest first.

    Args:
        operation: method and path below the platform's base, `POST /2/tweets`.
    """
    ordered = [fault for fault in active_faults() if fault.platform == platform and matches(fault.match, operation)]
    groups = [[fault for fault in ordered if fault.kind == kind] for kind in BESIDES]
    groups.append([fault for fault in ordered if fault.kind not in BESIDES])
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


def end_call(request: HttpRequest, *, platform: str, faults: list[Fault], answer: Answer) -> Ending:
    """Carry a call out the way the faults say."""
    for fault in faults:
        if fault.kind == "latency":
            time.sleep(fault.seconds)
        elif fault.kind == "invisible":
            request.META[_HIDDEN_FOR] = timedelta(seconds=fault.seconds)
        elif fault.kind == "slow_processing":
            request.META[_PROCESSING_FOR] = timedelta(seconds=fault.seconds)
        elif fault.kind == "fail_processing":
            request.META[_PROCESSING_FAILS] = True
    failure = next((fault for fault in faults if fault.kind not in BESIDES), None)
    if failure:
        return _fail(request, platform=platform, fault=failure, answer=answer)
    return Ending(answer(request), "answered", fault=faults[0].kind if faults else "")


def hidden_for(request: HttpRequest) -> timedelta | None:
    """Say how long a post that this call creates stays out of timelines."""
    hidden: timedelta | None = request.META.get(_HIDDEN_FOR)
    return hidden


def processing_time(request: HttpRequest, usual: timedelta) -> timedelta:
    """Say how long what this call creates is in processing."""
    ordered: timedelta | None = request.META.get(_PROCESSING_FOR)
    return usual if ordered is None else ordered


def processing_fails(request: HttpRequest) -> bool:
    """Say whether the processing of what this call creates is to fail."""
    return bool(request.META.get(_PROCESSING_FAILS))


def _fail(request: HttpRequest, *, platform: str, fault: Fault, answer: Answer) -> Ending:
    if fault.kind == "drop_before":
        return Ending(None, "dropped_before", fault=fault.kind)
    if fault.kind == "status":
        return Ending(_refuse(platform, fault), "answered", fault=fault.kind)
    if fault.kind == "expired_token":
        _expire_token(platform, request)
        return Ending(answer(request), "answered", fault=fault.kind)
    response = answer(request)
    if fault.kind == "drop_after":
        response.close()
        return Ending(None, "dropped_after", fault=fault.kind)
    return Ending(_distort(response, kind=fault.kind), "garbled", fault=fault.kind)


def _distort(response: HttpResponseBase, *, kind: str) -> HttpResponseBase:
    """Give a hostile answer to a call that was carried out."""
    if kind == "html":
        return HttpResponse(PROXY_PAGE, content_type="text/html; charset=utf-8")
    if kind == "redirect":
        return HttpResponse(status=302, headers={"Location": FOREIGN_ADDRESS})
    if kind == "huge":
        headers = {"Content-Length": str(HUGE_BYTES)}
        return StreamingHttpResponse(_write_huge(), content_type="application/json", headers=headers)
    content = response.getvalue() if isinstance(response, HttpResponse | StreamingHttpResponse) else b""
    headers = {name: value for name, value in response.items() if name != "Content-Length"}
    return HttpResponse(content[: len(content) // 2], status=response.status_code, headers=headers)


def _write_huge() -> Iterator[bytes]:
    """Write one JSON string of 64 MB."""
    size = 64 * 1024
    yield b'"'
    for _ in range(HUGE_BYTES // size - 1):
        yield b"x" * size
    yield b"x" * (size - 2) + b'"'


def _refuse(platform: str, fault: Fault) -> HttpResponse:
    status = fault.status or 503
    declared = platforms().get(platform)
    if declared is None:  # the storage
        return HttpResponse(f"{status}\n", status=status, content_type="text/plain")
    return declared.canned(status, retry_after=fault.retry_after, now=clock.now())


def _expire_token(platform: str, request: HttpRequest) -> None:
    declared = platforms().get(platform)
    expire = declared.expire_token if declared and declared.expire_token else access.expire_token
    expire(request)


def _take(fault: Fault) -> bool:
    if fault.times_left is None:
        return True
    return bool(Fault.objects.filter(id=fault.pk, times_left__gt=0).update(times_left=F("times_left") - 1))


def _parts(operation: str) -> list[str]:
    method, _, path = operation.partition(" ")
    return [method, *path.strip("/").split("/")]
