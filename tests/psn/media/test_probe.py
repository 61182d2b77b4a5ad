"""Facts about media files, and files made to break whoever reads them."""

from __future__ import annotations

import os
import resource
import struct
import subprocess
import sys
import time
import zlib
from contextlib import suppress
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psn.errors import InvalidInput
from psn.media.facts import MediaFacts
from psn.media.layout import read_orientation
from psn.media.probe import read_facts
from tests.psn.media.making import (
    add_silence,
    animation,
    archive,
    exif,
    packed,
    pdf,
    picture,
    png_chunk,
    png_of,
    write_video,
)

PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"


def put(folder: Path, content: bytes) -> Path:
    (folder / "file").write_bytes(content)
    return folder / "file"


def refuse(path: Path, mime_type: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        read_facts(path, mime_type)
    return refused.value.error_code


class TestReadFacts:
    @pytest.mark.parametrize(
        ("content", "mime_type", "facts"),
        [
            (packed(picture(), "JPEG"), "image/jpeg", MediaFacts(64, 48)),
            (packed(picture(), "JPEG", progressive=True), "image/jpeg", MediaFacts(64, 48)),
            (packed(picture(), "JPEG", exif=exif(orientation=6)), "image/jpeg", MediaFacts(48, 64)),
            (packed(picture(), "PNG"), "image/png", MediaFacts(64, 48)),
            (packed(picture(), "PNG", exif=exif(orientation=8)), "image/png", MediaFacts(48, 64)),
            (packed(picture(), "WEBP"), "image/webp", MediaFacts(64, 48)),
            (packed(picture(), "WEBP", lossless=True), "image/webp", MediaFacts(64, 48)),
            (packed(picture(), "WEBP", exif=exif(orientation=5)), "image/webp", MediaFacts(48, 64)),
            (packed(picture(), "GIF"), "image/gif", MediaFacts(64, 48)),
            (animation(), "image/gif", MediaFacts(40, 30, duration_seconds=0.3, frame_rate=10, frames=3)),
            (animation(form="WEBP"), "image/webp", MediaFacts(40, 30, duration_seconds=0.3, frame_rate=10, frames=3)),
            (animation(form="PNG"), "image/png", MediaFacts(40, 30, duration_seconds=0.3, frame_rate=10, frames=3)),
            (animation(duration=0), "image/gif", MediaFacts(40, 30, duration_seconds=0.3, frame_rate=10, frames=3)),
            (pdf(7), "application/pdf", MediaFacts(pages=7)),
            (pdf(7, packed_objects=True), "application/pdf", MediaFacts(pages=7)),
            (archive("[Content_Types].xml", "ppt/presentation.xml", "ppt/slides/slide1.xml"), PPTX, MediaFacts(pages=1)),
        ],
        ids=[
            "jpeg", "progressive", "turned jpeg", "png", "turned png", "webp", "lossless webp", "turned webp", "gif", "moving gif",
            "moving webp", "moving png", "hasty gif", "pdf", "packed pdf", "pptx",
        ],
    )  # fmt: skip
    def test_says_what_would_be_shown(self, tmp_path: Path, content: bytes, mime_type: str, facts: MediaFacts) -> None:
        assert read_facts(put(tmp_path, content), mime_type) == facts

    @pytest.mark.parametrize(
        ("name", "mime_type", "options", "facts"),
        [
            ("a.mp4", "video/mp4", {}, MediaFacts(64, 48, 1.0, 25.0, video_codec="h264", audio_codec="aac")),
            ("a.mp4", "video/mp4", {"rotation": 90, "sound": ""}, MediaFacts(48, 64, 1.0, 25.0, video_codec="h264")),
            (
                "a.mov",
                "video/quicktime",
                {"rate": 30},
                MediaFacts(64, 48, 1.0, 30.0, video_codec="h264", audio_codec="aac"),
            ),
            (
                "a.webm",
                "video/webm",
                {"codec": "libvpx-vp9", "sound": "libopus"},
                MediaFacts(64, 48, 1.0, 25.0, video_codec="vp9", audio_codec="opus"),
            ),
        ],
        ids=["mp4", "upright without sound", "mov", "webm"],
    )
    def test_looks_into_videos(
        self, tmp_path: Path, name: str, mime_type: str, options: dict[str, object], facts: MediaFacts
    ) -> None:
        found = read_facts(write_video(tmp_path / name, **options), mime_type)  # type: ignore[arg-type]
        assert found.duration_seconds == pytest.approx(facts.duration_seconds, abs=0.05)
        assert MediaFacts.from_dict(found.to_dict() | {"duration_seconds": 1.0}) == facts

    def test_refuses_a_file_that_is_not_what_it_is_taken_for(self, tmp_path: Path) -> None:
        assert refuse(put(tmp_path, packed(picture(), "PNG")), "image/jpeg") == "media.type"

    @pytest.mark.parametrize(
        ("content", "mime_type"),
        [
            (packed(picture(), "JPEG")[:-20], "image/jpeg"),
            (packed(picture(), "JPEG")[:-2], "image/jpeg"),
            (packed(picture(), "PNG")[:-20], "image/png"),
            (packed(picture(), "WEBP")[:-20], "image/webp"),
            (animation()[:-20], "image/gif"),
            (pdf(tail=b""), "application/pdf"),
        ],
        ids=["jpeg", "jpeg without its end", "png", "webp", "gif", "pdf"],
    )
    def test_refuses_what_breaks_off(self, tmp_path: Path, content: bytes, mime_type: str) -> None:
        assert refuse(put(tmp_path, content), mime_type) == "media.truncated"

    @pytest.mark.parametrize("fast", [True, False], ids=["index in front", "index behind"])
    def test_refuses_a_video_that_breaks_off(self, tmp_path: Path, fast: bool) -> None:
        content = write_video(tmp_path / "a.mp4", fast=fast).read_bytes()
        for cut in (100, 1000, len(content) - 40):
            assert refuse(put(tmp_path, content[:-cut]), "video/mp4") == "media.truncated"

    @pytest.mark.parametrize(
        ("content", "mime_type", "code"),
        [
            (png_of(100_000, 100_000), "image/png", "media.too_many_pixels"),
            (png_of(0, 10), "image/png", "media.corrupt"),
            (packed(picture(), "JPEG").replace(b"\0\x30\0\x40", b"\xff\xff\xff\xff", 1), "image/jpeg", "media.too_many_pixels"),
            (packed(picture(), "GIF").replace(b"\x40\0\x30\0", b"\xff\xff\xff\xff", 1), "image/gif", "media.too_many_pixels"),
            (b"\xff\xd8\xff\xe0\0\x01" + b"\0" * 50, "image/jpeg", "media.corrupt"),
            (b"\xff\xd8\xff\xd9" + b"\0" * 50, "image/jpeg", "media.corrupt"),
            (b"GIF89a\1\0\1\0\0\0\0hello", "image/gif", "media.corrupt"),
            (b"GIF89a\1\0\1\0\0\0\0;", "image/gif", "media.truncated"),
            (b"RIFF\x0c\0\0\0WEBPXXXX\0\0\0\0", "image/webp", "media.corrupt"),
            (b"\0\0\0\x18ftypisom" + b"\0" * 20, "video/mp4", "media.truncated"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\0\x08mdat", "video/mp4", "media.truncated"),
            (b"%PDF-1.7\n%%EOF", "application/pdf", "media.corrupt"),
            (pdf() .replace(b"trailer <<", b"trailer << /Encrypt 5 0 R"), "application/pdf", "media.locked"),
        ],
        ids=[
            "png bomb", "no width", "jpeg bomb", "gif bomb", "no length", "no picture", "gif junk", "gif without image",
            "webp without image", "zeros", "no index", "no pages", "locked",
        ],
    )  # fmt: skip
    def test_refuses_what_was_made_to_break_readers(
        self, tmp_path: Path, content: bytes, mime_type: str, code: str
    ) -> None:
        assert refuse(put(tmp_path, content), mime_type) == code

    def test_refuses_more_frames_than_anybody_looks_at(self, tmp_path: Path) -> None:
        one = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
        assert (
            refuse(put(tmp_path, b"GIF89a\1\0\1\0\0\0\0" + one * 20_000 + b";"), "image/gif") == "media.too_many_frames"
        )

    def test_refuses_a_picture_of_countless_pieces_quickly(self, tmp_path: Path) -> None:
        began = time.process_time()
        pieces = b"".join(png_chunk(b"tEXt", b"a\0b") for _ in range(250_000))
        assert refuse(put(tmp_path, png_of(1, 1, extra=pieces)), "image/png") == "media.corrupt"
        assert time.process_time() - began < 10

    def test_refuses_a_packed_pdf_that_unpacks_to_gigabytes(self, tmp_path: Path) -> None:
        bomb = zlib.compress(b"\0" * 80_000_000, 9)
        content = pdf().replace(
            b"trailer", b"9 0 obj << /Type /ObjStm /Filter /FlateDecode >> stream\n" + bomb + b"\nendstream\ntrailer", 1
        )
        assert refuse(put(tmp_path, content), "application/pdf") == "media.bomb"

    def test_refuses_a_video_that_says_it_plays_for_days(self, tmp_path: Path) -> None:
        content = bytearray(write_video(tmp_path / "a.mp4", sound="").read_bytes())
        # How long it plays, said in every place there is; and so many pictures, each 0.04 s.
        for box, offset in ((b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24), (b"elst", 12), (b"stts", 12)):
            struct.pack_into(">I", content, content.index(box) + offset, 2**31 - 1)
        assert refuse(put(tmp_path, bytes(content)), "video/mp4") == "media.duration"

    def test_refuses_sound_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mp4"
        with av.open(str(path), "w") as container:
            add_silence(container, container.add_stream("aac", rate=48000), seconds=1)
        assert refuse(path, "video/mp4") == "media.type"

    def test_refuses_a_video_whose_picture_is_garbage(self, tmp_path: Path) -> None:
        content = bytearray(write_video(tmp_path / "a.mp4", sound="").read_bytes())
        start = content.index(b"mdat") + 4
        content[start:] = os.urandom(len(content) - start)
        assert refuse(put(tmp_path, bytes(content)), "video/mp4") == "media.corrupt"

    def test_follows_no_playlist(self, tmp_path: Path) -> None:
        secret = write_video(tmp_path / "a.mp4")
        playlist = b"\0\0\0\x18ftypisom" + b"\0" * 12 + f"#EXTM3U\n#EXTINF:1,\n{secret}\n".encode()
        assert refuse(put(tmp_path, playlist), "video/mp4") in ("media.corrupt", "media.truncated")

    def test_reads_a_turned_polyglot_as_the_picture_it_is(self, tmp_path: Path) -> None:
        content = packed(picture(), "JPEG", exif=exif(orientation=6)) + archive("evil.js")
        assert read_facts(put(tmp_path, content), "image/jpeg") == MediaFacts(48, 64)

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_gives_facts_or_a_refusal_for_any_damage(self, tmp_path: Path, data: st.DataObject) -> None:
        mime_type = data.draw(st.sampled_from(sorted(WHOLE)))
        content = bytearray(WHOLE[mime_type])
        for _ in range(data.draw(st.integers(1, 6))):
            content[data.draw(st.integers(12, len(content) - 1))] = data.draw(st.integers(0, 255))
        path = put(tmp_path, bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))]))
        with suppress(InvalidInput):
            assert read_facts(path, mime_type).width >= 1

    def test_takes_little_memory_for_a_bomb(self, tmp_path: Path) -> None:
        path = put(tmp_path, png_of(30_000, 30_000))
        code = (
            "import resource, sys; from pathlib import Path; from psn.media.probe import read_facts\n"
            "from psn.errors import InvalidInput\n"
            "try: read_facts(Path(sys.argv[1]), 'image/png')\n"
            "except InvalidInput: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        assert (
            int(ran.stdout) < resource.getpagesize() * 60 * 1024 / 4
        )  # kilobytes: no more than Python with its modules


WHOLE = {
    "image/jpeg": packed(picture(), "JPEG", exif=exif(orientation=6)),
    "image/png": packed(picture(), "PNG", exif=exif(orientation=6)),
    "image/webp": animation(form="WEBP"),
    "image/gif": animation(),
}


class TestReadOrientation:
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_reads_what_cameras_write(self, orientation: int) -> None:
        assert read_orientation(exif(orientation=orientation)) == orientation

    @given(st.binary(max_size=80))
    def test_takes_anything_else_for_upright(self, content: bytes) -> None:
        assert 1 <= read_orientation(b"MM\0*" + content) <= 8
        assert read_orientation(b"xx" + content) == 1
