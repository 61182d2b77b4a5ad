"""Threads' forms and answers, byte for byte."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from psn.errors import PlatformError, Rejected, Unavailable
from psn.http import Reply
from psn.platforms.base import MediaFile, Part
from psn.platforms.meta.answers import read_insights
from psn.platforms.threads import wire

IMAGE = MediaFile(Path("a.jpg"), "image/jpeg", 10, alt_text="A cat")
VIDEO = MediaFile(Path("a.mp4"), "video/mp4", 10)
URL = "https://media.example.com/a"


def answer(document: Any, *, status: int = 200) -> Reply:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Reply(status, {}, body)


class TestBuild:
    def test_makes_the_form_of_a_text(self) -> None:
        options = {"link": "https://example.com/", "topic": "python", "reply_control": "everyone", "format": "post"}
        assert wire.build_post(Part(0, "Hi", options=options), addresses=[], reply_to=None) == {
            "media_type": "TEXT",
            "text": "Hi",
            "link_attachment": "https://example.com/",
            "topic_tag": "python",
            "reply_control": "everyone",
        }

    def test_makes_the_form_of_the_next_part(self) -> None:
        options = {"link": "https://example.com/", "topic": "python"}
        assert wire.build_post(Part(1, "More", options=options), addresses=[], reply_to="18000000000000001") == {
            "media_type": "TEXT",
            "text": "More",
            "reply_to_id": "18000000000000001",
        }

    def test_makes_the_form_of_a_file(self) -> None:
        assert wire.build_post(Part(0, "", (IMAGE,)), addresses=[URL], reply_to=None) == {
            "media_type": "IMAGE",
            "image_url": URL,
            "alt_text": "A cat",
        }
        assert wire.build_post(Part(0, "Hi", (VIDEO,)), addresses=[URL], reply_to=None) == {
            "media_type": "VIDEO",
            "video_url": URL,
            "text": "Hi",
        }

    def test_makes_the_forms_of_a_carousel(self) -> None:
        assert wire.build_child(IMAGE, address=URL)["is_carousel_item"] == "true"
        part = Part(0, "Hi", (IMAGE, VIDEO))
        form = wire.build_post(part, addresses=[URL, URL], children=["1", "2"], reply_to=None)
        assert form == {"media_type": "CAROUSEL", "children": "1,2", "text": "Hi"}

    def test_never_publishes_by_the_way(self) -> None:
        assert "auto_publish_text" not in wire.build_post(Part(0, "Hi"), addresses=[], reply_to=None)


class TestReadPost:
    def test_reads_what_threads_sends(self) -> None:
        document = {
            "id": "18000000000000001",
            "text": "Hi",
            "permalink": "https://www.threads.net/@ann/post/DCkkKl_OGb1",
            "shortcode": "DCkkKl_OGb1",
            "timestamp": "2024-09-17T20:54:47+0000",
            "media_type": "TEXT_POST",
            "replied_to": {"id": "18000000000000000"},
        }
        seen = wire.read_post(answer(document))
        assert (seen.text, seen.kind, seen.in_reply_to) == ("Hi", "TEXT", "18000000000000000")
        assert seen.created_at == datetime(2024, 9, 17, 20, 54, 47, tzinfo=UTC)

    @pytest.mark.parametrize("document", [{}, [], {"id": "x/y", "timestamp": "2024-09-17T20:54:47+0000"}, b"<html>"])
    def test_takes_nothing_for_a_post_that_is_none(self, document: Any) -> None:
        with pytest.raises(Unavailable):
            wire.read_post(answer(document))


class TestReadDeleted:
    def test_takes_only_a_yes_for_a_yes(self) -> None:
        assert wire.read_deleted(answer({"success": True, "deleted_id": "1"}))
        assert not wire.read_deleted(answer({"success": False}))
        with pytest.raises(Unavailable):
            wire.read_deleted(answer({}))


class TestReadLimit:
    def test_reads_posts_and_replies(self) -> None:
        document = {
            "quota_usage": 250,
            "config": {"quota_total": 250, "quota_duration": 86400},
            "reply_quota_usage": 1,
            "reply_config": {"quota_total": 1000, "quota_duration": 86400},
        }
        quotas = wire.read_publishing_limit(answer({"data": [document]}))
        assert {name: quota.left for name, quota in quotas.items()} == {"posts": 0, "replies": 999}

    @pytest.mark.parametrize("document", [{"data": []}, {"data": [{"quota_usage": 1}]}, {}])
    def test_knows_nothing_where_nothing_is_told(self, document: Any) -> None:
        assert wire.read_publishing_limit(answer(document)) == {}


class TestExplainFailure:
    @pytest.mark.parametrize(
        ("detail", "kind", "code"),
        [
            ("FAILED_DOWNLOADING_VIDEO", Unavailable, "media_fetch"),
            ("UNKNOWN", Unavailable, "media_again"),
            ("FAILED_PROCESSING_AUDIO", Rejected, "audio"),
            ("FAILED_PROCESSING_VIDEO", Rejected, "video_format"),
            ("INVALID_ASPEC_RATIO", Rejected, "media_ratio"),
            ("INVALID_BIT_RATE", Rejected, "bit_rate"),
            ("INVALID_DURATION", Rejected, "duration"),
            ("INVALID_FRAME_RATE", Rejected, "frame_rate"),
            ("INVALID_AUDIO_CHANNELS", Rejected, "audio"),
            ("INVALID_AUDIO_CHANNEL_LAYOUT", Rejected, "audio"),
            ("SOMETHING_NEW", Rejected, "media_failed"),
            ("", Rejected, "media_failed"),
        ],
    )
    def test_knows_every_reason(self, detail: str, kind: type[PlatformError], code: str) -> None:
        meaning = wire.explain_failure(detail)
        assert (meaning.kind, meaning.code) == (kind, code)
        assert meaning.advice or kind is Unavailable


class TestReadInsights:
    def test_reads_totals_by_our_names(self) -> None:
        document = {
            "data": [{"name": "views", "values": [{"value": 9}]}, {"name": "likes", "total_value": {"value": 2}}]
        }
        assert read_insights(answer(document), title="Threads", names=wire.METRIC_NAMES) == {"views": 9, "likes": 2}
