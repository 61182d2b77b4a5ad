"""What a file is, by its bytes."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psn.errors import InvalidInput
from psn.media.sniff import EXTENSIONS, sniff_mime_type
from tests.psn.media.making import archive, ole
from tests.sandbox.files import GIF, MP4, make_png

OOXML = "application/vnd.openxmlformats-officedocument"


def put(folder: Path, content: bytes, *, name: str = "file.txt") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def refuse(path: Path) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        sniff_mime_type(path)
    return refused.value


class TestSniffMimeType:
    @pytest.mark.parametrize(
        ("content", "mime_type"),
        [
            (make_png(), "image/png"),
            (GIF, "image/gif"),
            (GIF.replace(b"89a", b"87a"), "image/gif"),
            (b"\xff\xd8\xff\xe0" + b"\0" * 20, "image/jpeg"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (MP4, "video/mp4"),
            (b"\0\0\0\x18ftypisom" + b"\0" * 20, "video/mp4"),
            (b"\0\0\0\x14ftypqt  " + b"\0" * 20, "video/quicktime"),
            (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "video/webm"),
            (b"%PDF-1.7\n", "application/pdf"),
            (archive("[Content_Types].xml", "ppt/presentation.xml"), f"{OOXML}.presentationml.presentation"),
            (archive("[Content_Types].xml", "word/document.xml"), f"{OOXML}.wordprocessingml.document"),
            (ole("PowerPoint Document"), "application/vnd.ms-powerpoint"),
            (ole("WordDocument"), "application/msword"),
        ],
        ids=[
            "png",
            "gif",
            "old gif",
            "jpeg",
            "webp",
            "mp4",
            "isom",
            "mov",
            "webm",
            "pdf",
            "pptx",
            "docx",
            "ppt",
            "doc",
        ],
    )
    def test_goes_by_the_content_and_not_by_the_name(self, tmp_path: Path, content: bytes, mime_type: str) -> None:
        assert sniff_mime_type(put(tmp_path, content)) == mime_type
        assert mime_type in EXTENSIONS

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"hello", "whatever its name says"),
            (b"RIFF\0\0\0\0WAVE", "sound"),
            (b"\0\0\0\x18ftypheic", "HEIC"),
            (b"\0\0\0\x18ftypavif", "AVIF"),
            (b"<svg/>", "SVG"),
            (b"<html>", "whatever its name says"),
            (b"\x89PN", "whatever its name says"),
            (b"II*\0", "TIFF"),
            (b"BM....", "BMP"),
            (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", "Matroska"),
            (archive("a.txt"), "ZIP"),
            (archive("[Content_Types].xml", "xl/workbook.xml"), "ZIP"),
            (ole("Workbook"), "whatever its name says"),
            (b"PK\3\4" + b"\0" * 100, "ZIP"),
        ],
        ids=[
            "text",
            "wav",
            "heic",
            "avif",
            "svg",
            "html",
            "cut off",
            "tiff",
            "bmp",
            "mkv",
            "zip",
            "xlsx",
            "xls",
            "no zip",
        ],
    )
    def test_refuses_what_no_platform_takes_and_says_what_it_is(self, tmp_path: Path, content: bytes, why: str) -> None:
        problem = refuse(put(tmp_path, content, name="picture.png"))
        assert problem.error_code == "media.type"
        assert why in problem.message

    def test_refuses_what_is_empty(self, tmp_path: Path) -> None:
        assert refuse(put(tmp_path, b"")).error_code == "media.empty"

    def test_refuses_an_archive_that_unpacks_to_gigabytes(self, tmp_path: Path) -> None:
        content = archive("[Content_Types].xml", "ppt/presentation.xml", bomb=50_000_000)
        assert len(content) < 100_000
        assert refuse(put(tmp_path, content)).error_code == "media.bomb"

    def test_refuses_an_archive_whose_table_of_contents_is_a_bomb(self, tmp_path: Path) -> None:
        content = archive("[Content_Types].xml", "ppt/presentation.xml", *(str(number) for number in range(21_000)))
        assert refuse(put(tmp_path, content)).error_code == "media.type"

    def test_refuses_a_folder_a_pipe_a_socket_a_link_and_nothing_at_all(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link.png").symlink_to(put(tmp_path, make_png(), name="real.png"))
        for path in (tmp_path, tmp_path / "pipe", tmp_path / "link.png", tmp_path / "absent", Path("/dev/zero")):
            assert refuse(path).error_code == "media.unreadable"
        assert "link" in refuse(tmp_path / "link.png").message
        with tempfile.TemporaryDirectory(dir="/tmp") as short, socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{short}/socket")
            assert refuse(Path(short) / "socket").error_code == "media.unreadable"

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_refuses_what_it_may_not_read(self, tmp_path: Path) -> None:
        path = put(tmp_path, make_png())
        path.chmod(0)
        assert refuse(path).error_code == "media.unreadable"

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        beginning=st.sampled_from(
            [b"", b"PK\3\4", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\0\0\0\x18ftyp", b"\x1a\x45\xdf\xa3", b"RIFF"]
        ),
        content=st.binary(max_size=600),
    )
    def test_gives_a_type_or_a_refusal_for_any_bytes(self, tmp_path: Path, beginning: bytes, content: bytes) -> None:
        try:
            outcome = sniff_mime_type(put(tmp_path, beginning + content))
        except InvalidInput as refused:
            outcome = refused.error_code
        assert outcome in (*EXTENSIONS, "media.type", "media.empty", "media.bomb")
