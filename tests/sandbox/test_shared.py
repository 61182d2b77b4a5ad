"""What all platforms share and X does not use, seen through a platform that exists nowhere (`tests/sandbox/toy`)."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.sandbox.files import GIF, MP4, make_png
from tests.sandbox.process import WEB, Sandbox, rush, start_sandbox, stop_sandbox

REDIRECT = "https://127.0.0.1:8765/callback"
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
APP = {"client_key": "psn-sandbox", "client_secret": "psn-sandbox-secret"}
VERIFIER = "v" * 64


@pytest.fixture(scope="module")
def toy_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox with the toy."""
    sandbox = start_sandbox(tmp_path_factory.mktemp("toy") / "state", module="tests.sandbox.toy")
    yield sandbox
    stop_sandbox(sandbox)


@pytest.fixture
def toy(toy_process: Sandbox) -> Sandbox:
    """An empty one."""
    toy_process.order("reset", confirm=True)
    return toy_process


def call(toy: Sandbox, method: str, path: str, **arguments: Any) -> httpx2.Response:
    """Call the toy."""
    return WEB.request(method, f"{toy.base('toy')}{path}", **arguments)


def write(toy: Sandbox, text: str, **body: Any) -> str:
    """Write something and give its id."""
    return str(call(toy, "POST", "/api/posts", json={"text": text, **body}).raise_for_status().json()["id"])


def consent(toy: Sandbox, *, decision: str = "allow", handle: str = "ann.example", **changes: str) -> httpx2.Response:
    """Walk through the consent page."""
    query = {"client_key": "psn-sandbox", "redirect_uri": REDIRECT, "response_type": "code", "scope": "read,write,stay"}
    page = call(toy, "GET", "/oauth/authorize", params=query | {"state": "s"} | changes)
    nonce = re.search(r'name="nonce" value="([^"]+)"', page.text)
    if not nonce:
        return page
    form = {"nonce": nonce[1], "decision": decision, "handle": handle}
    return call(toy, "POST", "/oauth/authorize", data=form)


def read_answer(redirect: httpx2.Response) -> dict[str, str]:
    """Read what a redirect carries."""
    query = urlsplit(redirect.headers["location"]).query
    return {name: values[0] for name, values in parse_qs(query).items()}


def trade(toy: Sandbox, code: str, **changes: str) -> httpx2.Response:
    """Trade a code."""
    return call(toy, "POST", "/oauth/token", data={**APP, "code": code, "redirect_uri": REDIRECT, **changes})


def connect(toy: Sandbox, **changes: str) -> dict[str, str]:
    """Give tokens of an account."""
    tokens: dict[str, str] = trade(toy, read_answer(consent(toy, **changes))["code"]).raise_for_status().json()
    return tokens


def me(toy: Sandbox, token: str) -> httpx2.Response:
    """Ask who a token belongs to."""
    return call(toy, "GET", "/api/me", headers={"Authorization": f"Bearer {token}"})


class TestAuthPage:
    def test_says_which_platform_asks_for_what(self, toy: Sandbox) -> None:
        query = {"client_key": "psn-sandbox", "redirect_uri": REDIRECT, "response_type": "code", "scope": "read,stay"}

        page = call(toy, "GET", "/oauth/authorize", params=query).text

        assert "your Toy account" in page
        assert "Stay connected" in page
        assert "Write for you" not in page

    def test_adds_what_the_platform_adds_to_the_redirect(self, toy: Sandbox) -> None:
        answer = consent(toy)

        assert answer.headers["location"].endswith("#_")
        assert read_answer(answer)["scopes"] == "read,write,stay"
        assert read_answer(answer)["state"] == "s"

    def test_denies_in_the_platforms_words(self, toy: Sandbox) -> None:
        answer = read_answer(consent(toy, decision="deny"))

        assert answer == {"error": "denied", "error_reason": "user_denied", "state": "s"}

    @pytest.mark.parametrize("uri", ["http://127.0.0.1:4711/any", REDIRECT])
    def test_takes_the_redirects_that_the_platforms_rule_allows(self, toy: Sandbox, uri: str) -> None:
        assert consent(toy, redirect_uri=uri).headers["location"].startswith(f"{uri}?code=")

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"redirect_uri": "http://evil.example/"}, id="redirect"),
            pytest.param({"client_key": "somebody"}, id="app"),
            pytest.param({"client_key": "", "client_id": "psn-sandbox"}, id="name of the client id"),
            pytest.param({"scope": "read write"}, id="separator"),
            pytest.param({"code_challenge": "x" * 43, "code_challenge_method": "S256"}, id="challenge that is not hex"),
        ],
    )
    def test_refuses_the_wrong(self, toy: Sandbox, changes: dict[str, str]) -> None:
        assert consent(toy, **changes).status_code == 400

    def test_shows_the_code_where_nothing_can_be_redirected(self, toy: Sandbox) -> None:
        page = consent(toy, redirect_uri=OUT_OF_BAND)

        code = re.search(r"<code>([^<]+)</code>", page.text)
        assert code
        assert page.status_code == 200
        assert trade(toy, code[1], redirect_uri=OUT_OF_BAND).status_code == 200

    def test_of_one_platform_is_not_answered_at_another(self, toy: Sandbox) -> None:
        query = {"client_key": "psn-sandbox", "redirect_uri": REDIRECT, "response_type": "code", "scope": "read"}
        page = call(toy, "GET", "/oauth/authorize", params=query)
        nonce = re.search(r'name="nonce" value="([^"]+)"', page.text)
        assert nonce

        form = {"nonce": nonce[1], "decision": "allow", "handle": "ann"}
        assert WEB.post(f"{toy.x}/i/oauth2/authorize", data=form).status_code == 400

    def test_gives_handles_longer_than_xs(self, toy: Sandbox) -> None:
        tokens = connect(toy, handle="someone.with.a.long.handle.example")

        assert me(toy, tokens["access_token"]).json()["handle"] == "someone.with.a.long.handle.example"


class TestTakeCode:
    def test_checks_a_challenge_in_hex(self, toy: Sandbox) -> None:
        challenge = {"code_challenge": hashlib.sha256(VERIFIER.encode()).hexdigest(), "code_challenge_method": "S256"}
        right, wrong = (read_answer(consent(toy, **challenge))["code"] for _ in range(2))

        assert trade(toy, right, code_verifier=VERIFIER).status_code == 200
        assert trade(toy, wrong, code_verifier="w" * 64).json() == {"reason": "verifier"}

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"client_secret": "guess"}, "secret"),
            ({"client_secret": ""}, "secret"),
            ({"client_key": "somebody"}, "client"),
            ({"redirect_uri": "https://127.0.0.1:1/"}, "redirect_uri"),
            ({"code": "invented"}, "code"),
        ],
    )
    def test_says_what_is_wrong(self, toy: Sandbox, changes: dict[str, str], reason: str) -> None:
        code = read_answer(consent(toy))["code"]

        assert trade(toy, **{"code": code, **changes}).json() == {"reason": reason}

    def test_knows_a_code_that_is_too_old(self, toy: Sandbox) -> None:
        code = read_answer(consent(toy))["code"]
        toy.move_clock(601)

        assert trade(toy, code).json() == {"reason": "expired"}


class TestTokens:
    def test_stand_in_headers_and_parameters(self, toy: Sandbox) -> None:
        token = connect(toy)["access_token"]

        answers = [
            me(toy, token),
            call(toy, "GET", "/api/me", headers={"Authorization": f"OAuth {token}"}),
            call(toy, "GET", "/api/me", params={"access_token": token}),
            call(toy, "POST", "/api/me", data={"access_token": token}),
        ]

        assert [answer.json().get("handle") for answer in answers] == ["ann.example"] * 4

    def test_never_serve_at_another_platform(self, toy: Sandbox) -> None:
        token = connect(toy)["access_token"]

        answer = WEB.get(f"{toy.x}/2/users/me", headers={"Authorization": f"Bearer {token}"})

        assert answer.status_code == 401

    def test_say_why_they_do_not_serve(self, toy: Sandbox) -> None:
        writer, reader = connect(toy, scope="write"), connect(toy)
        toy.move_clock(3601)
        reasons = [me(toy, token).json()["reason"] for token in ("guess", reader["access_token"])]

        assert call(toy, "GET", "/api/me").json()["reason"] == "missing"
        assert reasons == ["unknown", "expired"]
        assert writer["refresh_token"] == ""

    def test_do_only_what_was_granted(self, toy: Sandbox) -> None:
        answer = me(toy, connect(toy, scope="write")["access_token"]).json()

        assert answer == {"reason": "scope", "detail": "read"}

    def test_without_an_end_never_end(self, toy: Sandbox) -> None:
        token = connect(toy, scope="read")["access_token"]
        toy.move_clock(3600 * 24 * 400)

        assert me(toy, token).status_code == 200

    def test_are_replaced_together_unless_the_refresh_token_stays(self, toy: Sandbox) -> None:
        old = connect(toy)
        kept = call(toy, "POST", "/oauth/token", data={**APP, "refresh_token": old["refresh_token"], "keep": "1"})
        assert kept.json()["refresh_token"] == old["refresh_token"]
        assert me(toy, old["access_token"]).json()["reason"] == "unknown"

        fresh = call(toy, "POST", "/oauth/token", data={**APP, "refresh_token": old["refresh_token"]})
        again = call(toy, "POST", "/oauth/token", data={**APP, "refresh_token": old["refresh_token"]})

        assert me(toy, fresh.json()["access_token"]).status_code == 200
        assert again.json() == {"reason": "refresh"}

    def test_cannot_be_refreshed_after_the_refresh_tokens_end(self, toy: Sandbox) -> None:
        refresh = connect(toy)["refresh_token"]
        toy.move_clock(86401)

        answer = call(toy, "POST", "/oauth/token", data={**APP, "refresh_token": refresh})

        assert answer.json() == {"reason": "refresh"}

    def test_end_when_they_are_taken_back(self, toy: Sandbox) -> None:
        token = connect(toy)["access_token"]

        assert call(toy, "POST", "/oauth/revoke", data={"token": token}).json() == {"revoked": True}

        assert me(toy, token).json()["reason"] == "unknown"

    def test_expire_on_order_wherever_they_stand(self, toy: Sandbox) -> None:
        token = connect(toy)["access_token"]
        toy.fail("expired_token", "GET /api/me", platform="toy")

        assert call(toy, "GET", "/api/me", params={"access_token": token}).json()["reason"] == "expired"


class TestPosts:
    def test_are_called_what_the_platform_calls_them(self, toy: Sandbox) -> None:
        first = write(toy, "One")
        second = write(toy, "Two", kind="comment", parent=first, data={"visibility": "private"})

        comment, post = toy.ask("posts", platform="toy")

        assert first.startswith("toy:")
        assert (post["id"], post["kind"], post["in_reply_to"]) == (first, "post", None)
        assert (comment["id"], comment["kind"], comment["in_reply_to"]) == (second, "comment", first)
        assert comment["data"] == {"visibility": "private"}
        assert [one["id"] for one in toy.ask("posts", kind="comment")] == [second]

    def test_count_the_calls_that_carried_them(self, toy: Sandbox) -> None:
        toy.fail("status", "POST /api/posts", platform="toy", status=503)
        body = {"text": "Again", "remote_id": "r-1"}
        assert call(toy, "POST", "/api/posts", json=body).json() == {"toy_error": 503, "retry_after": None}
        call(toy, "POST", "/api/posts", json=body).raise_for_status()

        assert toy.ask("posts")[0]["id"] == "r-1"
        assert toy.ask("calls", platform="toy", path="/api/posts")[0]["post_id"] == "r-1"

    def test_free_their_name_when_they_are_deleted(self, toy: Sandbox) -> None:
        write(toy, "One", remote_id="mine")
        assert call(toy, "DELETE", "/api/posts/mine").json() == {"deleted": True}
        assert call(toy, "DELETE", "/api/posts/mine").json() == {"deleted": False}

        write(toy, "Two", remote_id="mine")

        assert [post["text"] for post in toy.ask("posts")] == ["Two"]

    def test_of_which_many_are_equal_are_kept_once(self, toy: Sandbox) -> None:
        url = f"{toy.base('toy')}/api/posts"
        write(toy, "First, so that the account is there")

        answers = rush(lambda client, number: client.post(url, json={"text": f"{number}", "key": "same"}), callers=12)

        assert sorted(answer.status_code for answer in answers) == [201, *[409] * 11]

    def test_have_ids_that_grow_whoever_makes_them(self, toy: Sandbox) -> None:
        made = [int(write(toy, f"{number}").removeprefix("toy:")) for number in range(5)]

        assert made == sorted(set(made))

    def test_carry_the_platforms_own_header(self, toy: Sandbox) -> None:
        answer = call(toy, "POST", "/api/posts", json={"text": "Hi"})

        assert answer.headers["x-toy-id"] == toy.last_call()["request_id"]


class TestUploads:
    @pytest.mark.parametrize("size", [0, 70_000_000], ids=["small", "larger than any body that is read whole"])
    def test_of_raw_bytes_are_kept_whole(self, toy: Sandbox, size: int) -> None:
        content = MP4 + bytes(size)

        assert call(toy, "PUT", "/api/files/f1", content=content).json()["received"] == len(content)

        finished = call(toy, "POST", "/api/files/f1").json()
        assert (finished["type"], finished["size"], finished["state"]) == ("video/mp4", len(content), "processing")
        assert toy.ask("calls", path="/api/files/f1")[1]["body_sha256"] == hashlib.sha256(content).hexdigest()
        toy.move_clock(1)
        assert call(toy, "GET", "/api/files/f1").json()["state"] == "ready"
        assert WEB.get(finished["url"]).content == content

    def test_may_come_in_parts_again_and_again(self, toy: Sandbox) -> None:
        for offset, part in ((0, GIF[:10]), (10, b"wrong"), (10, GIF[10:])):
            call(toy, "PUT", f"/api/files/f2?offset={offset}", content=part)
        appended = call(toy, "PUT", "/api/files/f2", content=b"!").json()

        assert appended["size"] == len(GIF) + 1
        assert WEB.get(call(toy, "POST", "/api/files/f2").json()["url"]).content == GIF + b"!"

    @pytest.mark.parametrize("size", [0, 3_000_000], ids=["small", "waits on disk"])
    def test_of_a_form_are_kept_whole(self, toy: Sandbox, size: int) -> None:
        content = make_png() + bytes(size)

        kept = call(toy, "POST", "/api/files", files={"file": ("a.png", content)}).json()

        assert (kept["type"], kept["size"]) == ("image/png", len(content))
        assert WEB.get(kept["url"]).content == content

    def test_leave_nothing_lying_about(self, toy: Sandbox) -> None:
        call(toy, "POST", "/api/files", files={"file": ("a.png", make_png() + bytes(3_000_000))})
        call(toy, "PUT", "/api/files/f3", content=bytes(3_000_000))

        left = {path.name.partition(".")[0] for path in toy.state_dir.iterdir()}

        assert left == {"sandbox", "media"}

    def test_that_are_cut_short_are_not_carried_out(self, toy: Sandbox) -> None:
        head = "PUT /toy/api/files/f4 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
        with socket.create_connection(("127.0.0.1", urlsplit(toy.url).port or 0), timeout=5) as client:
            client.sendall(head.encode() + b"half")
            client.shutdown(socket.SHUT_WR)
            assert client.recv(4096) == b""

        assert toy.ask("calls") == []

    @pytest.mark.parametrize(
        ("header", "status", "part"),
        [
            ("bytes=0-3", 206, slice(0, 4)),
            ("bytes=10-", 206, slice(10, None)),
            ("bytes=-5", 206, slice(-5, None)),
            ("bytes=0-999999", 200, slice(None)),
            ("bytes=5-2", 200, slice(None)),
            ("lines=1-2", 200, slice(None)),
        ],
    )
    def test_are_shown_in_ranges(self, toy: Sandbox, header: str, status: int, part: slice[Any]) -> None:
        call(toy, "PUT", "/api/files/f5", content=GIF)
        url = call(toy, "POST", "/api/files/f5").json()["url"]

        answer = WEB.get(url, headers={"Range": header})

        assert (answer.content, answer.status_code) == (GIF[part], status)

    def test_beyond_the_end_there_is_no_range(self, toy: Sandbox) -> None:
        call(toy, "PUT", "/api/files/f6", content=GIF)
        url = call(toy, "POST", "/api/files/f6").json()["url"]

        answer = WEB.get(url, headers={"Range": "bytes=100000-"})

        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(GIF)}")


class TestJobs:
    def test_go_on_by_the_clock_until_somebody_ends_them(self, toy: Sandbox) -> None:
        assert call(toy, "GET", "/api/jobs/c1").json() == {"state": "processing", "data": {"a": 1}}
        toy.move_clock(1)
        assert call(toy, "GET", "/api/jobs/c1").json()["state"] == "ready"

        first = call(toy, "PUT", "/api/jobs/c1").json()

        assert first == {"changed": True, "state": "published", "data": {"a": 1, "b": 2}}
        assert call(toy, "PUT", "/api/jobs/c1").json()["changed"] is False

    def test_are_ended_by_one_of_many(self, toy: Sandbox) -> None:
        call(toy, "GET", "/api/jobs/c2")
        url = f"{toy.base('toy')}/api/jobs/c2"

        answers = rush(lambda client, _number: client.put(url), callers=12)

        assert sum(answer.json()["changed"] for answer in answers) == 1

    @pytest.mark.parametrize("path", ["/api/jobs/slow", "/api/files/slow"])
    def test_and_uploads_take_longer_on_order(self, toy: Sandbox, path: str) -> None:
        toy.fail("slow_processing", "*", platform="toy", seconds=100, times=1)
        assert call(toy, "POST", path).json()["state"] == "processing"
        toy.move_clock(99)
        assert call(toy, "GET", path).json()["state"] == "processing"
        toy.move_clock(1)
        assert call(toy, "GET", path).json()["state"] == "ready"

    @pytest.mark.parametrize("path", ["/api/jobs/bad", "/api/files/bad"])
    def test_and_uploads_fail_on_order(self, toy: Sandbox, path: str) -> None:
        toy.fail("fail_processing", "*", platform="toy", times=1)
        assert call(toy, "POST", path).json()["state"] == "processing"
        toy.move_clock(1)

        assert call(toy, "GET", path).json()["state"] == "failed"
        assert toy.ask("faults") == []


class TestHostileAnswers:
    def test_html_is_a_proxys_page_after_a_done_deed(self, toy: Sandbox) -> None:
        toy.fail("html", "*", platform="toy")

        answer = call(toy, "POST", "/api/posts", json={"text": "Hi"})

        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert len(toy.ask("posts")) == 1
        assert (toy.last_call()["outcome"], toy.last_call()["fault"]) == ("garbled", "html")

    def test_huge_is_64_megabytes_of_one_string(self, toy: Sandbox) -> None:
        toy.fail("huge", "*", platform="toy")

        answer = call(toy, "POST", "/api/posts", json={"text": "Hi"})

        assert len(answer.content) == 64 * 1024 * 1024
        assert (answer.content[:2], answer.content[-2:]) == (b'"x', b'x"')
        assert len(toy.ask("posts")) == 1

    def test_redirect_leads_out_of_this_machine(self, toy: Sandbox) -> None:
        toy.fail("redirect", "*", platform="toy")

        answer = call(toy, "POST", "/api/posts", json={"text": "Hi"})

        assert (answer.status_code, answer.headers["location"]) == (302, "http://10.0.0.1/")
        assert len(toy.ask("posts")) == 1

    def test_of_one_platform_spares_the_others(self, toy: Sandbox) -> None:
        toy.fail("html", "*", platform="x")

        assert call(toy, "POST", "/api/posts", json={"text": "Hi"}).status_code == 201


class TestFetching:
    def keep(self, toy: Sandbox, key: str, content: bytes, *, mime_type: str = "") -> str:
        """Put a file into the storage and give its address."""
        url = f"{toy.url}/_storage/{key}"
        WEB.put(url, content=content, headers={"Content-Type": mime_type} if mime_type else {}).raise_for_status()
        return url

    def test_from_the_sandboxs_own_storage_works_and_is_seen(self, toy: Sandbox) -> None:
        url = self.keep(toy, "a/b.png", make_png())

        got = call(toy, "POST", "/api/fetch", json={"url": f"{url}?once=1"})

        assert (got.status_code, got.json()["type"]) == (200, "image/png")
        assert WEB.get(got.json()["url"]).content == make_png()
        [fetched, put] = toy.ask("calls", platform="_storage", path="/a/b.png")
        assert (put["method"], put["caller"]) == ("PUT", "")
        assert (fetched["method"], fetched["status"], fetched["caller"]) == ("GET", 200, "toy")

    def test_by_many_at_once_never_stops_the_sandbox(self, toy: Sandbox) -> None:
        address, url = self.keep(toy, "many.png", make_png()), f"{toy.base('toy')}/api/fetch"

        answers = rush(lambda client, _number: client.post(url, json={"url": address}), callers=12)

        assert {answer.status_code for answer in answers} == {200}

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("http://192.0.2.1/a.png", "address"),
            ("http://example.com/a.png", "address"),
            ("http://127.0.0.1.example.com/a.png", "address"),
            ("file:///etc/passwd", "address"),
            ("https://127.0.0.1/a.png", "unreachable"),
            ("http://127.0.0.1:1/a.png", "unreachable"),
            ("http://127.0.0.1:99999/a.png", "address"),
            ("http://[::1/a.png", "address"),
            ("{toy}/_storage/nothing.png", "status"),
            ("{toy}/x/i/web/status/7", "status"),
        ],
    )
    def test_refuses(self, toy: Sandbox, url: str, reason: str) -> None:
        answer = call(toy, "POST", "/api/fetch", json={"url": url.replace("{toy}", toy.url)})

        assert (answer.status_code, answer.json()["reason"]) == (400, reason)

    def test_follows_nobody(self, toy: Sandbox) -> None:
        post = write(toy, "Hi", data={"code": "short"})

        answer = call(toy, "POST", "/api/fetch", json={"url": f"{toy.base('toy')}/p/{post}"})

        assert answer.json()["reason"] == "redirect"

    @pytest.mark.parametrize(
        ("content", "reason"), [(MP4, "size"), (b"", "size"), (b"just words", "type")], ids=["large", "empty", "text"]
    )
    def test_refuses_what_is(self, toy: Sandbox, content: bytes, reason: str) -> None:
        url = self.keep(toy, "it", content)

        answer = call(toy, "POST", "/api/fetch", json={"url": url, "max_bytes": 500})

        assert answer.json()["reason"] == reason
        assert [path.name for path in toy.state_dir.iterdir() if path.name.startswith(".fetched")] == []

    def test_may_fail_on_order(self, toy: Sandbox) -> None:
        url = self.keep(toy, "a.png", make_png())
        toy.fail("status", "GET /a.png", platform="_storage", status=503)

        assert call(toy, "POST", "/api/fetch", json={"url": url}).json()["reason"] == "status"
        assert call(toy, "POST", "/api/fetch", json={"url": url}).status_code == 200


class TestStorage:
    def test_gives_back_what_was_put(self, toy: Sandbox) -> None:
        url = f"{toy.url}/_storage/k/e/y.jpg"

        put = WEB.put(url, content=make_png(), headers={"Content-Type": "image/jpeg"})

        assert (put.status_code, put.headers["location"]) == (201, url)
        got = WEB.get(url, headers={"Range": "bytes=1-3"})
        assert (got.status_code, got.content, got.headers["content-type"]) == (206, b"PNG", "image/jpeg")
        head = WEB.head(url)
        assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(make_png())), b"")

    def test_tells_the_type_by_the_bytes_where_nobody_said(self, toy: Sandbox) -> None:
        url = f"{toy.url}/_storage/k"
        WEB.put(url, content=MP4)

        assert WEB.get(url).headers["content-type"] == "video/mp4"

    def test_replaces_and_forgets(self, toy: Sandbox) -> None:
        url = f"{toy.url}/_storage/k"
        for content in (b"one", b"two"):
            WEB.put(url, content=content)
        assert WEB.get(url).content == b"two"
        assert len(list((toy.state_dir / "storage").iterdir())) == 1

        assert [WEB.delete(url).status_code for _ in range(2)] == [204, 204]

        assert WEB.get(url).status_code == 404
        assert list((toy.state_dir / "storage").iterdir()) == []

    def test_is_empty_after_a_reset(self, toy: Sandbox) -> None:
        url = f"{toy.url}/_storage/k"
        WEB.put(url, content=b"one")

        toy.order("reset", confirm=True)

        assert WEB.get(url).status_code == 404
        assert not (toy.state_dir / "storage").exists()

    def test_has_no_other_methods(self, toy: Sandbox) -> None:
        assert WEB.post(f"{toy.url}/_storage/k").status_code == 405


class TestPages:
    def test_are_found_by_code_and_lead_to_the_one_address(self, toy: Sandbox) -> None:
        post = write(toy, "Look", data={"code": "Cx1"})

        assert "Look" in WEB.get(f"{toy.base('toy')}/@ann/Cx1").text
        for path in (f"p/{post}", "@somebody/Cx1"):
            assert WEB.get(f"{toy.base('toy')}/{path}").headers["location"] == "/toy/@ann/Cx1"
        assert toy.ask("posts")[0]["url"] == f"{toy.base('toy')}/@ann/Cx1"

    def test_are_no_calls(self, toy: Sandbox) -> None:
        toy.fail("status", "*", platform="toy", status=503)
        write_answer = call(toy, "POST", "/api/posts", json={"text": "Hi"})
        assert write_answer.status_code == 503

        WEB.get(f"{toy.base('toy')}/@ann")
        WEB.get(f"{toy.base('toy')}/nothing/here")

        assert len(toy.ask("calls", platform="toy")) == 1

    def test_put_a_comment_below_its_post_and_not_into_the_thread(self, toy: Sandbox) -> None:
        first = write(toy, "Part one")
        second = write(toy, "Part two", parent=first)
        write(toy, "Remark", kind="comment", parent=first)

        page = WEB.get(f"{toy.url}/").text

        assert page.index("Part one") < page.index("Remark") < page.index("Part two")
        assert second
        assert re.search(r'class="post comment through"', page)

    @pytest.mark.parametrize(
        ("kind", "label"),
        [("story", "story"), ("reel", "reel"), ("document", "document"), ("inbox", "waits in the app&#x27;s inbox")],
    )
    def test_label_what_is_no_plain_post(self, toy: Sandbox, kind: str, label: str) -> None:
        write(toy, "It", kind=kind)

        page = WEB.get(f"{toy.url}/").text

        assert f">{label}</span>" in page
        assert ("views" in page) == (kind != "inbox")

    def test_escape_whatever_a_platform_keeps(self, toy: Sandbox) -> None:
        evil = "<script>alert(1)</script>"
        link = {"url": 'https://e.example/"><script>', "title": evil, "description": evil}
        write(toy, evil, data={"title": evil, "spoiler": evil, "visibility": evil, "link": link})
        write(toy, "And", data={"link": {"url": "javascript:alert(1)", "title": "Click"}})

        page = WEB.get(f"{toy.url}/").text

        assert "<script" not in page
        assert "javascript:" not in page
