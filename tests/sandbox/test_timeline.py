"""Reading posts and accounts on the sandbox's X."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.files import make_png
from tests.sandbox.people import Person, connect
from tests.sandbox.process import Sandbox


def look_up(person: Person, *post_ids: str, **query: str) -> dict[str, Any]:
    """Read posts by id."""
    answer = person.call("GET", "/2/tweets", params={"ids": ",".join(post_ids), **query})
    body: dict[str, Any] = answer.raise_for_status().json()
    return body


def read_page(person: Person, user_id: str, **query: str) -> dict[str, Any]:
    """Read a page of a timeline."""
    body: dict[str, Any] = person.call("GET", f"/2/users/{user_id}/tweets", params=query).raise_for_status().json()
    return body


class TestLookUp:
    def test_gives_what_is_there_and_tells_the_rest(self, person: Person) -> None:
        kept, gone = person.post_id("Kept"), person.post_id("Gone")
        person.call("DELETE", f"/2/tweets/{gone}")

        body = look_up(person, gone, kept, "7")

        assert [post["id"] for post in body["data"]] == [kept]
        assert [problem["resource_id"] for problem in body["errors"]] == [gone, "7"]

    def test_has_no_data_when_nothing_is_there(self, person: Person) -> None:
        assert "data" not in look_up(person, "7")

    @pytest.mark.parametrize(
        ("parameter", "count", "history"),
        [
            ("post.fields", "repost_count", "edit_history_post_ids"),
            ("tweet.fields", "retweet_count", "edit_history_tweet_ids"),
        ],
    )
    def test_answers_in_the_words_of_the_question(
        self, person: Person, parameter: str, count: str, history: str
    ) -> None:
        body = look_up(person, person.post_id("Hello"), **{parameter: "public_metrics"})

        [post] = body["data"]
        assert set(post["public_metrics"]) == {
            "impression_count", "like_count", "reply_count", "quote_count", "bookmark_count", count,
        }  # fmt: skip
        assert post[history] == [post["id"]]

    def test_shows_links_as_tco_with_where_they_lead(self, person: Person) -> None:
        text = "See 👉 https://example.com/a?b=1&c=2, or example.org!"

        [post] = look_up(person, person.post_id(text), **{"post.fields": "entities"})["data"]

        urls = post["entities"]["urls"]
        assert [url["expanded_url"] for url in urls] == ["https://example.com/a?b=1&c=2", "http://example.org"]
        assert all(post["text"][url["start"] : url["end"]] == url["url"] for url in urls)
        assert all(url["url"].startswith("https://t.co/") for url in urls)
        assert "example" not in post["text"]

    def test_shows_the_text_as_x_does_and_the_control_api_as_it_was_written(
        self, sandbox: Sandbox, person: Person
    ) -> None:
        text = " 1 < 2 & cafe\u0301 &amp;\r\n"

        response = person.post(text)

        shown = "1 &lt; 2 &amp; café &amp;amp;"
        data = response.json()["data"]
        assert data["text"] == shown
        assert [post["text"] for post in look_up(person, data["id"])["data"]] == [shown]
        assert [post["text"] for post in read_page(person, person.id)["data"]] == [shown]
        assert [post["text"] for post in sandbox.ask("posts")] == [text]

    @pytest.mark.parametrize(("text", "before"), [("Look", "Look "), ("", "")])
    def test_appends_one_link_for_all_files(self, person: Person, text: str, before: str) -> None:
        form: dict[str, Any] = {"data": {"media_category": "tweet_image"}, "files": {"media": ("file", make_png())}}
        ids = [person.call("POST", "/2/media/upload", **form).json()["data"]["id"] for _ in range(2)]
        body = {"media": {"media_ids": ids}} | ({"text": text} if text else {})

        created = person.call("POST", "/2/tweets", json=body).json()["data"]

        [post] = look_up(person, created["id"], **{"post.fields": "entities"})["data"]
        first, second = post["entities"]["urls"]
        assert post["text"] == created["text"] == before + first["url"]
        assert first["expanded_url"] == f"https://x.com/sandbox/status/{created['id']}/photo/1"
        assert [first.pop("media_key"), second.pop("media_key")] == [f"3_{media_id}" for media_id in ids]
        assert first == second

    def test_shows_private_metrics_to_the_author_for_thirty_days(self, sandbox: Sandbox, person: Person) -> None:
        post_id = person.post_id("Mine")
        fields = {"post.fields": "non_public_metrics"}

        assert "non_public_metrics" in look_up(person, post_id, **fields)["data"][0]
        assert "non_public_metrics" not in look_up(connect(sandbox, handle="other"), post_id, **fields)["data"][0]
        sandbox.move_clock(30 * 86400 + 1)
        assert "non_public_metrics" not in look_up(connect(sandbox), post_id, **fields)["data"][0]

    def test_shows_numbers_that_grow(self, sandbox: Sandbox, person: Person) -> None:
        post_id = person.post_id("Look at me")
        views = []
        for _ in range(3):
            [post] = look_up(connect(sandbox), post_id, **{"post.fields": "public_metrics"})["data"]
            views.append(post["public_metrics"]["impression_count"])
            sandbox.move_clock(6 * 3600)

        assert views[0] < views[1] < views[2]

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"ids": "one"},
            {"ids": ",".join(map(str, range(1, 102)))},
            {"ids": "1", "post.fields": "colour"},
            {"ids": "1", "colour": "red"},
        ],
        ids=["no ids", "a word for an id", "101 ids", "an unknown field", "an unknown parameter"],
    )
    def test_refuses(self, person: Person, query: dict[str, str]) -> None:
        assert person.call("GET", "/2/tweets", params=query).status_code == 400


class TestTimeline:
    def test_shows_every_post_once_newest_first(self, person: Person) -> None:
        posted = [person.post_id(f"Post {number}") for number in range(12)]
        user_id, seen = person.id, []
        token: dict[str, str] = {}
        for _ in range(5):
            page = read_page(person, user_id, max_results="5", **token)
            seen += [post["id"] for post in page["data"]]
            if "next_token" not in page["meta"]:
                break
            token = {"pagination_token": page["meta"]["next_token"]}

        assert seen == posted[::-1]
        assert page["meta"] == {"result_count": 2, "newest_id": posted[1], "oldest_id": posted[0]}

    def test_is_one_persons(self, sandbox: Sandbox, person: Person) -> None:
        other = connect(sandbox, handle="other")
        other.post_id("Theirs")

        assert "data" not in read_page(person, person.id)
        assert len(read_page(person, other.id)["data"]) == 1

    def test_begins_after_an_id_or_an_instant(self, sandbox: Sandbox, person: Person) -> None:
        first = person.post_id("First")
        sandbox.move_clock(60)
        between = sandbox.ask("health")["now"]
        second = person.post_id("Second")

        assert [post["id"] for post in read_page(person, person.id, since_id=first)["data"]] == [second]
        assert [post["id"] for post in read_page(person, person.id, start_time=between)["data"]] == [second]
        assert [post["id"] for post in read_page(person, person.id, until_id=second)["data"]] == [first]
        assert [post["id"] for post in read_page(person, person.id, end_time=between)["data"]] == [first]

    def test_leaves_replies_out_on_request(self, person: Person) -> None:
        first = person.post_id("First")
        person.post_id("Second", reply={"in_reply_to_tweet_id": first})

        assert [post["id"] for post in read_page(person, person.id, exclude="replies")["data"]] == [first]

    def test_tells_when_there_is_no_such_account(self, person: Person) -> None:
        assert read_page(person, "7")["errors"][0]["resource_type"] == "user"

    @pytest.mark.parametrize(
        "query",
        [
            {"max_results": "4"},
            {"max_results": "101"},
            {"max_results": "many"},
            {"start_time": "yesterday"},
            {"start_time": "2026-13-01T00:00:00Z"},
            {"start_time": "2026-11-20T08:00:00"},
            {"since_id": "x"},
            {"exclude": "boring"},
            {"pagination_token": "!!"},
            {"pagination_token": "zz"},
        ],
        ids=lambda query: "=".join(*query.items()),
    )
    def test_refuses(self, person: Person, query: dict[str, str]) -> None:
        assert person.call("GET", f"/2/users/{person.id}/tweets", params=query).status_code == 400


class TestMe:
    def test_says_whose_token_it_is(self, sandbox: Sandbox) -> None:
        ada = connect(sandbox, handle="@Ada_L")

        body = ada.call("GET", "/2/users/me", params={"user.fields": "created_at,subscription_type"}).json()["data"]

        assert (body["username"], body["name"], body["subscription_type"]) == ("ada_l", "Ada L", "None")
        assert datetime.fromisoformat(body["created_at"]) <= datetime.now(UTC)

    def test_gives_an_id_that_outlives_a_reset(self, sandbox: Sandbox, person: Person) -> None:
        before = person.id
        sandbox.order("reset", confirm=True)

        assert connect(sandbox).id == before
