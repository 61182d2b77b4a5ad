"""Creating and deleting posts on the sandbox's X."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.people import Person, connect
from tests.sandbox.process import WEB, Sandbox, rush


class TestCreatePost:
    def test_answers_with_the_id_and_shows_the_post(self, sandbox: Sandbox, person: Person) -> None:
        response = person.post("Hello")

        assert response.status_code == 201
        data = response.json()["data"]
        assert data == {"id": data["id"], "text": "Hello", "edit_history_post_ids": [data["id"]]}
        [post] = sandbox.ask("posts")
        assert (post["id"], post["handle"], post["text"]) == (data["id"], "sandbox", "Hello")
        assert WEB.get(post["url"]).status_code == 200

    def test_gives_ids_that_grow(self, person: Person) -> None:
        ids = [int(person.post_id(f"Post {number}")) for number in range(5)]

        assert ids == sorted(set(ids))

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param({"text": "Hello", "colour": "red"}, id="an unknown key"),
            pytest.param({"text": "Hello", "reply": {"in_reply_to_tweet_id": "1", "x": 1}}, id="an unknown inner key"),
            pytest.param({"text": "Hello", "made_with_ai": "yes"}, id="a string for a boolean"),
            pytest.param({"text": 5}, id="a number for a text"),
            pytest.param({"text": "Hello", "media": {"media_ids": [7]}}, id="a numeric media id"),
            pytest.param({"text": "Hello", "media": {"media_ids": []}}, id="no media ids"),
            pytest.param({"text": "Hello", "media": {"media_ids": list("12345")}}, id="five media ids"),
            pytest.param({"text": "Hello", "media": {"media_ids": ["9" * 19]}}, id="a media id nobody has"),
            pytest.param({"text": "Hello", "poll": {"options": ["one"], "duration_minutes": 5}}, id="a poll of one"),
            pytest.param({}, id="neither text nor media"),
            pytest.param({"text": " \n"}, id="only blanks"),
            pytest.param({"text": "a" * 281}, id="281 units"),
            pytest.param({"text": "字" * 141}, id="141 wide letters"),
        ],
    )
    def test_refuses(self, sandbox: Sandbox, person: Person, body: dict[str, Any]) -> None:
        response = person.call("POST", "/2/tweets", json=body)

        assert response.status_code == 400
        assert response.json()["type"].endswith("/invalid-request")
        assert response.json()["errors"][0]["parameters"]
        assert sandbox.ask("posts") == []

    @pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
    def test_refuses_what_is_no_json_object(self, person: Person, content: bytes) -> None:
        headers = {"Content-Type": "application/json"}

        assert person.call("POST", "/2/tweets", content=content, headers=headers).status_code == 400

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("a" * 280, id="280 letters"),
            pytest.param("字" * 140, id="140 wide letters"),
            pytest.param("👨‍👩‍👧" * 140, id="140 families"),
            pytest.param("a" * 256 + " https://example.com/" + "long" * 50, id="a long link, which counts 23"),
        ],
    )
    def test_weighs_the_text_as_x_does(self, person: Person, text: str) -> None:
        assert person.post(text).status_code == 201

    def test_keeps_a_thread_together(self, sandbox: Sandbox, person: Person) -> None:
        first = person.post_id("First")
        second = person.post_id("Second", reply={"in_reply_to_tweet_id": first})
        third = person.post_id("Third", reply={"in_reply_to_tweet_id": second})

        ids = f"{first},{second},{third}"
        answer = person.call("GET", "/2/tweets", params={"ids": ids, "post.fields": "conversation_id"})

        assert {post["conversation_id"] for post in answer.json()["data"]} == {first}
        assert [post["in_reply_to"] for post in sandbox.ask("posts")] == [second, first, None]

    @pytest.mark.parametrize("parent", ["1", "9" * 19])
    def test_refuses_a_reply_to_nothing(self, person: Person, parent: str) -> None:
        response = person.post("Hello?", reply={"in_reply_to_tweet_id": parent})

        assert response.status_code == 403
        assert "deleted or not visible" in response.json()["detail"]


class TestDuplicate:
    def test_is_refused_in_the_words_of_x(self, sandbox: Sandbox, person: Person) -> None:
        person.post_id("Once")

        again = person.post("Once")

        assert again.status_code == 403
        assert again.json() == {
            "detail": "You are not allowed to create a Tweet with duplicate content.",
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
        }
        assert len(sandbox.ask("posts")) == 1

    def test_is_told_by_the_text_alone(self, person: Person) -> None:
        first = person.post_id("Once")

        assert person.post(" Once\n", reply={"in_reply_to_tweet_id": first}).status_code == 403

    def test_is_forgotten_after_a_day(self, sandbox: Sandbox, person: Person) -> None:
        person.post_id("Once")
        sandbox.move_clock(24 * 3600 + 1)
        tomorrow = connect(sandbox)

        assert tomorrow.post("Once").status_code == 201

    def test_is_no_matter_between_accounts(self, sandbox: Sandbox, person: Person) -> None:
        person.post_id("Once")

        assert connect(sandbox, handle="other").post("Once").status_code == 201

    def test_may_follow_a_deleted_post(self, person: Person) -> None:
        person.call("DELETE", f"/2/tweets/{person.post_id('Once')}")

        assert person.post("Once").status_code == 201

    def test_loses_a_race(self, sandbox: Sandbox, person: Person) -> None:
        url, body = f"{sandbox.x}/2/tweets", {"text": "All at once"}

        answers = rush(lambda client, _: client.post(url, json=body, headers=person.header))

        assert sorted(answer.status_code for answer in answers) == [201, *[403] * 23]
        [post] = sandbox.ask("posts")
        assert post["requests"] == 24


class TestDeletePost:
    def test_takes_it_away(self, sandbox: Sandbox, person: Person) -> None:
        post_id = person.post_id("Oops")
        url = sandbox.ask("posts")[0]["url"]

        answer = person.call("DELETE", f"/2/tweets/{post_id}")

        assert (answer.status_code, answer.json()) == (200, {"data": {"deleted": True}})
        assert sandbox.ask("posts") == []
        assert WEB.get(url).status_code == 404

    def test_says_404_for_one_that_is_gone(self, person: Person) -> None:
        post_id = person.post_id("Oops")
        person.call("DELETE", f"/2/tweets/{post_id}")

        again = person.call("DELETE", f"/2/tweets/{post_id}")

        assert again.status_code == 404
        assert again.json()["type"].endswith("/resource-not-found")

    @pytest.mark.parametrize("post_id", ["1", "9" * 19])
    def test_says_404_for_one_that_never_was(self, person: Person, post_id: str) -> None:
        assert person.call("DELETE", f"/2/tweets/{post_id}").status_code == 404

    def test_is_for_the_author_only(self, sandbox: Sandbox, person: Person) -> None:
        post_id = person.post_id("Mine")

        assert connect(sandbox, handle="other").call("DELETE", f"/2/tweets/{post_id}").status_code == 403
        assert len(sandbox.ask("posts")) == 1
