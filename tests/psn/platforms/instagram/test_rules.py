"""Instagram's limits, before anything is sent (PUB-11)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from psn.media.facts import ImageTarget, MediaFacts, VideoTarget
from psn.platforms.base import NOTHING_KNOWN, AccountFacts, MediaFile, Part
from psn.platforms.instagram.rules import check_parts, count_text, pick_shape, pick_target


def image(*, width: int = 1080, height: int = 1080, mime_type: str = "image/jpeg", **fields: Any) -> MediaFile:
    given = {"size_bytes": 1000, "facts": MediaFacts(width=width, height=height), **fields}
    return MediaFile(Path("a.jpg"), mime_type, **given)


def video(*, seconds: float = 10, **fields: Any) -> MediaFile:
    facts = MediaFacts(1080, 1920, seconds, 30, video_codec="h264", audio_codec="aac")
    return MediaFile(Path("a.mp4"), "video/mp4", **{"size_bytes": 1000, "facts": facts, **fields})


def post(*media: MediaFile, text: str = "hello", **options: str) -> Part:
    return Part(0, text, media, options=options)


def codes(*parts: Part, account: AccountFacts = NOTHING_KNOWN) -> list[str]:
    return [finding.code for finding in check_parts(parts, account)]


class TestCheckParts:
    @pytest.mark.parametrize(
        "part",
        [
            post(image()),
            post(image(), text=""),
            post(image(width=1080, height=1350)),
            post(image(width=1080, height=566)),
            post(video(), format="reel", cover_at_ms="5000", share_to_feed="yes"),
            post(video()),
            post(*[image()] * 10, format="carousel"),
            post(image(), video(), ai="yes"),
            post(image(width=1080, height=1920), text="", format="story"),
            post(video(seconds=60), text=" ", format="story"),
            post(image(), text="a" * 2200),
            post(image(), text="#a " * 30 + "@b " * 20),
        ],
    )
    def test_finds_nothing_in_what_instagram_takes(self, part: Part) -> None:
        assert codes(part) == []

    @pytest.mark.parametrize(
        ("part", "code"),
        [
            (post(), "media.missing"),
            (post(image(), text="a" * 2201), "text.too_long"),
            (post(image(), text="👋" * 1101), "text.too_long"),
            (post(image(), text="#a " * 31), "text.too_many_hashtags"),
            (post(image(), text="@a " * 21), "text.too_many_mentions"),
            (post(image(mime_type="image/png")), "media.type"),
            (post(image(mime_type="image/gif")), "media.type"),
            (post(image(size_bytes=8_000_001)), "media.too_large"),
            (post(image(width=1000, height=1300)), "media.ratio"),
            (post(image(width=2000, height=1000)), "media.ratio"),
            (post(video(seconds=2)), "media.too_short"),
            (post(video(seconds=901)), "media.too_long"),
            (post(video(seconds=61), text="", format="story"), "media.too_long"),
            (post(*[image()] * 11), "media.too_many"),
            (post(image(), format="carousel"), "media.too_few"),
            (post(image(), format="reel"), "media.type"),
            (post(video(), video(), format="reel"), "media.too_many"),
            (post(image(), image(), text="", format="story"), "media.too_many"),
            (post(image(), format="story"), "story.text"),
            (post(image(), share_to_feed="yes"), "option.reel_only"),
            (post(video(), cover_at_ms="11000"), "option.value"),
            (post(video(), cover_at_ms="-1"), "option.value"),
            (post(video(), cover_at_ms="9" * 5000), "option.value"),
            (post(image(), format="poster"), "option.value"),
            (post(image(), colour="red"), "option.unknown"),
            (post(image(alt_text="a" * 1001)), "media.alt_too_long"),
        ],
    )
    def test_finds_what_instagram_would_refuse(self, part: Part, code: str) -> None:
        assert code in codes(part)

    @pytest.mark.parametrize("part", [post(video(alt_text="x")), post(image(alt_text="x"), text="", format="story")])
    def test_says_that_an_alt_text_has_no_place(self, part: Part) -> None:
        (found,) = check_parts([part], NOTHING_KNOWN)
        assert (found.code, found.level) == ("media.alt_unused", "warning")

    def test_takes_one_comment_and_no_thread(self) -> None:
        comment = Part(1, "#tags", kind="comment")
        assert codes(post(image()), comment) == []
        assert codes(post(image()), Part(1, "more")) == ["thread.unsupported"]
        assert codes(post(image()), comment, Part(2, "again", kind="comment")) == ["comment.unsupported"]
        assert codes(post(image(), text="", format="story"), comment) == ["comment.unsupported"]
        assert codes(post(image()), Part(1, " ", (image(),), kind="comment")) == ["comment.media", "text.empty"]

    def test_takes_no_comment_without_permission(self) -> None:
        account = AccountFacts(scopes=frozenset({"instagram_business_basic"}))
        assert codes(post(image()), Part(1, "x", kind="comment"), account=account) == ["scope.missing"]

    def test_warns_of_a_day_that_is_used_up(self) -> None:
        account = AccountFacts(capabilities={"quota_left": 0, "quota_total": 50})
        (found,) = check_parts([post(image())], account)
        assert (found.code, found.level, found.limit) == ("quota.spent", "warning", 50)

    def test_finds_a_post_without_parts(self) -> None:
        assert codes() == ["post.empty"]

    def test_says_for_every_finding_what_to_do(self) -> None:
        parts = [post(image(mime_type="image/gif"), text="a" * 3000, format="reel", colour="red"), Part(1, "")]
        assert all(
            found.fix and found.at and found.target == "instagram" for found in check_parts(parts, NOTHING_KNOWN)
        )


class TestPick:
    @pytest.mark.parametrize(
        ("part", "shape"),
        [
            (post(image()), "image"),
            (post(video()), "reel"),
            (post(video(), format="post"), "reel"),
            (post(image(), video()), "carousel"),
            (post(video(), format="story"), "story"),
        ],
    )
    def test_says_what_becomes_of_it(self, part: Part, shape: str) -> None:
        assert pick_shape(part) == shape

    def test_wants_jpeg_of_every_image(self) -> None:
        for mime_type in ("image/jpeg", "image/png", "image/webp"):
            target = pick_target(mime_type, {})
            assert isinstance(target, ImageTarget)
            assert target.mime_types == ("image/jpeg",)

    def test_lets_a_story_have_any_shape(self) -> None:
        target = pick_target("image/jpeg", {"format": "story"})
        assert isinstance(target, ImageTarget)
        assert target.min_ratio is None

    def test_lets_a_reel_play_longer_than_a_story(self) -> None:
        reel, story = pick_target("video/mp4", {}), pick_target("video/mp4", {"format": "story"})
        assert isinstance(reel, VideoTarget)
        assert isinstance(story, VideoTarget)
        assert (reel.max_seconds, story.max_seconds) == (900, 60)

    @pytest.mark.parametrize("mime_type", ["application/pdf", "image/gif", "text/plain"])
    def test_takes_nothing_else(self, mime_type: str) -> None:
        assert pick_target(mime_type, {}) is None


class TestCountText:
    def test_counts_an_emoji_twice(self) -> None:
        count = count_text("hi 👋", NOTHING_KNOWN)
        assert (count.used, count.limit, count.cut_at) == (5, 2200, None)

    def test_says_where_the_app_cuts(self) -> None:
        assert count_text("a" * 200, NOTHING_KNOWN).cut_at == 125
