"""Uploading a video to its container: where the token goes, and what an answer means."""

from __future__ import annotations

from pathlib import Path

import pytest

from psn.errors import Rejected, Unavailable
from psn.platforms.base import MediaFile
from psn.platforms.instagram.upload import check_address, send_video
from tests.psn.loopback import answer, build_reply, serve

DONE = b'{"success": true, "message": "Upload successful."}'


def video(folder: Path, *, size_bytes: int = 3_000_000) -> MediaFile:
    path = folder / "a.mp4"
    path.write_bytes(b"\x01" * size_bytes)
    return MediaFile(path, "video/mp4", size_bytes)


class TestSendVideo:
    def test_sends_the_whole_file_with_its_size(self, tmp_path: Path) -> None:
        with serve(answer(build_reply(200, DONE))) as server:
            address = f"{server.url}/ig-api-upload/v25.0/7"
            send_video(video(tmp_path), address=address, token="secret", api_base_url=server.url)
            head, _, body = server.requests[0].partition(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        assert lines[0] == "post /ig-api-upload/v25.0/7 http/1.1"
        assert {"authorization: oauth secret", "offset: 0", "file_size: 3000000", "content-length: 3000000"} <= set(
            lines
        )
        assert body == b"\x01" * 3_000_000

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            (build_reply(400, b'{"debug_info": {"retriable": true, "message": "busy"}}'), Unavailable),
            (build_reply(400, b'{"debug_info": {"retriable": false, "message": "no video"}}'), Rejected),
            (build_reply(200, b'{"success": false}'), Unavailable),
            (build_reply(200, b"<html>"), Unavailable),
            (build_reply(302, b"{}", "location: http://10.0.0.1/"), Unavailable),
            (build_reply(500, b"{}"), Unavailable),
        ],
    )
    def test_knows_what_an_answer_means(self, tmp_path: Path, reply: bytes, kind: type[Exception]) -> None:
        with serve(answer(reply)) as server, pytest.raises(kind):
            send_video(video(tmp_path), address=f"{server.url}/up", token="secret", api_base_url=server.url)

    def test_says_that_the_file_is_gone(self, tmp_path: Path) -> None:
        absent = MediaFile(tmp_path / "absent.mp4", "video/mp4", 1)
        with pytest.raises(Rejected) as caught:
            send_video(absent, address="http://127.0.0.1:9/up", token="secret", api_base_url="http://127.0.0.1:9")
        assert caught.value.error_code == "media.unreadable"


class TestCheckAddress:
    @pytest.mark.parametrize(
        ("address", "base"),
        [
            ("https://rupload.facebook.com/ig-api-upload/v25.0/7", "https://graph.instagram.com"),
            ("http://127.0.0.1:8766/instagram/ig-api-upload/v25.0/7", "http://127.0.0.1:8766/instagram"),
        ],
    )
    def test_lets_the_token_go_to_instagram(self, address: str, base: str) -> None:
        assert check_address(address, api_base_url=base).path.endswith("/7")

    @pytest.mark.parametrize(
        "address",
        [
            "", "https://evil.example.com/up", "http://rupload.facebook.com/up", "https://rupload.facebook.com.evil.example/up",
            "https://user@rupload.facebook.com/up", "https://rupload.facebook.com:444/up", "https://127.0.0.1/up",
            "http://169.254.169.254/up", "https://[::1/up", "//rupload.facebook.com/up",
        ],
    )  # fmt: skip
    def test_lets_it_go_nowhere_else(self, address: str) -> None:
        with pytest.raises(Unavailable):
            check_address(address, api_base_url="https://graph.instagram.com")
