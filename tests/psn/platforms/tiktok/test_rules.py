from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from psn.errors import Finding
from psn.media.facts import ImageTarget, VideoTarget
from psn.platforms.base import NOTHING_KNOWN, AccountFacts, Part
from psn.platforms.tiktok import PLATFORM
from psn.platforms.tiktok.rules import OPTIONS, check_parts, count_text, pick_target
from tests.psn.platforms.tiktok.parts import DIRECT, PUBLIC, imagine, photo_part, video_part

CREATOR = AccountFacts(
    capabilities={
        "privacy_level_options": ["MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"],
        "comment_disabled": True,
        "duet_disabled": False,
        "stitch_disabled": True,
        "max_video_post_duration_sec": 60,
    }
)


def check(part: Part, account: AccountFacts = NOTHING_KNOWN, level: str = "error") -> list[str]:
    return [finding.code for finding in check_parts([part], account) if finding.level == level]


def find(part: Part, code: str, account: AccountFacts = NOTHING_KNOWN) -> Finding:
    return next(finding for finding in check_parts([part], account) if finding.code == code)


class TestFiles:
    @pytest.mark.parametrize(
        "part",
        [
            video_part(),
            video_part(None, "hi", **DIRECT),
            video_part(imagine("video/quicktime"), **PUBLIC, comments="yes", duet="yes", stitch="no", ai="yes"),
            photo_part(*[imagine("image/jpeg")] * 35, title="t" * 90, text="d" * 4000),
            photo_part(imagine("image/webp"), comments="yes", **PUBLIC),
        ],
    )
    def test_are_taken(self, part: Part) -> None:
        assert check(part) == []

    def test_are_needed(self) -> None:
        assert check(Part(0, "only words")) == ["media.missing"]
        assert [finding.code for finding in check_parts([], NOTHING_KNOWN)] == ["post.empty"]

    @pytest.mark.parametrize(
        ("part", "code"),
        [
            (photo_part(*[imagine("image/jpeg")] * 36), "media.too_many"),
            (photo_part(imagine("image/png")), "media.type"),
            (photo_part(imagine("application/pdf")), "media.type"),
            (photo_part(imagine("image/jpeg"), imagine("video/mp4")), "media.mixed"),
            (video_part(imagine("video/mp4", duration_seconds=2.5)), "media.too_short"),
            (video_part(imagine("video/mp4", duration_seconds=601)), "media.too_long"),
            (video_part(imagine("video/mp4", frame_rate=15)), "media.frame_rate"),
            (video_part(imagine("video/mp4", width=300, height=900)), "media.too_narrow"),
            (video_part(replace(imagine("video/mp4"), size_bytes=4_000_000_001)), "media.too_large"),
            (photo_part(replace(imagine("image/jpeg"), size_bytes=20_000_001)), "media.too_large"),
        ],
    )
    def test_are_refused(self, part: Part, code: str) -> None:
        assert check(part) == [code]

    def test_keep_their_alt_texts_to_themselves_and_say_so(self) -> None:
        part = photo_part(replace(imagine("image/jpeg"), alt_text="a cat"))
        assert (check(part), check(part, level="warning")) == ([], ["media.alt_not_sent"])

    def test_are_picked_by_their_type(self) -> None:
        image, video = pick_target("image/png", {}), pick_target("video/x-matroska", {})
        assert isinstance(image, ImageTarget)
        assert image.mime_types[0] == "image/jpeg"
        assert isinstance(video, VideoTarget)
        assert pick_target("application/pdf", {}) is None


class TestWords:
    def test_are_counted_in_utf_16(self) -> None:
        assert count_text("a👍", NOTHING_KNOWN).used == 3
        assert check(video_part(None, "👍" * 1100, **DIRECT)) == []
        assert check(video_part(None, "👍" * 1100 + "a", **DIRECT)) == ["text.too_long"]

    def test_of_photos_may_be_long_and_their_title_not(self) -> None:
        assert check(photo_part(text="a" * 4001)) == ["text.too_long"]
        assert check(photo_part(title="👍" * 45 + "a")) == ["title.too_long"]

    def test_of_a_video_have_no_title(self) -> None:
        assert check(video_part(title="My film", **DIRECT)) == ["option.not_possible"]

    def test_of_a_video_draft_stay_here_and_it_says_so(self) -> None:
        assert check(video_part(None, "caption"), level="warning") == ["text.not_sent"]
        assert check(video_part(None, "caption", **DIRECT), level="warning") == []
        assert check(photo_part(text="caption"), level="warning") == []


class TestOptions:
    def test_are_known_by_name_and_value(self) -> None:
        assert check(video_part(format="story")) == ["option.value"]
        assert check(video_part(visibility="EVERYBODY", format="direct")) == ["option.value"]
        assert check(video_part(colour="red")) == ["option.unknown"]

    def test_leave_nothing_chosen_for_the_creator(self) -> None:
        assert not any(option.choices == () for option in OPTIONS if option.name != "title")
        finding = find(video_part(format="direct"), "option.missing", CREATOR)
        assert finding.limit == "MUTUAL_FOLLOW_FRIENDS, SELF_ONLY"

    @pytest.mark.parametrize(
        "name", ["visibility", "comments", "duet", "stitch", "ai", "brand_content", "brand_organic"]
    )
    def test_of_a_direct_post_are_refused_for_a_draft(self, name: str) -> None:
        value = "SELF_ONLY" if name == "visibility" else "yes"
        assert check(video_part(**{name: value})) == ["option.not_possible"]

    def test_that_say_no_are_refused_for_a_draft_where_the_app_would_say_yes(self) -> None:
        assert check(video_part(comments="no")) == ["option.not_possible"]
        assert check(video_part(ai="no", brand_content="no")) == []

    @pytest.mark.parametrize(
        "options",
        [
            {"visibility": "PUBLIC_TO_EVERYONE"},  # not offered
            {"visibility": "SELF_ONLY", "comments": "yes"},  # switched off
            {"visibility": "SELF_ONLY", "stitch": "yes"},
            {"visibility": "SELF_ONLY", "brand_content": "yes"},
        ],
    )
    def test_are_held_against_what_the_creator_may_do(self, options: dict[str, str]) -> None:
        assert check(video_part(format="direct", **options), CREATOR) == ["option.not_possible"]

    def test_that_the_creator_may_choose_are_taken(self) -> None:
        assert check(video_part(duet="yes", comments="no", brand_organic="yes", **DIRECT), CREATOR) == []

    @pytest.mark.parametrize("name", ["duet", "stitch", "ai"])
    def test_of_videos_are_refused_for_photos(self, name: str) -> None:
        assert check(photo_part(**DIRECT, **{name: "yes"})) == ["option.not_possible"]

    def test_know_how_long_this_creators_videos_may_be(self) -> None:
        long = imagine("video/mp4", duration_seconds=61)
        assert check(video_part(long, **DIRECT), CREATOR) == ["media.too_long"]
        assert check(video_part(long, **DIRECT)) == []

    @pytest.mark.parametrize(("options", "scope"), [({}, "video.upload"), (DIRECT, "video.publish")])
    def test_need_their_scope(self, options: dict[str, str], scope: str) -> None:
        other = {"video.upload", "video.publish"} - {scope}
        assert check(video_part(**options), AccountFacts(scopes=frozenset(other))) == ["account.scope"]
        assert check(video_part(**options), AccountFacts(scopes=frozenset({scope}))) == []


class TestFurtherParts:
    @pytest.mark.parametrize(
        ("part", "code"),
        [(Part(1, "more"), "thread.unsupported"), (Part(1, "first!", kind="comment"), "comment.unsupported")],
    )
    def test_are_refused(self, part: Part, code: str) -> None:
        findings = check_parts([video_part(), part], NOTHING_KNOWN)
        assert [(finding.code, finding.at) for finding in findings] == [(code, "parts.1")]


class TestFindings:
    def test_say_what_to_do(self) -> None:
        parts: list[Part] = [
            video_part(format="direct", title="x", ai="yes", colour="red"),
            video_part(comments="yes", text="a" * 9000),
            Part(0, ""),
        ]
        account: Any = AccountFacts(scopes=frozenset({"video.list"}))
        found = [finding for part in parts for finding in check_parts([part, Part(1, "x")], account)]
        assert len(found) > 8
        assert all(finding.fix and finding.target == "tiktok" for finding in found)

    def test_are_the_declarations_own(self) -> None:
        assert (PLATFORM.check_parts, PLATFORM.options) == (check_parts, OPTIONS)
        assert PLATFORM.abilities.isdisjoint({"text", "thread", "comment", "delete"})
