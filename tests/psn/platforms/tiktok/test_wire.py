"""TikTok's JSON, byte by byte."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from psn.errors import Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.tiktok import wire
from psn.platforms.tiktok.upload import plan_pieces
from tests.psn.platforms.tiktok.contract import check_request
from tests.psn.platforms.tiktok.parts import DIRECT, PUBLIC, photo_part, video_part

ADDRESSES = ["https://media.example.com/a.jpg", "https://media.example.com/b.jpg"]


def reply(data: object, *, status: int = 200) -> Reply:
    body = data if isinstance(data, bytes) else json.dumps({"data": data, "error": {"code": "ok"}}).encode()
    return Reply(status, {}, body)


class TestBuildVideo:
    def test_of_a_draft_says_nothing_but_how_it_comes(self) -> None:
        path, body = wire.build_video(video_part(None, "caption"), plan_pieces(30_567_100))
        assert path == "/v2/post/publish/inbox/video/init/"
        source = {"source": "FILE_UPLOAD", "video_size": 30_567_100, "chunk_size": 5_242_880, "total_chunk_count": 5}
        assert body == {"source_info": source}
        check_request(f"POST {path}", body)

    def test_of_a_direct_post_switches_off_what_nobody_asked_for(self) -> None:
        path, body = wire.build_video(video_part(None, "see #this", **DIRECT), plan_pieces(1000))
        assert path == "/v2/post/publish/video/init/"
        assert body["post_info"] == {
            "title": "see #this",
            "privacy_level": "SELF_ONLY",
            "disable_comment": True,
            "disable_duet": True,
            "disable_stitch": True,
            "brand_content_toggle": False,
            "brand_organic_toggle": False,
            "is_aigc": False,
        }
        check_request(f"POST {path}", body)

    def test_says_what_was_chosen(self) -> None:
        chosen = dict.fromkeys(("comments", "duet", "stitch", "ai", "brand_content", "brand_organic"), "yes")
        _, body = wire.build_video(video_part(**PUBLIC, **chosen), plan_pieces(1000))
        assert body["post_info"] == {
            "privacy_level": "PUBLIC_TO_EVERYONE",
            "disable_comment": False,
            "disable_duet": False,
            "disable_stitch": False,
            "brand_content_toggle": True,
            "brand_organic_toggle": True,
            "is_aigc": True,
        }


class TestBuildPhotos:
    def test_of_a_draft_says_only_words(self) -> None:
        body = wire.build_photos(photo_part(text="what it is", title="Look"), ADDRESSES)
        assert body == {
            "media_type": "PHOTO",
            "post_mode": "MEDIA_UPLOAD",
            "post_info": {"title": "Look", "description": "what it is"},
            "source_info": {"source": "PULL_FROM_URL", "photo_cover_index": 0, "photo_images": ADDRESSES},
        }
        check_request("POST /v2/post/publish/content/init/", body)

    def test_of_a_direct_post_says_who_sees_it(self) -> None:
        body = wire.build_photos(photo_part(comments="yes", **PUBLIC), ADDRESSES)
        assert body["post_mode"] == "DIRECT_POST"
        assert body["post_info"] == {
            "privacy_level": "PUBLIC_TO_EVERYONE",
            "disable_comment": False,
            "brand_content_toggle": False,
            "brand_organic_toggle": False,
            "auto_add_music": False,
        }
        check_request("POST /v2/post/publish/content/init/", body)


class TestReadStatus:
    def test_reads_a_public_post(self) -> None:
        data = {
            "status": "PUBLISH_COMPLETE",
            "publicaly_available_post_id": [7411111111111111111],
            "uploaded_bytes": 10,
        }
        status = wire.read_status(reply(data), request_id="log")
        assert (status.state, status.post_id, status.uploaded_bytes) == ("published", "7411111111111111111", 10)
        assert (status.request_id, status.http_status, status.reason) == ("log", 200, "")

    @pytest.mark.parametrize(
        ("word", "state"),
        [
            ("PROCESSING_UPLOAD", "uploading"),
            ("PROCESSING_DOWNLOAD", "processing"),
            ("SEND_TO_USER_INBOX", "delivered"),
            ("PUBLISH_COMPLETE", "published"),
            ("FAILED", "failed"),
            ("SOMETHING_NEW", "processing"),
        ],
    )
    def test_knows_their_words(self, word: str, state: str) -> None:
        assert wire.read_status(reply({"status": word}), request_id="").state == state

    @pytest.mark.parametrize("ids", [None, [], ""])
    def test_takes_no_id_for_none(self, ids: object) -> None:
        data = {"status": "PUBLISH_COMPLETE", "publicaly_available_post_id": ids, "fail_reason": None}
        assert wire.read_status(reply(data), request_id="").post_id == ""

    def test_takes_the_id_in_words_and_in_the_right_spelling(self) -> None:
        data = {"status": "PUBLISH_COMPLETE", "publicly_available_post_id": ["7411"]}
        assert wire.read_status(reply(data), request_id="").post_id == "7411"

    @pytest.mark.parametrize(
        "data", [{}, {"status": ""}, {"status": 7}, {"status": "FAILED", "uploaded_bytes": "x"}, b"<html>"]
    )
    def test_is_unavailable_when_it_cannot_be_read(self, data: Any) -> None:
        with pytest.raises(Unavailable):
            wire.read_status(reply(data), request_id="")


class TestReadAnswers:
    def test_read_an_upload(self) -> None:
        opened = wire.read_opened(reply({"publish_id": "v_pub_file~1", "upload_url": "https://u.example/?t=secret"}))
        assert (opened.publish_id, opened.upload_url) == ("v_pub_file~1", "https://u.example/?t=secret")
        assert "secret" not in repr(opened)

    @pytest.mark.parametrize("data", [{}, {"publish_id": ""}, {"publish_id": 7, "upload_url": "https://u"}, b"[]", b""])
    def test_are_lost_when_they_cannot_be_read(self, data: Any) -> None:
        with pytest.raises(Unavailable):
            wire.read_opened(reply(data))
        with pytest.raises(UnknownOutcome):
            wire.read_publish_id(reply(data))

    def test_read_a_creator_and_keep_what_people_must_see(self) -> None:
        data = {
            "creator_username": "ann",
            "creator_nickname": "Ann",
            "creator_avatar_url": "https://p.example/a",
            "privacy_level_options": ["SELF_ONLY"],
            "comment_disabled": True,
            "max_video_post_duration_sec": 300,
            "new": 1,
        }
        creator = wire.read_creator(reply(data)).model_dump()
        assert creator == {key: value for key, value in data.items() if key != "new"} | {
            "duet_disabled": False,
            "stitch_disabled": False,
        }

    def test_read_a_user(self) -> None:
        assert wire.read_user(reply({"user": {"open_id": "-000a", "display_name": "Ann"}})) == ("-000a", "Ann")
        with pytest.raises(Unavailable):
            wire.read_user(reply({"user": {"display_name": "Ann"}}))

    def test_read_counts_and_leave_out_what_is_not_known(self) -> None:
        data = {"user": {"follower_count": 0, "likes_count": 5, "video_count": None}}
        assert wire.read_account_metrics(reply(data)) == {"followers": 0, "likes": 5}


class TestReadVideos:
    VIDEO = {
        "id": "7411111111111111111",
        "title": "Look",
        "video_description": "Look at #this",
        "create_time": 1_795_000_000,
        "share_url": "https://www.tiktok.com/@ann/video/7411111111111111111?utm=1",
        "view_count": 9,
        "like_count": 0,
        "comment_count": None,
    }

    def test_gives_posts_with_the_counts_that_are_known(self) -> None:
        page = wire.read_videos(reply({"videos": [self.VIDEO], "cursor": 5, "has_more": True}))
        (video,) = page.posts
        assert video.post.text == "Look at #this"
        assert video.post.url == "https://www.tiktok.com/@ann/video/7411111111111111111"
        assert video.post.created_at == datetime.fromtimestamp(1_795_000_000, tz=UTC)
        assert video.post.metrics == {"views": 9, "likes": 0}
        assert video.texts == ("Look", "Look at #this")
        assert page.cursor == 5

    def test_ends_where_there_is_no_more(self) -> None:
        assert wire.read_videos(reply({"videos": [], "cursor": 5, "has_more": False})).cursor is None

    @pytest.mark.parametrize(
        "data",
        [{}, {"videos": None}, {"videos": [{"id": "7"}]}, {"videos": [{**VIDEO, "create_time": "then"}]}, b"x" * 100],
    )
    def test_is_unavailable_when_it_cannot_be_read(self, data: Any) -> None:
        with pytest.raises(Unavailable):
            wire.read_videos(reply(data))
