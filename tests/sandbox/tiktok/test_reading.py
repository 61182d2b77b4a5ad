from __future__ import annotations

import pytest

from tests.sandbox.process import WEB, Sandbox
from tests.sandbox.tiktok.people import Person, connect

FIELDS = "id,title,video_description,create_time,share_url,view_count,like_count,comment_count,share_count"


class TestVideos:
    def test_show_public_posts_and_nothing_else(self, person: Person, sandbox: Sandbox) -> None:
        for title, level in (("one", "PUBLIC_TO_EVERYONE"), ("two", "SELF_ONLY"), ("three", "PUBLIC_TO_EVERYONE")):
            person.post(title=title, privacy_level=level)
            sandbox.move_clock(60)
        page = person.ask("/v2/video/list/", fields=FIELDS).json()["data"]
        assert [video["title"] for video in page["videos"]] == ["three", "one"]
        assert page["has_more"] is False
        stranger = connect(sandbox, handle="stranger")
        assert stranger.ask("/v2/video/list/", fields=FIELDS).json()["data"]["videos"] == []

    def test_turn_pages(self, person: Person, sandbox: Sandbox) -> None:
        for number in range(5):
            person.post(title=str(number))
            sandbox.move_clock(20)
        titles, cursor = [], None
        for _ in range(3):
            body = {"max_count": 2} if cursor is None else {"max_count": 2, "cursor": cursor}
            page = person.ask("/v2/video/list/", body, fields=FIELDS).json()["data"]
            titles.append([video["title"] for video in page["videos"]])
            cursor = page["cursor"]
        assert (titles, page["has_more"]) == ([["4", "3"], ["2", "1"], ["0"]], False)

    def test_are_found_by_id_with_counts_that_grow(self, person: Person, sandbox: Sandbox) -> None:
        person.post(title="hi")
        (post,) = sandbox.ask("posts")
        body = {"filters": {"video_ids": [post["id"], "7411111111111111111"]}}
        counts = []
        for _ in range(3):
            sandbox.move_clock(1000)
            (video,) = person.ask("/v2/video/query/", body, fields=FIELDS).json()["data"]["videos"]
            counts.append(video["view_count"])
        assert counts == sorted(counts)
        assert counts[0] < counts[-1]
        assert set(video) == set(FIELDS.split(","))
        assert WEB.get(video["share_url"]).status_code == 200

    @pytest.mark.parametrize(
        ("path", "body", "fields"),
        [
            ("/v2/video/list/", {"max_count": 21}, FIELDS),
            ("/v2/video/list/", {"cursor": -1}, FIELDS),
            ("/v2/video/list/", {"cursor": 10**30}, FIELDS),
            ("/v2/video/list/", {}, ""),
            ("/v2/video/list/", {}, "id,colour"),
            ("/v2/video/query/", {}, FIELDS),
            ("/v2/video/query/", {"filters": {"video_ids": ["x"]}}, FIELDS),
            ("/v2/video/query/", {"filters": {"video_ids": ["1"] * 21}}, FIELDS),
            ("/v2/video/query/", [], FIELDS),
        ],
    )
    def test_refuse_what_is_wrong(self, person: Person, path: str, body: object, fields: str) -> None:
        answer = person.ask(path, body, fields=fields)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_params")


class TestPages:
    def test_show_people_what_was_posted(self, person: Person, sandbox: Sandbox) -> None:
        person.post(title="hello #everybody")
        (post,) = sandbox.ask("posts")
        assert WEB.get(post["url"]).status_code == 200
        assert "hello" in WEB.get(f"{sandbox.base('tiktok')}/@sandbox").text
        assert WEB.get(sandbox.url, follow_redirects=True).status_code == 200

    @pytest.mark.parametrize("path", ["/v2/nothing/", "/v2/video/list", "/upload/"])
    def test_are_not_behind_unknown_calls(self, person: Person, path: str) -> None:
        assert person.ask(path).status_code == 404

    def test_are_not_read_with_another_method(self, person: Person) -> None:
        assert person.call("GET", "/v2/video/list/").status_code == 404
