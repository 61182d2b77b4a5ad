"""Sessions at the sandbox's Bluesky: as at a real server, expired tokens and lost answers included."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.contracts.lexicons import Lexicons
from tests.contracts.specs import find_contract
from tests.sandbox.bluesky.people import Person, connect, refused, sign_in
from tests.sandbox.process import Sandbox, rush

REFRESH = "com.atproto.server.refreshSession"
SESSION = "com.atproto.server.getSession"
DELETE = "com.atproto.server.deleteSession"


def refresh(person: Person, token: str | None = None) -> Any:
    return person.call("POST", REFRESH, token=person.refresh if token is None else token)


def claims(token: str) -> Any:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


class TestCreateSession:
    def test_answers_as_the_lexicon_says(self, sandbox: Sandbox) -> None:
        lexicons = Lexicons(find_contract("bluesky-lexicons/lexicons"))
        lexicons.check_output("com.atproto.server.createSession", sign_in(sandbox).json())

    def test_knows_the_same_person_again_after_a_reset(self, sandbox: Sandbox, ana: Person) -> None:
        sandbox.order("reset", confirm=True)
        assert connect(sandbox).did == ana.did
        assert connect(sandbox, "bo.eu").did != ana.did

    def test_says_in_the_token_how_long_it_lives(self, ana: Person) -> None:
        access, renewal = claims(ana.access), claims(ana.refresh)
        assert (access["exp"] - access["iat"], access["scope"], access["sub"]) == (7200, "com.atproto.appPass", ana.did)
        assert (renewal["exp"] - renewal["iat"], renewal["scope"]) == (90 * 86400, "com.atproto.refresh")

    @pytest.mark.parametrize(
        ("identifier", "password"),
        [
            ("ana.eu", "wrong"),
            ("ana", "psn-sandbox-secret"),
            ("a@b.eu", "psn-sandbox-secret"),
            ("did:plc:x", "psn-sandbox-secret"),
            ("", ""),
        ],
    )
    def test_refuses_who_is_not_known(self, sandbox: Sandbox, identifier: str, password: str) -> None:
        assert refused(sign_in(sandbox, identifier, password)) == (401, "AuthenticationRequired")

    def test_makes_no_account_for_a_wrong_password(self, sandbox: Sandbox, ana: Person) -> None:
        sign_in(sandbox, "mallory.eu", "wrong")
        answer = ana.call("GET", "com.atproto.identity.resolveHandle", params={"handle": "mallory.eu"})
        assert refused(answer) == (400, "InvalidRequest")

    def test_is_limited(self, sandbox: Sandbox) -> None:
        answers = [sign_in(sandbox) for _ in range(31)]
        assert [answer.status_code for answer in answers] == [200] * 30 + [429]
        assert answers[-1].json() == {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}
        assert answers[-1].headers["ratelimit-policy"] == "30;w=300"
        assert answers[-1].headers["ratelimit-remaining"] == "0"
        sandbox.move_clock(301)
        assert sign_in(sandbox).status_code == 200


class TestAccessToken:
    def test_lives_two_hours(self, sandbox: Sandbox, ana: Person) -> None:
        sandbox.move_clock(7190)
        assert ana.call("GET", SESSION).json()["did"] == ana.did
        sandbox.move_clock(11)
        assert refused(ana.call("GET", SESSION)) == (400, "ExpiredToken")

    def test_is_told_from_others(self, ana: Person) -> None:
        assert refused(ana.call("GET", SESSION, token="")) == (401, "AuthMissing")
        assert refused(ana.call("GET", SESSION, token="nonsense")) == (400, "InvalidToken")
        assert refused(ana.call("GET", SESSION, token=ana.refresh)) == (400, "InvalidToken")

    def test_outlives_a_renewal(self, ana: Person) -> None:
        refresh(ana)
        assert ana.call("GET", SESSION).status_code == 200

    def test_ends_on_order(self, sandbox: Sandbox, ana: Person) -> None:
        sandbox.fail("expired_token", f"GET /xrpc/{SESSION}", platform="bluesky")
        assert refused(ana.call("GET", SESSION)) == (400, "ExpiredToken")


class TestRefreshSession:
    def test_gives_a_new_pair(self, ana: Person) -> None:
        body = refresh(ana).json()
        assert ana.call("GET", SESSION, token=body["accessJwt"]).status_code == 200
        assert refresh(ana, body["refreshJwt"]).status_code == 200

    def test_gives_the_same_successor_for_two_hours(self, sandbox: Sandbox, ana: Person) -> None:
        first = refresh(ana).json()
        sandbox.move_clock(7190)
        again = refresh(ana).json()
        assert again["refreshJwt"] == first["refreshJwt"]
        assert ana.call("GET", SESSION, token=again["accessJwt"]).status_code == 200
        sandbox.move_clock(11)
        assert refused(refresh(ana)) == (400, "ExpiredToken")
        assert refresh(ana, first["refreshJwt"]).status_code == 200

    def test_gives_one_successor_to_all_who_ask_at_once(self, ana: Person) -> None:
        url = f"{ana.sandbox.base('bluesky')}/xrpc/{REFRESH}"
        headers = {"Authorization": f"Bearer {ana.refresh}"}
        answers = rush(lambda client, _: client.post(url, headers=headers), callers=8)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["refreshJwt"] for answer in answers}) == 1

    def test_lives_ninety_days(self, sandbox: Sandbox, ana: Person) -> None:
        sandbox.move_clock(90 * 86400 + 1)
        assert refused(refresh(ana)) == (400, "ExpiredToken")

    def test_takes_nothing_else(self, ana: Person) -> None:
        assert refused(refresh(ana, "")) == (401, "AuthMissing")
        assert refused(refresh(ana, ana.access)) == (400, "InvalidToken")
        assert refused(refresh(ana, "nonsense")) == (400, "InvalidToken")


class TestDeleteSession:
    def test_ends_the_session(self, ana: Person) -> None:
        assert ana.call("POST", DELETE, token=ana.refresh).status_code == 200
        assert refused(refresh(ana)) == (400, "ExpiredToken")

    def test_ends_the_one_that_was_renewed(self, ana: Person) -> None:
        successor = refresh(ana).json()["refreshJwt"]
        ana.call("POST", DELETE, token=successor)
        assert refused(refresh(ana)) == (400, "ExpiredToken")
        assert refused(refresh(ana, successor)) == (400, "ExpiredToken")
