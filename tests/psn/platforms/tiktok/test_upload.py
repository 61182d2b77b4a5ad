"""A video's pieces: how it is cut, and what goes over the line."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.deadline import Deadline
from psn.errors import Rejected, Unavailable, UnknownOutcome
from psn.platforms.tiktok import upload
from psn.platforms.tiktok.upload import LastPiece, plan_pieces, send_first_pieces, send_last_piece
from tests.psn.loopback import Line, RawServer, answer, build_reply, hang_up_after_request, serve
from tests.psn.platforms.tiktok.parts import PIECE, imagine, make_video


def accept(line: Line) -> None:
    while line.read_request():
        line.send(build_reply(206, b""))


def ranges(server: RawServer) -> list[str]:
    heads = [request.partition(b"\r\n\r\n")[0].decode().lower() for request in server.requests]
    return [
        line.partition(": ")[2] for head in heads for line in head.split("\r\n") if line.startswith("content-range")
    ]


class TestPlanPieces:
    @given(st.integers(min_value=1, max_value=4_000_000_000))
    def test_is_one_that_tiktok_takes(self, size: int) -> None:
        plan = plan_pieces(size)
        last = size - plan.last_begins
        assert plan.pieces == size // plan.piece_bytes
        assert 1 <= plan.pieces <= 1000
        assert 5_000_000 <= plan.piece_bytes <= 64_000_000 or plan.piece_bytes == size < 64_000_000
        assert plan.piece_bytes <= last < 2 * upload.MIN_PIECE_BYTES or plan.pieces == 1

    @given(st.integers(min_value=1, max_value=1 << 36))
    def test_grows_its_pieces_where_a_thousand_would_not_do(self, size: int) -> None:
        plan = plan_pieces(size)
        assert plan.pieces <= 1000
        assert plan.last_begins + plan.piece_bytes <= size

    @pytest.mark.parametrize(
        ("size", "pieces"), [(1, 1), (2 * PIECE - 1, 1), (2 * PIECE, 2), (3 * PIECE - 1, 2), (3 * PIECE, 3)]
    )
    def test_puts_what_is_left_over_into_the_last(self, size: int, pieces: int) -> None:
        assert plan_pieces(size).pieces == pieces


class TestSendPieces:
    def test_goes_on_without_a_gap_and_keeps_the_last(self, tmp_path: Path) -> None:
        video = make_video(tmp_path / "a.mp4", size_bytes=3 * PIECE + 77)
        with serve(accept) as server:
            url = f"{server.url}/video/?upload_id=7&upload_token=t"
            last = send_first_pieces(video, plan_pieces(video.size_bytes), upload_url=url)
            assert len(server.requests) == 2
            send_last_piece(video, last, send_before=None, timeout_seconds=5)
        found = [tuple(map(int, one[6:].partition("/")[0].split("-"))) for one in ranges(server)]
        assert found[0][0] == 0
        assert found[-1][1] == video.size_bytes - 1
        assert all(after[0] == before[1] + 1 for before, after in pairwise(found))
        sent = b"".join(request.partition(b"\r\n\r\n")[2] for request in server.requests)
        assert sent == video.path.read_bytes()

    def test_tells_nobody_our_token_but_what_the_address_says(self, tmp_path: Path) -> None:
        video = make_video(tmp_path / "a.mov", mime_type="video/quicktime")
        with serve(accept) as server:
            last = LastPiece(upload_url=f"{server.url}/video/?upload_id=7&upload_token=t", begins=0, total_bytes=5000)
            send_last_piece(video, LastPiece.from_handle(last.to_handle()), send_before=None, timeout_seconds=5)
        head = server.requests[0].partition(b"\r\n\r\n")[0].lower()
        assert head.startswith(b"put /video/?upload_id=7&upload_token=t http/1.1")
        assert b"authorization" not in head
        assert b"content-type: video/quicktime" in head
        assert b"content-length: 5000" in head

    def test_holds_one_piece_in_memory(self, tmp_path: Path) -> None:
        video = make_video(tmp_path / "a.mp4", size_bytes=8 * PIECE)

        def swallow(line: Line) -> None:
            while line.read_request():
                line.requests.clear()
                line.send(build_reply(206, b""))

        with serve(swallow) as server:
            send_first_pieces(video, plan_pieces(2 * PIECE), upload_url=server.url)  # what is only needed once
            tracemalloc.start()
            send_first_pieces(video, plan_pieces(video.size_bytes), upload_url=server.url)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 5 * PIECE  # theirs and ours are in one process: sender and receiver each hold one or two

    @pytest.mark.parametrize(
        "url",
        ["http://upload.example.com/x", "ftp://127.0.0.1/x", "https://user:pw@u.example/x", "nonsense", "http://[::1"],
    )
    def test_goes_to_no_unsafe_address(self, url: str, tmp_path: Path) -> None:
        video = make_video(tmp_path / "a.mp4", size_bytes=2 * PIECE)
        with pytest.raises(Unavailable) as caught:
            send_first_pieces(video, plan_pieces(video.size_bytes), upload_url=url)
        assert caught.value.error_code == "tiktok.upload_address"
        with pytest.raises(Unavailable):
            send_last_piece(video, LastPiece(url, PIECE, 2 * PIECE), send_before=None, timeout_seconds=5)

    def test_stops_at_the_first_no(self, tmp_path: Path) -> None:
        video = make_video(tmp_path / "a.mp4", size_bytes=4 * PIECE)
        with serve(answer(build_reply(403, b""))) as server, pytest.raises(Unavailable):
            send_first_pieces(video, plan_pieces(video.size_bytes), upload_url=server.url)
        assert len(server.requests) == 1


class TestSendLastPiece:
    def test_is_unknown_when_the_answer_is_lost(self, tmp_path: Path) -> None:
        video = make_video(tmp_path / "a.mp4")
        with serve(hang_up_after_request) as server, pytest.raises(UnknownOutcome):
            send_last_piece(video, LastPiece(server.url, 0, 5000), send_before=None, timeout_seconds=5)
        assert len(server.requests) == 1

    @pytest.mark.parametrize("status", [500, 503, 408, 302, 404, 416])
    def test_is_unknown_when_nobody_can_tell(self, status: int, tmp_path: Path) -> None:
        video = make_video(tmp_path / "a.mp4")
        with serve(answer(build_reply(status, b""))) as server, pytest.raises(UnknownOutcome):
            send_last_piece(video, LastPiece(server.url, 0, 5000), send_before=None, timeout_seconds=5)

    def test_sends_nothing_after_the_deadline(self, tmp_path: Path) -> None:
        video = make_video(tmp_path / "a.mp4")
        with serve(accept) as server, pytest.raises(Unavailable):
            send_last_piece(video, LastPiece(server.url, 0, 5000), send_before=Deadline(-1), timeout_seconds=5)
        assert server.requests == []

    @pytest.mark.parametrize("total_bytes", [4999, 5001])
    def test_sends_no_other_file_than_was_begun(self, total_bytes: int, tmp_path: Path) -> None:
        video = make_video(tmp_path / "a.mp4")
        with serve(accept) as server, pytest.raises(Rejected) as caught:
            send_last_piece(video, LastPiece(server.url, 0, total_bytes), send_before=None, timeout_seconds=5)
        assert (caught.value.error_code, server.requests) == ("media.changed", [])

    def test_sends_nothing_of_a_file_that_is_gone(self) -> None:
        with serve(accept) as server, pytest.raises(Rejected) as caught:
            send_last_piece(imagine("video/mp4"), LastPiece(server.url, 0, 5000), send_before=None, timeout_seconds=5)
        assert (caught.value.error_code, server.requests) == ("media.unreadable", [])


class TestMeasure:
    def test_looks_at_the_file_itself(self, tmp_path: Path) -> None:
        assert upload.measure(make_video(tmp_path / "a.mp4", size_bytes=7)) == 7

    def test_refuses_an_empty_one(self, tmp_path: Path) -> None:
        with pytest.raises(Rejected) as caught:
            upload.measure(make_video(tmp_path / "a.mp4", size_bytes=0))
        assert caught.value.error_code == "media.empty"
