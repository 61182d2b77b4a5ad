"""Media by their address: the public internet, and nothing else."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from psn.errors import InvalidInput, Unavailable
from psn.media.addresses import IpAddress, Resolve, fetch_media, is_public, resolve_host
from tests.psn.media.making import packed, picture

IMAGE = packed(picture(), "PNG")


class Pages(ThreadingHTTPServer):
    """A server whose answers are set by path: (status, headers, body)."""

    answers: dict[str, tuple[int, dict[str, str], bytes]]
    asked: list[tuple[str, str]]


class Handler(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        self.server.asked.append((self.headers["host"], self.path))
        if self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.1)
            return
        status, headers, body = self.server.answers.get(self.path, (404, {}, b"nothing"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def pages() -> Iterator[Pages]:
    server = Pages(("127.0.0.1", 0), Handler)
    server.answers, server.asked = {"/a.png": (200, {}, IMAGE)}, []
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def loopback_too(address: IpAddress) -> bool:
    return is_public(address) or address == ipaddress.ip_address("127.0.0.1")


def saying(*addresses: str) -> Resolve:
    """Be a name server that gives these for any host."""

    def resolve(*_: object) -> list[str]:
        return list(addresses)

    return resolve


def fetch(folder: Path, url: str, *, max_bytes: int = 1_000_000, seconds: float = 10) -> Path:
    return fetch_media(
        url, folder, max_bytes=max_bytes, seconds=seconds, resolve=saying("127.0.0.1"), is_allowed=loopback_too
    )


class TestIsPublic:
    @pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::200e"])
    def test_takes_the_internet(self, address: str) -> None:
        assert is_public(ipaddress.ip_address(address))

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
            "100.127.255.255", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
            "255.255.255.255", "192.88.99.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "fe80::1", "fc00::1",
            "fd00:ec2::254", "fec0::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2001:db8::1", "2001::1", "2002:7f00:1::",
            "2002:808:808::", "100::1", "::ffff:0:7f00:1",
        ],
    )  # fmt: skip
    def test_takes_nothing_else(self, address: str) -> None:
        assert not is_public(ipaddress.ip_address(address))


class TestResolveHost:
    @pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost"])
    def test_gives_what_would_really_be_called(self, host: str) -> None:
        assert set(resolve_host(host, 443)) <= {"127.0.0.1", "::1"}


class TestFetchMedia:
    def test_fetches_a_file_and_names_it_for_its_content(self, tmp_path: Path, pages: Pages) -> None:
        path = fetch(tmp_path, f"http://pictures.example:{pages.server_port}/a.png")
        assert path.read_bytes() == IMAGE
        assert path.suffix == ".png"
        assert list(tmp_path.iterdir()) == [path]
        assert pages.asked == [(f"pictures.example:{pages.server_port}", "/a.png")]

    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1", "2130706433", "0x7f000001", "0177.1", "127.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254",
            "10.0.0.1", "[fe80::1]", "0.0.0.0", "[64:ff9b::a9fe:a9fe]",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("scheme", ["https", "http"])
    def test_never_calls_what_is_not_on_the_internet(
        self, tmp_path: Path, pages: Pages, scheme: str, host: str
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            fetch_media(f"{scheme}://{host}:{pages.server_port}/a.png", tmp_path, max_bytes=10**6, seconds=5)
        assert refused.value.error_code == "media.url"
        assert pages.asked == []
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "found",
        [["8.8.8.8", "10.0.0.1"], ["::ffff:169.254.169.254"], ["fe80::1%2"], ["not an address"]],
        ids=["one of them", "mapped", "link-local", "nonsense"],
    )
    def test_never_calls_a_host_any_of_whose_addresses_is_not(self, tmp_path: Path, found: list[str]) -> None:
        with pytest.raises(InvalidInput) as refused:
            fetch_media("https://x.example/a", tmp_path, max_bytes=10**6, seconds=5, resolve=saying(*found))
        assert refused.value.error_code == "media.url"

    def test_asks_for_an_address_once_and_calls_that_one(self, tmp_path: Path, pages: Pages) -> None:
        answers = [["169.254.169.254"], ["127.0.0.1"]]  # what a name server says first, the last, and what it says then

        def resolve(*_: object) -> list[str]:
            return answers.pop()

        url = f"http://rebinding.example:{pages.server_port}/a.png"
        path = fetch_media(url, tmp_path, max_bytes=10**6, seconds=5, resolve=resolve, is_allowed=loopback_too)
        assert path.read_bytes() == IMAGE
        assert answers == [["169.254.169.254"]]

    def test_follows_a_redirect_to_where_it_may(self, tmp_path: Path, pages: Pages) -> None:
        pages.answers["/moved"] = (302, {"location": "/a.png"}, b"")
        assert fetch(tmp_path, f"http://x.example:{pages.server_port}/moved").read_bytes() == IMAGE

    @pytest.mark.parametrize(
        "location",
        ["http://169.254.169.254/latest/meta-data", "https://[fd00:ec2::254]/", "https://10.0.0.1/", "file:///etc/passwd", "ftp://8.8.8.8/x",
         "http://8.8.8.8/a.png", "https://user:word@x.example/", "https://"],
    )  # fmt: skip
    def test_never_follows_one_to_where_it_may_not(self, tmp_path: Path, pages: Pages, location: str) -> None:
        pages.answers["/moved"] = (302, {"location": location}, b"")
        url = f"http://x.example:{pages.server_port}/moved"

        def resolve(host: str, port: int) -> list[str]:
            return ["127.0.0.1"] if host == "x.example" else [host]

        with pytest.raises(InvalidInput) as refused:
            fetch_media(url, tmp_path, max_bytes=10**6, seconds=5, resolve=resolve, is_allowed=loopback_too)
        assert refused.value.error_code == "media.url"
        assert len(pages.asked) == 1

    def test_does_not_go_round_in_circles(self, tmp_path: Path, pages: Pages) -> None:
        pages.answers["/round"] = (307, {"location": "/round"}, b"")
        with pytest.raises(InvalidInput):
            fetch(tmp_path, f"http://x.example:{pages.server_port}/round")
        assert len(pages.asked) == 6

    def test_stops_at_so_many_bytes_announced_or_not(self, tmp_path: Path, pages: Pages) -> None:
        pages.answers["/large"] = (200, {"content-length": "100000"}, IMAGE + b"\0" * (100_000 - len(IMAGE)))
        pages.answers["/unannounced"] = (200, {}, b"\x89PNG\r\n\x1a\n" + b"\0" * 100_000)
        for path in ("/large", "/unannounced"):
            with pytest.raises(InvalidInput) as refused:
                fetch(tmp_path, f"http://x.example:{pages.server_port}{path}", max_bytes=50_000)
            assert refused.value.error_code == "media.too_large"
        assert list(tmp_path.iterdir()) == []

    def test_stops_when_time_is_up(self, tmp_path: Path, pages: Pages) -> None:
        began = time.monotonic()
        with pytest.raises(Unavailable) as refused:
            fetch(tmp_path, f"http://x.example:{pages.server_port}/slow", seconds=0.5)
        assert time.monotonic() - began < 5
        assert refused.value.error_code == "media.unreachable"
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("status", "problem"), [(404, InvalidInput), (403, InvalidInput), (204, InvalidInput), (503, Unavailable)]
    )
    def test_says_whether_another_try_may_do(
        self, tmp_path: Path, pages: Pages, status: int, problem: type[InvalidInput | Unavailable]
    ) -> None:
        pages.answers["/a"] = (status, {}, b"")
        with pytest.raises(problem):
            fetch(tmp_path, f"http://x.example:{pages.server_port}/a")

    def test_takes_nothing_but_media_whatever_the_server_calls_it(self, tmp_path: Path, pages: Pages) -> None:
        pages.answers["/page.png"] = (200, {"content-type": "image/png"}, b"<html>please sign in</html>")
        with pytest.raises(InvalidInput) as refused:
            fetch(tmp_path, f"http://x.example:{pages.server_port}/page.png")
        assert refused.value.error_code == "media.type"
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "url",
        ["", "x.example/a.png", "ftp://x.example/a", "https://", "https://u:p@x.example/a", "https://x.example:0/", "https://x.example:99999/",
         "https://x.example/a b", "https://x.example\\@y.example/", "https://x.example/\n", "https://[::1",
         "https://" + "a" * 300 + ".example/",         "https://x.example/" + "a" * 5000, "data:image/png;base64,AAAA"],
    )  # fmt: skip
    def test_refuses_what_is_no_address(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            fetch(tmp_path, url)
        assert refused.value.error_code == "media.url"

    def test_tries_the_next_address_of_a_host(self, tmp_path: Path, pages: Pages) -> None:
        path = fetch_media(
            f"http://x.example:{pages.server_port}/a.png",
            tmp_path,
            max_bytes=10**6,
            seconds=5,
            resolve=saying("::1", "127.0.0.1"),  # nobody answers at the first
            is_allowed=lambda address: address.is_loopback,
        )
        assert path.read_bytes() == IMAGE

    def test_says_that_a_host_has_no_address(self, tmp_path: Path) -> None:
        def resolve(host: str, port: int) -> list[str]:
            raise OSError("no such host")

        with pytest.raises(Unavailable):
            fetch_media("https://x.example/a", tmp_path, max_bytes=10**6, seconds=5, resolve=resolve)
