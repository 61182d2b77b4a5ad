"""What every request passes: the loopback guard, then the journal and the ordered failures."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.http import http_date

from sandbox import bodies, clock, faults, journal, storage
from sandbox.feed import is_page
from sandbox.platforms.registry import platforms
from sandbox.server import DROP_CONNECTION, END_CONNECTION

Answer = Callable[[HttpRequest], HttpResponseBase]


class LoopbackOnly:
    """Serve only who asked for this machine by a loopback name, from no foreign web page.

    Every answer leaves with its length, without which the server could not keep the connection.
    A page on the internet can make a browser ask 127.0.0.1, by its own name (DNS rebinding) or in a form.
    """

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse what does not come from this machine."""
        try:
            request.get_host()
        except DisallowedHost:
            return _plain("This sandbox answers only to 127.0.0.1 and localhost.", status=421)
        if not _is_loopback(request.headers.get("Origin")):
            return _plain("This sandbox takes no orders from other web pages.", status=403)
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            request.META[END_CONNECTION]()  # the body cannot be told from a next request
            return _plain("Send a Content-Length.", status=411)
        response = self._answer(request)
        if isinstance(response, HttpResponse):
            response["Content-Length"] = str(len(response.content))
        return response


class PlatformCalls:
    """Write each call of a platform down, and let it fail as ordered."""

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a call, or cut the client off."""
        platform, path = _split_path(request.path)
        if not _is_call(request.path, platform=platform):
            return self._answer(request)
        try:
            bodies.spool(request)
        except bodies.TooLarge:
            request.META[END_CONNECTION]()  # it is still on the wire
            return _plain("The body is too large.", status=413)
        except bodies.CutShort:  # nobody is there to be answered, and nothing is carried out
            request.META[DROP_CONNECTION]()
            return HttpResponse()
        call = journal.open_call(request, platform=platform, path=path)
        taken = faults.take_faults(platform=platform, operation=f"{call.method} {call.path}")
        ending = faults.end_call(request, platform=platform, faults=taken, answer=self._answer)
        journal.close_call(call, request, response=ending.response, outcome=ending.outcome, fault=ending.fault)
        if ending.response is None:
            request.META[DROP_CONNECTION]()
            return HttpResponse()
        return _sign(ending.response, platform=platform, request_id=call.request_id)


def _is_call(path: str, *, platform: str) -> bool:
    """Say whether a path leads to a platform's API, and not to a page for people."""
    if platform != storage.NAME and platform not in platforms():
        return False
    try:
        return not is_page(resolve(path).func)
    except Resolver404:
        return False


def _sign(response: HttpResponseBase, *, platform: str, request_id: str) -> HttpResponseBase:
    """Put the call's id on an answer, and the sandbox's own time: a reset is told as an instant of the same clock."""
    header = platforms()[platform].request_id_header if platform in platforms() else ""
    if header:
        response[header] = request_id
    response["Date"] = http_date(clock.now().timestamp())
    return response


def _split_path(path: str) -> tuple[str, str]:
    platform, _, rest = path.lstrip("/").partition("/")
    return platform, f"/{rest}"


def _is_loopback(origin: str | None) -> bool:
    if origin is None:
        return True
    host = urlsplit(origin).hostname
    return bool(host) and (f"[{host}]" if ":" in str(host) else host) in settings.ALLOWED_HOSTS


def _plain(text: str, *, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain")
