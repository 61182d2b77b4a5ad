"""What each way of failing means, over real sockets (PUB-6)."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import logging
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from httpcore2._backends.sync import SyncStream
from hypothesis import given
from hypothesis import strategies as st

from psn.deadline import Deadline
from psn.errors import InvalidInput, PlatformError, Unavailable, UnknownOutcome
from psn.http import Http, Reply, check_base_url, check_token
from tests.psn import loopback
from tests.psn.loopback import Line, build_reply, serve

TOKEN, CODE, SECRET = "tok-3f9c1b7e", "c0de-77", "s3cret-11"  # values in constants: a traceback quotes source lines
POST = {"text": "hello"}
CREATED = build_reply(201, b'{"data":{"id":"1"}}')


def commit(
    url: str, *, timeout_seconds: float = 5.0, send_before: Deadline | None = None, max_reply_bytes: int = 1000
) -> Reply:
    with Http(url, token=TOKEN, timeout_seconds=timeout_seconds, max_reply_bytes=max_reply_bytes) as http:
        return http.commit("POST", "/2/tweets", json=POST, send_before=send_before)


def read(url: str, *, timeout_seconds: float = 5.0, max_reply_bytes: int = 1000, once: bool = False) -> Reply:
    with Http(url, token=TOKEN, timeout_seconds=timeout_seconds, max_reply_bytes=max_reply_bytes) as http:
        return http.read("GET", "/2/users/me", once=once)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


LOST = {
    "accepted-then-closed": loopback.hang_up,
    "closed-after-the-request": loopback.hang_up_after_request,
    "reset-after-the-request": loopback.reset_after_request,
    "half-a-status-line": loopback.answer(b"HTTP/1.1 20"),
    "half-the-headers": loopback.answer(b"HTTP/1.1 201 Created\r\ncontent-le"),
    "half-the-body": loopback.answer(CREATED[:-5]),
    "half-a-chunked-body": loopback.answer(b'HTTP/1.1 201 X\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"da'),
    "not-http-at-all": loopback.answer(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "broken-gzip": loopback.answer(build_reply(201, b"\x1f\x8bnot gzip", "content-encoding: gzip")),
    "more-than-the-cap": loopback.answer(build_reply(201, b" " * 1001)),
    "more-than-the-cap-unpacked": loopback.answer(
        build_reply(201, gzip.compress(b" " * 9999), "content-encoding: gzip")
    ),
}


class TestCommit:
    def test_gives_a_complete_answer_as_it_is(self) -> None:
        with serve(loopback.answer(build_reply(201, b'{"data":{"id":"1"}}', "X-Transaction-Id: abc"))) as server:
            reply = commit(server.url)
        assert (reply.status, reply.json(), reply.request_id) == (201, {"data": {"id": "1"}}, "abc")
        assert server.requests[0].startswith(b"POST /2/tweets HTTP/1.1\r\n")
        assert server.requests[0].endswith(b'\r\n\r\n{"text":"hello"}')

    @pytest.mark.parametrize("act", LOST.values(), ids=LOST.keys())
    def test_is_unknown_once_the_request_left(self, act: loopback.Act) -> None:
        with serve(act) as server, pytest.raises(UnknownOutcome):
            commit(server.url)
        assert server.connections == 1, "a commit must never be repeated"

    def test_is_unknown_when_the_answer_is_too_slow(self) -> None:
        started = time.monotonic()
        with serve(loopback.stay_silent) as server, pytest.raises(UnknownOutcome):
            commit(server.url, timeout_seconds=0.3)
        assert time.monotonic() - started < 2

    def test_is_unknown_when_the_answer_trickles_beyond_the_time_out(self) -> None:
        started = time.monotonic()
        with (
            serve(loopback.drip(CREATED, pause_seconds=0.1)) as server,
            pytest.raises(UnknownOutcome, match="time ran out"),
        ):
            commit(server.url, timeout_seconds=0.5)
        assert time.monotonic() - started < 2, "each byte began a new time-out"

    def test_is_unknown_when_the_body_trickles_beyond_the_time_out(self) -> None:
        def act(line: Line) -> None:
            line.read_request()
            line.send(CREATED[:-10])
            for byte in CREATED[-10:]:
                time.sleep(0.2)
                line.send(bytes([byte]))

        with serve(act) as server, pytest.raises(UnknownOutcome):
            commit(server.url, timeout_seconds=0.5)

    @pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 599])
    def test_is_unknown_when_the_server_gives_up(self, status: int) -> None:
        with (
            serve(loopback.answer(build_reply(status, b"", "x-transaction-id: abc"))) as server,
            pytest.raises(UnknownOutcome) as caught,
        ):
            commit(server.url)
        assert (caught.value.http_status, caught.value.request_id, server.connections) == (status, "abc", 1)

    @pytest.mark.parametrize("status", [200, 302, 307, 400, 401, 403, 404, 409, 422, 429])
    def test_leaves_other_answers_to_the_platform(self, status: int) -> None:
        with serve(loopback.answer(build_reply(status, b"{}", "location: /elsewhere"))) as server:
            assert commit(server.url).status == status
        assert len(server.requests) == 1, "a redirect must not be followed"

    def test_was_not_sent_when_nobody_listens(self) -> None:
        with pytest.raises(Unavailable, match="not sent"):
            commit(f"http://127.0.0.1:{free_port()}")

    def test_was_not_sent_when_the_name_is_unknown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def resolve(*_: object, **__: object) -> list[object]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        with pytest.raises(Unavailable, match="not sent"):
            commit("https://api.invalid")

    def test_was_not_sent_when_the_port_does_not_speak_tls(self) -> None:
        got: list[bytes] = []

        def act(line: Line) -> None:
            got.append(line.socket.recv(65536))
            line.send(build_reply(400))

        with serve(act) as server, pytest.raises(Unavailable, match="not sent"):
            commit(server.url.replace("http:", "https:"))
        assert got[0][:1] == b"\x16", "something else than a TLS handshake was sent"

    def test_was_not_sent_when_the_handshake_hangs(self) -> None:
        def act(line: Line) -> None:
            time.sleep(2)

        started = time.monotonic()
        with serve(act) as server, pytest.raises(Unavailable, match="not sent"):
            commit(server.url.replace("http:", "https:"), timeout_seconds=0.3)
        assert time.monotonic() - started < 1.5

    def test_was_not_sent_when_the_deadline_had_passed(self) -> None:
        with serve(loopback.answer(CREATED)) as server, pytest.raises(Unavailable) as caught:
            commit(server.url, send_before=Deadline(-0.001))
        assert (caught.value.error_code, server.connections) == ("platform.deadline_passed", 0)

    def test_was_not_sent_when_the_deadline_passes_while_connecting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        connect = socket.create_connection

        def connect_slowly(*args: object, **kwargs: object) -> socket.socket:
            time.sleep(0.3)
            return connect(*args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(socket, "create_connection", connect_slowly)
        with serve(loopback.answer(CREATED)) as server:
            with pytest.raises(Unavailable) as caught:
                commit(server.url, send_before=Deadline(0.1))
            time.sleep(0.1)
        assert caught.value.error_code == "platform.deadline_passed"
        assert (server.connections, server.requests) == (1, []), "bytes left after the deadline"

    def test_never_completes_a_request_after_the_deadline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write = SyncStream.write

        def write_and_pause(stream: SyncStream, content: bytes, timeout: float | None = None) -> None:
            write(stream, content, timeout)
            time.sleep(0.9)  # as a process does that is stopped between head and body

        monkeypatch.setattr(SyncStream, "write", write_and_pause)
        with serve(loopback.answer(CREATED)) as server:
            with pytest.raises(UnknownOutcome, match="cut off"):
                commit(server.url, send_before=Deadline(0.7))
            time.sleep(0.1)
        assert (server.connections, server.requests) == (1, []), "the server got a whole request"

    def test_goes_out_before_the_deadline(self) -> None:
        with serve(loopback.answer(CREATED)) as server:
            assert commit(server.url, send_before=Deadline(5)).status == 201

    def test_was_not_sent_when_connecting_used_up_the_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        connect = socket.create_connection

        def connect_slowly(*args: object, **kwargs: object) -> socket.socket:
            time.sleep(0.4)
            return connect(*args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(socket, "create_connection", connect_slowly)
        with serve(loopback.answer(CREATED)) as server, pytest.raises(Unavailable):
            commit(server.url, timeout_seconds=0.2)
        assert server.requests == []

    def test_was_not_sent_when_all_connections_are_busy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("psn.http.MAX_CONNECTIONS", 1)
        with serve(loopback.answer_all(CREATED)) as server, Http(server.url, timeout_seconds=0.3) as http:
            busy = http._committing.send(http._committing.build_request("GET", server.url), stream=True)
            with pytest.raises(Unavailable, match="all connections were busy"):
                http.commit("POST", "/2/tweets", json=POST)
            busy.close()
        assert len(server.requests) == 1

    def test_uses_a_new_connection_every_time(self) -> None:
        with serve(loopback.answer_all(CREATED)) as server, Http(server.url) as http:
            http.read("GET", "/")
            http.read("GET", "/")
            assert server.connections == 1
            http.commit("POST", "/2/tweets", json=POST)
            http.commit("POST", "/2/tweets", json=POST)
            assert server.connections == 3

    def test_does_not_suffer_from_a_connection_the_server_has_closed(self) -> None:
        """The server closes each kept connection the moment the next request comes: fatal for a reused one."""

        def act(line: Line) -> None:
            line.read_request()
            line.send(CREATED)
            line.socket.recv(1)
            line.reset()

        with serve(act) as server, Http(server.url) as http:
            http.read("GET", "/")
            assert http.commit("POST", "/2/tweets", json=POST).status == 201

    def test_sends_each_post_once_when_many_go_out_together(self) -> None:
        with serve(loopback.answer_all(CREATED)) as server, Http(server.url) as http:
            threads = [
                threading.Thread(target=http.commit, args=("POST", "/2/tweets"), kwargs={"json": POST})
                for _ in range(20)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert (len(server.requests), server.connections) == (20, 20)


class TestRead:
    @pytest.mark.parametrize("act", LOST.values(), ids=LOST.keys())
    def test_may_be_repeated_whatever_happens(self, act: loopback.Act) -> None:
        with serve(act) as server, pytest.raises(Unavailable):
            read(server.url)

    @pytest.mark.parametrize("act", LOST.values(), ids=LOST.keys())
    def test_is_unknown_when_it_uses_something_up(self, act: loopback.Act) -> None:
        with serve(act) as server, pytest.raises(UnknownOutcome):
            read(server.url, once=True)
        assert server.connections == 1

    @pytest.mark.parametrize("once", [False, True])
    def test_is_unavailable_when_the_server_gives_up(self, once: bool) -> None:
        with serve(loopback.answer(build_reply(503))) as server, pytest.raises(Unavailable):
            read(server.url, once=once)

    def test_is_unavailable_when_the_answer_is_too_slow(self) -> None:
        with serve(loopback.stay_silent) as server, pytest.raises(Unavailable):
            read(server.url, timeout_seconds=0.3)

    def test_may_be_given_more_time_than_others(self) -> None:
        slowly = loopback.drip(build_reply(), pause_seconds=0.01)
        with serve(slowly) as server, Http(server.url, timeout_seconds=0.2) as http:
            assert http.read("POST", "/upload", timeout_seconds=5).status == 200
            with pytest.raises(Unavailable):
                http.read("POST", "/upload")

    def test_sends_query_form_and_files(self) -> None:
        with serve(loopback.answer_all(build_reply())) as server, Http(server.url + "/x/") as http:
            http.read("GET", "/a", params={"ids": "1,2"})
            http.read("POST", "/b", form={"code": "c d"})
            http.read("POST", "/c", form={"segment_index": "0"}, files={"media": ("media", b"\x00\x01", "image/png")})
        lines = [request.split(b"\r\n")[0] for request in server.requests]
        assert lines == [b"GET /x/a?ids=1%2C2 HTTP/1.1", b"POST /x/b HTTP/1.1", b"POST /x/c HTTP/1.1"]
        assert server.requests[1].endswith(b"code=c+d")
        assert b'name="segment_index"' in server.requests[2]
        assert b"\x00\x01" in server.requests[2]

    def test_forgets_cookies(self) -> None:
        with (
            serve(loopback.answer_all(build_reply(200, b"{}", "set-cookie: guest=1; Path=/"))) as server,
            Http(server.url) as http,
        ):
            http.read("GET", "/")
            http.read("GET", "/")
        assert b"cookie" not in server.requests[1].lower()

    def test_ignores_a_proxy_for_loopback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
        with serve(loopback.answer(build_reply())) as server:
            assert read(server.url).status == 200


class TestProxy:
    def test_a_refused_tunnel_means_not_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serve(loopback.answer(build_reply(502))) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            with pytest.raises(Unavailable, match="not sent"):
                commit("https://api.example.com")
        assert proxy.requests[0].startswith(b"CONNECT api.example.com:443")
        assert TOKEN.encode() not in proxy.requests[0]

    def test_a_broken_tunnel_means_not_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serve(loopback.hang_up_after_request) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            with pytest.raises(Unavailable, match="not sent"):
                commit("https://api.example.com")


@pytest.fixture
def certificate(tmp_path: pathlib.Path) -> pathlib.Path:
    """A certificate for 127.0.0.1 that vouches for itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + made.public_bytes(serialization.Encoding.PEM)
    path = tmp_path / "loopback.pem"
    path.write_bytes(pem)
    return path


@pytest.fixture
def tls(certificate: pathlib.Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class TestTls:
    def test_talks_to_whom_it_trusts(
        self, tls: ssl.SSLContext, certificate: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with serve(loopback.answer(CREATED), tls=tls) as server:
            assert commit(server.url.replace("http:", "https:")).status == 201

    def test_sends_nothing_to_a_stranger(self, tls: ssl.SSLContext) -> None:
        with serve(loopback.answer(CREATED), tls=tls) as server, pytest.raises(Unavailable, match="not sent"):
            commit(server.url.replace("http:", "https:"))
        assert server.requests == []

    @pytest.mark.parametrize(
        "act",
        [loopback.hang_up_after_request, loopback.reset_after_request, loopback.drip(CREATED, pause_seconds=0.1)],
        ids=["closed", "reset", "trickling"],
    )
    def test_a_lost_answer_is_unknown(
        self, act: loopback.Act, tls: ssl.SSLContext, certificate: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        started = time.monotonic()
        with serve(act, tls=tls) as server, pytest.raises(UnknownOutcome):
            commit(server.url.replace("http:", "https:"), timeout_seconds=0.8)
        assert server.connections == 1
        assert time.monotonic() - started < 3

    def test_the_deadline_counts_after_the_handshake(
        self, tls: ssl.SSLContext, certificate: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        handshake = ssl.SSLContext.wrap_socket

        def shake_slowly(*args: object, **kwargs: object) -> ssl.SSLSocket:
            if not kwargs.get("server_side"):
                time.sleep(0.3)
            return handshake(*args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        monkeypatch.setattr(ssl.SSLContext, "wrap_socket", shake_slowly)
        with serve(loopback.answer(CREATED), tls=tls) as server, pytest.raises(Unavailable) as caught:
            commit(server.url.replace("http:", "https:"), send_before=Deadline(0.1))
        assert (caught.value.error_code, server.requests) == ("platform.deadline_passed", [])


class TestReply:
    @pytest.mark.parametrize(
        "body", [b"", b"{", b"<html>", b"\xff\xfe", b"[" * 100_000], ids=["empty", "half", "html", "bytes", "deep"]
    )
    def test_says_when_it_is_not_json(self, body: bytes) -> None:
        with pytest.raises(ValueError, match="is not JSON"):
            Reply(200, {}, body).json()


class TestSecrets:
    @pytest.mark.parametrize("act", [*LOST.values(), loopback.stay_silent, loopback.answer(build_reply(503))])
    def test_never_reach_an_error_or_a_log(self, act: loopback.Act, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        with serve(act) as server, Http(server.url, token=TOKEN, timeout_seconds=0.5, max_reply_bytes=1000) as http:
            with pytest.raises(PlatformError) as caught:
                http.read("POST", f"/token?code={CODE}", form={"client_secret": SECRET}, once=True)
            seen = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(http) + caplog.text
        assert not [secret for secret in (TOKEN, CODE, SECRET, "Bearer") if secret in seen]

    def test_never_reach_a_log_when_all_goes_well(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        with (
            serve(loopback.answer(build_reply(302, b"", f"location: /?code={CODE}"))) as server,
            Http(server.url, token=TOKEN) as http,
        ):
            reply = http.read("GET", f"/token?code={CODE}")
        assert not [secret for secret in (TOKEN, CODE) if secret in caplog.text + repr(reply)]

    def test_are_blanked_when_a_refusal_quotes_them(self) -> None:
        with serve(loopback.answer(build_reply(401, b'{"detail":"bad token %s"}' % TOKEN.encode()))) as server:
            assert read(server.url).json() == {"detail": "bad token ***"}

    @pytest.mark.parametrize("token", ["with space", "line\nbreak", "caf\xe9", "x\r\nHost: evil"])
    def test_are_not_repeated_when_they_could_not_be_sent(self, token: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            check_token(token)
        assert token not in str(caught.value)


class TestCheckBaseUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "https://api.x.com",
            "https://api.x.com/",
            "http://127.0.0.1:8000/x",
            "http://localhost",
            "http://[::1]:9",
            "http://127.8.8.8",
        ],
    )
    def test_takes_https_and_loopback(self, url: str) -> None:
        assert check_base_url(url) == url.rstrip("/")

    @pytest.mark.parametrize(
        "url",
        [
            "http://api.x.com",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://0.0.0.0",
        ],
    )
    def test_refuses_plain_http_elsewhere(self, url: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            check_base_url(url)
        assert caught.value.error_code == "account.base_url_insecure"

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "api.x.com",
            "ftp://api.x.com",
            "https://",
            "https://u:pw@api.x.com",
            "https://a.b/?q=1",
            "https://a.b/#f",
            "https://a.b:99999",
            "https://a b",
            "https://[::1",
            "http://127.0.0.1\\@evil.com",
            "file:///etc/passwd",
        ],
    )
    def test_refuses_what_is_no_base_url(self, url: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            check_base_url(url)
        assert caught.value.error_code == "account.base_url"
        assert "pw" not in str(caught.value)

    @given(st.text())
    def test_takes_or_refuses_anything(self, text: str) -> None:
        for url in (text, f"http://{text}", f"https://{text}"):
            try:
                accepted = check_base_url(url)
            except InvalidInput:
                continue
            assert accepted.startswith(("https://", "http://"))


class TestImport:
    def test_is_paid_only_by_commands_that_talk(self) -> None:
        code = (
            "import sys; from psn.platforms.registry import get_platform, platform_names; platform_names();"
            "get_platform('x'); print([m for m in ('httpx2', 'pydantic', 'twitter_text') if m in sys.modules])"
        )
        seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert seen.stdout.strip() == "[]"
