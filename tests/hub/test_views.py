"""The hub's web process over real HTTP: a signed media file and nothing else (MEDIA-3)."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from django.conf import settings
from django.core import signing

from hub.actions.web import MAX_CONNECTIONS, Server, bind_web
from hub.publishing.addresses import _sign, _sign_for_web
from psn.errors import Conflict, Rejected

CONTENT = bytes(range(256)) * 4000  # about 1 MB: several pieces
ROOT = Path(__file__).resolve().parents[2]
PUBLIC = "https://media.example.com"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The web process's server, in a thread."""
    made = bind_web(host="127.0.0.1", port=0)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def base_url(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def web(base_url: str) -> Iterator[httpx2.Client]:
    """A client of it."""
    with httpx2.Client(base_url=base_url, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def folder(workspace: Path) -> Path:
    """The media folder."""
    folder = workspace / "content" / "media"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def file(folder: Path) -> Iterator[Path]:
    """A file in it."""
    path = folder / "picture.jpg"
    path.write_bytes(CONTENT)
    yield path
    path.unlink(missing_ok=True)


def sign(name: str, mime_type: str = "image/jpeg", *, seconds: float = 60) -> str:
    return f"/media/{_sign(name, mime_type, ends_at=datetime.now(UTC) + timedelta(seconds=seconds))}"


class TestASignedAddress:
    def test_leads_to_the_file(self, web: httpx2.Client, file: Path) -> None:
        answer = web.get(sign("picture.jpg"))
        assert (answer.status_code, answer.content) == (200, CONTENT)
        assert (answer.headers["content-type"], answer.headers["content-length"]) == ("image/jpeg", str(len(CONTENT)))

    def test_is_for_looking_only(self, web: httpx2.Client, file: Path) -> None:
        headers = web.get(sign("picture.jpg")).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
        assert headers["cache-control"] == "private, no-store"
        assert [web.request(method, sign("picture.jpg")).status_code for method in ("POST", "PUT", "DELETE")] == [
            405
        ] * 3

    def test_says_how_large_the_file_is(self, web: httpx2.Client, file: Path) -> None:
        answer = web.head(sign("picture.jpg"))
        assert (answer.status_code, answer.content) == (200, b"")
        assert (answer.headers["content-length"], answer.headers["accept-ranges"]) == (str(len(CONTENT)), "bytes")

    @pytest.mark.parametrize(
        ("asked", "begin", "end"),
        [
            ("0-0", 0, 1),
            ("5-9", 5, 10),
            ("1000000-", 1_000_000, None),
            ("-3", -3, None),
            ("1023999-9999999999", 1_023_999, None),
        ],
    )
    def test_leads_to_a_range_of_it(
        self, web: httpx2.Client, file: Path, asked: str, begin: int, end: int | None
    ) -> None:
        answer = web.get(sign("picture.jpg"), headers={"Range": f"bytes={asked}"})
        assert (answer.status_code, answer.content) == (206, CONTENT[begin:end])
        first = begin % len(CONTENT)
        assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(CONTENT)}"

    @pytest.mark.parametrize("asked", ["bytes=1024000-", "bytes=-0"])
    def test_refuses_a_range_behind_the_end(self, web: httpx2.Client, file: Path, asked: str) -> None:
        answer = web.get(sign("picture.jpg"), headers={"Range": asked})
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")

    @pytest.mark.parametrize(
        "asked", ["bytes=5-2", "bytes=a-b", "bytes=0-1,4-5", "lines=1-2", "bytes=-", f"bytes={'9' * 40}-"]
    )
    def test_leads_to_all_of_it_where_a_range_makes_no_sense(self, web: httpx2.Client, file: Path, asked: str) -> None:
        assert web.get(sign("picture.jpg"), headers={"Range": asked}).content == CONTENT

    def test_leads_to_an_empty_file(self, web: httpx2.Client, folder: Path) -> None:
        (folder / "empty.jpg").write_bytes(b"")
        for headers in ({}, {"Range": "bytes=0-"}, {"Range": "bytes=-5"}):
            assert web.get(sign("empty.jpg"), headers=headers).content == b""

    def test_ends(self, web: httpx2.Client, file: Path) -> None:
        answer = web.get(sign("picture.jpg", seconds=-1))
        assert (answer.status_code, answer.text) == (410, "This address has ended.\n")

    def test_leads_nowhere_once_the_file_is_gone(self, web: httpx2.Client, file: Path) -> None:
        address = sign("picture.jpg")
        file.unlink()
        assert web.get(address).status_code == 404

    def test_says_that_the_web_process_is_there(self, web: httpx2.Client) -> None:
        assert web.head(sign("")).status_code == 204


class TestWhatIsNotSigned:
    def test_is_not_shown(self, web: httpx2.Client, file: Path) -> None:
        address = sign("picture.jpg")
        stranger = signing.dumps(
            {"p": "picture.jpg", "t": "image/jpeg", "e": 9999999999}, salt="psn.media", key="other"
        )
        elsewhere = signing.dumps({"p": "picture.jpg", "t": "image/jpeg", "e": 9999999999}, salt="other")
        wrong = (
            "/", "/media", "/media/", "/media/picture.jpg", "/media/../media/picture.jpg", "/media/content/media/picture.jpg",
            address[:-1], address.swapcase(), f"{address}x", f"{address}/", f"/media/{stranger}", f"/media/{elsewhere}",
        )  # fmt: skip
        for path in wrong:
            answer = web.get(path)
            assert answer.status_code == 404, path
            assert CONTENT[:100] not in answer.content

    @pytest.mark.parametrize(
        "name",
        ["../../config/hub.env", "../secret", "/etc/passwd", "link", "linked/secret", ".", "..", "nothing", "pipe"],
    )
    def test_is_not_shown_even_if_it_is_signed_when_it_lies_elsewhere(
        self, web: httpx2.Client, folder: Path, name: str
    ) -> None:
        secret = folder.parent / "secret"
        secret.write_text("secret")
        for link, target in (("link", secret), ("linked", folder.parent)):
            if not (folder / link).is_symlink():
                (folder / link).symlink_to(target)
        if not (folder / "pipe").exists():
            os.mkfifo(folder / "pipe")
        assert web.get(sign(name)).status_code == 404

    def test_is_not_signed_when_it_lies_elsewhere(
        self, folder: Path, tmp_path: Path, settings: pytest.FixtureRequest
    ) -> None:
        settings.MEDIA_BASE_URL = PUBLIC  # type: ignore[attr-defined]
        outside = tmp_path / "outside.jpg"
        outside.write_bytes(b"x")
        with pytest.raises(Rejected) as caught:
            _sign_for_web(outside, "image/jpeg", ends_at=datetime.now(UTC))
        assert caught.value.error_code == "media.address"


class TestTheServer:
    def test_serves_many_at_once(self, base_url: str, file: Path) -> None:
        address = sign("picture.jpg")
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: httpx2.get(base_url + address, trust_env=False).content, range(16)))
        assert all(answer == CONTENT for answer in answers)

    def test_hangs_up_on_too_many_and_goes_on(self, server: Server, web: httpx2.Client, file: Path) -> None:
        idle = [socket.create_connection(("127.0.0.1", server.server_address[1])) for _ in range(MAX_CONNECTIONS)]
        deadline = time.monotonic() + 5
        refused = False
        while not refused and time.monotonic() < deadline:
            try:
                refused = web.head(sign("")).status_code != 204
            except httpx2.HTTPError:
                refused = True
        for one in idle:
            one.close()
        assert refused
        while time.monotonic() < deadline + 5:
            try:
                assert web.head(sign("")).status_code == 204
                return
            except httpx2.HTTPError:
                time.sleep(0.02)
        raise AssertionError("it did not recover")

    def test_takes_no_address_twice(self, server: Server) -> None:
        with pytest.raises(Conflict):
            bind_web(host="127.0.0.1", port=int(server.server_address[1]))


class TestTheProcess:
    def test_serves_until_it_is_told_to_stop(self, file: Path) -> None:
        environment = {**os.environ, "PSN_NO_BOOTSTRAP": "1", "PSN_WORKSPACE": str(settings.WORKSPACE.root)}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        process = subprocess.Popen(
            [sys.executable, "manage.py", "psn_web", "run", "--port", "0"],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stderr is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
            assert found, process.communicate()
            assert httpx2.get(found[0] + sign("picture.jpg"), trust_env=False).content == CONTENT
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=10)
        finally:
            process.kill()
        assert process.returncode == 0, err
        assert '"type": "result"' in out
        assert "picture" not in err
        assert "/media/" not in err
