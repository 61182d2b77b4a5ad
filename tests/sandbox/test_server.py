"""The sandbox as a process: starting, stopping, dying, and whom it serves."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.sandbox.files import make_png
from tests.sandbox.people import Person, connect
from tests.sandbox.process import (
    REPOSITORY,
    WEB,
    Sandbox,
    launch,
    start_sandbox,
    stop_sandbox,
)


class TestServe:
    def test_says_where_it_is(self, tmp_path: Path) -> None:
        sandbox = start_sandbox(tmp_path / "state")

        told = json.loads((tmp_path / "state" / "sandbox.json").read_text())

        assert (told["url"], told["pid"]) == (sandbox.url, sandbox.process.pid)
        assert told["url"] == f"http://127.0.0.1:{told['port']}"
        assert WEB.get(f"{told['url']}/_sandbox/health").json()["ok"] is True
        assert stop_sandbox(sandbox) == 0

    def test_keeps_everything_to_its_owner_whatever_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            sandbox = start_sandbox(tmp_path / "state")
        finally:
            os.umask(before)
        connect(sandbox).post_id("Hello")
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in sandbox.state_dir.iterdir()}
        assert stop_sandbox(sandbox) == 0
        assert {"sandbox.lock", "sandbox.json", "sandbox.sqlite3", "sandbox.sqlite3-wal"} <= set(modes)
        assert set(modes.values()) == {"0o600"}, modes
        assert sandbox.state_dir.stat().st_mode & 0o777 == 0o700

    def test_closes_what_an_earlier_version_left_open(self, tmp_path: Path) -> None:
        stop_sandbox(start_sandbox(tmp_path / "state"))
        for path in (tmp_path / "state").iterdir():
            path.chmod(0o644)
        stop_sandbox(start_sandbox(tmp_path / "state"))
        assert {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "state").iterdir()} == {"0o600"}

    def test_says_so_only_when_it_answers(self, tmp_path: Path) -> None:
        for attempt in range(3):
            sandbox = start_sandbox(tmp_path / str(attempt))
            assert WEB.get(f"{sandbox.url}/_sandbox/health").status_code == 200
            stop_sandbox(sandbox)

    def test_ends_with_3_when_the_port_is_taken(self, sandbox: Sandbox, tmp_path: Path) -> None:
        port = urlsplit(sandbox.url).port

        second = launch(tmp_path / "state", "--port", str(port))

        _, stderr = second.communicate(timeout=15)
        assert (second.returncode, stderr) == (3, f"port {port} is taken\n")
        assert not (tmp_path / "state" / "sandbox.json").exists()

    def test_never_shares_a_state(self, sandbox: Sandbox) -> None:
        told = (sandbox.state_dir / "sandbox.json").read_text()

        second = launch(sandbox.state_dir, "--port", "0")

        _, stderr = second.communicate(timeout=15)
        assert second.returncode == 3
        assert "in use by another sandbox" in stderr
        assert (sandbox.state_dir / "sandbox.json").read_text() == told

    def test_listens_on_loopback_only(self, sandbox: Sandbox) -> None:
        port = urlsplit(sandbox.url).port
        lines = Path(f"/proc/{sandbox.process.pid}/net/tcp").read_text().splitlines()[1:]
        listening = {line.split()[1] for line in lines if line.split()[3] == "0A"}

        assert f"0100007F:{port:04X}" in listening
        assert f"00000000:{port:04X}" not in listening

    def test_knows_neither_hub_nor_psn(self) -> None:
        program = (
            "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'sandbox.settings'; django.setup();"
            "import sandbox.__main__, sandbox.urls;"
            "sys.exit(str(sorted({name.partition('.')[0] for name in sys.modules} & {'psn', 'hub'})).strip('[]'))"
        )
        environ = {**os.environ, "PSN_SANDBOX_STATE": "/nonexistent"}

        done = subprocess.run(
            [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, env=environ, check=False
        )

        assert done.stderr.strip() == ""


class TestState:
    def test_survives_kill_9(self, tmp_path: Path) -> None:
        sandbox = start_sandbox(tmp_path / "state")
        person = connect(sandbox)
        picture = person.call(
            "POST", "/2/media/upload", data={"media_category": "tweet_image"}, files={"media": ("p", make_png())}
        ).json()["data"]["id"]
        post_id = person.post_id("Hello", media={"media_ids": [picture]})
        sandbox.move_clock(3600)
        sandbox.fail("status", status=503)
        before = sandbox.ask("calls")
        sandbox.process.kill()
        sandbox.process.communicate()

        again = start_sandbox(tmp_path / "state")

        person = Person(again, person.handle, person.tokens)
        assert again.ask("calls") == before
        assert person.post("More").status_code == 503
        assert person.post("Hello").status_code == 403
        [post] = again.ask("posts")
        assert (post["id"], post["text"]) == (post_id, "Hello")
        assert WEB.get(post["media"][0]["url"]).content == make_png()
        assert again.ask("health")["now"] > post["created_at"][:11] + "00"
        again.move_clock(0)
        assert int(person.post_id("Later")) - int(post_id) > 3590 * 1000 << 22
        stop_sandbox(again)

    def test_survives_a_kill_in_the_middle_of_many_posts(self, tmp_path: Path) -> None:
        sandbox = start_sandbox(tmp_path / "state")
        person = connect(sandbox)
        told = [person.post_id(f"Post {number}") for number in range(20)]
        sandbox.process.kill()
        sandbox.process.communicate()

        again = start_sandbox(tmp_path / "state")

        assert [post["id"] for post in again.ask("posts")] == told[::-1]
        stop_sandbox(again)

    def test_is_gone_after_a_confirmed_reset_only(self, sandbox: Sandbox, person: Person) -> None:
        person.post_id("Hello")

        assert WEB.post(f"{sandbox.url}/_sandbox/reset", json={}).status_code == 400
        assert len(sandbox.ask("posts")) == 1
        sandbox.order("reset", confirm=True)

        assert sandbox.ask("posts") == []
        assert sandbox.ask("calls") == []
        assert person.call("GET", "/2/users/me").status_code == 401


class TestWhomItServes:
    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.0.7", "0.0.0.0"])
    @pytest.mark.parametrize("path", ["/", "/_sandbox/posts", "/x/2/users/me"])
    def test_refuses_a_foreign_host(self, sandbox: Sandbox, host: str, path: str) -> None:
        assert WEB.get(f"{sandbox.url}{path}", headers={"Host": host}).status_code == 421

    @pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1", "[::1]:80"])
    def test_serves_loopback_by_any_of_its_names(self, sandbox: Sandbox, host: str) -> None:
        assert WEB.get(f"{sandbox.url}/_sandbox/health", headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
    def test_takes_no_orders_from_a_foreign_page(self, sandbox: Sandbox, origin: str) -> None:
        answer = WEB.post(f"{sandbox.url}/_sandbox/reset", json={"confirm": True}, headers={"Origin": origin})

        assert answer.status_code == 403

    def test_takes_orders_as_json_only(self, sandbox: Sandbox) -> None:
        content, headers = '{"confirm": true}', {"Content-Type": "text/plain"}

        assert WEB.post(f"{sandbox.url}/_sandbox/reset", content=content, headers=headers).status_code == 415

    @pytest.mark.parametrize(("method", "path"), [("POST", "health"), ("PUT", "faults"), ("GET", "reset")])
    def test_knows_its_methods(self, sandbox: Sandbox, method: str, path: str) -> None:
        assert WEB.request(method, f"{sandbox.url}/_sandbox/{path}").status_code == 405

    @pytest.mark.parametrize("path", ["/2/nothing", "/2/tweets/abc", "/i/oauth2/nothing"])
    def test_answers_as_x_where_x_has_nothing(self, sandbox: Sandbox, path: str) -> None:
        answer = WEB.get(f"{sandbox.x}{path}")

        assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


class TestConnection:
    def test_is_kept_and_quick(self, sandbox: Sandbox) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(sandbox.url).port or 0)
        connection.connect()
        sock = connection.sock
        begin = time.monotonic()
        for _ in range(20):
            connection.request("GET", "/_sandbox/health")
            assert connection.getresponse().read()

        assert connection.sock is sock
        assert time.monotonic() - begin < 20 * 0.04  # what a delayed acknowledgement would cost each
        connection.close()

    def test_refuses_a_body_without_a_length_and_closes(self, sandbox: Sandbox) -> None:
        port = urlsplit(sandbox.url).port or 0
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            head = "POST /x/2/tweets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            client.sendall(head.encode() + b"2\r\n{}\r\n0\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(4096), b""))

        assert answer.startswith(b"HTTP/1.1 411 ")
        assert answer.count(b"HTTP/1.1") == 1
