"""X's OAuth as the sandbox plays it: consent, PKCE, codes, rotation, revocation."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sandbox.people import (
    CLIENT_ID,
    SCOPES,
    Consent,
    Person,
    connect,
    read_redirect,
    refresh,
)
from tests.sandbox.process import WEB, Sandbox, writing_stopped

TOKEN_REFUSED = {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}


class TestConsentPage:
    def test_names_the_app_the_scopes_and_the_account(self, sandbox: Sandbox) -> None:
        page = Consent(sandbox).open()

        assert page.status_code == 200
        for told in (CLIENT_ID, *SCOPES.split(), 'value="sandbox"', "Allow", "Deny"):
            assert told in page.text

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"client_id": "stranger"}, id="an unknown app"),
            pytest.param({"redirect_uri": "http://127.0.0.1:8765/callback/"}, id="a redirect that is nearly right"),
            pytest.param({"redirect_uri": "https://evil.example/"}, id="a foreign redirect"),
            pytest.param({"response_type": "token"}, id="the implicit flow"),
            pytest.param({"code_challenge": ""}, id="no challenge"),
            pytest.param({"code_challenge": "short"}, id="a challenge that is no SHA-256"),
            pytest.param({"code_challenge_method": "plain"}, id="a plain challenge"),
            pytest.param({"state": "s" * 501}, id="a state over 500 characters"),
            pytest.param({"scope": "tweet.read everything"}, id="an unknown scope"),
            pytest.param({"scope": ""}, id="no scope"),
        ],
    )
    def test_never_redirects_a_request_that_is_wrong(self, sandbox: Sandbox, changes: dict[str, str]) -> None:
        page = Consent(sandbox).open(**changes)

        assert page.status_code == 400
        assert "location" not in page.headers
        assert "nonce" not in page.text

    def test_takes_a_state_of_500_characters(self, sandbox: Sandbox) -> None:
        consent = Consent(sandbox, state="s" * 500)

        assert read_redirect(consent.answer(consent.open()))["state"] == "s" * 500

    def test_sends_a_denial_back_with_the_state(self, sandbox: Sandbox) -> None:
        consent = Consent(sandbox)

        answer = read_redirect(consent.answer(consent.open(), decision="deny"))

        assert answer == {"error": "access_denied", "state": "some-state"}

    def test_counts_only_once(self, sandbox: Sandbox) -> None:
        consent = Consent(sandbox)
        page = consent.open()
        consent.answer(page)

        assert consent.answer(page).status_code == 400

    @pytest.mark.parametrize("handle", ["", "i", "two words", "sixteen_letters_", "<script>"])
    def test_refuses_a_handle_that_x_would_not_have(self, sandbox: Sandbox, handle: str) -> None:
        consent = Consent(sandbox)

        assert consent.answer(consent.open(), handle=handle).status_code == 400

    def test_escapes_what_the_query_says(self, sandbox: Sandbox) -> None:
        page = Consent(sandbox).open(client_id="<script>alert(1)</script>")

        assert "<script>" not in page.text


class TestCode:
    def test_becomes_a_pair_of_tokens(self, sandbox: Sandbox) -> None:
        consent = Consent(sandbox)

        tokens = consent.exchange(consent.allow()).json()

        assert tokens["token_type"] == "bearer"
        assert tokens["expires_in"] == 7200
        assert tokens["scope"] == SCOPES
        assert tokens["access_token"] != tokens["refresh_token"]

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"code_verifier": "another-verifier-another-verifier-another-ver"}, id="the wrong verifier"),
            pytest.param({"redirect_uri": "http://127.0.0.1:9999/callback"}, id="another redirect"),
            pytest.param({"code": "invented"}, id="an invented code"),
        ],
    )
    def test_is_refused_with(self, sandbox: Sandbox, changes: dict[str, str]) -> None:
        consent = Consent(sandbox)

        refused = consent.exchange(consent.allow(), **changes)

        assert (refused.status_code, refused.json()) == (400, TOKEN_REFUSED)

    def test_serves_once(self, sandbox: Sandbox) -> None:
        consent = Consent(sandbox)
        code = consent.allow()
        consent.exchange(code).raise_for_status()

        assert consent.exchange(code).status_code == 400

    @pytest.mark.parametrize(("age_seconds", "status"), [(28, 200), (31, 400)])
    def test_lives_thirty_seconds(self, sandbox: Sandbox, age_seconds: int, status: int) -> None:
        consent = Consent(sandbox)
        code = consent.allow()
        sandbox.move_clock(age_seconds)

        assert consent.exchange(code).status_code == status

    def test_needs_a_known_app(self, sandbox: Sandbox) -> None:
        consent = Consent(sandbox)

        assert consent.exchange(consent.allow(), client_id="stranger").status_code == 401

    def test_may_come_with_a_confidential_client(self, sandbox: Sandbox) -> None:
        consent = Consent(sandbox)
        form = {
            "grant_type": "authorization_code",
            "code": consent.allow(),
            "redirect_uri": consent.query["redirect_uri"],
            "code_verifier": consent.verifier,
        }

        response = WEB.post(f"{sandbox.x}/2/oauth2/token", data=form, auth=(CLIENT_ID, "any secret"))

        assert response.status_code == 200


class TestRefresh:
    def test_replaces_both_tokens_and_kills_the_old_ones(self, sandbox: Sandbox, person: Person) -> None:
        old = dict(person.tokens)

        fresh = refresh(sandbox, old["refresh_token"]).json()

        assert not {fresh["access_token"], fresh["refresh_token"]} & {old["access_token"], old["refresh_token"]}
        assert person.call("GET", "/2/users/me").status_code == 401
        again = refresh(sandbox, old["refresh_token"])
        assert (again.status_code, again.json()) == (400, TOKEN_REFUSED)
        person.tokens = fresh
        assert person.call("GET", "/2/users/me").status_code == 200

    def test_is_won_by_one_of_many(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.fail("latency", "POST /2/oauth2/token", seconds=1.0, times=8)
        with ThreadPoolExecutor(8) as pool:
            pending = [pool.submit(refresh, sandbox, person.tokens["refresh_token"]) for _ in range(8)]
            time.sleep(0.6)  # all are written down and wait
            with writing_stopped(sandbox):
                time.sleep(0.8)  # all have read the grant and want to replace it
        answers = [one.result() for one in pending]

        assert sorted(answer.status_code for answer in answers) == [200, *[400] * 7]

    def test_needs_offline_access(self, sandbox: Sandbox) -> None:
        consent = Consent(sandbox, scope="tweet.read users.read")

        assert "refresh_token" not in consent.exchange(consent.allow()).json()

    def test_does_not_trade_nothing(self, sandbox: Sandbox) -> None:
        connect(sandbox, scope="tweet.read users.read")

        assert refresh(sandbox, "").status_code == 400


class TestAccessToken:
    def test_ends_after_two_hours(self, sandbox: Sandbox, person: Person) -> None:
        sandbox.move_clock(7190)
        assert person.call("GET", "/2/users/me").status_code == 200
        sandbox.move_clock(11)

        answer = person.call("GET", "/2/users/me")

        assert answer.status_code == 401
        assert answer.json()["title"] == "Unauthorized"
        assert refresh(sandbox, person.tokens["refresh_token"]).status_code == 200

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic abc"])
    def test_is_needed(self, sandbox: Sandbox, header: str) -> None:
        answer = WEB.get(f"{sandbox.x}/2/users/me", headers={"Authorization": header})

        assert answer.status_code == 401
        assert answer.headers["x-rate-limit-remaining"] == "75"

    def test_does_only_what_its_scopes_say(self, sandbox: Sandbox) -> None:
        reader = connect(sandbox, scope="tweet.read users.read")

        assert reader.call("GET", "/2/users/me").status_code == 200
        assert reader.post("not mine to say").status_code == 403
        assert sandbox.ask("posts") == []

    @pytest.mark.parametrize("which", ["access_token", "refresh_token"])
    def test_dies_with_its_grant_when_revoked(self, sandbox: Sandbox, person: Person, which: str) -> None:
        form = {"token": person.tokens[which], "client_id": CLIENT_ID}

        assert WEB.post(f"{sandbox.x}/2/oauth2/revoke", data=form).json() == {"revoked": True}

        assert person.call("GET", "/2/users/me").status_code == 401
        assert refresh(sandbox, person.tokens["refresh_token"]).status_code == 400
