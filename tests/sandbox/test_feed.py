"""The pages a person looks at."""

from __future__ import annotations

import re

import pytest

from tests.sandbox.people import Consent, Person, connect
from tests.sandbox.process import WEB, Sandbox

BANNER = "nothing here leaves this machine"


class TestFeed:
    def test_says_what_to_do_when_it_is_empty(self, sandbox: Sandbox) -> None:
        page = WEB.get(f"{sandbox.url}/")

        assert BANNER in page.text
        assert "python3 manage.py psn_post create --account @sandbox --text 'Hello' --at +10s --approve" in page.text

    def test_shows_who_said_what_with_links(self, sandbox: Sandbox, person: Person) -> None:
        person.post_id("Read https://example.com/a?b=1&c=2 #now")

        page = WEB.get(f"{sandbox.url}/").text

        assert ">Sandbox</a>" in page
        assert "@sandbox" in page
        assert 'href="https://example.com/a?b=1&amp;c=2"' in page
        assert '<span class="tag">#now</span>' in page
        assert "views" in page

    def test_escapes_everything(self, sandbox: Sandbox, person: Person) -> None:
        person.post_id('<script>alert(1)</script> #a"b\' https://example.com/"onmouseover="x\'<i> @<b>')

        page = WEB.get(f"{sandbox.url}/").text

        assert "<script" not in page
        assert "<i>" not in page
        assert not re.search(r"<[^>]*\sonmouseover=", page)

    def test_connects_a_thread_in_order(self, sandbox: Sandbox, person: Person) -> None:
        first = person.post_id("Part one")
        person.post_id("Between")
        second = person.post_id("Part two", reply={"in_reply_to_tweet_id": first})

        page = WEB.get(f"{sandbox.url}/").text

        assert page.index("Part one") < page.index("Part two") < page.index("Between")
        assert f'class="post below" id="post-{first}"' in page
        assert f'class="post above" id="post-{second}"' in page

    def test_asks_nothing_of_the_world(self, sandbox: Sandbox, person: Person) -> None:
        person.post_id("Hello https://example.com/picture.png")
        page = WEB.get(f"{sandbox.url}/")

        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert not re.findall(r'(?:src|<link[^>]*href)="(?:https?:)?//', page.text)
        assert "<script" not in page.text

    def test_lists_the_failures_in_order(self, sandbox: Sandbox) -> None:
        assert "Ordered failures" not in WEB.get(f"{sandbox.url}/").text
        sandbox.fail("status", status=503, times=2)
        sandbox.fail("latency", seconds=1.5, times=None)

        page = WEB.get(f"{sandbox.url}/").text

        assert page.index("POST /2/tweets answers 503, 2 times") < page.index("waits 1.5 s, until cleared")

    def test_of_one_account_is_that_accounts(self, sandbox: Sandbox, person: Person) -> None:
        person.post_id("Mine")
        connect(sandbox, handle="other").post_id("Theirs")

        page = WEB.get(f"{sandbox.x}/Other").text

        assert "Theirs" in page
        assert "Mine" not in page


class TestStatusPage:
    def test_stands_where_the_post_says(self, sandbox: Sandbox, person: Person) -> None:
        post_id = person.post_id("Hello")

        assert sandbox.ask("posts")[0]["url"] == f"{sandbox.x}/sandbox/status/{post_id}"
        assert "Hello" in WEB.get(f"{sandbox.x}/sandbox/status/{post_id}").text

    @pytest.mark.parametrize("path", ["i/web/status", "somebody/status"])
    def test_is_found_from(self, sandbox: Sandbox, person: Person, path: str) -> None:
        post_id = person.post_id("Hello")

        answer = WEB.get(f"{sandbox.x}/{path}/{post_id}")

        assert (answer.status_code, answer.headers["location"]) == (302, f"/x/sandbox/status/{post_id}")

    @pytest.mark.parametrize("path", ["i/web/status/7", "sandbox/status/7", "nobody", "media/7", "../nowhere"])
    def test_is_a_clear_404_where_there_is_nothing(self, sandbox: Sandbox, person: Person, path: str) -> None:
        answer = WEB.get(f"{sandbox.x}/{path}")

        assert answer.status_code == 404
        assert "There is nothing here" in answer.text
        assert BANNER in answer.text


class TestConsentPage:
    def test_looks_like_the_rest_and_says_it_is_a_sandbox(self, sandbox: Sandbox) -> None:
        assert BANNER in Consent(sandbox).open().text
