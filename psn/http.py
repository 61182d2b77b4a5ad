"""The one place that speaks HTTP: time-outs, what was surely not sent, redaction (PUB-6, PUB-10).

Two kinds of calls, because their failures mean different things:

* `Http.read` can be repeated: reads, uploads, token calls. Trouble is `Unavailable`.
* `Http.commit` cannot be taken back. What fails before the first byte leaves is `Unavailable`; whatever fails after it,
  until a complete answer is here, is `UnknownOutcome`.

Answers below 500, but 408, come back as a `Reply`: what they mean is the platform's `wire` to say. A redirect is never followed:
for a read it comes back like any answer, for a commit too, and no 2xx means that nothing is promised.

How "the first byte leaves" is known: httpcore2 announces `http11.send_request_headers.started` right before it writes,
and whatever a trace function raises there ends the call (httpcore2 2.16, `_sync/http11.py`). A CONNECT to a proxy
announces itself the same way and does not count: the platform sees nothing of it.
"""

from __future__ import annotations

import functools
import heapq
import ipaddress
import json as jsonlib
import logging
import math
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import IO, Any, BinaryIO, Self
from urllib.parse import SplitResult, urlsplit

import httpx2

from psn import __version__
from psn.deadline import Deadline
from psn.errors import InvalidInput, Unavailable, UnknownOutcome

TIMEOUT_SECONDS = 30.0  # for a whole call; a lease outlasts it by a margin
MAX_CONNECTIONS = 32  # at a time; more calls wait their turn
KEEPALIVE_SECONDS = 5.0  # servers commonly close after 5 to 75 s, and a call on a closed connection is lost
# A page of 100 long posts of X has 2.5 MB; read as JSON, an answer takes up to 25 times as much.
MAX_REPLY_BYTES = 8 * 1024 * 1024
MAX_REQUEST_ID_CHARACTERS = 200
USER_AGENT = f"psn/{__version__}"

_TOKEN = re.compile(r"[\x21-\x7e]+")  # RFC 6750's token is a part of the visible ASCII characters
# X, most others, LinkedIn, Meta
_REQUEST_ID_HEADERS = ("x-transaction-id", "x-request-id", "x-li-uuid", "x-fb-trace-id")
_TIMED_OUT = 408
_ESCAPED = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")  # in JSON only an escape can write them
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_Loss = type[Unavailable] | type[UnknownOutcome]
Content = bytes | IO[bytes]

# Their INFO line carries whole addresses and their DEBUG line whole headers: codes and cookies would reach a log file.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer.

    Args:
        headers: names in lower case.
        body: decoded from any transfer or content encoding; the caller's own token is blanked in refusals.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def request_id(self) -> str | None:
        """The platform's own id of the call, if it sent one: what is printable of it, and not more than a log line holds."""
        found = next((self.headers[name] for name in _REQUEST_ID_HEADERS if self.headers.get(name)), "")
        return "".join(_PRINTABLE.findall(found[:MAX_REQUEST_ID_CHARACTERS])) or None

    @property
    def date(self) -> datetime | None:
        """When the other side sent it, by its own clock (RFC 9110, 6.6.1); this computer's may be wrong."""
        try:
            return parsedate_to_datetime(self.headers.get("date", "")).astimezone(UTC)
        except (ValueError, OverflowError):  # year 1 lies outside of the calendar in some zones
            return None

    def json(self) -> Any:
        """Read the body as JSON. What no text can be stored with, U+0000 and halves of characters, comes as U+FFFD.

        Raises:
            ValueError: the body is not JSON; what that means depends on the call, so the caller decides.
        """
        try:
            found = jsonlib.loads(self.body.decode("utf-8-sig"))  # bytes it would take half characters from
            return _mended(found) if _ESCAPED.search(self.body) else found
        except (ValueError, RecursionError):
            raise ValueError(f"the answer ({self.status}, {len(self.body)} bytes) is not JSON") from None


class Http:
    """Calls below one base URL, with one token.

    Safe to share between threads. Nothing is retried and no redirect is followed.

    Args:
        base_url: https, or http on a loopback host; may carry a path.
        token: sent in the authorization header when there is one.
        auth_scheme: the word before it there.
        timeout_seconds: for a whole call, to the last byte of the answer. A name server may take longer, and then nothing
            is sent.
        max_reply_bytes: larger answers are not read.

    Raises:
        InvalidInput: the base URL is unsafe, or the token could not stand in a header.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        auth_scheme: str = "Bearer",
        timeout_seconds: float = TIMEOUT_SECONDS,
        user_agent: str = USER_AGENT,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ) -> None:
        self.base_url = check_base_url(base_url)
        self._token = check_token(token) if token else ""
        self._timeout_seconds = timeout_seconds
        self._max_reply_bytes = max_reply_bytes
        self._headers = {"user-agent": user_agent, "accept": "application/json"}
        if self._token:
            self._headers["authorization"] = f"{auth_scheme} {self._token}"
        # Loaded here and not with the first call: a cluster warms up before it forks.
        self._tls = _tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        self._opening = threading.Lock()
        self._clients: dict[int, httpx2.Client] = {}  # by how many connections each keeps; made when first needed
        self._closed = False

    def __repr__(self) -> str:
        return f"Http({self.base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; no call can be made after that."""
        with self._opening:
            self._closed = True
            for client in self._clients.values():
                client.close()

    def read(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, Content, str]] | None = None,
        content: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        once: bool = False,
        timeout_seconds: float | None = None,
    ) -> Reply:
        """Make a call that may be repeated.

        Args:
            path: below the base URL, from its slash on; may carry a query.
            form: fields of a form, or of a multipart body when there are `files`.
            files: field name to (file name, content, MIME type); an open file is sent in pieces.
            content: a body as it is; pieces need a `content-length` among the headers.
            once: the call uses something up (a refresh token, a code), so a lost answer is not harmless. An answer of
                5xx still is `Unavailable`.
            timeout_seconds: for this whole call, where it is one of many bytes.

        Raises:
            Unavailable: no complete answer, or one of 5xx or 408.
            UnknownOutcome: `once`, and the answer was lost.
        """
        client = self._committing if once else self._reading
        line = self._line(method, path, send_before=None, timeout_seconds=timeout_seconds)
        with _translated(line, lost_means=Unavailable):
            request = client.build_request(
                method,
                self.base_url + path,
                params=params,
                json=json,
                data=form,
                files=files,
                content=content,
                headers=self._headers | dict(headers or {}),
                extensions={"trace": line.trace},
            )
        reply = self._send(client, request, line, lost_means=UnknownOutcome if once else Unavailable)
        return _checked(reply, line, failed_means=Unavailable)

    def commit(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        send_before: Deadline | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> Reply:
        """Make the call that cannot be taken back: at most one request, on a connection of its own.

        Args:
            content: a body as it is.
            send_before: after it no byte may leave any more.
            timeout_seconds: for this whole call, never more than what was said for all: a lease reckons with that.

        Raises:
            Unavailable: surely not sent.
            UnknownOutcome: the request left, and no complete answer below 500 came back (PUB-6).
        """
        seconds = min(timeout_seconds or self._timeout_seconds, self._timeout_seconds)
        line = self._line(method, path, send_before=send_before, timeout_seconds=seconds)
        client = self._committing
        with _translated(line, lost_means=Unavailable):
            request = client.build_request(
                method,
                self.base_url + path,
                params=params,
                json=json,
                data=form,
                content=content,
                headers=self._headers | dict(headers or {}),
                extensions={"trace": line.trace},
            )
        reply = self._send(client, request, line, lost_means=UnknownOutcome)
        return _checked(reply, line, failed_means=UnknownOutcome)

    @property
    def _reading(self) -> httpx2.Client:
        return self._client(keepalive=8)

    @property
    def _committing(self) -> httpx2.Client:
        # A kept connection may have been closed by the other side just now, and whether a request died with it cannot be
        # known. A commit pays for a new connection, so that trouble in front of it is surely trouble in front of it.
        return self._client(keepalive=0)

    def _client(self, *, keepalive: int) -> httpx2.Client:
        with self._opening:
            if self._closed:
                raise RuntimeError("This Http has been closed.")
            if keepalive not in self._clients:
                self._clients[keepalive] = self._make_client(keepalive=keepalive)
            return self._clients[keepalive]

    def _make_client(self, *, keepalive: int) -> httpx2.Client:
        return httpx2.Client(
            verify=self._tls,
            trust_env=not is_loopback(urlsplit(self.base_url)),  # a proxy has no way to this machine's own loopback
            follow_redirects=False,
            timeout=self._timeout_seconds,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # every call stands for itself
            limits=httpx2.Limits(
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=keepalive,
                keepalive_expiry=KEEPALIVE_SECONDS,
            ),
        )

    def _line(
        self, method: str, path: str, *, send_before: Deadline | None, timeout_seconds: float | None = None
    ) -> _Line:
        what = f"{method} {path.partition('?')[0]}"  # without the query: that may hold a code
        return _Line(what=what, timeout_seconds=timeout_seconds or self._timeout_seconds, send_before=send_before)

    def _send(self, client: httpx2.Client, request: httpx2.Request, line: _Line, *, lost_means: _Loss) -> Reply:
        """Send one request and read its whole answer."""
        with line.watched(), _translated(line, lost_means=lost_means):
            response = client.send(request, stream=True)
            try:
                body = self._read_body(response, line, lost_means=lost_means)
            finally:
                response.close()
        line.check_whole(lost_means=lost_means)
        return Reply(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=self._redacted(body) if response.status_code >= 400 else body,
        )

    def _read_body(self, response: httpx2.Response, line: _Line, *, lost_means: _Loss) -> bytes:
        line.take(response.extensions["network_stream"])  # a kept connection comes to light only here
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._max_reply_bytes:
                raise lost_means(
                    f"{line.what}: the answer is larger than {self._max_reply_bytes} bytes and was not read.",
                    http_status=response.status_code,
                )
        return bytes(body)

    def _redacted(self, body: bytes) -> bytes:
        """Blank the own token in a refusal, because refusals end up in messages."""
        return body.replace(self._token.encode(), b"***") if self._token else body


@dataclass(frozen=True, slots=True)
class Download:
    """What became of a download.

    Args:
        headers: names in lower case.
        size_bytes: written; 0 unless `status` is 200.
    """

    status: int
    headers: Mapping[str, str]
    size_bytes: int


def download(url: str, *, address: str, to: BinaryIO, max_bytes: int, seconds: float) -> Download:
    """Fetch a foreign address from exactly this IP address; nothing is resolved, sent along, or followed.

    Who decides which IP addresses may be asked is the caller; it cannot be talked into another one by a second answer of a name server.

    Args:
        url: https; http only where `address` is this machine's loopback.
        address: an IP address that the URL's host was resolved to.
        to: gets the body of a 200.

    Raises:
        InvalidInput: larger than `max_bytes` (`media.too_large`), or no such address (`media.url`).
        Unavailable: no complete answer within `seconds`.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    on_loopback = ipaddress.ip_address(address).is_loopback
    if parts.scheme != "https" and not (parts.scheme == "http" and on_loopback):
        raise InvalidInput("Media are fetched over https.", code="media.url")
    literal = f"[{address}]" if ":" in address else address
    pinned = parts._replace(netloc=f"{literal}:{parts.port}" if parts.port else literal, fragment="").geturl()
    line = _Line(what=f"GET {host}", timeout_seconds=seconds, send_before=None)
    headers = {"host": parts.netloc.rpartition("@")[2], "user-agent": USER_AGENT, "accept-encoding": "identity"}
    tls = _tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    with httpx2.Client(verify=tls, trust_env=False, follow_redirects=False, timeout=seconds) as client:
        request = client.build_request(
            "GET", pinned, headers=headers, extensions={"trace": line.trace, "sni_hostname": host}
        )
        with line.watched(), _translated(line, lost_means=Unavailable):
            response = client.send(request, stream=True)
            try:
                line.take(response.extensions["network_stream"])
                size_bytes = _write_body(response, to, max_bytes=max_bytes) if response.status_code == 200 else 0
            finally:
                response.close()
        line.check_whole(lost_means=Unavailable)
    return Download(response.status_code, {k.lower(): v for k, v in response.headers.items()}, size_bytes)


def _write_body(response: httpx2.Response, to: BinaryIO, *, max_bytes: int) -> int:
    size_bytes = 0
    for chunk in response.iter_raw():
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            raise InvalidInput(f"The file is larger than {max_bytes} bytes.", code="media.too_large")
        to.write(chunk)
    return size_bytes


@functools.lru_cache(maxsize=64)
def check_base_url(base_url: str) -> str:
    """Accept https anywhere and http on this machine only; give the address without a closing slash.

    Raises:
        InvalidInput: anything else, or an address with credentials, a query or a fragment in it.
    """
    try:
        httpx2.URL(base_url)  # its idea of an address is the one that will be called
        parts = urlsplit(base_url)
        port_is_real = parts.port != 0  # reading it is what checks it
    except (httpx2.InvalidURL, ValueError):
        parts, port_is_real = SplitResult("", "", "", "", ""), False
    plain = not (parts.username or parts.password or parts.query or parts.fragment or re.search(r"[\s\\]", base_url))
    if parts.scheme not in ("http", "https") or not (parts.hostname and port_is_real and plain):
        raise InvalidInput(
            "A base URL looks like https://api.example.com, without credentials, query or fragment.",
            code="account.base_url",
        )
    if parts.scheme == "http" and not is_loopback(parts):
        raise InvalidInput(
            f"{parts.hostname} would be reached without encryption: use https. http is for 127.0.0.1 and localhost.",
            code="account.base_url_insecure",
        )
    return base_url.rstrip("/")


def check_token(token: str) -> str:
    """Give the token back when it can stand in a header.

    Raises:
        InvalidInput: it holds blanks, line breaks or other than ASCII characters. The message does not repeat it.
    """
    if not _TOKEN.fullmatch(token):
        raise InvalidInput(
            "The token holds characters that no access token has. Paste it again, without spaces or line breaks.",
            code="account.token_document",
        )
    return token


def is_loopback(address: SplitResult) -> bool:
    """Say whether an address is on this machine's own loopback."""
    host = address.hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Line:
    """Watches one call: whether a byte left, and when to give up on it."""

    def __init__(self, *, what: str, timeout_seconds: float, send_before: Deadline | None) -> None:
        self.what = what
        self.sent = False
        self.overran = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timeout_seconds = timeout_seconds
        self._gives_up_at = time.monotonic() + timeout_seconds
        self._send_before = send_before

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take httpcore2's word for what happens on the connection."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self.take(info["return_value"])
        elif event.endswith(".send_request_headers.started") and info["request"].method != b"CONNECT":
            self.check_deadline()
            self.sent = True
        elif event.endswith(".send_request_body.started") and self.sent and self.is_late():
            # Stopped in between and woken up late: half a request does nothing, but its other half would.
            raise UnknownOutcome(f"{self.what} was cut off: its deadline passed while it was being sent.")

    def is_late(self) -> bool:
        """Say whether somebody else may have taken the work over by now (PUB-6)."""
        return self._send_before is not None and self._send_before.is_over()

    def check_deadline(self) -> None:
        """Refuse to send late."""
        if self.is_late():
            raise Unavailable(f"{self.what} was not sent: its deadline had passed.", code="platform.deadline_passed")
        if time.monotonic() > self._gives_up_at:
            raise Unavailable(f"{self.what} was not sent: connecting took over {self._timeout_seconds:g} s.")

    def check_whole(self, *, lost_means: _Loss) -> None:
        """Refuse an answer that ended because we hung up: without an announced length, half of one looks whole."""
        if self.overran:
            raise lost_means(f"{self.what}: time ran out after the request had left.")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """End the call when its whole time is up; the library's own time-outs begin anew with every packet."""
        self.check_deadline()
        number = _watch.add(self.hang_up, timeout_seconds=self._timeout_seconds)
        try:
            yield
        finally:
            _watch.remove(number)

    def take(self, stream: Any) -> None:
        """Remember the connection, to be able to end it."""
        with self._lock:
            self._socket = stream.get_extra_info("socket")
            overran = self.overran
        if overran:
            self.hang_up()

    def hang_up(self) -> None:
        """End the call now."""
        with self._lock:
            self.overran = True
            if self._socket is not None:
                with suppress(OSError):
                    # The plain method: SSLSocket's own first forgets its encryption, while another thread may still write.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Watch:
    """Ends what takes too long: one thread for all calls, because one for each was nearly a third of what a call costs."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget everything: a forked child has no threads, and the lock may have been held."""
        self._changed = threading.Condition(threading.Lock())
        self._due: list[tuple[float, int]] = []  # heap of (monotonic instant, number)
        self._endings: dict[int, Callable[[], None]] = {}
        self._last = 0
        self._thread: threading.Thread | None = None
        self._wakes_at = math.inf

    def add(self, end: Callable[[], None], *, timeout_seconds: float) -> int:
        """Have something ended unless it is removed in time, and give its number.

        Args:
            end: must not wait for anything.
        """
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="psn-http-watch", daemon=True)
                thread.start()  # it waits for the lock
                self._thread = thread
            self._last += 1
            self._endings[self._last] = end
            heapq.heappush(self._due, (time.monotonic() + timeout_seconds, self._last))
            if self._due[0][0] < self._wakes_at:
                self._changed.notify()
            return self._last

    def remove(self, number: int) -> None:
        """Let something be; once this returns, it will not be ended any more."""
        with self._changed:
            self._endings.pop(number, None)
            if not self._endings:
                self._due.clear()

    def _run(self) -> None:
        with self._changed:
            while True:  # woken by time or by something due earlier, seldom by a call: most end long before
                now = time.monotonic()
                while self._due and self._due[0][0] <= now:
                    end = self._endings.pop(heapq.heappop(self._due)[1], None)
                    if end is not None:
                        end()
                self._wakes_at = self._due[0][0] if self._due else math.inf
                self._changed.wait(self._wakes_at - now if self._due else None)


_watch = _Watch()
if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_watch.begin_anew)


@contextmanager
def _translated(line: _Line, *, lost_means: _Loss) -> Iterator[None]:
    """Turn the library's exceptions into ours, without their text: it may quote what was sent."""
    try:
        yield
    except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, UnicodeError) as problem:
        reason = _REASONS.get(type(problem).__name__, "the connection failed")
        if line.sent:
            # When we hang up, it looks as if the other side did.
            reason = "time ran out" if line.overran else reason
            raise lost_means(f"{line.what}: {reason} after the request had left.") from None
        raise Unavailable(f"{line.what} was not sent: {reason}.") from None


_REASONS = {
    "ConnectError": "no connection could be made",
    "ConnectTimeout": "connecting took too long",
    "PoolTimeout": "all connections were busy",
    "ProxyError": "the proxy refused",
    "WriteTimeout": "sending took too long",
    "ReadTimeout": "no answer came in time",
    "RemoteProtocolError": "the answer broke off or is not HTTP",
    "DecodingError": "the answer cannot be decoded",
    "InvalidURL": "there is no such address",  # a platform's cursor may be longer than any address
}


@functools.lru_cache(maxsize=4)
def _tls_context(*_certificates: str | None) -> ssl.SSLContext:
    """Give the one verifying context; loading the certificates costs some 20 ms, so once per set of them.

    Args:
        _certificates: where the environment says they are. httpx2 reads that by itself; here it is the cache's key.
    """
    return httpx2.create_ssl_context()


def _mended(value: Any) -> Any:
    """Give JSON with U+FFFD for what no text can be stored with."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(one) for one in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(one) for key, one in value.items()}
    return value


def _checked(reply: Reply, line: _Line, *, failed_means: _Loss) -> Reply:
    if reply.status < 500 and reply.status != _TIMED_OUT:
        return reply
    raise failed_means(
        f"{line.what} was answered {reply.status}.", http_status=reply.status, request_id=reply.request_id
    )
