"""What platforms do differently, each over real sockets (AUTH-1, AUTH-2)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from psn.deadline import Deadline
from psn.errors import InvalidInput, NeedsReconnect, NotAllowed, Rejected, Unavailable, UnknownOutcome
from psn.oauth import flow
from psn.oauth.pkce import build_challenge
from psn.oauth.spec import OAuthSpec, Token
from tests.psn import loopback
from tests.psn.loopback import Act, build_reply, serve
from tests.psn.oauth.test_flow import form_of

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:1"
PLAIN = OAuthSpec(authorize_path="/authorize", token_path="/token", revoke_path="/revoke", scopes=("a", "b"))
META = replace(
    PLAIN,
    client_auth="form",
    pkce="none",
    scope_separator=",",
    longer_path="/access_token",
    longer_grant="th_exchange_token",
    renewal="access_token",
    renew_path="/refresh_access_token",
    renew_grant="th_refresh_token",
    renew_min_age=timedelta(hours=24),
)
TIKTOK = replace(PLAIN, client_id_name="client_key", client_auth="form", pkce="s256_hex", scope_separator=",")
LINKEDIN = replace(PLAIN, client_auth="form", pkce="none", rotates=False)
MASTODON = replace(PLAIN, client_auth="form", renewal="none", out_of_band_uri="urn:ietf:wg:oauth:2.0:oob")


def grant(**fields: Any) -> bytes:
    return build_reply(200, json.dumps({"access_token": "n3w", **fields}).encode())


def exchange(spec: OAuthSpec, url: str, **options: Any) -> Token:
    return flow.exchange_code(
        spec,
        **{
            "api_base_url": url,
            "client_id": "app",
            "client_secret": "s3cret",
            "code": "c0de",
            "code_verifier": "" if spec.pkce == "none" else "verifier",
            "now": NOW,
        }
        | options,
    )


def token(*, age: timedelta = timedelta(days=31), life: timedelta = timedelta(days=60), refresh: str = "") -> Token:
    return Token("0ld", refresh, NOW - age + life, ("a",), NOW - age)


def renew(spec: OAuthSpec, url: str, old: Token, *, send_before: Deadline | None = None) -> Token:
    return flow.refresh_token(
        spec,
        api_base_url=url,
        client_id="app",
        client_secret="s3cret",
        token=old,
        now=NOW,
        send_before=send_before,
    )


def query_of(request: bytes) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.split()[1].decode()).query)


class TestTheAuthorizeAddress:
    @pytest.mark.parametrize(
        ("spec", "wanted", "unwanted"),
        [
            (TIKTOK, {"client_key": ["app"], "scope": ["a,b"], "code_challenge_method": ["S256"]}, {"client_id"}),
            (META, {"client_id": ["app"], "scope": ["a,b"]}, {"code_challenge", "code_challenge_method"}),
            (replace(PLAIN, extra={"prompt": "consent"}), {"prompt": ["consent"], "scope": ["a b"]}, set()),
        ],
        ids=["tiktok", "meta", "extra"],
    )
    def test_speaks_as_the_platform_does(
        self, spec: OAuthSpec, wanted: dict[str, list[str]], unwanted: set[str]
    ) -> None:
        started = flow.start_authorization(spec, web_base_url="https://a.example", client_id="app")
        query = parse_qs(urlsplit(started.url).query)
        assert {name: query[name] for name in wanted} == wanted
        assert not unwanted & set(query)
        assert started.url.endswith(f"&state={started.state}")

    def test_shows_tiktok_s_challenge_in_hex(self) -> None:
        started = flow.start_authorization(TIKTOK, web_base_url="https://a.example", client_id="app")
        challenge = parse_qs(urlsplit(started.url).query)["code_challenge"]
        assert challenge == [hashlib.sha256(started.code_verifier.encode()).hexdigest()]
        assert challenge == [build_challenge(started.code_verifier, method="s256_hex")]

    def test_is_below_the_account_s_own_base_url_before_any_other(self) -> None:
        spec = replace(PLAIN, authorize_base_url="https://login.example")
        assert (
            flow.pick_web_base(spec, own="https://own.example", platform="https://p.example") == "https://own.example"
        )
        assert flow.pick_web_base(spec, own="", platform="https://p.example") == "https://login.example"
        assert flow.pick_web_base(PLAIN, own="", platform="https://p.example") == "https://p.example"


class TestWhatAPersonPastes:
    @pytest.mark.parametrize("ending", ["#_", "%23_", ""])
    def test_loses_the_ending_that_meta_puts_there(self, ending: str) -> None:
        url = f"https://127.0.0.1:8765/callback?state=s&code=AQ12{ending}"
        assert flow.read_redirect(url, state="s") == "AQ12"

    @pytest.mark.parametrize("error", ["user_cancelled_login", "user_cancelled_authorize", "access_denied"])
    def test_may_be_a_no_in_any_words(self, error: str) -> None:
        with pytest.raises(NotAllowed) as caught:
            flow.read_redirect(f"?error={error}&state=s", state="s")
        assert caught.value.error_code == "oauth.denied"

    def test_is_a_bare_code_only_where_the_platform_shows_codes(self) -> None:
        shown = flow.start_authorization(
            MASTODON, web_base_url="https://a.example", client_id="app", redirect_uri=MASTODON.out_of_band_uri
        )
        assert read_pasted(" abcDEF-123_456\n", shown) == "abcDEF-123_456"
        redirected = flow.start_authorization(MASTODON, web_base_url="https://a.example", client_id="app")
        with pytest.raises(InvalidInput):
            read_pasted("abcDEF-123_456", redirected)
        with pytest.raises(NotAllowed):
            read_pasted("https://a.example/cb?code=1&state=other", shown)
        assert read_pasted(f"http://127.0.0.1:8765/callback?code=1&state={redirected.state}", redirected) == "1"

    def test_is_no_bare_code_without_pkce_that_binds_it(self) -> None:
        spec = replace(MASTODON, pkce="none")
        shown = flow.start_authorization(
            spec, web_base_url="https://a.example", client_id="app", redirect_uri=spec.out_of_band_uri
        )
        with pytest.raises(InvalidInput):
            read_pasted("abcDEF-123_456", shown)


def read_pasted(text: str, authorization: flow.Authorization) -> str:
    return flow.read_pasted(text, authorization=authorization, out_of_band_uri=MASTODON.out_of_band_uri)


class TestAnExchange:
    def test_names_tiktok_s_app_as_tiktok_does(self) -> None:
        answer = grant(expires_in=7200, refresh_token="r", refresh_expires_in=15552000, open_id="o", scope="a,b")
        with serve(loopback.answer(answer)) as server:
            got = exchange(TIKTOK, server.url)
        form = form_of(server.requests[0])
        assert (form["client_key"], form["client_secret"], form["code_verifier"]) == ("app", "s3cret", "verifier")
        assert "client_id" not in form
        assert got.refresh_expires_at == NOW + timedelta(days=180)
        assert got.scopes == ("a", "b")

    def test_sends_no_verifier_where_there_is_no_pkce(self) -> None:
        with serve(
            loopback.answer(grant(expires_in=5184000, refresh_token="r", refresh_token_expires_in=31536000))
        ) as server:
            got = exchange(LINKEDIN, server.url)
        assert "code_verifier" not in form_of(server.requests[0])
        assert got.refresh_expires_at == NOW + timedelta(days=365)

    def test_asks_nobody_without_the_secret_that_a_platform_wants(self) -> None:
        with pytest.raises(InvalidInput) as caught:
            exchange(LINKEDIN, NOWHERE, client_secret="")
        assert caught.value.error_code == "oauth.client_secret"

    @pytest.mark.parametrize(
        "short",
        [
            b'{"access_token":"sh0rt","user_id":17,"permissions":["a","b"]}',
            b'{"data":[{"access_token":"sh0rt","user_id":"17","permissions":"a,b"}]}',
        ],
        ids=["flat", "wrapped"],
    )
    def test_trades_meta_s_short_token_for_a_long_one(self, short: bytes) -> None:
        long = grant(token_type="bearer", expires_in=5184000)
        with serve(loopback.answer(build_reply(200, short)), loopback.answer(long)) as server:
            got = exchange(META, server.url)
        assert server.requests[1].startswith(b"GET /access_token?")
        assert query_of(server.requests[1]) == {
            "grant_type": ["th_exchange_token"],
            "client_secret": ["s3cret"],
            "access_token": ["sh0rt"],
        }
        assert (got.access_token, got.scopes, got.access_expires_at) == ("n3w", ("a", "b"), NOW + timedelta(days=60))

    def test_tries_that_trade_again_because_the_code_before_it_is_spent(self) -> None:
        acts: list[Act] = [
            loopback.answer(grant()),
            loopback.hang_up_after_request,
            loopback.answer(build_reply(200, b"<")),
        ]
        with serve(*acts, loopback.answer(grant(access_token="l0ng"))) as server:
            assert exchange(META, server.url).access_token == "l0ng"
        assert [request.split()[0] for request in server.requests] == [b"POST", b"GET", b"GET", b"GET"]

    def test_gives_up_that_trade_after_three_tries(self) -> None:
        with (
            serve(loopback.answer(grant()), loopback.hang_up_after_request) as server,
            pytest.raises(Unavailable),
        ):
            exchange(META, server.url)
        assert server.connections == 4

    def test_goes_where_codes_are_exchanged_and_the_trade_to_the_api(self) -> None:
        with serve(loopback.answer(grant(access_token="sh0rt"))) as login, serve(loopback.answer(grant())) as api:
            exchange(META, api.url, token_base_url=login.url)
        assert [request.split()[1] for request in login.requests] == [b"/token"]
        assert len(api.requests) == 1


class TestARenewal:
    def test_of_meta_s_is_asked_for_with_the_token_itself(self) -> None:
        with serve(loopback.answer(grant(expires_in=5184000))) as server:
            got = renew(META, server.url, token())
        assert server.requests[0].startswith(b"GET /refresh_access_token?")
        assert query_of(server.requests[0]) == {"grant_type": ["th_refresh_token"], "access_token": ["0ld"]}
        assert (got.access_token, got.refresh_token, got.access_expires_at) == ("n3w", "", NOW + timedelta(days=60))

    @pytest.mark.parametrize(
        "old", [token(age=timedelta(hours=23)), token(age=timedelta(days=61))], ids=["too-young", "over"]
    )
    def test_of_meta_s_is_not_asked_for_when_it_cannot_be_had(self, old: Token) -> None:
        with pytest.raises(NeedsReconnect):
            renew(META, NOWHERE, old)

    @pytest.mark.parametrize("act", [loopback.hang_up_after_request, loopback.answer(build_reply(200, b"{"))])
    def test_of_meta_s_spends_nothing_when_its_answer_is_lost(self, act: Act) -> None:
        with serve(act) as server, pytest.raises(Unavailable):
            renew(META, server.url, token())

    def test_of_linkedin_s_keeps_the_end_that_the_platform_names(self) -> None:
        old = replace(token(refresh="r"), refresh_expires_at=NOW + timedelta(days=300))
        with serve(loopback.answer(grant(refresh_token="r", refresh_token_expires_in=86400 * 300))) as server:
            assert renew(LINKEDIN, server.url, old).refresh_expires_at == NOW + timedelta(days=300)
        with serve(loopback.answer(grant())) as server:
            got = renew(LINKEDIN, server.url, old)
        assert (got.refresh_token, got.refresh_expires_at) == ("r", NOW + timedelta(days=300))

    def test_of_mastodon_s_is_never_asked_for(self) -> None:
        with pytest.raises(NeedsReconnect):
            renew(MASTODON, NOWHERE, token(refresh="r"))

    @pytest.mark.parametrize(("spec", "refresh"), [(META, ""), (PLAIN, "r")], ids=["meta", "rotating"])
    def test_sends_nothing_after_its_deadline(self, spec: OAuthSpec, refresh: str) -> None:
        with serve(loopback.answer(grant())) as server, pytest.raises(Unavailable) as caught:
            renew(spec, server.url, token(refresh=refresh), send_before=Deadline(-1.0))
        assert caught.value.error_code == "platform.deadline_passed"
        assert server.requests == []

    @pytest.mark.parametrize(
        ("status", "kind"), [(500, Unavailable), (503, Unavailable), (408, Unavailable), (200, UnknownOutcome)]
    )
    def test_is_in_doubt_only_when_something_was_granted(self, status: int, kind: type[Exception]) -> None:
        with serve(loopback.answer(build_reply(status, b"{"))) as server, pytest.raises(kind):
            renew(PLAIN, server.url, token(refresh="r"))
        assert server.connections == 1


class TestARevocation:
    def test_goes_on_with_the_other_token_where_one_kind_is_refused(self) -> None:
        refused = build_reply(400, b'{"error":"unsupported_grant_type"}')
        with serve(loopback.answer(refused), loopback.answer(build_reply(200, b"{}"))) as server:
            revoke(TIKTOK, server.url)
        assert [form_of(request)["token"] for request in server.requests] == ["r", "0ld"]
        assert form_of(server.requests[1])["client_key"] == "app"

    def test_says_when_nobody_listened(self) -> None:
        with serve(loopback.answer(build_reply(401, b'{"error":"invalid_client"}'))) as server, pytest.raises(Rejected):
            revoke(PLAIN, server.url)

    def test_says_when_there_is_no_such_call(self) -> None:
        with pytest.raises(Rejected) as caught:
            revoke(replace(PLAIN, revoke_path=""), NOWHERE)
        assert caught.value.error_code == "oauth.no_revoke"


def revoke(spec: OAuthSpec, url: str) -> None:
    flow.revoke_token(
        spec, api_base_url=url, client_id="app", client_secret="s3cret", token=token(refresh="r"), now=NOW
    )
