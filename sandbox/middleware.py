"""What every request passes: the loopback guard, then the journal and the ordered failures."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from sandbox import faults, journal
from sandbox.server import DROP_CONNECTION, END_CONNECTION

Answer = Callable[[HttpRequest], HttpResponse]
PLATFORM_CALLS = {"x": ("/2/", "/i/oauth2/")}  # what is a call to the platform; the rest are pages for people


class LoopbackOnly:
    """Serve only who asked for this machine by a loopback name, from no foreign web page.

    Every answer leaves with its length, without which the server could not keep the connection.
    A page on the internet can make a browser ask 127.0.0.1, by its own name (DNS rebinding) or in a form.
    """

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
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
        if not response.streaming:
            response["Content-Length"] = str(len(response.content))
        return response


class PlatformCalls:
    """Write each call of a platform down, and let it fail as ordered."""

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a call, or cut the client off."""
        platform, path = _split_path(request.path)
        if not path.startswith(PLATFORM_CALLS.get(platform, ())):
            return self._answer(request)
        try:
            call = journal.open_call(request, platform=platform, path=path)
        except RequestDataTooBig:
            return _plain("The body is too large.", status=413)
        taken = faults.take_faults(platform=platform, operation=f"{call.method} {call.path}")
        ending = faults.end_call(request, faults=taken, answer=self._answer)
        journal.close_call(call, request, response=ending.response, outcome=ending.outcome, fault=ending.fault)
        if ending.response is None:
            request.META[DROP_CONNECTION]()
            return HttpResponse()
        ending.response["x-transaction-id"] = call.request_id
        return ending.response


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
