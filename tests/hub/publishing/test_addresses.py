"""Where platforms fetch media: chosen by what is set up (MEDIA-3)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx2
import pytest
from moto.server import ThreadedMotoServer

from hub.actions.web import bind_web
from hub.models import Account
from hub.publishing import addresses
from hub.publishing.addresses import check_addresses, delete_ended, make_addresses, public_address
from psn.errors import Rejected, Unavailable
from tests.sandbox.conftest import sandbox, sandbox_process
from tests.sandbox.process import Sandbox

__all__ = ["sandbox", "sandbox_process"]

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
IMAGES = frozenset({"image"})
PUBLIC = "https://media.example.com"
CONTENT = b"\xff\xd8\xff picture"


@pytest.fixture
def file(workspace: Path) -> Iterator[Path]:
    """A file of the workspace."""
    folder = workspace / "content" / "media"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "abc.jpg"
    path.write_bytes(CONTENT)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket that is set up."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    settings.MEDIA_BUCKET, settings.MEDIA_ENDPOINT_URL, settings.MEDIA_REGION = (
        "media",
        f"http://{host}:{port}",
        "us-east-1",
    )
    made = boto3.resource("s3", endpoint_url=settings.MEDIA_ENDPOINT_URL, region_name="us-east-1").Bucket("media")
    made.create()
    yield made
    made.objects.delete()
    made.delete()
    server.stop()


def account(**values: Any) -> Account:
    return Account(**({"platform": "instagram", "handle": "ann", "base_url": ""} | values))


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class TestMakeAddresses:
    def test_gives_none_for_what_is_not_fetched(self, file: Path) -> None:
        address = make_addresses(account(), kinds=IMAGES)
        assert address(file, "video/mp4") == ""
        assert address(file, "application/pdf") == ""

    def test_gives_one_for_what_is_fetched(self, file: Path, settings: Any) -> None:
        settings.MEDIA_BASE_URL = PUBLIC
        assert make_addresses(account(), kinds=IMAGES)(file, "image/jpeg").startswith(f"{PUBLIC}/media/")
        documents = make_addresses(account(), kinds=frozenset({"document"}))
        assert documents(file, "application/pdf").startswith(PUBLIC)


class TestWithNothingSetUp:
    @pytest.mark.parametrize("base_url", ["", "http://127.0.0.1:8767", "http://media.example.com", "nonsense"])
    def test_refuses_and_says_what_to_set(self, file: Path, settings: Any, base_url: str) -> None:
        settings.MEDIA_BASE_URL = base_url
        with pytest.raises(Rejected) as caught:
            public_address(file, "image/jpeg", account=account(), now=NOW)
        found = check_addresses(account())
        assert found is not None
        assert (caught.value.error_code, found.code, found.level) == ("media.address", "media.address", "error")
        assert "PSN_MEDIA_BASE_URL" in (found.fix or "")
        if not base_url:
            assert "PSN_MEDIA_BUCKET" in found.message


class TestAtTheSandbox:
    def test_lies_in_its_own_storage(self, file: Path, sandbox: Sandbox, settings: Any) -> None:
        settings.MEDIA_BUCKET = settings.MEDIA_BASE_URL = "never used"
        at_sandbox = account(is_sandbox=True, base_url=sandbox.base("instagram"))
        first, second = (public_address(file, "image/jpeg", account=at_sandbox, now=NOW) for _ in range(2))
        assert first != second
        answer = httpx2.get(first, trust_env=False)
        assert (answer.content, answer.headers["content-type"]) == (CONTENT, "image/jpeg")
        assert urlsplit(first).path.startswith("/_storage/")
        assert urlsplit(first).path.endswith(".jpg")
        assert check_addresses(at_sandbox) is None

    def test_is_unavailable_while_the_sandbox_is(self, file: Path) -> None:
        gone = account(is_sandbox=True, base_url=f"http://127.0.0.1:{closed_port()}/instagram")
        with pytest.raises(Unavailable):
            public_address(file, "image/jpeg", account=gone, now=NOW)

    def test_needs_a_file(self, workspace: Path, sandbox: Sandbox) -> None:
        at_sandbox = account(is_sandbox=True, base_url=sandbox.base("instagram"))
        with pytest.raises(Rejected) as caught:
            public_address(workspace / "gone.jpg", "image/jpeg", account=at_sandbox, now=NOW)
        assert caught.value.error_code == "media.unreadable"


class TestInABucket:
    def test_lies_there_until_it_ends(self, file: Path, bucket: Any, settings: Any) -> None:
        settings.MEDIA_BASE_URL = PUBLIC  # the bucket comes first
        now = datetime.now(UTC)
        url = public_address(file, "image/jpeg", account=account(), now=now)
        answer = httpx2.get(url, trust_env=False)
        assert (answer.content, answer.headers["content-type"]) == (CONTENT, "image/jpeg")
        assert check_addresses(account()) is None
        assert (delete_ended(now=now), delete_ended(now=now + addresses.LIFE)) == (0, 1)
        assert list(bucket.objects.all()) == []

    def test_is_refused_where_the_bucket_is_none(self, file: Path, bucket: Any, settings: Any) -> None:
        settings.MEDIA_BUCKET = "nowhere"
        with pytest.raises(Rejected) as caught:
            public_address(file, "image/jpeg", account=account(), now=NOW)
        found = check_addresses(account())
        assert found is not None
        assert (caught.value.error_code, found.code, found.level) == ("media.address", "media.address", "error")
        assert "nowhere" in caught.value.message

    def test_is_unavailable_while_the_storage_is(self, file: Path, bucket: Any, settings: Any) -> None:
        settings.MEDIA_ENDPOINT_URL = f"http://127.0.0.1:{closed_port()}"
        found = check_addresses(account())
        assert found is not None
        assert found.level == "warning"

    def test_has_nothing_to_delete_where_there_is_no_bucket(self) -> None:
        assert delete_ended(now=NOW) == 0


class TestAtTheWebProcess:
    def test_is_signed_for_this_file_until_then(self, file: Path, settings: Any) -> None:
        settings.MEDIA_BASE_URL = f"{PUBLIC}/psn/"
        url = public_address(file, "image/jpeg", account=account(), now=NOW, life=timedelta(hours=1))
        assert url.startswith(f"{PUBLIC}/psn/media/")
        token = url.rpartition("/")[2]
        signed = addresses.read_token(token, now=NOW + timedelta(minutes=59))
        assert (signed.path, signed.mime_type) == (file.resolve(), "image/jpeg")

    def test_is_checked_from_outside(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        server = bind_web(host="127.0.0.1", port=0)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        monkeypatch.setattr(addresses, "_is_this_machine", lambda _: False)  # as if this machine were far away
        settings.MEDIA_BASE_URL = f"http://127.0.0.1:{server.server_address[1]}"
        assert check_addresses(account()) is None
        settings.SECRET_KEY = "another hub's"
        monkeypatch.setattr(server, "application", answer_404)
        found = check_addresses(account())
        assert found is not None
        assert (found.level, "404" in found.message) == ("error", True)
        server.shutdown()
        server.server_close()
        found = check_addresses(account())
        assert found is not None
        assert found.level == "warning"


def answer_404(_environ: Any, start_response: Any) -> list[bytes]:
    """Be somebody else's web server."""
    start_response("404 Not Found", [("Content-Length", "0")])
    return []
