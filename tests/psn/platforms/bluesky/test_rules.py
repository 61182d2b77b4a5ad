"""Bluesky's limits, before anything is sent (PUB-11)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from psn.errors import Finding
from psn.media.facts import ImageTarget, MediaFacts, VideoTarget
from psn.platforms.base import NOTHING_KNOWN, MediaFile, Part
from psn.platforms.bluesky.rules import check_parts, count_text, pick_target

IMAGE = MediaFile(Path("a.jpg"), "image/jpeg", 1000, "a cat", MediaFacts(width=4, height=3))
VIDEO = MediaFile(
    Path("a.mp4"),
    "video/mp4",
    1000,
    "",
    MediaFacts(width=9, height=16, duration_seconds=10, video_codec="h264", audio_codec="aac"),
)
FAMILY = "👩‍👩‍👧‍👦"  # one grapheme of 25 bytes


def find(*parts: Part) -> list[Finding]:
    return check_parts(parts, NOTHING_KNOWN)


def codes(*parts: Part) -> list[str]:
    return [finding.code for finding in find(*parts)]


class TestCheckParts:
    @pytest.mark.parametrize(
        "part",
        [
            Part(0, "hello"),
            Part(0, "x" * 300),
            Part(0, FAMILY * 120),
            Part(0, "", (IMAGE,)),
            Part(0, "a", (IMAGE,) * 10),
            Part(0, "a", (VIDEO,)),
            Part(0, "a", (IMAGE,), options={"link": "https://example.com", "title": "t", "language": "en,pt-BR"}),
            Part(0, "see https://example.com", options={"title": "t"}),
            Part(0, "", options={"link": "https://example.com"}),
        ],
    )
    def test_lets_pass_what_bluesky_takes(self, part: Part) -> None:
        assert find(part, Part(1, "and more", kind="comment")) == []

    @pytest.mark.parametrize(
        ("part", "code"),
        [
            (Part(0, " \n"), "text.empty"),
            (Part(0, "x" * 301), "text.too_long"),
            (Part(0, FAMILY * 121), "text.too_long"),
            (Part(0, "a\ud83d"), "text.invalid_characters"),
            (Part(0, "a", (IMAGE,) * 11), "media.too_many"),
            (Part(0, "a", (IMAGE, VIDEO)), "media.mixed"),
            (Part(0, "a", (VIDEO,), options={"link": "https://example.com"}), "media.mixed"),
            (Part(0, "a", (IMAGE,) * 2, options={"link": "https://example.com"}), "media.too_many"),
            (Part(0, "a", (replace(IMAGE, size_bytes=2_000_001),)), "media.too_large"),
            (
                Part(0, "a", (replace(IMAGE, size_bytes=1_000_001),), options={"link": "https://e.eu"}),
                "media.too_large",
            ),
            (Part(0, "a", (replace(VIDEO, size_bytes=50_000_001),)), "media.too_large"),
            (Part(0, "a", (replace(IMAGE, mime_type="application/pdf"),)), "media.type"),
            (Part(0, "a", (replace(VIDEO, mime_type="video/quicktime"),)), "media.type"),
            (Part(0, "a", (replace(IMAGE, alt_text="x" * 2001),)), "media.alt_too_long"),
            (Part(0, "a", (replace(VIDEO, facts=replace(VIDEO.facts, duration_seconds=181)),)), "media.too_long"),  # type: ignore[type-var]
            (Part(0, "a", options={"language": "english!"}), "option.value"),
            (Part(0, "a", options={"language": "en,es,fr,de"}), "option.value"),
            (Part(0, "a", options={"link": "example.com"}), "option.value"),
            (Part(0, "a", options={"link": "javascript:alert(1)"}), "option.value"),
            (Part(0, "a", options={"title": "of nothing"}), "option.value"),
            (Part(0, "a", options={"visibility": "public"}), "option.unknown"),
        ],
    )
    def test_refuses_what_bluesky_would_refuse(self, part: Part, code: str) -> None:
        assert codes(part) == [code]
        assert all(finding.fix for finding in find(part))

    def test_wants_the_shape_of_each_image_of_a_gallery(self) -> None:
        unmeasured = replace(IMAGE, facts=None)
        assert codes(Part(0, "a", (unmeasured,) * 4)) == []
        assert codes(Part(0, "a", (*(IMAGE,) * 4, unmeasured))) == ["media.unmeasured"]

    def test_says_how_much_is_too_much(self) -> None:
        finding = find(Part(0, "hello"), Part(1, "x" * 310))[0]
        assert (finding.at, finding.limit, finding.got) == ("parts.1", 300, 310)

    def test_says_both_when_both_are_over(self) -> None:
        assert [finding.limit for finding in find(Part(0, FAMILY * 301))] == [300, 3000]

    def test_refuses_a_post_without_parts(self) -> None:
        assert codes() == ["post.empty"]


class TestCountText:
    @pytest.mark.parametrize(
        ("text", "used", "unit"),
        [
            ("", 0, "graphemes"),
            ("hello", 5, "graphemes"),
            (FAMILY, 1, "graphemes"),
            ("क्षि", 1, "graphemes"),
            ("🇪🇸\r\n", 2, "graphemes"),
            (FAMILY * 121, 3025, "bytes"),
            (FAMILY * 301, 301, "graphemes"),
        ],
    )
    def test_counts_what_people_see_until_bytes_run_out(self, text: str, used: int, unit: str) -> None:
        count = count_text(text, NOTHING_KNOWN)
        assert (count.used, count.unit) == (used, unit)


class TestPickTarget:
    def test_takes_smaller_images_on_a_card(self) -> None:
        sizes = [pick_target("image/png", options) for options in ({}, {"link": "https://example.com"})]
        assert [size.max_bytes for size in sizes if isinstance(size, ImageTarget)] == [2_000_000, 1_000_000]

    def test_makes_every_video_an_mp4(self) -> None:
        target = pick_target("video/quicktime", {})
        assert isinstance(target, VideoTarget)
        assert target.mime_types == ("video/mp4",)

    def test_has_no_place_for_documents(self) -> None:
        assert pick_target("application/pdf", {}) is None
