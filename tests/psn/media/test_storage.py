"""Files in a bucket, against moto's S3 server on loopback (MEDIA-3)."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx2
import pytest
from moto.server import ThreadedMotoServer

from psn.errors import InvalidInput, NotReady, Rejected, Unavailable
from psn.media.storage import PREFIX, Bucket, check_bucket, delete_ended, upload_file

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
LARGE_BYTES = 9 * 1024 * 1024  # goes up in several parts


@pytest.fixture(scope="module")
def endpoint_url() -> Iterator[str]:
    """An S3 server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keys in the environment, and none anywhere else."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


@pytest.fixture
def bucket(endpoint_url: str, keys: None) -> Iterator[Bucket]:
    """An empty bucket."""
    s3 = boto3.resource("s3", endpoint_url=endpoint_url, region_name="us-east-1")
    s3.create_bucket(Bucket="media")
    yield Bucket("media", endpoint_url, "us-east-1")
    s3.Bucket("media").objects.delete()
    s3.Bucket("media").delete()


def names(bucket: Bucket) -> list[str]:
    s3 = boto3.resource("s3", endpoint_url=bucket.endpoint_url, region_name=bucket.region)
    return [one.key for one in s3.Bucket(bucket.name).objects.all()]


def make_file(folder: Path, *, size_bytes: int = 10, name: str = "Picture.JPG") -> Path:
    path = folder / name
    path.write_bytes(bytes(range(256)) * (size_bytes // 256) + b"x" * (size_bytes % 256))
    return path


class TestUploadFile:
    @pytest.mark.parametrize("size_bytes", [0, 10, LARGE_BYTES])
    def test_gives_an_address_that_leads_to_the_file(self, bucket: Bucket, tmp_path: Path, size_bytes: int) -> None:
        path = make_file(tmp_path, size_bytes=size_bytes)
        url = upload_file(bucket, path, "image/jpeg", now=NOW)
        answer = httpx2.get(url, trust_env=False)
        assert (answer.status_code, answer.content == path.read_bytes()) == (200, True)
        assert answer.headers["content-type"] == "image/jpeg"

    def test_lets_a_platform_fetch_it_in_ranges(self, bucket: Bucket, tmp_path: Path) -> None:
        url = upload_file(bucket, make_file(tmp_path), "image/jpeg", now=NOW)
        part = httpx2.get(url, headers={"Range": "bytes=2-5"}, trust_env=False)
        assert (part.status_code, part.content) == (206, b"xxxx")

    def test_tells_the_type_that_was_found_whatever_the_file_is_called(self, bucket: Bucket, tmp_path: Path) -> None:
        url = upload_file(bucket, make_file(tmp_path, name="clip.jpg"), "video/mp4", now=NOW)
        assert httpx2.get(url, trust_env=False).headers["content-type"] == "video/mp4"

    def test_signs_it_and_lets_it_end(self, bucket: Bucket, tmp_path: Path) -> None:
        url = upload_file(bucket, make_file(tmp_path), "image/jpeg", now=NOW, life=timedelta(hours=1))
        query = parse_qs(urlsplit(url).query)
        assert query["X-Amz-Expires"] == ["3600"]
        assert query["X-Amz-Signature"]

    def test_never_gives_a_name_twice_or_the_file_s_own(self, bucket: Bucket, tmp_path: Path) -> None:
        path = make_file(tmp_path)
        addresses = {urlsplit(upload_file(bucket, path, "image/jpeg", now=NOW)).path for _ in range(3)}
        assert len(addresses) == 3
        for address in addresses:
            assert re.fullmatch(rf"/media/{PREFIX}[0-9]+-[A-Za-z0-9_-]{{32}}\.jpg", address)

    def test_says_that_a_file_is_gone(self, bucket: Bucket, tmp_path: Path) -> None:
        with pytest.raises(Rejected) as caught:
            upload_file(bucket, tmp_path / "gone.jpg", "image/jpeg", now=NOW)
        assert caught.value.error_code == "media.unreadable"


class TestDeleteEnded:
    def test_deletes_what_nobody_can_fetch_any_more_and_nothing_else(self, bucket: Bucket, tmp_path: Path) -> None:
        path = make_file(tmp_path)
        for hours in (1, 2, 3):
            upload_file(bucket, path, "image/jpeg", now=NOW, life=timedelta(hours=hours))
        s3 = boto3.resource("s3", endpoint_url=bucket.endpoint_url, region_name=bucket.region)
        others = [f"{PREFIX}mine.jpg", "1-other.jpg", f"{PREFIX}{'9' * 30}-x"]
        for name in others:
            s3.Bucket(bucket.name).put_object(Key=name, Body=b"x")
        assert delete_ended(bucket, now=NOW) == 0
        assert delete_ended(bucket, now=NOW + timedelta(hours=2)) == 2
        assert delete_ended(bucket, now=NOW + timedelta(hours=2)) == 0
        assert set(others) < set(names(bucket))
        assert len(names(bucket)) == len(others) + 1


class TestTrouble:
    def test_is_told_of_a_bucket_that_is_not_there(self, bucket: Bucket, tmp_path: Path) -> None:
        other = Bucket("nowhere", bucket.endpoint_url, bucket.region)
        for call in (
            lambda: check_bucket(other),
            lambda: upload_file(other, make_file(tmp_path), "image/jpeg", now=NOW),
            lambda: upload_file(other, make_file(tmp_path, size_bytes=LARGE_BYTES), "image/jpeg", now=NOW),
        ):
            with pytest.raises(NotReady, match="no such bucket") as caught:
                call()
            assert caught.value.error_code == "media.bucket"

    def test_is_told_of_absent_keys(self, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as without:
            without.delenv("AWS_ACCESS_KEY_ID")
            without.delenv("AWS_SECRET_ACCESS_KEY")
            with pytest.raises(NotReady, match="AWS_ACCESS_KEY_ID"):
                upload_file(bucket, make_file(tmp_path), "image/jpeg", now=NOW)
            with pytest.raises(NotReady, match="AWS_ACCESS_KEY_ID"):
                check_bucket(bucket)

    def test_passes_when_nobody_answers(self, keys: None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with pytest.raises(Unavailable) as caught:
            check_bucket(Bucket("media", f"http://127.0.0.1:{port}", "us-east-1"))
        assert caught.value.error_code == "media.storage"

    def test_is_told_of_an_open_line(self, keys: None) -> None:
        with pytest.raises(InvalidInput, match="encryption"):
            check_bucket(Bucket("media", "http://storage.example.com", "us-east-1"))

    def test_lies_in_no_bucket_that_is_well(self, bucket: Bucket) -> None:
        check_bucket(bucket)

    def test_never_shows_the_keys(self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
        with pytest.raises(NotReady) as caught:
            check_bucket(Bucket("nowhere", bucket.endpoint_url, bucket.region))
        assert "very-secret" not in f"{caught.value!r} {caught.value.message}"
