"""What a file is, by its first bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psn.errors import InvalidInput
from psn.media.sniff import sniff_mime_type
from tests.sandbox.files import GIF, MP4, make_png


def put(folder: Path, content: bytes, *, name: str = "file.txt") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


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
        ],
        ids=["png", "gif", "old gif", "jpeg", "webp", "mp4", "isom", "mov"],
    )
    def test_goes_by_the_content_and_not_by_the_name(self, tmp_path: Path, content: bytes, mime_type: str) -> None:
        assert sniff_mime_type(put(tmp_path, content)) == mime_type

    @pytest.mark.parametrize(
        "content",
        [b"", b"hello", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x18ftypheic", b"<svg/>", b"%PDF-1.7", b"\x89PN"],
        ids=["empty", "text", "wav", "heic", "svg", "pdf", "cut off"],
    )
    def test_refuses_what_no_platform_takes(self, tmp_path: Path, content: bytes) -> None:
        with pytest.raises(InvalidInput) as refused:
            sniff_mime_type(put(tmp_path, content, name="picture.png"))
        assert refused.value.error_code == "media.type"

    def test_refuses_what_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput) as refused:
            sniff_mime_type(tmp_path)
        assert refused.value.error_code == "media.unreadable"

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(content=st.binary(max_size=40))
    def test_gives_a_type_or_a_refusal_for_any_bytes(self, tmp_path: Path, content: bytes) -> None:
        try:
            outcome = sniff_mime_type(put(tmp_path, content))
        except InvalidInput as refused:
            outcome = refused.error_code
        assert outcome.startswith(("image/", "video/", "media.type"))
