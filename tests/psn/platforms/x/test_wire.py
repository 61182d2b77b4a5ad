"""X's JSON, as bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.base import Part, Published
from psn.platforms.x import wire

WEB = "https://x.com"


def reply(body: bytes | dict[str, Any], status: int = 200) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {"x-transaction-id": "abc"}, content)


def read_one(**fields: Any) -> Any:
    post = {"id": "7", "text": "hi", "created_at": "2026-11-20T08:00:00.000Z", **fields}
    return wire.read_posts(reply({"data": [post]}), web_base_url=WEB)[0]


class TestBuildPost:
    @pytest.mark.parametrize(
        ("text", "media_ids", "reply_to", "body"),
        [
            ("hi", [], None, {"text": "hi"}),
            ("", ["5"], None, {"media": {"media_ids": ["5"]}}),
            (
                "hi",
                ["5", "6"],
                "9",
                {"text": "hi", "media": {"media_ids": ["5", "6"]}, "reply": {"in_reply_to_tweet_id": "9"}},
            ),
        ],
        ids=["text", "media", "all"],
    )
    def test_holds_only_what_is_there(
        self, text: str, media_ids: list[str], reply_to: str | None, body: object
    ) -> None:
        assert wire.build_post(Part(0, text), media_ids=media_ids, reply_to=reply_to) == body

    def test_makes_a_first_comment_a_reply(self) -> None:
        assert wire.build_post(Part(1, "more", kind="comment"), media_ids=[], reply_to="9")["reply"] == {
            "in_reply_to_tweet_id": "9"
        }

    def test_says_that_media_were_made_with_ai_only_when_they_were(self) -> None:
        bodies = [
            wire.build_post(Part(0, "hi", options=o), media_ids=[], reply_to=None)
            for o in ({"ai": "yes"}, {"ai": "no"})
        ]
        assert bodies == [{"text": "hi", "made_with_ai": True}, {"text": "hi"}]

    def test_says_who_may_reply_at_the_top_of_a_thread(self) -> None:
        options = {"replies": "verified"}
        top = wire.build_post(Part(0, "hi", options=options), media_ids=[], reply_to=None)
        below = wire.build_post(Part(1, "hi", options=options), media_ids=[], reply_to="9")
        assert top["reply_settings"] == "verified"
        assert "reply_settings" not in below


class TestReadPublished:
    @pytest.mark.parametrize(
        "body",
        [
            {"data": {"id": "17", "text": "hi", "edit_history_post_ids": ["17"]}},
            {"data": {"id": "17", "text": "hi", "edit_history_tweet_ids": ["17"]}},
            {"data": {"id": "17"}, "errors": [{"title": "Partial"}]},
        ],
        ids=["new-words", "old-words", "with-errors-beside"],
    )
    def test_takes_an_id_for_success(self, body: dict[str, Any]) -> None:
        published = wire.read_published(reply(body, 201), web_base_url=WEB)
        assert published == Published("17", "https://x.com/i/web/status/17", request_id="abc", http_status=201)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>",
            b"null",
            b"[]",
            b'{"data":{"id":17}}',
            b'{"data":{"id":"x"}}',
            b'{"data":{}}',
            b'{"errors":[{}]}',
            b'{"data":{"id":"1',
        ],
    )
    def test_calls_every_other_yes_unknown(self, body: bytes) -> None:
        with pytest.raises(UnknownOutcome) as caught:
            wire.read_published(reply(body, 201), web_base_url=WEB)
        assert (caught.value.http_status, caught.value.request_id) == (201, "abc")

    @given(
        st.recursive(
            st.none() | st.booleans() | st.text() | st.integers(),
            lambda v: st.lists(v) | st.dictionaries(st.sampled_from(["data", "id", "errors"]), v),
        )
    )
    def test_never_calls_something_published_without_an_id(self, body: Any) -> None:
        try:
            published = wire.read_published(reply(json.dumps(body).encode(), 201), web_base_url=WEB)
        except UnknownOutcome:
            return
        assert published.platform_post_id == body["data"]["id"]
        assert published.platform_post_id.isdigit()


class TestReadPosts:
    @pytest.mark.parametrize(
        "fields",
        [
            {
                "public_metrics": {
                    "impression_count": 9,
                    "like_count": 2,
                    "repost_count": 1,
                    "reply_count": 0,
                    "quote_count": 3,
                    "bookmark_count": 4,
                },
                "referenced_posts": [{"type": "quoted", "id": "1"}, {"type": "replied_to", "id": "5"}],
                "note_post": {"text": "the long text"},
            },
            {
                "public_metrics": {
                    "impression_count": 9,
                    "like_count": 2,
                    "retweet_count": 1,
                    "reply_count": 0,
                    "quote_count": 3,
                    "bookmark_count": 4,
                },
                "referenced_tweets": [{"type": "replied_to", "id": "5"}],
                "note_tweet": {"text": "the long text"},
            },
        ],
        ids=["new-words", "old-words"],
    )
    def test_understands_both_vocabularies(self, fields: dict[str, Any]) -> None:
        post = read_one(**fields)
        assert post.metrics == {"impressions": 9, "likes": 2, "reposts": 1, "replies": 0, "quotes": 3, "bookmarks": 4}
        assert (post.in_reply_to, post.text, post.url) == ("5", "the long text", "https://x.com/i/web/status/7")

    def test_keeps_an_absent_count_unknown(self) -> None:
        assert read_one(public_metrics={"like_count": 0, "impression_count": None, "reply_count": True}).metrics == {
            "likes": 0
        }

    def test_gives_instants_in_utc(self) -> None:
        assert read_one(created_at="2026-11-20T09:00:00+01:00").created_at == datetime(2026, 11, 20, 8, tzinfo=UTC)
        assert read_one().created_at.tzinfo is UTC

    @pytest.mark.parametrize(
        ("text", "urls", "written"),
        [
            (
                "see https://t.co/abc",
                [{"url": "https://t.co/abc", "expanded_url": "https://a.b/?x=1&y=2"}],
                "see https://a.b/?x=1&y=2",
            ),
            ("a &amp; b &lt;c&gt; &amp;lt;", None, "a & b <c> &lt;"),
            (
                "look https://t.co/m",
                [{"url": "https://t.co/m", "expanded_url": "https://x.com/u/status/7/photo/1"}],
                "look",
            ),
            ("look https://t.co/m", [{"url": "https://t.co/m", "media_key": "3_1"}], "look"),
            ("kept https://t.co/x", [{"url": "https://t.co/x"}], "kept https://t.co/x"),
            ("plain ", None, "plain "),
            (
                "theirs https://t.co/m",
                [{"url": "https://t.co/m", "expanded_url": "https://x.com/u/status/8/photo/1"}],
                "theirs https://x.com/u/status/8/photo/1",
            ),
            (
                "https://t.co/ab https://t.co/abc",
                [{"url": "https://t.co/ab", "expanded_url": "https://a"}, {"url": "https://t.co/abc", "title": "t"}],
                "https://a https://t.co/abc",
            ),
            ("odd https://t.co/m", [{"url": None, "expanded_url": None, "media_key": None}], "odd https://t.co/m"),
        ],
        ids=["link", "escapes", "own-photo", "own-media", "no-expansion", "plain", "their-photo", "prefix", "nothing"],
    )
    def test_gives_the_text_as_it_was_written(
        self, text: str, urls: list[dict[str, str | None]] | None, written: str
    ) -> None:
        assert read_one(text=text, entities={"urls": urls} if urls else None).text == written

    def test_expands_the_links_of_a_long_post(self) -> None:
        note = {
            "text": "long https://t.co/a",
            "entities": {"urls": [{"url": "https://t.co/a", "expanded_url": "https://a.b"}]},
        }
        assert read_one(text="lo…", note_post=note).text == "long https://a.b"

    def test_leaves_out_what_x_does_not_show(self) -> None:
        assert wire.read_posts(reply({"errors": [{"resource_id": "9"}]}), web_base_url=WEB) == []

    @pytest.mark.parametrize("body", [b"", b"[]", b'{"data":{}}', b'{"data":[{"id":"1"}]}'])
    def test_says_when_it_cannot_be_read(self, body: bytes) -> None:
        with pytest.raises(Unavailable):
            wire.read_posts(reply(body), web_base_url=WEB)


class TestReadTimeline:
    def test_gives_the_next_page(self) -> None:
        body = {"data": [{"id": "7", "text": "hi", "created_at": "2026-11-20T08:00:00Z"}], "meta": {"next_token": "n"}}
        page = wire.read_timeline(reply(body), web_base_url=WEB)
        assert ([seen.post.platform_post_id for seen in page.posts], page.next_token) == (["7"], "n")

    def test_takes_an_empty_page_at_its_word(self) -> None:
        assert wire.read_timeline(reply({"meta": {"result_count": 0}}), web_base_url=WEB) == wire.Page([], None, True)

    def test_says_when_x_shows_less_than_it_found(self) -> None:
        assert not wire.read_timeline(reply({"meta": {"result_count": 1}}), web_base_url=WEB).is_whole

    @pytest.mark.parametrize("body", [{}, {"errors": [{"title": "Not Found Error"}]}])
    def test_takes_no_answer_for_an_empty_page(self, body: dict[str, Any]) -> None:
        with pytest.raises(Unavailable):
            wire.read_timeline(reply(body), web_base_url=WEB)


class TestReadProfile:
    def test_says_whose_token_it_is(self) -> None:
        profile = wire.read_profile(
            reply({"data": {"id": "3", "username": "ann", "name": "Ann B", "verified": True}}), web_base_url=WEB
        )
        assert (profile.platform_account_id, profile.handle, profile.name, profile.url) == (
            "3",
            "ann",
            "Ann B",
            "https://x.com/ann",
        )


class TestBuildPage:
    @given(
        st.datetimes(
            timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]), min_value=datetime(2010, 1, 2)
        )
    )
    def test_rounds_down_to_the_second(self, instant: datetime) -> None:
        written = wire.build_page(since=instant, wanted=20, next_token=None)["start_time"]
        assert timedelta(0) <= instant - datetime.fromisoformat(written) < timedelta(seconds=1)

    @pytest.mark.parametrize(("wanted", "size"), [(1, "5"), (20, "20"), (1000, "100")])
    def test_asks_for_as_many_as_x_allows(self, wanted: int, size: str) -> None:
        assert wire.build_page(since=None, wanted=wanted, next_token=None) == {"max_results": size}
