"""Instagram's forms and answers, byte for byte."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from psn.errors import Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.base import MediaFile, Part
from psn.platforms.instagram import wire
from psn.platforms.meta.answers import read_insights, read_published_id

IMAGE = MediaFile(Path("a.jpg"), "image/jpeg", 10, alt_text="A cat")
VIDEO = MediaFile(Path("a.mp4"), "video/mp4", 10, alt_text="unused")
URL = "https://media.example.com/a.jpg"


def answer(document: Any, *, status: int = 200) -> Reply:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Reply(status, {}, body)


class TestBuild:
    def test_makes_the_form_of_an_image(self) -> None:
        part = Part(0, "Hi", (IMAGE,), options={"ai": "yes"})
        assert wire.build_single(part, IMAGE, shape="image", address=URL) == {
            "image_url": URL,
            "alt_text": "A cat",
            "caption": "Hi",
            "is_ai_generated": "true",
        }

    def test_makes_the_form_of_a_reel_that_is_uploaded(self) -> None:
        options = {"format": "reel", "share_to_feed": "no", "cover_at_ms": "1500", "ai": "no"}
        assert wire.build_single(Part(0, "Hi", (VIDEO,), options=options), VIDEO, shape="reel", address="") == {
            "media_type": "REELS",
            "upload_type": "resumable",
            "caption": "Hi",
            "share_to_feed": "false",
            "thumb_offset": "1500",
        }

    def test_makes_the_form_of_a_story(self) -> None:
        part = Part(0, "", options={"format": "story"})
        assert wire.build_single(part, IMAGE, shape="story", address=URL) == {"image_url": URL, "media_type": "STORIES"}
        assert wire.build_single(part, VIDEO, shape="story", address=URL) == {"video_url": URL, "media_type": "STORIES"}

    def test_makes_the_forms_of_a_carousel(self) -> None:
        assert wire.build_child(IMAGE, address=URL) == {
            "image_url": URL,
            "alt_text": "A cat",
            "is_carousel_item": "true",
        }
        assert wire.build_child(VIDEO, address="") == {
            "media_type": "VIDEO",
            "upload_type": "resumable",
            "is_carousel_item": "true",
        }
        part = Part(0, "Hi", (IMAGE, IMAGE), options={"ai": "yes"})
        assert wire.build_carousel(part, children=["1", "2"]) == {
            "media_type": "CAROUSEL",
            "children": "1,2",
            "caption": "Hi",
            "is_ai_generated": "true",
        }

    def test_never_asks_for_metrics_that_are_gone(self) -> None:
        asked = {name for names in wire.METRICS.values() for name in names}
        assert not asked & {"impressions", "plays", "video_views"}
        assert asked <= set(wire.METRIC_NAMES)


class TestReadPost:
    def test_reads_what_instagram_sends(self) -> None:
        document = {
            "id": "17900000000000001",
            "caption": "Hi",
            "permalink": "https://www.instagram.com/p/DCkkKl_OGb1/",
            "shortcode": "DCkkKl_OGb1",
            "timestamp": "2026-11-20T12:00:05+0000",
            "media_type": "CAROUSEL_ALBUM",
            "media_product_type": "FEED",
            "like_count": 3,
            "something_new": {},
        }
        seen, counts = wire.read_media(answer(document))
        assert (seen.platform_post_id, seen.text, seen.shortcode) == ("17900000000000001", "Hi", "DCkkKl_OGb1")
        assert seen.created_at == datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC)
        assert (seen.kind, counts) == ("carousel", {"likes": 3})

    def test_knows_a_post_without_words(self) -> None:
        document = {"id": "17900000000000001", "timestamp": "2026-11-20T12:00:05+0000", "caption": None}
        assert wire.read_media(answer(document))[0].text == ""

    @pytest.mark.parametrize(
        "document",
        [
            {},
            [],
            {"id": "../me", "timestamp": "2026-11-20T12:00:05+0000"},
            {"id": "1", "timestamp": "soon"},
            b"<html>",
            b"",
        ],
    )
    def test_takes_nothing_for_a_post_that_is_none(self, document: Any) -> None:
        with pytest.raises(Unavailable):
            wire.read_media(answer(document))

    @pytest.mark.parametrize("document", [{}, {"data": {}}, {"data": [{"id": "1"}]}, b"x"])
    def test_takes_nothing_for_a_page_that_is_none(self, document: Any) -> None:
        with pytest.raises(Unavailable):
            wire.read_media_page(answer(document))

    def test_knows_where_the_pages_end(self) -> None:
        _, paging = wire.read_media_page(answer({"data": []}))
        assert (paging.next, paging.cursors.after) == ("", "")


class TestReadPublishedId:
    @pytest.mark.parametrize(
        "document", [{}, {"id": ""}, {"id": None}, {"id": "abc"}, {"id": 7}, [], b"", b"<html>", b"null"]
    )
    def test_is_in_doubt_without_an_id(self, document: Any) -> None:
        with pytest.raises(UnknownOutcome):
            read_published_id(answer(document), title="Instagram")


class TestReadProfile:
    def test_prefers_the_id_that_the_api_wants(self) -> None:
        document = {"id": "900", "user_id": "17841400000000001", "username": "ann.lee"}
        profile = wire.read_profile(answer(document), web_base_url="https://www.instagram.com")
        assert (profile.platform_account_id, profile.name) == ("17841400000000001", "ann.lee")
        assert profile.url == "https://www.instagram.com/ann.lee/"


class TestReadQuota:
    def test_reads_what_is_left(self) -> None:
        limit = {"quota_usage": 98, "config": {"quota_total": 100, "quota_duration": 86400}}
        quota = wire.read_publishing_limit(answer({"data": [limit]}))
        assert quota is not None
        assert (quota.left, quota.span.total_seconds()) == (2, 86400)

    @pytest.mark.parametrize("document", [{"data": []}, {}, {"data": [{"quota_usage": 3}]}])
    def test_knows_nothing_where_nothing_is_told(self, document: Any) -> None:
        assert wire.read_publishing_limit(answer(document)) is None


class TestReadInsights:
    def read(self, *insights: Any) -> dict[str, int]:
        return read_insights(answer({"data": insights}), title="Instagram", names=wire.METRIC_NAMES)

    def test_reads_totals_by_our_names(self) -> None:
        saved = {"name": "saved", "period": "lifetime", "values": [{"value": 7}]}
        watched = {"name": "ig_reels_video_view_total_time", "total_value": {"value": 4200}}
        assert self.read(saved, watched) == {"saves": 7, "watch_time_ms": 4200}

    @pytest.mark.parametrize(
        "values", [[], [{}], [{"value": None}], [{"value": "7"}], [{"value": -1}], [{"value": True}]]
    )
    def test_takes_missing_data_for_unknown_and_not_for_nothing(self, values: list[Any]) -> None:
        assert self.read({"name": "views", "values": values}) == {}

    def test_ignores_what_nobody_asked_for(self) -> None:
        assert self.read({"name": "impressions", "values": [{"value": 7}]}) == {}
