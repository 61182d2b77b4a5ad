"""Threads' limits, before anything is sent (PUB-11)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from psn.media.facts import ImageTarget, MediaFacts, VideoTarget
from psn.platforms.base import NOTHING_KNOWN, AccountFacts, MediaFile, Part
from psn.platforms.threads.rules import check_parts, count_text, pick_target


def image(*, width: int = 1080, height: int = 1080, mime_type: str = "image/jpeg", **fields: Any) -> MediaFile:
    given = {"size_bytes": 1000, "facts": MediaFacts(width=width, height=height), **fields}
    return MediaFile(Path("a.jpg"), mime_type, **given)


def video(*, seconds: float = 10, **fields: Any) -> MediaFile:
    facts = MediaFacts(1080, 1920, seconds, 30, video_codec="h264", audio_codec="aac")
    return MediaFile(Path("a.mp4"), "video/mp4", **{"size_bytes": 1000, "facts": facts, **fields})


def post(*media: MediaFile, text: str = "hello", index: int = 0, **options: str) -> Part:
    return Part(index, text, media, options=options)


def links(number: int) -> str:
    return " ".join(f"https://example.com/{index}" for index in range(number))


def codes(*parts: Part, account: AccountFacts = NOTHING_KNOWN) -> list[str]:
    return [finding.code for finding in check_parts(parts, account)]


class TestCheckParts:
    @pytest.mark.parametrize(
        "part",
        [
            post(),
            post(text="a" * 500),
            post(text="👍" * 125),
            post(image(), text=""),
            post(image(mime_type="image/png")),
            post(image(width=1440, height=150)),
            post(video(seconds=300)),
            post(*[image()] * 20, format="carousel"),
            post(image(), video()),
            post(text=links(5)),
            post(text=links(5), link="https://example.com/0"),
            post(link="https://example.com/a?b=1", topic="Python 3", reply_control="mentioned_only", format="post"),
        ],
    )
    def test_finds_nothing_in_what_threads_takes(self, part: Part) -> None:
        assert codes(part) == []

    @pytest.mark.parametrize(
        ("part", "code"),
        [
            (post(text=""), "text.empty"),
            (post(text=" \n"), "text.empty"),
            (post(text="a" * 501), "text.too_long"),
            (post(text="👍" * 126), "text.too_long"),
            (post(text=links(6)), "text.too_many_links"),
            (post(text=links(5), link="https://example.org/"), "text.too_many_links"),
            (post(image(mime_type="image/gif")), "media.type"),
            (post(image(size_bytes=8_000_001)), "media.too_large"),
            (post(image(width=2000, height=100)), "media.ratio"),
            (post(video(seconds=301)), "media.too_long"),
            (post(*[image()] * 21), "media.too_many"),
            (post(image(), format="carousel"), "media.too_few"),
            (post(image(alt_text="a" * 1001)), "media.alt_too_long"),
            (post(image(), link="https://example.com/"), "option.link_media"),
            (post(link="example.com"), "option.value"),
            (post(link="javascript:alert(1)"), "option.value"),
            (post(link="https://a.example and more"), "option.value"),
            (post(topic="a.b"), "option.value"),
            (post(topic=" "), "option.value"),
            (post(topic="a" * 51), "option.value"),
            (post(reply_control="nobody"), "option.value"),
            (post(ai="yes"), "option.unknown"),
        ],
    )
    def test_finds_what_threads_would_refuse(self, part: Part, code: str) -> None:
        assert code in codes(part)

    def test_checks_every_part_of_a_thread(self) -> None:
        found = check_parts([post(), post(text="a" * 501, index=1), post(text="", index=2)], NOTHING_KNOWN)
        assert [(one.at, one.code) for one in found] == [("parts.1", "text.too_long"), ("parts.2", "text.empty")]

    def test_counts_the_attached_link_once(self) -> None:
        options = {"link": "https://example.org/"}
        parts = [Part(index, links(5 if index else 4), options=options) for index in range(3)]
        assert codes(*parts) == []

    def test_takes_no_thread_without_permission(self) -> None:
        account = AccountFacts(scopes=frozenset({"threads_basic"}))
        assert codes(post(), account=account) == []
        assert codes(post(), post(index=1), account=account) == ["scope.missing"]

    def test_warns_of_a_day_that_is_used_up(self) -> None:
        account = AccountFacts(capabilities={"quota_left": 0, "replies_left": 1})
        found = check_parts([post(index=index) for index in range(3)], account)
        assert [(one.code, one.level, one.limit, one.got) for one in found] == [
            ("quota.spent", "warning", 0, 1),
            ("quota.spent", "warning", 1, 2),
        ]

    def test_finds_a_post_without_parts(self) -> None:
        assert codes() == ["post.empty"]


class TestPickTarget:
    def test_takes_jpeg_and_png(self) -> None:
        target = pick_target("image/webp", {})
        assert isinstance(target, ImageTarget)
        assert target.mime_types == ("image/jpeg", "image/png")

    def test_takes_five_minutes(self) -> None:
        target = pick_target("video/quicktime", {})
        assert isinstance(target, VideoTarget)
        assert target.max_seconds == 300

    @pytest.mark.parametrize("mime_type", ["application/pdf", "image/gif", "text/plain"])
    def test_takes_nothing_else(self, mime_type: str) -> None:
        assert pick_target(mime_type, {}) is None


class TestCountText:
    @pytest.mark.parametrize(("text", "used"), [("hi", 2), ("hi 👍", 7), ("字", 1), ("👨‍👩‍👧", 18), ("🇩🇪", 8)])
    def test_counts_an_emoji_by_its_bytes(self, text: str, used: int) -> None:
        assert count_text(text, NOTHING_KNOWN).used == used
