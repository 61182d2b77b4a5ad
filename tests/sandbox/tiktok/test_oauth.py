from __future__ import annotations

import pytest

from tests.sandbox.process import WEB, Sandbox
from tests.sandbox.tiktok.people import CLIENT, SCOPES, Consent, Person, connect


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """One that remembers other tests, which costs less and matters to none of these."""
    return sandbox_process


def refresh(sandbox: Sandbox, token: str) -> dict[str, object]:
    form = {"grant_type": "refresh_token", "refresh_token": token, **CLIENT}
    answer: dict[str, object] = WEB.post(f"{sandbox.base('tiktok')}/v2/oauth/token/", data=form).json()
    return answer


class TestAuthorize:
    @pytest.mark.parametrize(
        "uri",
        ["http://127.0.0.1:8765/callback", "http://127.0.0.1:1234/callback", "http://localhost:9/callback"],
    )
    def test_leads_back_to_any_port_of_this_machine(self, sandbox: Sandbox, uri: str) -> None:
        assert Consent(sandbox, redirect_uri=uri).open().status_code == 200

    @pytest.mark.parametrize(
        "uri",
        [
            "https://127.0.0.1:8765/callback",
            "http://127.0.0.1:8765/other",
            "http://127.0.0.1:8765/callback?x=1",
            "http://127.0.0.1:8765/callback#x",
            "http://example.com/callback",
            "http://127.0.0.1.example.com:8765/callback",
            "http://a@127.0.0.1:8765/callback",
            "http://127.0.0.1:x/callback",
            "psn://callback",
        ],
    )
    def test_leads_nowhere_else(self, sandbox: Sandbox, uri: str) -> None:
        assert Consent(sandbox, redirect_uri=uri).open().status_code == 400

    @pytest.mark.parametrize(
        "changes",
        [
            {"code_challenge": ""},
            {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},  # base64url, as everybody else has it
            {"code_challenge_method": "plain"},
            {"client_key": "", "client_id": "psn-sandbox"},
            {"scope": "user.info.basic video.list"},
            {"scope": "tweet.read"},
        ],
    )
    def test_wants_to_be_asked_its_own_way(self, sandbox: Sandbox, changes: dict[str, str]) -> None:
        assert Consent(sandbox).open(**changes).status_code == 400

    def test_says_what_was_granted(self, sandbox: Sandbox) -> None:
        answer = Consent(sandbox, scope="user.info.basic,video.upload").answer()
        assert (answer["scopes"], answer["state"]) == ("user.info.basic,video.upload", "some-state")

    def test_says_no(self, sandbox: Sandbox) -> None:
        assert Consent(sandbox).answer(decision="deny")["error"] == "access_denied"


class TestToken:
    def test_lives_two_hours_and_half_a_year(self, person: Person, sandbox: Sandbox) -> None:
        assert person.tokens["scope"] == SCOPES
        assert (person.tokens["expires_in"], person.tokens["refresh_expires_in"]) == (7200, 15_552_000)
        query = {"fields": "open_id"}
        assert (
            person.call("GET", "/v2/user/info/", params=query).json()["data"]["user"]["open_id"]
            == person.tokens["open_id"]
        )
        sandbox.move_clock(7201)
        assert person.call("GET", "/v2/user/info/", params=query).json()["error"]["code"] == "access_token_invalid"

    def test_is_replaced_with_its_refresh_token(self, person: Person, sandbox: Sandbox) -> None:
        old = person.tokens["refresh_token"]
        new = refresh(sandbox, old)
        assert new["refresh_token"] != old
        assert refresh(sandbox, old)["error"] == "invalid_grant"
        assert refresh(sandbox, str(new["refresh_token"]))["access_token"]

    def test_cannot_be_refreshed_after_half_a_year(self, person: Person, sandbox: Sandbox) -> None:
        sandbox.move_clock(15_552_001)
        assert refresh(sandbox, person.tokens["refresh_token"])["error"] == "invalid_grant"

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"client_secret": "wrong"}, "invalid_client"),
            ({"client_secret": ""}, "invalid_client"),
            ({"client_key": "nobody"}, "invalid_client"),
            ({"code_verifier": "x" * 50}, "invalid_grant"),
            ({"redirect_uri": "http://127.0.0.1:1/callback"}, "invalid_grant"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
        ],
    )
    def test_is_not_for_everybody(self, sandbox: Sandbox, changes: dict[str, str], error: str) -> None:
        consent = Consent(sandbox)
        answer = consent.exchange(consent.answer()["code"], **changes)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
        assert answer.json()["log_id"]

    def test_is_given_once_a_code(self, sandbox: Sandbox) -> None:
        consent = Consent(sandbox)
        code = consent.answer()["code"]
        assert [consent.exchange(code).status_code for _ in range(2)] == [200, 400]

    def test_is_taken_back(self, person: Person, sandbox: Sandbox) -> None:
        form = {"token": person.tokens["access_token"], **CLIENT}
        for _ in range(2):
            assert WEB.post(f"{sandbox.base('tiktok')}/v2/oauth/revoke/", data=form).status_code == 200
        assert person.ask("/v2/video/list/", fields="id").json()["error"]["code"] == "access_token_invalid"


class TestScopes:
    @pytest.mark.parametrize(
        ("scope", "path"),
        [
            ("video.upload", "/v2/post/publish/creator_info/query/"),
            ("video.upload", "/v2/post/publish/video/init/"),
            ("video.publish", "/v2/post/publish/inbox/video/init/"),
            ("user.info.basic", "/v2/post/publish/content/init/"),
            ("video.publish", "/v2/video/list/"),
        ],
    )
    def test_are_asked_for(self, sandbox: Sandbox, scope: str, path: str) -> None:
        answer = connect(sandbox, scope=scope).ask(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "scope_not_authorized")

    def test_show_each_their_own_of_a_user(self, sandbox: Sandbox) -> None:
        basic = connect(sandbox, scope="user.info.basic")
        assert basic.call("GET", "/v2/user/info/", params={"fields": "open_id,display_name"}).status_code == 200
        for field in ("username", "follower_count"):
            assert basic.call("GET", "/v2/user/info/", params={"fields": field}).status_code == 401
