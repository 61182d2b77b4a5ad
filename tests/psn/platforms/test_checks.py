"""Findings that every platform's rules come to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from psn.errors import Finding
from psn.media.facts import DocumentTarget, ImageTarget, MediaFacts, Target, VideoTarget
from psn.platforms.base import Count, MediaFile, Option, Part
from psn.platforms.checks import check_length, check_media, check_options, finding

IMAGE = ImageTarget(
    ("image/jpeg", "image/gif"), max_bytes=1000, min_ratio=0.8, max_ratio=1.91, min_width=320, max_width=1440, max_height=1800,
    max_pixels=2_000_000, max_frames=10,
)  # fmt: skip
VIDEO = VideoTarget(
    ("video/mp4",), max_bytes=1000, min_bytes=10, min_seconds=3, max_seconds=60, min_ratio=0.5, max_ratio=2, min_side=100, max_side=2000,
    max_width=1920, max_height=1920, min_frame_rate=23, max_frame_rate=60,
)  # fmt: skip
DOCUMENT = DocumentTarget(("application/pdf",), max_bytes=1000, max_pages=300)
GOOD_IMAGE = MediaFacts(1080, 1080)
GOOD_VIDEO = MediaFacts(1080, 1080, 10.0, 30.0, video_codec="h264", audio_codec="aac")


def pick_target(mime_type: str, options: Mapping[str, str]) -> Target | None:
    if options.get("format") == "document":
        return DOCUMENT if mime_type == "application/pdf" else None
    targets: dict[str, Target] = {"image": IMAGE, "video": VIDEO}
    return targets.get(mime_type.partition("/")[0])


def file(
    mime_type: str = "image/jpeg", facts: MediaFacts | None = None, *, size: int = 100, alt: str = ""
) -> MediaFile:
    return MediaFile(path=Path("a"), mime_type=mime_type, size_bytes=size, alt_text=alt, facts=facts)


def image(**facts: object) -> MediaFile:
    return file("image/jpeg", MediaFacts(**{"width": 1080, "height": 1080, **facts}))  # type: ignore[arg-type]


def video(**facts: object) -> MediaFile:
    return file("video/mp4", MediaFacts.from_dict(GOOD_VIDEO.to_dict() | facts))


def check(
    *media: MediaFile, index: int = 0, options: Mapping[str, str] | None = None, **limits: object
) -> list[Finding]:
    part = Part(index, "text", media=media, options=options or {})
    return check_media(part, pick_target, target="p", title="Platform", **limits)  # type: ignore[arg-type]


class TestFinding:
    def test_points_at_its_part(self) -> None:
        found = finding(
            Part(2, ""), "p", "text.empty", "There is nothing.", fix="Write something.", limit=1, got=0, level="warning"
        )
        assert found == Finding(
            "p",
            "text.empty",
            "There is nothing.",
            level="warning",
            at="parts.2",
            limit=1,
            got=0,
            fix="Write something.",
        )


class TestCheckOptions:
    OPTIONS = (Option("visibility", "who sees it", ("public", "private")), Option("title", "of the document"))

    def test_finds_nothing_in_what_there_is(self) -> None:
        part = Part(0, "", options={"visibility": "private", "title": "Anything"})
        assert check_options(part, self.OPTIONS, target="p") == []

    def test_names_what_there_would_be(self) -> None:
        (found,) = check_options(Part(0, "", options={"visibilty": "public"}), self.OPTIONS, target="p")
        assert (found.code, found.at, found.limit, found.got) == (
            "option.unknown", "options.visibilty", "visibility, title", "visibilty",
        )  # fmt: skip
        (found,) = check_options(Part(0, "", options={"visibility": "all"}), self.OPTIONS, target="p")
        assert (found.code, found.at, found.limit, found.got) == (
            "option.value",
            "options.visibility",
            "public, private",
            "all",
        )
        assert found.fix == "Choose one of: public, private."

    def test_says_it_once_for_a_thread(self) -> None:
        parts = [Part(index, "", options={"x": "y"}) for index in range(3)]
        assert len([found for part in parts for found in check_options(part, (), target="p")]) == 1


class TestCheckLength:
    def test_says_by_how_much(self) -> None:
        (found,) = check_length(
            Part(1, "x"), Count(310, 300, "graphemes"), target="p", title="Platform", hint="A flag counts one."
        )
        assert (found.code, found.at, found.limit, found.got) == ("text.too_long", "parts.1", 300, 310)
        assert found.fix == "Cut 10 graphemes. A flag counts one."
        assert "Platform would count 310 graphemes" in found.message

    def test_finds_nothing_up_to_the_limit(self) -> None:
        assert check_length(Part(0, "x"), Count(300, 300, "graphemes"), target="p", title="Platform") == []


class TestCheckMedia:
    @pytest.mark.parametrize(
        "media",
        [
            file(), image(), image(width=1200, height=628), image(width=1080, height=1350), video(), file("video/mp4"),
            image(width=320, height=320),
            video(frame_rate=59.94), video(frame_rate=23.976), video(duration_seconds=60.02), file(size=1000),
            file("image/gif", MediaFacts(400, 400, frames=10)),
        ],
    )  # fmt: skip
    def test_finds_nothing_in_what_the_platform_takes(self, media: MediaFile) -> None:
        assert check(media) == []

    @pytest.mark.parametrize(
        ("media", "code", "limit", "got"),
        [
            (file("image/tiff"), "media.type", "image/jpeg, image/gif", "image/tiff"),
            (file(size=0), "media.empty", 1, 0),
            (file(size=1001), "media.too_large", 1000, 1001),
            (file("video/mp4", size=9), "media.too_small", 10, 9),
            (image(width=540, height=1080), "media.ratio", "0.8 to 1.91", "0.5"),
            (image(width=1300, height=650), "media.ratio", "0.8 to 1.91", "2"),
            (image(width=319, height=319), "media.too_narrow", 320, 319),
            (image(width=1441, height=1000), "media.too_wide", 1440, 1441),
            (image(width=1440, height=1400), "media.too_many_pixels", 2_000_000, 2_016_000),
            (image(frames=11), "media.too_many_frames", 10, 11),
            (video(duration_seconds=2.9), "media.too_short", "3", "2.9"),
            (video(duration_seconds=60.2), "media.too_long", "60", "60.2"),
            (video(frame_rate=61.0), "media.frame_rate", "23 to 60", "61"),
            (video(frame_rate=20.0), "media.frame_rate", "23 to 60", "20"),
            (video(video_codec="av1"), "media.codec", "h264", "av1"),
            (video(audio_codec="opus"), "media.codec", "aac", "opus"),
            (video(width=99, height=99), "media.too_narrow", 100, 99),
            (video(width=500, height=1100), "media.ratio", "0.5 to 2", "0.455"),
            (video(width=1080, height=1921), "media.too_high", 1920, 1921),
        ],
        ids=lambda value: value if isinstance(value, str) and value.startswith("media.") else "",
    )  # fmt: skip
    def test_says_what_there_is_and_what_the_platform_takes(
        self, media: MediaFile, code: str, limit: object, got: object
    ) -> None:
        (one,) = check(file(), media, index=3)
        assert (one.target, one.code, one.at, one.limit, one.got) == ("p", code, "parts.3.media.1", limit, got)
        assert "Platform" in one.message
        assert one.fix

    def test_knows_what_psn_can_mend(self) -> None:
        (large,) = check(file(size=1001))
        (tall,) = check(image(width=540, height=1080))
        assert "PSN" in (large.fix or "")
        assert "yours to decide" in (tall.fix or "")

    def test_counts_files(self) -> None:
        (found,) = check(file(), file(), file(), most=2)
        assert (found.code, found.at, found.limit, found.got) == ("media.too_many", "parts.0", 2, 3)
        assert check(file(), file(), most=2) == []

    @pytest.mark.parametrize("other", [video(), file("image/gif")], ids=["video", "gif"])
    def test_finds_what_must_be_alone(self, other: MediaFile) -> None:
        (found,) = check(file(), other, alone=("video", "image/gif"), most=1)
        assert (found.code, found.limit, found.got) == ("media.mixed", 1, 2)
        assert check(other, alone=("video", "image/gif")) == []

    def test_checks_alt_texts_by_the_platforms_count(self) -> None:
        (found,) = check(file(alt="x" * 11), max_alt=10)
        assert (found.code, found.at, found.limit, found.got) == ("media.alt_too_long", "parts.0.media.0", 10, 11)
        assert check(file(alt="x" * 10), max_alt=10) == []
        assert check(file(alt="x" * 4), max_alt=10, count_alt=lambda text: 3 * len(text))[0].got == 12

    def test_goes_by_the_options(self) -> None:
        (found,) = check(file(), options={"format": "document"})
        assert (found.code, found.limit) == ("media.type", "application/pdf")
        (found,) = check(file("application/pdf", MediaFacts(pages=301)), options={"format": "document"})
        assert (found.code, found.limit, found.got) == ("media.too_many_pages", 300, 301)
