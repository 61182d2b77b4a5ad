"""Statuses and files as an instance has them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.files import GIF, MP4, make_png
from tests.sandbox.mastodon.people import Person, connect, make_key
from tests.sandbox.process import WEB, Sandbox, rush

WORDS = {  # what is refused, and in which words
    "blank": ({"status": " \n"}, 422, "Validation failed: Text can't be blank"),
    "too long": ({"status": "x" * 501}, 422, "Validation failed: Text is too long (maximum is 500 characters)"),
    "warning counts": ({"status": "x" * 400, "spoiler_text": "y" * 101}, 422, "Validation failed: Text is too long"),
    "visibility": ({"status": "x", "visibility": "all"}, 422, "Validation failed: Visibility is not included"),
    "no parent": ({"status": "x", "in_reply_to_id": "7"}, 404, "The post you are trying to reply to does not appear"),
    "no file": ({"status": "x", "media_ids": ["7"]}, 422, "Validation failed: Media 7 not found"),
    "many files": (
        {"status": "x", "media_ids": ["1", "2", "3", "4", "5"]},
        422,
        "Validation failed: Cannot attach more",
    ),
}


class TestCreate:
    @pytest.mark.parametrize(("body", "status", "words"), WORDS.values(), ids=WORDS.keys())
    def test_refuses_in_mastodon_s_words(self, ann: Person, body: dict[str, Any], status: int, words: str) -> None:
        refused = ann.call("POST", "/api/v1/statuses", json=body)
        assert refused.status_code == status
        assert refused.json()["error"].startswith(words)
        assert ann.own().json() == []

    def test_takes_a_form_as_well(self, ann: Person) -> None:
        media_id = ann.upload(make_png()).json()["id"]
        form = {"status": "hi", "media_ids[]": [media_id], "sensitive": "true", "visibility": "unlisted"}
        made = ann.call("POST", "/api/v1/statuses", data=form).json()
        assert (made["visibility"], made["sensitive"], made["media_attachments"][0]["id"]) == (
            "unlisted",
            True,
            media_id,
        )

    @pytest.mark.parametrize("content", [b"{", b"[]", b'"x"', b""])
    def test_refuses_a_body_that_is_none(self, ann: Person, content: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        assert ann.call("POST", "/api/v1/statuses", content=content, headers=headers).status_code == 400

    def test_makes_a_warning_above_no_text_the_text(self, ann: Person) -> None:
        made = ann.status("", spoiler_text="look", media_ids=[ann.upload(make_png()).json()["id"]])
        assert (made["content"], made["spoiler_text"]) == ("<p>look</p>", "")

    def test_counts_links_and_mentions_as_mastodon_does(self, ann: Person) -> None:
        link = "https://example.com/" + "x" * 200
        assert ann.post(f"{link} {'y' * 476}").status_code == 200
        assert ann.post(f"{link} {'y' * 477}").status_code == 422
        assert ann.post(f"@ben@{'very.' * 20}example {'y' * 495}").status_code == 200

    def test_shows_html(self, sandbox: Sandbox, ann: Person) -> None:
        connect(sandbox, handle="ben")
        content = ann.status("a<b\nc\n\n@ben @cy@else.example @nobody #Tag https://www.example.com/" + "z" * 40)[
            "content"
        ]
        assert content.startswith("<p>a&lt;b<br />c</p><p>")
        assert f'<a href="{ann.base}/@ben" class="u-url mention">@<span>ben</span></a>' in content
        assert '<a href="https://else.example/@cy" class="u-url mention">@<span>cy</span></a>' in content
        assert " @nobody " in content
        assert f'<a href="{ann.base}/tags/Tag" class="mention hashtag" rel="tag">#<span>Tag</span></a>' in content
        shown = "example.com/" + "z" * 18
        assert f'<span class="ellipsis">{shown}</span><span class="invisible">{"z" * 22}</span></a>' in content


class TestTheKey:
    def test_gives_the_same_status_for_an_hour(self, sandbox: Sandbox, ann: Person) -> None:
        key = make_key()
        first = ann.status("once", key=key)["id"]
        sandbox.move_clock(3590)
        assert ann.status("once", key=key)["id"] == first
        sandbox.move_clock(20)
        assert ann.status("once", key=key)["id"] != first

    def test_is_the_account_s_own(self, sandbox: Sandbox, ann: Person) -> None:
        key, ben = make_key(), connect(sandbox, handle="ben")
        assert ann.status("mine", key=key)["id"] != ben.status("mine", key=key)["id"]

    def test_is_not_used_up_by_a_refusal(self, ann: Person) -> None:
        key = make_key()
        assert ann.post("x" * 501, key=key).status_code == 422
        assert ann.post("better", key=key).status_code == 200

    def test_gives_no_status_that_was_deleted(self, ann: Person) -> None:
        key = make_key()
        ann.call("DELETE", f"/api/v1/statuses/{ann.status('gone', key=key)['id']}")
        assert ann.post("gone", key=key).status_code == 404

    def test_stands_a_rush(self, ann: Person) -> None:
        headers = {"Authorization": f"Bearer {ann.token}", "Idempotency-Key": make_key()}
        url, body = f"{ann.base}/api/v1/statuses", {"status": "rushed"}
        answers = rush(lambda client, _: client.post(url, json=body, headers=headers), callers=8)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len(ann.own().json()) == 1


class TestReading:
    def test_turns_pages(self, ann: Person) -> None:
        ids = [ann.status(f"post {number}")["id"] for number in range(5)][::-1]
        first = ann.own(limit="2")
        assert [one["id"] for one in first.json()] == ids[:2]
        second = WEB.get(first.links["next"]["url"], headers={"Authorization": f"Bearer {ann.token}"})
        assert [one["id"] for one in second.json()][:2] == ids[2:4]
        assert "next" not in ann.own(limit="40").links

    def test_keeps_what_is_private(self, sandbox: Sandbox, ann: Person) -> None:
        ben, made = connect(sandbox, handle="ben"), ann.status("for few", visibility="private")
        assert ben.call("GET", f"/api/v1/statuses/{made['id']}").status_code == 404
        assert ben.call("GET", "/api/v1/statuses", params={"id[]": made["id"]}).json() == []
        assert ben.call("GET", f"/api/v1/accounts/{made['account']['id']}/statuses").json() == []
        assert [one["id"] for one in ann.own().json()] == [made["id"]]

    def test_gives_the_source_to_its_author_alone(self, sandbox: Sandbox, ann: Person) -> None:
        made = ann.status("typed *so*", spoiler_text="w")
        path = f"/api/v1/statuses/{made['id']}/source"
        assert ann.call("GET", path).json() == {"id": made["id"], "text": "typed *so*", "spoiler_text": "w"}
        assert connect(sandbox, handle="ben").call("GET", path).status_code == 404

    def test_counts_grow(self, sandbox: Sandbox, ann: Person) -> None:
        made = ann.status("popular")
        sandbox.move_clock(86400)
        later = ann.call("GET", f"/api/v1/statuses/{made['id']}").json()
        assert later["favourites_count"] > made["favourites_count"] == 0

    def test_leads_people_to_the_post(self, ann: Person) -> None:
        made = ann.status("see me")
        assert "see me" in WEB.get(made["url"]).text
        assert WEB.get(f"{ann.base}/statuses/{made['id']}", follow_redirects=True).url == made["url"]
        assert "see me" in WEB.get(f"{ann.base}/@ann").text


class TestDelete:
    def test_gives_back_what_was_typed(self, ann: Person) -> None:
        path = f"/api/v1/statuses/{ann.status('a & b')['id']}"
        assert ann.call("DELETE", path).json()["text"] == "a & b"
        gone = ann.call("DELETE", path)
        assert (gone.status_code, gone.json()) == (404, {"error": "Record not found"})

    def test_is_for_the_author_alone(self, sandbox: Sandbox, ann: Person) -> None:
        path = f"/api/v1/statuses/{ann.status('mine')['id']}"
        assert connect(sandbox, handle="ben").call("DELETE", path).status_code == 404
        assert ann.call("GET", path).status_code == 200


class TestMedia:
    def test_is_ready_at_once_when_it_is_a_picture(self, ann: Person) -> None:
        uploaded = ann.upload(make_png(), description="Ünë")
        assert (uploaded.status_code, uploaded.json()["type"], uploaded.json()["description"]) == (200, "image", "Ünë")
        assert WEB.get(uploaded.json()["url"]).content == make_png()

    @pytest.mark.parametrize(("content", "kind"), [(MP4, "video"), (GIF, "gifv")])
    def test_is_worked_on_when_it_moves(self, sandbox: Sandbox, ann: Person, content: bytes, kind: str) -> None:
        uploaded = ann.upload(content)
        assert (uploaded.status_code, uploaded.json()["type"], uploaded.json()["url"]) == (202, kind, None)
        path, body = f"/api/v1/media/{uploaded.json()['id']}", {"status": "x", "media_ids": [uploaded.json()["id"]]}
        assert ann.call("GET", path).status_code == 206
        early = ann.call("POST", "/api/v1/statuses", json=body)
        assert "have not finished processing" in early.json()["error"]
        sandbox.move_clock(1)
        assert ann.call("GET", path).status_code == 200
        assert ann.call("POST", "/api/v1/statuses", json=body).status_code == 200

    def test_belongs_to_one_status_of_its_owner(self, sandbox: Sandbox, ann: Person) -> None:
        media_id = ann.upload(make_png()).json()["id"]
        assert connect(sandbox, handle="ben").post("x", media_ids=[media_id]).status_code == 422
        assert ann.post("x", media_ids=[media_id]).status_code == 200
        assert ann.post("x", media_ids=[media_id]).status_code == 422

    def test_takes_one_video_alone(self, sandbox: Sandbox, ann: Person) -> None:
        ids = [ann.upload(content).json()["id"] for content in (MP4, make_png())]
        sandbox.move_clock(1)
        assert "Cannot attach a video" in ann.post("x", media_ids=ids).json()["error"]

    @pytest.mark.parametrize("content", [b"hello", b"%PDF-1.7", b""])
    def test_refuses_other_files(self, ann: Person, content: bytes) -> None:
        assert ann.upload(content).status_code == 422

    def test_refuses_a_novel_about_it(self, ann: Person) -> None:
        assert ann.upload(make_png(), description="x" * 1501).status_code == 422


class TestLimits:
    def test_are_told_with_every_answer(self, ann: Person) -> None:
        headers = ann.post("x").headers
        assert headers["x-ratelimit-limit"] == "300"
        assert int(headers["x-ratelimit-remaining"]) < 300
        assert headers["x-ratelimit-reset"].endswith("Z")

    def test_end_with_their_window(self, sandbox: Sandbox, ann: Person) -> None:
        ids = [ann.status(f"post {number}")["id"] for number in range(31)]
        answers = [ann.call("DELETE", f"/api/v1/statuses/{one}") for one in ids]
        assert [answer.status_code for answer in answers] == [200] * 30 + [429]
        assert answers[-1].json() == {"error": "Too many requests"}
        assert answers[-1].headers["x-ratelimit-remaining"] == "0"
        sandbox.move_clock(1801)
        assert ann.call("DELETE", f"/api/v1/statuses/{ids[-1]}").status_code == 200

    def test_know_no_stranger(self, sandbox: Sandbox) -> None:
        base = sandbox.base("mastodon")
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            assert WEB.get(f"{base}/api/v1/accounts/verify_credentials", headers=headers).status_code == 401
        assert WEB.get(f"{base}/api/v1/nothing").json() == {"error": "Not Found"}
        assert WEB.get(f"{base}/api/v2/instance").status_code == 200
