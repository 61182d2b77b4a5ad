"""Mastodon's JSON, as bytes."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.base import Part, Published
from psn.platforms.mastodon import wire

BASE = "https://mastodon.example"
STATUS: dict[str, Any] = {
    "id": "109348684216421378",
    "created_at": "2026-11-20T08:00:00.123Z",
    "url": f"{BASE}/@ann/109348684216421378",
    "uri": f"{BASE}/users/ann/statuses/109348684216421378",
    "content": "<p>hi</p>",
    "in_reply_to_id": None,
    "favourites_count": 3,
    "reblogs_count": 2,
    "replies_count": 1,
    "mentions": [],
    "media_attachments": [],
    "reblog": None,
    "spoiler_text": "",
    "account": {"id": "1"},
}


def reply(body: object, *, link: str = "") -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(200, {"x-request-id": "abc", "link": link}, content)


def read_one(**changes: Any) -> Any:
    return wire.read_post(reply({**STATUS, **changes}), base_url=BASE)


class TestBuildPost:
    @pytest.mark.parametrize(
        ("part", "media_ids", "reply_to", "body"),
        [
            (Part(0, "hi"), [], None, {"status": "hi"}),
            (Part(0, ""), ["5"], None, {"status": "", "media_ids": ["5"]}),
            (Part(1, "more"), [], "9", {"status": "more", "in_reply_to_id": "9"}),
            (Part(1, "first comment", kind="comment"), [], "9", {"status": "first comment", "in_reply_to_id": "9"}),
            (
                Part(0, "hi", options={"visibility": "private", "spoiler": "w", "sensitive": "yes", "language": "es"}),
                [],
                None,
                {"status": "hi", "visibility": "private", "spoiler_text": "w", "sensitive": True, "language": "es"},
            ),
            (Part(0, "hi", options={"sensitive": "no", "spoiler": ""}), [], None, {"status": "hi", "sensitive": False}),
        ],
        ids=["text", "media", "thread", "comment", "all options", "no"],
    )
    def test_holds_only_what_was_chosen(
        self, part: Part, media_ids: list[str], reply_to: str | None, body: object
    ) -> None:
        assert wire.build_post(part, media_ids=media_ids, reply_to=reply_to) == body


class TestReadPublished:
    def test_gives_id_and_address(self) -> None:
        published = wire.read_published(reply(STATUS), base_url=BASE)
        assert published == Published(
            STATUS["id"],
            STATUS["url"],
            request_id="abc",
            http_status=200,
        )

    @pytest.mark.parametrize(
        ("changes", "url"),
        [
            ({"url": None}, STATUS["uri"]),
            ({"url": None, "uri": None}, f"{BASE}/statuses/{STATUS['id']}"),
            ({"url": "javascript:alert(1)", "uri": "tag:x"}, f"{BASE}/statuses/{STATUS['id']}"),
        ],
    )
    def test_always_has_an_address(self, changes: dict[str, Any], url: str) -> None:
        assert wire.read_published(reply({**STATUS, **changes}), base_url=BASE).url == url

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"<html>", b"[]", b"null", {}, {"error": "no"}, {"id": None}, {"id": ""}, {"id": "../x"}, {"id": 7},
            {"id": "x" * 65}, b"\xff\xfe", b"[" * 5000,
        ],
    )  # fmt: skip
    def test_calls_a_yes_it_cannot_read_unknown(self, body: object) -> None:
        with pytest.raises(UnknownOutcome) as caught:
            wire.read_published(reply(body), base_url=BASE)
        assert (caught.value.http_status, caught.value.request_id) == (200, "abc")


class TestReadPost:
    def test_reads_what_is_there(self) -> None:
        post = read_one(content="<p>a<br>b</p>", in_reply_to_id="7", quotes_count=0)
        assert (post.text, post.in_reply_to, post.url) == ("a\nb", "7", STATUS["url"])
        assert post.created_at == datetime(2026, 11, 20, 8, 0, 0, 123000, tzinfo=UTC)
        assert post.metrics == {"likes": 3, "reposts": 2, "replies": 1, "quotes": 0}

    def test_never_takes_unknown_for_zero(self) -> None:
        assert read_one(favourites_count=None).metrics == {"reposts": 2, "replies": 1}

    def test_restores_the_instance_of_a_mention(self) -> None:
        html = '<p><a href="https://b.example/@ben" class="u-url mention">@<span>ben</span></a> hi</p>'
        post = read_one(content=html, mentions=[{"acct": "ben@b.example", "url": "https://b.example/@ben"}])
        assert post.text == "@ben@b.example hi"

    def test_takes_a_time_without_a_zone_for_utc(self) -> None:
        assert read_one(created_at="2026-11-20T08:00:00").created_at == datetime(2026, 11, 20, 8, tzinfo=UTC)

    @given(
        st.dictionaries(st.sampled_from(sorted(STATUS)), st.none() | st.integers() | st.text() | st.lists(st.text()))
    )
    def test_reads_or_refuses_and_never_breaks(self, changes: dict[str, Any]) -> None:
        with suppress(Unavailable):
            read_one(**changes)


class TestReadPage:
    def page(self, *statuses: Any, link: str = "") -> wire.Page:
        return wire.read_page(reply(list(statuses), link=link), base_url=BASE)

    def test_leaves_boosts_out(self) -> None:
        page = self.page(STATUS, {**STATUS, "id": "5", "reblog": STATUS})
        assert [one.post.platform_post_id for one in page.seen] == [STATUS["id"]]

    @pytest.mark.parametrize(
        ("link", "next_max_id"),
        [
            (f'<{BASE}/api?max_id=77&limit=40>; rel="next", <{BASE}/api?min_id=9>; rel="prev"', "77"),
            (f'<{BASE}/api?min_id=9>; rel="prev"', None),
            (f'<{BASE}/api?page=2>; rel="next"', STATUS["id"]),
            ("", STATUS["id"]),
        ],
        ids=["next", "last", "no id", "no header"],
    )
    def test_knows_where_the_next_page_begins(self, link: str, next_max_id: str | None) -> None:
        assert self.page(STATUS, link=link).next_max_id == next_max_id

    def test_ends_with_an_empty_page(self) -> None:
        assert self.page(link=f'<{BASE}/api?max_id=7>; rel="next"').next_max_id is None

    @pytest.mark.parametrize("body", [b"", b"{}", b'{"error":"x"}', b"[1]", b'[{"id":"1"}]'])
    def test_takes_no_answer_for_an_empty_page(self, body: bytes) -> None:
        """That nothing is there is evidence (PUB-6)."""
        with pytest.raises(Unavailable):
            wire.read_page(reply(body), base_url=BASE)


class TestReadCapabilities:
    def test_reads_the_second_kind_of_answer(self) -> None:
        configuration = {
            "statuses": {"max_characters": 1000, "max_media_attachments": 6, "characters_reserved_per_url": 23},
            "media_attachments": {
                "supported_mime_types": ["image/png"], "description_limit": 1500, "image_size_limit": 1,
                "image_matrix_limit": 2, "video_size_limit": 3, "video_matrix_limit": 4, "video_frame_rate_limit": 5,
            },
        }  # fmt: skip
        assert wire.read_capabilities(reply({"version": "4.5.0", "configuration": configuration})) == {
            "version": "4.5.0", "max_characters": 1000, "url_characters": 23, "max_media": 6, "alt_characters": 1500,
            "image_bytes": 1, "image_pixels": 2, "video_bytes": 3, "video_pixels": 4, "video_frame_rate": 5,
            "mime_types": ["image/png"],
        }  # fmt: skip

    def test_reads_the_first_kind_of_answer(self) -> None:
        body = {"version": "2.7.2 (compatible; Pleroma 2.6.0)", "max_toot_chars": 5000}
        assert wire.read_capabilities(reply(body)) == {"version": body["version"], "max_characters": 5000}

    def test_refuses_what_is_no_instance(self) -> None:
        with pytest.raises(Unavailable):
            wire.read_capabilities(reply({"title": "a blog"}))


class TestReadProfile:
    def test_reads_who_it_is(self) -> None:
        body = {"id": "1", "username": "ann", "display_name": "", "url": f"{BASE}/@ann"}
        profile = wire.read_profile(reply(body), base_url=BASE)
        assert (profile.platform_account_id, profile.handle, profile.name, profile.url) == (
            "1",
            "ann",
            "ann",
            f"{BASE}/@ann",
        )

    def test_reads_the_counts_that_are_there(self) -> None:
        body = {"id": "1", "username": "ann", "followers_count": 0, "statuses_count": 12}
        assert wire.read_account_metrics(reply(body)) == {"followers": 0, "posts": 12}
