"""Videos made to fit: untouched, copied into another container, or encoded anew."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from psn.errors import InvalidInput, NotReady
from psn.media.facts import MediaFacts, VideoTarget
from psn.media.fitted import Fitted
from psn.media.misfits import find_misfits
from psn.media.probe import read_facts
from psn.media.transcoding import fitting_size
from psn.media.videos import fit_video
from tests.psn.media.making import write_video

MP4 = VideoTarget(("video/mp4",), max_bytes=10_000_000)
NO_FFMPEG = shutil.which("ffmpeg") is None
needs_ffmpeg = pytest.mark.skipif(NO_FFMPEG, reason="there is no ffmpeg on this machine")


def fit(path: Path, target: VideoTarget = MP4, **options: Any) -> Fitted:
    fitted = fit_video(path, target, path.parent / "out", **options)
    size_bytes = fitted.path.stat().st_size
    assert find_misfits(fitted.facts, mime_type=fitted.mime_type, size_bytes=size_bytes, target=target) == []
    assert read_facts(fitted.path, fitted.mime_type) == fitted.facts
    if fitted.path != path:
        assert [fitted.path] == list((path.parent / "out").iterdir())
    return fitted


def refuse(path: Path, target: VideoTarget, **options: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        fit_video(path, target, path.parent / "out", **options)
    assert not list((path.parent / "out").glob("*"))
    return refused.value.error_code


class TestFitVideo:
    def test_leaves_alone_what_fits(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "a.mp4")
        before = path.read_bytes()
        fitted = fit(path)
        assert (fitted.path, fitted.changes) == (path, [])
        assert path.read_bytes() == before

    @pytest.mark.parametrize(
        ("name", "options", "change"),
        [
            ("a.mp4", {"metadata": {"com.apple.quicktime.location.ISO6709": "+40.0-003.0/"}}, "taken out"),
            ("a.mp4", {"metadata": {"title": "Secret", "location": "+40.0-003.0/"}}, "taken out"),
            ("a.mp4", {"fast": False}, "while it loads"),
            ("a.mov", {}, "Moved from video/quicktime into video/mp4"),
            ("a.mov", {"rotation": 90, "sound": ""}, "Moved"),
        ],
        ids=["place", "title", "slow", "mov", "turned mov"],
    )
    def test_copies_what_only_the_container_is_wrong_of(
        self, tmp_path: Path, name: str, options: dict[str, Any], change: str
    ) -> None:
        path = write_video(tmp_path / name, **options)
        told: list[float] = []
        fitted = fit(path, progress=told.append)
        assert change in fitted.changes[0]
        before = read_facts(path, "video/quicktime" if name.endswith("mov") else "video/mp4")
        assert (fitted.facts.width, fitted.facts.height, fitted.facts.video_codec) == (
            before.width, before.height, before.video_codec,
        )  # fmt: skip
        after = fitted.path.read_bytes()
        assert b"Secret" not in after
        assert b"+40.0" not in after
        assert after.index(b"moov") < after.index(b"mdat")
        assert told == sorted(told)
        assert fit(fitted.path).path == fitted.path

    def test_gives_the_same_bytes_every_time(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "a.mov")
        assert fit(path) == fit(path)

    @pytest.mark.parametrize(
        ("options", "target", "code"),
        [
            ({}, VideoTarget(("video/mp4",), 10**7, min_seconds=3), "media.too_short"),
            ({"seconds": 2}, VideoTarget(("video/mp4",), 10**7, max_seconds=1), "media.too_long"),
            ({}, VideoTarget(("video/mp4",), 10**7, max_ratio=1.0), "media.ratio"),
            ({"rotation": 90}, VideoTarget(("video/mp4",), 10**7, min_ratio=1.0), "media.ratio"),
            ({}, VideoTarget(("video/mp4",), 10**7, min_side=360), "media.too_narrow"),
            ({}, VideoTarget(("video/mp4",), 10**7, min_bytes=75_000), "media.too_small"),
            ({}, VideoTarget(("video/mp4",), 1000), "media.too_large"),
        ],
        ids=["short", "long", "wide", "tall", "narrow", "small", "hopeless"],
    )
    def test_refuses_what_only_a_person_can_decide(
        self, tmp_path: Path, options: dict[str, Any], target: VideoTarget, code: str
    ) -> None:
        assert refuse(write_video(tmp_path / "a.mp4", **options), target) == code

    @pytest.mark.parametrize(
        ("name", "options", "target"),
        [
            ("a.mp4", {"codec": "mpeg4"}, MP4),
            ("a.mp4", {"rate": 70}, VideoTarget(("video/mp4",), 10**7, max_frame_rate=60)),
            ("a.mp4", {"pixels": "yuv444p"}, MP4),
            ("a.webm", {"codec": "libvpx", "sound": "libopus"}, MP4),
        ],
        ids=["codec", "rate", "colours", "webm"],
    )
    def test_says_what_ffmpeg_is_needed_for_where_there_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any], target: VideoTarget
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(NotReady, match="Install ffmpeg") as refused:
            fit_video(write_video(tmp_path / name, **options), target, tmp_path / "out")
        assert refused.value.error_code == "media.ffmpeg"
        assert not list((tmp_path / "out").glob("*"))

    @pytest.mark.parametrize(
        ("script", "code"),
        [
            ("exit 1", "media.conversion"),
            ("echo no such thing >&2; exit 187", "media.conversion"),
            ("exec sleep 60", "media.conversion"),
        ],
        ids=["fails", "says why", "hangs"],
    )
    def test_bears_with_an_ffmpeg_that_does_not_do_it(self, tmp_path: Path, script: str, code: str) -> None:
        program = tmp_path / "ffmpeg"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        began = time.monotonic()
        assert refuse(write_video(tmp_path / "a.mp4", codec="mpeg4"), MP4, ffmpeg=str(program), seconds=0.5) == code
        assert time.monotonic() - began < 20

    def test_asks_for_less_when_it_came_out_too_large(self, tmp_path: Path) -> None:
        good = write_video(tmp_path / "good.mp4")
        program = tmp_path / "ffmpeg"
        program.write_text(
            f"""#!/bin/sh
            echo "$@" >> '{tmp_path}/asked'
            for out; do :; done
            out="${{out#file:}}"
            if [ $(wc -l < '{tmp_path}/asked') -lt 3 ]; then head -c 200000 /dev/zero > "$out"; else cp '{good}' "$out"; fi
            """
        )
        program.chmod(0o755)
        target = VideoTarget(("video/mp4",), max_bytes=100_000)
        assert (
            fit(write_video(tmp_path / "a.mp4", codec="mpeg4"), target, ffmpeg=str(program)).facts.video_codec == "h264"
        )
        rates = [int(rate) for rate in re.findall(r"-maxrate (\d+)", (tmp_path / "asked").read_text())]
        assert len(rates) == 3
        assert rates == sorted(rates, reverse=True)


@needs_ffmpeg
class TestTranscode:
    @pytest.mark.parametrize(
        ("name", "options", "bounds"),
        [
            ("a.mp4", {"codec": "mpeg4"}, {}),
            ("a.mov", {"codec": "libx265", "pixels": "yuv420p10le"}, {}),
            ("a.mp4", {"rate": 70}, {"max_frame_rate": 60}),
            ("a.mp4", {"rate": 10}, {"min_frame_rate": 23}),
            ("a.mp4", {"pixels": "yuv444p"}, {}),
            ("a.webm", {"codec": "libvpx-vp9", "sound": "libopus"}, {}),
            ("a.mp4", {"width": 320, "height": 180}, {"max_side": 200}),
            ("a.mp4", {"width": 320, "height": 180, "rotation": 90}, {"max_height": 200}),
            ("a.mp4", {"sound": "libmp3lame"}, {}),
            ("a.mp4", {"width": 320, "height": 240, "noise": True, "seconds": 2}, {"max_bytes": 150_000}),
        ],
        ids=["codec", "phone", "fast", "slow", "colours", "webm", "large", "turned", "sound", "heavy"],
    )
    def test_makes_what_the_platform_takes(
        self, tmp_path: Path, name: str, options: dict[str, Any], bounds: dict[str, Any]
    ) -> None:
        path = write_video(tmp_path / name, **options)
        told: list[float] = []
        fitted = fit(path, VideoTarget(("video/mp4",), **{"max_bytes": 10_000_000, **bounds}), progress=told.append)
        assert (fitted.mime_type, fitted.facts.video_codec, fitted.facts.audio_codec) == ("video/mp4", "h264", "aac")
        assert fitted.changes[-1].startswith("Converted")
        assert all(0 <= share <= 1 for share in told)
        content = fitted.path.read_bytes()
        assert content.index(b"moov") < content.index(b"mdat")

    def test_leaves_the_picture_alone_when_only_the_sound_is_wrong(self, tmp_path: Path) -> None:
        fitted = fit(write_video(tmp_path / "a.mp4", sound="libmp3lame"))
        assert fitted.changes[-1] == "Converted: picture unchanged, sound aac."

    def test_keeps_webm_where_it_is_taken(self, tmp_path: Path) -> None:
        target = VideoTarget(
            ("video/mp4", "video/webm"), 10**7, video_codecs=("h264", "vp9"), audio_codecs=("aac", "opus")
        )
        path = write_video(tmp_path / "a.webm", codec="libvpx-vp9", sound="libopus")
        assert fit(path, target).path == path

    def test_tells_nothing_of_where_it_was_made(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "a.mp4", codec="mpeg4", metadata={"title": "Secret", "location": "+40.0-003.0/"})
        assert b"Secret" not in fit(path).path.read_bytes()

    def test_is_not_led_astray_by_a_name(self, tmp_path: Path) -> None:
        folder = tmp_path / "-i concat:a|b %d"
        folder.mkdir()
        assert fit(write_video(folder / "http:x.mp4", codec="mpeg4")).facts.video_codec == "h264"

    def test_ends_when_time_is_up(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "a.mp4", codec="mpeg4", seconds=4, width=320, height=240, noise=True)
        assert refuse(path, MP4, seconds=0.01) == "media.conversion"


class TestFittingSize:
    @pytest.mark.parametrize(
        ("bounds", "size"),
        [({"max_width": 1280}, (1280, 720)), ({"max_height": 333}, (592, 332)), ({"max_side": 500}, (500, 280)), ({}, (1920, 1080))],
        ids=["width", "height", "side", "none"],
    )  # fmt: skip
    def test_keeps_the_shape_in_even_numbers(self, bounds: dict[str, Any], size: tuple[int, int]) -> None:
        assert fitting_size(MediaFacts(1920, 1080), VideoTarget(("video/mp4",), 1, **bounds)) == size
