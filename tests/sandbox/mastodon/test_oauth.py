"""Apps that register themselves, and the way to a token."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from tests.sandbox.mastodon.people import OUT_OF_BAND, Person, connect, consent, read_redirect, register
from tests.sandbox.process import WEB, Sandbox

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class TestRegistering:
    @pytest.mark.parametrize(
        "body", [{}, {"client_name": "T"}, {"client_name": "T", "redirect_uris": ["http://x"], "scopes": "rule:all"}]
    )
    def test_is_refused_without_name_address_or_real_scopes(self, sandbox: Sandbox, body: dict[str, object]) -> None:
        refused = WEB.post(f"{sandbox.base('mastodon')}/api/v1/apps", json=body)
        assert refused.status_code == 422
        assert refused.json()["error"].startswith("Validation failed: ")

    def test_makes_a_different_app_each_time(self, sandbox: Sandbox) -> None:
        first, second = register(sandbox), register(sandbox)
        assert first.client_id != second.client_id
        assert first.client_secret != second.client_secret


class TestConsent:
    def test_gives_a_token_that_never_ends_and_cannot_be_renewed(self, sandbox: Sandbox, ann: Person) -> None:
        sandbox.move_clock(400 * 86400)
        assert ann.call("GET", "/api/v1/accounts/verify_credentials").json()["username"] == "ann"

    def test_answers_with_what_mastodon_answers(self, sandbox: Sandbox) -> None:
        app = register(sandbox)
        token = app.exchange(read_redirect(consent(app.authorize_url()))["code"]).json()
        assert set(token) == {"access_token", "token_type", "scope", "created_at"}

    def test_can_be_declined(self, sandbox: Sandbox) -> None:
        answer = read_redirect(consent(register(sandbox).authorize_url(), decision="deny"))
        assert (answer["error"], answer["state"]) == ("access_denied", "some-state")

    def test_can_show_the_code_instead(self, sandbox: Sandbox) -> None:
        app = register(sandbox, redirect_uri=OUT_OF_BAND)
        page = consent(app.authorize_url())
        assert page.status_code == 200
        codes = re.findall(r"[A-Za-z0-9_-]{43,}", page.text)
        assert any(app.exchange(code).status_code == 200 for code in codes)

    def test_goes_nowhere_that_was_not_registered(self, sandbox: Sandbox) -> None:
        app = register(sandbox)
        assert WEB.get(app.authorize_url(redirect_uri="http://127.0.0.1:8765/other")).status_code == 400
        assert WEB.get(app.authorize_url(client_id="nobody")).status_code == 400

    def test_gives_no_scope_that_was_not_registered(self, sandbox: Sandbox) -> None:
        app = register(sandbox, scopes="read:accounts")
        refused = WEB.get(app.authorize_url(scope="read:accounts write:statuses"))
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


class TestTheToken:
    def test_takes_the_code_once(self, sandbox: Sandbox) -> None:
        app = register(sandbox)
        code = read_redirect(consent(app.authorize_url()))["code"]
        assert app.exchange(code).status_code == 200
        assert app.exchange(code).json()["error"] == "invalid_grant"

    @pytest.mark.parametrize(
        ("changes", "status", "error"),
        [
            ({"client_secret": "wrong"}, 401, "invalid_client"),
            ({"client_id": "nobody"}, 401, "invalid_client"),
            ({"code": "wrong"}, 400, "invalid_grant"),
            ({"redirect_uri": "http://127.0.0.1:8765/other"}, 400, "invalid_grant"),
            ({"code_verifier": "w" * 43}, 400, "invalid_grant"),
            ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ],
    )
    def test_is_for_who_asked(self, sandbox: Sandbox, changes: dict[str, str], status: int, error: str) -> None:
        app = register(sandbox)
        url = app.authorize_url(code_challenge=CHALLENGE, code_challenge_method="S256")
        code = read_redirect(consent(url))["code"]
        refused = app.exchange(code, **{"code_verifier": VERIFIER, **changes})
        assert (refused.status_code, refused.json()["error"]) == (status, error)

    def test_checks_pkce_where_it_was_begun(self, sandbox: Sandbox) -> None:
        app = register(sandbox)
        url = app.authorize_url(code_challenge=CHALLENGE, code_challenge_method="S256")
        assert app.exchange(read_redirect(consent(url))["code"], code_verifier=VERIFIER).status_code == 200
        assert app.exchange(read_redirect(consent(url))["code"]).status_code == 400

    def test_ends_when_its_app_revokes_it(self, sandbox: Sandbox) -> None:
        app = register(sandbox)
        token = app.exchange(read_redirect(consent(app.authorize_url()))["code"]).json()["access_token"]
        form = {"client_id": app.client_id, "client_secret": app.client_secret, "token": token}
        stranger = register(sandbox)
        assert WEB.post(f"{app.base}/oauth/revoke", data=form | {"client_secret": "wrong"}).status_code == 403
        other = form | {"client_id": stranger.client_id, "client_secret": stranger.client_secret}
        WEB.post(f"{app.base}/oauth/revoke", data=other)
        person = Person(app.base, token)
        assert person.own().status_code == 200
        assert WEB.post(f"{app.base}/oauth/revoke", data=form).json() == {}
        refused = person.call("GET", "/api/v1/accounts/verify_credentials")
        assert (refused.status_code, refused.json()) == (401, {"error": "The access token is invalid"})

    def test_opens_what_its_scope_covers_and_no_more(self, sandbox: Sandbox) -> None:
        reader = connect(sandbox, scope="read")
        assert reader.own().status_code == 200
        refused = reader.post("hello")
        assert (refused.status_code, refused.json()["error"]) == (403, "This action is outside the authorized scopes")
