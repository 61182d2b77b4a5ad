"""X's rate limits as the sandbox keeps them."""

from __future__ import annotations

import time

from tests.sandbox.people import Person, connect
from tests.sandbox.process import Sandbox


class TestAllowance:
    def test_is_told_on_every_answer(self, person: Person) -> None:
        person.post_id("One")

        refused = person.post("One")

        assert refused.headers["x-rate-limit-limit"] == "100"
        assert refused.headers["x-rate-limit-remaining"] == "98"
        assert 0 < int(refused.headers["x-rate-limit-reset"]) - time.time() <= 900
        assert refused.headers["x-transaction-id"]

    def test_ends_with_429_and_comes_back_with_the_window(self, sandbox: Sandbox, person: Person) -> None:
        answers = [person.call("GET", "/2/users/me") for _ in range(76)]

        assert {answer.status_code for answer in answers[:75]} == {200}
        spent = answers[75]
        assert spent.status_code == 429
        assert spent.json()["title"] == "Too Many Requests"
        assert spent.headers["x-rate-limit-remaining"] == "0"
        sandbox.move_clock(901)
        assert person.call("GET", "/2/users/me").headers["x-rate-limit-remaining"] == "74"

    def test_is_each_accounts_and_endpoints_own(self, sandbox: Sandbox, person: Person) -> None:
        other = connect(sandbox, handle="other")
        person.call("GET", "/2/users/me")

        assert other.call("GET", "/2/users/me").headers["x-rate-limit-remaining"] == "74"
        assert person.call("GET", "/2/tweets", params={"ids": "1"}).headers["x-rate-limit-remaining"] == "4999"

    def test_refuses_the_post_that_is_one_too_many(self, sandbox: Sandbox, person: Person) -> None:
        answers = [person.post(f"Post {number}").status_code for number in range(101)]

        assert answers == [201] * 100 + [429]
        assert sandbox.ask("health")["posts"] == 100
