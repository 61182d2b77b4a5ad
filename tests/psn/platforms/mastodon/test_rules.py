"""What an instance takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from psn.errors import Finding
from psn.media.facts import ImageTarget, MediaFacts, VideoTarget
from psn.platforms.base import NOTHING_KNOWN, AccountFacts, MediaFile, Part
from psn.platforms.mastodon import PLATFORM
from psn.platforms.mastodon.rules import DEFAULTS, check_parts, count_text, keeps_keys, read_limits

LINK = "https://example.com/" + "x" * 100


def instance(**limits: Any) -> AccountFacts:
    return AccountFacts(capabilities=limits)


def file(mime_type: str = "image/png", *, size_bytes: int = 1000, alt_text: str = "", **facts: Any) -> MediaFile:
    return MediaFile(Path("file"), mime_type, size_bytes, alt_text, MediaFacts(**facts) if facts else None)


def codes(part: Part, account: AccountFacts = NOTHING_KNOWN) -> list[str]:
    return [one.code for one in check_parts([part], account)]


def only(part: Part, account: AccountFacts = NOTHING_KNOWN) -> Finding:
    (found,) = check_parts([part], account)
    return found


class TestCountText:
    @pytest.mark.parametrize(
        ("text", "used"),
        [
            ("hello", 5),
            (LINK, 23),
            ("http://a.example", 23),
            ("HTTPS://A.example:8443?x=1", 23),
            ("http://localhost:8000/abcdef", 28),
            ("http://127.0.0.1:8000/abcdef", 28),
            (f"see {LINK}.", 28),
            ("@ann", 4),
            ("@ann@a.very.long.instance.example", 4),
            ("hi @ann@a.example, @ben", 13),
            ("ann@mail.example", 16),
            ("https://a.example/@ann@b.example", 23),
            ("👩‍👩‍👧‍👦", 1),
            ("क्षि", 1),
            ("e\u0301", 1),
            ("a\nb", 3),
            ("", 0),
        ],
    )
    def test_counts_as_mastodon_does(self, text: str, used: int) -> None:
        count = count_text(text, NOTHING_KNOWN)
        assert (count.used, count.limit, count.unit) == (used, 500, "characters")

    def test_takes_the_instances_own_figures(self) -> None:
        count = count_text(f"{LINK} a", instance(max_characters=5000, url_characters=30))
        assert (count.used, count.limit) == (32, 5000)


class TestReadLimits:
    @pytest.mark.parametrize("wrong", [None, 0, -1, True, "500", 3.5, [], {}])
    def test_keeps_the_defaults_where_the_instance_makes_no_sense(self, wrong: object) -> None:
        assert read_limits({"max_characters": wrong, "mime_types": wrong}) == DEFAULTS

    def test_converts_to_jpeg_rather_than_to_what_comes_first(self) -> None:
        limits = read_limits({"mime_types": ["image/heic", "image/webp", "image/jpeg", "audio/ogg"]})
        assert limits.mime_types == ("image/jpeg", "image/webp")


class TestKeepsKeys:
    @pytest.mark.parametrize(
        "version", ["4.5.0", "3.5.3", "4.6.0-nightly.2026-11-01", "4.3.1+glitch", "2.7.2 (compatible; Pleroma 2.6.0)"]
    )
    def test_is_known_of_mastodon(self, version: str) -> None:
        assert keeps_keys(version)

    @pytest.mark.parametrize(
        "version",
        [
            "",
            "3.5.3 (compatible; Pixelfed 0.12.3)",
            "0.17.3+git-1a2b3c",
            "takahe/0.11",
            "4.2.1 (compatible; Sharkey 1)",
        ],
    )
    def test_is_not_taken_for_granted_elsewhere(self, version: str) -> None:
        assert not keeps_keys(version)


class TestCheckParts:
    @pytest.mark.parametrize(
        ("part", "code"),
        [
            (Part(0, ""), "text.empty"),
            (Part(0, " \n"), "text.empty"),
            (Part(0, "", options={"spoiler": "careful"}), "text.empty"),
            (Part(0, "x" * 501), "text.too_long"),
            (Part(0, "x" * 490, options={"spoiler": "y" * 11}), "text.too_long"),
            (Part(0, "half \ud83d"), "text.invalid_characters"),
            (Part(0, "nul \x00"), "text.invalid_characters"),
            (Part(0, "x", options={"spoiler": "\x00"}), "text.invalid_characters"),
            (Part(0, "x", options={"visibility": "everybody"}), "option.value"),
            (Part(0, "x", options={"sensitive": "maybe"}), "option.value"),
            (Part(0, "x", options={"language": "English"}), "option.value"),
            (Part(0, "x", options={"format": "story"}), "option.unknown"),
            (Part(0, "x", (file(),) * 5), "media.too_many"),
            (Part(0, "x", (file(), file("video/mp4"))), "media.mixed"),
            (Part(0, "x", (file("application/pdf"),)), "media.type"),
            (Part(0, "x", (file("image/tiff"),)), "media.type"),
            (Part(0, "x", (file(size_bytes=0),)), "media.empty"),
            (Part(0, "x", (file(size_bytes=16 * 1024 * 1024 + 1),)), "media.too_large"),
            (Part(0, "x", (file("video/mp4", size_bytes=99 * 1024 * 1024 + 1),)), "media.too_large"),
            (Part(0, "x", (file(width=8000, height=5000),)), "media.too_many_pixels"),
            (Part(0, "x", (file("video/mp4", width=3000, height=3000),)), "media.too_many_pixels"),
            (Part(0, "x", (file("video/mp4", frame_rate=144.0),)), "media.frame_rate"),
            (Part(0, "x", (file(alt_text="x" * 1501),)), "media.alt_too_long"),
        ],
    )
    def test_refuses_what_an_instance_refuses(self, part: Part, code: str) -> None:
        found = only(part)
        assert (found.code, found.target, found.level) == (code, "mastodon", "error")
        assert found.fix

    @pytest.mark.parametrize(
        "part",
        [
            Part(0, "x" * 500),
            Part(0, f"{'x' * 476} {LINK}"),
            Part(0, "", (file(),)),
            Part(0, "x", (file("image/gif", frames=50, width=10, height=10), file())),
            Part(0, "x", (file("video/quicktime", width=3840, height=2160, frame_rate=60.0, video_codec="h264"),)),
            Part(0, "x", options={"visibility": "direct", "spoiler": "w", "sensitive": "no", "language": "pt-BR"}),
            Part(1, "first comment", kind="comment"),
        ],
    )
    def test_takes_what_an_instance_takes(self, part: Part) -> None:
        assert check_parts([part], NOTHING_KNOWN) == []

    def test_refuses_a_post_without_parts(self) -> None:
        assert [one.code for one in check_parts([], NOTHING_KNOWN)] == ["post.empty"]

    def test_says_how_much_there_is_to_cut(self) -> None:
        found = only(Part(0, "x" * 503))
        assert (found.limit, found.got) == (500, 503)
        assert "3" in (found.fix or "")

    def test_obeys_the_instance(self) -> None:
        account = instance(max_characters=5000, max_media=16, image_bytes=10, mime_types=["image/png"])
        assert codes(Part(0, "x" * 5000, (file(size_bytes=10),) * 16), account) == []
        assert codes(Part(0, "x", (file(size_bytes=11),)), account) == ["media.too_large"]
        assert codes(Part(0, "x", (file("video/mp4"),)), account) == ["media.type"]

    def test_checks_every_part_of_a_thread(self) -> None:
        found = check_parts([Part(0, "a"), Part(1, "x" * 501), Part(2, "")], NOTHING_KNOWN)
        assert [(one.code, one.at) for one in found] == [("text.too_long", "parts.1"), ("text.empty", "parts.2")]


class TestPickTarget:
    def test_knows_what_files_become(self) -> None:
        image = PLATFORM.pick_target("image/tiff", {})
        assert isinstance(image, ImageTarget)
        assert (image.mime_types[0], image.max_frames) == ("image/jpeg", 1)
        video = PLATFORM.pick_target("video/x-matroska", {})
        assert isinstance(video, VideoTarget)
        assert video.mime_types[0] == "video/mp4"
        assert PLATFORM.pick_target("application/pdf", {}) is None

    def test_leaves_an_animation_an_animation(self) -> None:
        animation = PLATFORM.pick_target("image/gif", {})
        assert isinstance(animation, ImageTarget)
        assert animation.mime_types == ("image/gif",)
        assert animation.max_frames > 1000
