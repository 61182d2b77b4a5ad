"""Failures on demand: what the client sees, what was carried out, what the journal says."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import pytest

from tests.sandbox.people import Person, connect, refresh
from tests.sandbox.process import WEB, Sandbox, rush


class TestDroppedConnection:
    @pytest.mark.parametrize(
        ("kind", "outcome", "posts"), [("drop_before", "dropped_before", 0), ("drop_after", "dropped_after", 1)]
    )
    def test_ends_without_an_answer(
        self, sandbox: Sandbox, person: Person, kind: str, outcome: str, posts: int
    ) -> None:
        sandbox.fail(kind)

        with pytest.raises(httpx2.RemoteProtocolError):
            person.post("Hello")

        assert len(sandbox.ask("posts")) == posts
        call = sandbox.last_call()
        assert (call["method"], call["path"], call["outcome"]) == ("POST", "/2/tweets", outcome)
        assert call["status"] is None
        assert bool(call["post_id"]) == bool(posts)

    def test_of_an_upload_is_no_different(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.fail("drop_before", "POST /2/media/upload")

        with pytest.raises(httpx2.RemoteProtocolError):
            person.call("POST", "/2/media/upload", files={"media": ("file", bytes(1_000_000))})

    def test_leaves_a_post_that_can_be_found_and_not_repeated(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.fail("drop_after")
        with pytest.raises(httpx2.RemoteProtocolError):
            person.post("Hello")

        assert person.post("Hello").status_code == 403
        timeline = person.call("GET", f"/2/users/{person.id}/tweets").json()["data"]
        assert [post["text"] for post in timeline] == ["Hello"]
        assert sandbox.ask("posts")[0]["requests"] == 2


class TestStatus:
    @pytest.mark.parametrize("status", [402, 403, 500, 503])
    def test_is_answered_in_the_shape_of_x_and_nothing_is_done(
        self, sandbox: Sandbox, person: Person, status: int
    ) -> None:
        sandbox.fail("status", status=status, retry_after=7)

        answer = person.post("Hello")

        assert answer.status_code == status
        assert answer.headers["retry-after"] == "7"
        assert {"title", "type", "detail"} <= set(answer.json())
        assert sandbox.ask("posts") == []
        assert (sandbox.last_call()["outcome"], sandbox.last_call()["fault"]) == ("answered", "status")
        assert person.post("Hello").status_code == 201

    def test_429_says_when_to_come_back(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.fail("status", status=429, retry_after=120)

        answer = person.post("Hello")

        assert answer.headers["x-rate-limit-remaining"] == "0"
        assert 110 <= int(answer.headers["x-rate-limit-reset"]) - time.time() <= 121

    def test_429_is_reckoned_from_the_date_of_the_answer_wherever_the_clock_is(
        self, sandbox: Sandbox, person: Person
    ) -> None:
        sandbox.move_clock(5000)
        sandbox.fail("status", status=429, retry_after=120)

        answer = person.post("Hello")

        date = parsedate_to_datetime(answer.headers["date"]).timestamp()
        assert len(answer.headers.get_list("date")) == 1
        assert 118 <= int(answer.headers["x-rate-limit-reset"]) - date <= 121


class TestOtherFaults:
    def test_latency_delays_and_then_answers(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.fail("latency", seconds=0.3)
        begin = time.monotonic()

        assert person.post("Slow").status_code == 201

        assert time.monotonic() - begin >= 0.3
        assert sandbox.last_call()["fault"] == "latency"

    def test_latency_goes_with_another_one(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.fail("drop_after")
        sandbox.fail("latency", seconds=0.2)
        begin = time.monotonic()

        with pytest.raises(httpx2.RemoteProtocolError):
            person.post("Slow")

        assert time.monotonic() - begin >= 0.2
        assert sandbox.ask("faults") == []

    def test_invisible_keeps_a_post_out_of_the_timeline_for_a_while(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.fail("invisible", seconds=60)

        hidden, shown = person.post_id("Later"), person.post_id("Now")

        assert sandbox.ask("calls", limit="2")[1]["fault"] == "invisible"
        path = f"/2/users/{person.id}/tweets"
        page = person.call("GET", path).json()
        assert ([post["id"] for post in page["data"]], page["meta"]["result_count"]) == ([shown], 1)
        assert person.call("GET", "/2/tweets", params={"ids": hidden}).json()["data"]
        assert [post["id"] for post in sandbox.ask("posts")] == [shown, hidden]
        assert person.post("Later").status_code == 403
        sandbox.move_clock(59)
        assert len(person.call("GET", path).json()["data"]) == 1
        sandbox.move_clock(1)
        assert [post["id"] for post in person.call("GET", path).json()["data"]] == [shown, hidden]

    def test_invisible_goes_with_all_others(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.fail("drop_after")
        sandbox.fail("invisible", seconds=60)
        sandbox.fail("latency", seconds=0.1)

        with pytest.raises(httpx2.RemoteProtocolError):
            person.post("Hello")

        assert (sandbox.ask("faults"), len(sandbox.ask("posts"))) == ([], 1)
        assert "data" not in person.call("GET", f"/2/users/{person.id}/tweets").json()

    def test_an_expired_token_is_cured_by_a_refresh_only(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.fail("expired_token")

        assert person.post("Hello").status_code == 401
        assert person.post("Hello").status_code == 401
        person.tokens = refresh(sandbox, person.tokens["refresh_token"]).json()
        assert person.post("Hello").status_code == 201

    def test_garbage_is_an_unreadable_answer_to_a_done_deed(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.fail("garbage")

        answer = person.post("Hello")

        assert answer.status_code == 201
        with pytest.raises(json.JSONDecodeError):
            answer.json()
        assert len(sandbox.ask("posts")) == 1
        assert sandbox.last_call()["outcome"] == "garbled"


class TestOrder:
    def test_is_counted_down_by_one_call_each(self, sandbox: Sandbox, person: Person) -> None:
        for prefix in ("a", "b", "c"):
            sandbox.fail("status", status=503, times=5)

            assert sorted(post_all_at_once(person, prefix=prefix)) == [201] * 19 + [503] * 5
            assert sandbox.ask("faults") == []

    def test_without_times_lasts_until_it_is_cleared(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.fail("status", status=503, times=None)
        assert [person.post("Hello").status_code for _ in range(3)] == [503] * 3

        assert WEB.delete(f"{sandbox.url}/_sandbox/faults").json() == {"cleared": 1}

        assert person.post("Hello").status_code == 201

    @pytest.mark.parametrize(
        ("match", "hits"),
        [
            ("POST /2/tweets", False),
            ("GET /2/tweets", False),
            ("GET /2/users/me", False),
            ("GET /2/users/{id}/tweets", True),
            ("* /2/users/*/tweets", True),
            ("*", True),
        ],
    )
    def test_hits_the_calls_it_names(self, sandbox: Sandbox, person: Person, match: str, hits: bool) -> None:
        user_id = person.id
        sandbox.fail("status", match, status=503)

        answer = person.call("GET", f"/2/users/{user_id}/tweets")

        assert (answer.status_code == 503) == hits

    def test_spares_the_feed(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.fail("status", "*", status=503, times=None)

        assert WEB.get(f"{sandbox.x}/sandbox").status_code == 200
        assert connect_fails(sandbox)

    @pytest.mark.parametrize(
        "order",
        [
            {"kind": "explode"},
            {"kind": "status"},
            {"kind": "status", "status": 200},
            {"kind": "latency"},
            {"kind": "invisible"},
            {"kind": "drop_after", "times": 0},
            {"kind": "drop_after", "platform": "myspace"},
            {"kind": "drop_after", "colour": "red"},
            {},
        ],
        ids=str,
    )
    def test_must_make_sense(self, sandbox: Sandbox, order: dict[str, Any]) -> None:
        answer = WEB.post(f"{sandbox.url}/_sandbox/faults", json=order)

        assert answer.status_code == 400
        assert answer.json()["error"]
        assert sandbox.ask("faults") == []


def post_all_at_once(person: Person, *, prefix: str) -> list[int]:
    """Send 24 different posts at the same instant and give the answers' statuses."""
    url = f"{person.sandbox.x}/2/tweets"
    answers = rush(lambda client, number: client.post(url, json={"text": f"{prefix} {number}"}, headers=person.header))
    return [answer.status_code for answer in answers]


def connect_fails(sandbox: Sandbox) -> bool:
    """Try to connect an account."""
    try:
        connect(sandbox)
    except (AssertionError, httpx2.HTTPError):
        return True
    return False


class TestJournal:
    def test_has_every_call_and_no_secret(self, sandbox: Sandbox, person: Person) -> None:
        fresh = refresh(sandbox, person.tokens["refresh_token"]).json()
        secrets = [*person.tokens.values(), *fresh.values()]

        calls = sandbox.ask("calls")

        assert [f"{call['method']} {call['path']}" for call in reversed(calls)] == [
            "GET /i/oauth2/authorize",
            "POST /i/oauth2/authorize",
            "POST /2/oauth2/token",
            "POST /2/oauth2/token",
        ]
        long = [secret for secret in secrets if isinstance(secret, str) and len(secret) > 40 and " " not in secret]
        assert len(long) == 4
        kept = json.dumps(calls).encode() + b"".join(path.read_bytes() for path in sandbox.state_dir.glob("*.sqlite3*"))
        assert not [secret for secret in long if secret.encode() in kept]

    def test_tells_equal_bodies_by_their_hash(self, sandbox: Sandbox, person: Person) -> None:
        person.post("Same")
        person.post("Same")
        person.post("Other")

        third, second, first = sandbox.ask("calls", limit="3")

        assert first["body_sha256"] == second["body_sha256"] != third["body_sha256"]
        assert (first["status"], second["status"]) == (201, 403)
        assert (bool(first["post_id"]), second["post_id"]) == (True, "")

    def test_carries_the_id_that_the_client_got(self, sandbox: Sandbox, person: Person) -> None:
        answer = person.call("POST", "/2/tweets", json={"text": "Hi"}, headers={"Idempotency-Key": "k-1"})

        call = sandbox.last_call()
        assert call["request_id"] == answer.headers["x-transaction-id"]
        assert (call["idempotency_key"], call["handle"]) == ("k-1", "sandbox")
