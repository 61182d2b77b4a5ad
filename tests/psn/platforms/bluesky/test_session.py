"""Signing in, renewing, signing out; and where an account lives."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from psn.errors import InvalidInput, NeedsReconnect, RateLimited, Rejected, Unavailable
from psn.oauth.spec import Token
from psn.platforms.bluesky import homes, session
from psn.platforms.bluesky.addresses import API_BASE_URL
from psn.platforms.bluesky.claims import find_home_of, read_claims
from tests.psn.loopback import Act, answer, answer_all, build_reply, hang_up_after_request, serve
from tests.psn.platforms.bluesky.accounts import grant, sign_in_spec
from tests.sandbox.process import Sandbox

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
DID = "did:plc:fsh7fvxdprpwcv7pygeudj5g"


def make_jwt(**claims: object) -> str:
    parts = ({"typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + ".x"


def make_token(**changes: str) -> Token:
    given = {"access_token": "some-access", "refresh_token": "some-refresh", **changes}
    return Token(**given, access_expires_at=None, scopes=(), obtained_at=NOW)  # type: ignore[arg-type]


def refuse(status: int, error: str) -> Act:
    return answer_all(build_reply(status, json.dumps({"error": error, "message": "No"}).encode()))


class TestOpenSession:
    def test_gives_what_the_server_says_of_its_tokens(self, sandbox: Sandbox, handle: str) -> None:
        token = sign_in_spec().open_session(
            sandbox.base("bluesky"), identifier=f" @{handle}\u2069", password="psn-sandbox-secret", now=NOW
        )
        assert token.access_expires_at == NOW + timedelta(hours=2)
        assert token.refresh_expires_at == NOW + timedelta(days=90)
        assert token.scopes == ("com.atproto.appPass",)

    def test_completes_a_bare_name(self, sandbox: Sandbox, connect: Callable[..., object], handle: str) -> None:
        adapter = connect(grant(sandbox, handle.partition(".")[0]).access_token)
        assert adapter.fetch_profile().handle == handle  # type: ignore[attr-defined]

    def test_says_that_the_password_is_wrong(self, sandbox: Sandbox, handle: str) -> None:
        with pytest.raises(NeedsReconnect) as caught:
            grant(sandbox, handle, password="abcd-efgh-ijkl-mnop")
        assert caught.value.error_code == "bluesky.wrong_password"
        assert "bsky.app/settings/app-passwords" in caught.value.message

    def test_does_not_take_the_account_s_own_password(self, sandbox: Sandbox, handle: str) -> None:
        with pytest.raises(NeedsReconnect) as caught:
            grant(sandbox, handle, password="psn-sandbox-main-password")
        assert caught.value.error_code == "bluesky.main_password"
        closed = sandbox.last_call()
        assert (closed["path"], closed["status"]) == ("/xrpc/com.atproto.server.deleteSession", 200)

    def test_asks_who(self, sandbox: Sandbox) -> None:
        with pytest.raises(InvalidInput):
            grant(sandbox, " @ ")

    @pytest.mark.parametrize(
        ("act", "kind"),
        [
            (refuse(401, "AuthenticationRequired"), NeedsReconnect),
            (refuse(401, "AuthFactorTokenRequired"), NeedsReconnect),
            (refuse(401, "AccountTakedown"), Rejected),
            (refuse(429, "RateLimitExceeded"), RateLimited),
            (refuse(500, "InternalServerError"), Unavailable),
            (answer(build_reply(200, b"<html>")), Unavailable),
            (answer(build_reply(302, b"", "location: http://10.0.0.1/")), Unavailable),
            (hang_up_after_request, Unavailable),
        ],
        ids=["wrong", "second-factor", "taken-down", "often", "broken", "html", "redirect", "lost"],
    )
    def test_tells_refusals_apart(self, act: Act, kind: type[Exception]) -> None:
        with serve(act) as server, pytest.raises(kind) as caught:
            session.open_session(server.url, identifier="ana.eu", password="secret-secret", now=NOW)
        assert type(caught.value) is kind
        assert "secret-secret" not in str(caught.value)

    def test_limits_how_often(self, sandbox: Sandbox, handle: str) -> None:
        for _ in range(30):
            grant(sandbox, handle)
        with pytest.raises(RateLimited) as caught:
            grant(sandbox, handle)
        assert timedelta(seconds=280) < caught.value.retry_at - datetime.now(UTC) <= timedelta(seconds=301)


class TestRenewSession:
    def test_gives_new_tokens(self, sandbox: Sandbox, handle: str) -> None:
        first = grant(sandbox, handle)
        second = sign_in_spec().renew_session(sandbox.base("bluesky"), token=first, now=NOW)
        assert second.refresh_token != first.refresh_token
        assert second.access_expires_at == NOW + timedelta(hours=2)

    def test_gives_the_same_successor_to_who_lost_the_answer(self, sandbox: Sandbox, handle: str) -> None:
        first = grant(sandbox, handle)
        sandbox.fail("drop_after", "POST /xrpc/com.atproto.server.refreshSession", platform="bluesky")
        with pytest.raises(Unavailable):
            sign_in_spec().renew_session(sandbox.base("bluesky"), token=first, now=NOW)
        again = [sign_in_spec().renew_session(sandbox.base("bluesky"), token=first, now=NOW) for _ in range(2)]
        assert again[0].refresh_token == again[1].refresh_token
        assert again[0].access_token != again[1].access_token

    @pytest.mark.parametrize("error", ["ExpiredToken", "InvalidToken"])
    def test_ends_when_the_session_is_over(self, error: str) -> None:
        with serve(refuse(400, error)) as server, pytest.raises(NeedsReconnect):
            session.renew_session(server.url, token=make_token(), now=NOW)

    def test_never_asks_without_a_refresh_token(self) -> None:
        with serve(refuse(500, "x")) as server, pytest.raises(NeedsReconnect):
            session.renew_session(server.url, token=make_token(refresh_token=""), now=NOW)
        assert server.connections == 0


class TestCloseSession:
    def test_ends_it_and_may_be_repeated(self, sandbox: Sandbox, handle: str) -> None:
        token = grant(sandbox, handle)
        for _ in range(2):
            sign_in_spec().close_session(sandbox.base("bluesky"), token=token, now=NOW)
        with pytest.raises(NeedsReconnect):
            sign_in_spec().renew_session(sandbox.base("bluesky"), token=token, now=NOW)

    def test_says_when_it_did_not(self) -> None:
        with serve(refuse(503, "NotEnoughResources")) as server, pytest.raises(Unavailable):
            session.close_session(server.url, token=make_token(), now=NOW)


class TestClaims:
    def test_are_read_for_what_no_answer_says(self) -> None:
        claims = read_claims(make_jwt(scope="s", aud="did:web:pds.eu", iat=100, exp=160))
        assert (claims.scope, claims.audience, claims.life) == ("s", "did:web:pds.eu", timedelta(minutes=1))

    @pytest.mark.parametrize("token", ["", "opaque", "a.b.c", f"a.{'x' * 9}.c", make_jwt(exp="soon", iat=1, aud=7)])
    def test_say_nothing_where_there_are_none(self, token: str) -> None:
        claims = read_claims(token)
        assert (claims.scope, claims.audience, claims.life) == ("", "", None)

    @pytest.mark.parametrize(
        ("audience", "home"),
        [
            ("did:web:pds.example.com", "https://pds.example.com"),
            ("did:web:pds.example.com%3A8443", "https://pds.example.com:8443"),
            ("did:plc:abc", None),
            ("did:web:evil.example%2F@x", None),
            ("https://evil.example", None),
            ("", None),
        ],
    )
    def test_name_the_server_that_a_token_is_for(self, audience: str, home: str | None) -> None:
        assert find_home_of(make_jwt(aud=audience)) == home


class TestChooseBaseUrl:
    TOKEN = make_jwt(aud="did:web:shiitake.us-east.host.bsky.network")

    def test_goes_from_bsky_social_to_the_account_s_own_server(self) -> None:
        assert homes.choose_base_url(API_BASE_URL, token=self.TOKEN) == "https://shiitake.us-east.host.bsky.network"

    def test_stays_where_a_person_said(self) -> None:
        assert homes.choose_base_url("https://pds.example.com", token=self.TOKEN) == "https://pds.example.com"

    def test_stays_where_the_token_says_nothing(self) -> None:
        assert homes.choose_base_url(API_BASE_URL, token="opaque") == API_BASE_URL


def document(endpoint: object, *, name: str = "at://ana.eu", kind: str = "#atproto_pds") -> bytes:
    service = {"id": kind, "type": "AtprotoPersonalDataServer", "serviceEndpoint": endpoint}
    return json.dumps({"id": DID, "alsoKnownAs": [name], "service": [{"id": "#other"}, service]}).encode()


def find_home(identifier: str, resolved: bytes, found: bytes, *, status: int = 200) -> str:
    """Look a server up at a resolver and a directory that answer so."""
    with serve(answer(build_reply(200, resolved))) as resolver, serve(answer(build_reply(status, found))) as directory:
        home = homes.find_home(identifier, resolver_url=resolver.url, directory_url=directory.url)
    paths = [request.split(b" ")[1].decode() for request in (*resolver.requests, *directory.requests)]
    assert paths[-1] == f"/{DID}"
    return home


class TestFindHome:
    RESOLVED = json.dumps({"did": DID}).encode()

    def test_leads_to_a_server_of_one_s_own(self) -> None:
        assert find_home("Ana.eu", self.RESOLVED, document("https://pds.ana.eu/")) == "https://pds.ana.eu"

    def test_leads_to_bsky_social_for_all_of_its_servers(self) -> None:
        hosted = document("https://shiitake.us-east.host.bsky.network")
        assert find_home("ana.eu", self.RESOLVED, hosted) == API_BASE_URL

    def test_takes_a_did_as_it_is(self) -> None:
        assert find_home(DID, b"{}", document("https://pds.ana.eu", name="at://other.eu")) == "https://pds.ana.eu"

    def test_never_sends_a_password_where_the_account_does_not_say_it_is(self) -> None:
        with pytest.raises(NeedsReconnect) as caught:
            find_home("ana.eu", self.RESOLVED, document("https://evil.example", name="at://mallory.eu"))
        assert caught.value.error_code == "bluesky.handle_mismatch"

    @pytest.mark.parametrize("endpoint", ["http://pds.ana.eu", "ftp://x", "", 7, "https://user:pass@pds.ana.eu"])
    def test_never_leads_to_an_unsafe_address(self, endpoint: object) -> None:
        with pytest.raises(Unavailable) as caught:
            find_home("ana.eu", self.RESOLVED, document(endpoint))
        assert caught.value.error_code == "bluesky.no_server"

    def test_says_that_a_document_names_no_server(self) -> None:
        with pytest.raises(Unavailable):
            find_home("ana.eu", self.RESOLVED, document("https://pds.ana.eu", kind="#atproto_labeler"))

    @pytest.mark.parametrize(("status", "found"), [(404, b"{}"), (200, b"<html>"), (500, b""), (302, b"")])
    def test_says_that_there_is_no_document(self, status: int, found: bytes) -> None:
        with pytest.raises(Unavailable):
            find_home("ana.eu", self.RESOLVED, found, status=status)

    @pytest.mark.parametrize("identifier", ["ana@example.com", "not a handle"])
    def test_asks_nobody_about_what_is_no_handle(self, identifier: str) -> None:
        with serve(refuse(500, "x")) as server:
            assert homes.find_home(identifier, resolver_url=server.url, directory_url=server.url) == API_BASE_URL
        assert server.connections == 0

    def test_leaves_it_to_bsky_social_to_say_that_there_is_nobody(self) -> None:
        with serve(refuse(400, "InvalidRequest")) as server:
            assert homes.find_home("nobody.eu", resolver_url=server.url, directory_url=server.url) == API_BASE_URL

    def test_knows_only_two_kinds_of_accounts(self) -> None:
        with serve(refuse(500, "x")) as server, pytest.raises(Unavailable):
            homes.find_home("did:key:abc", resolver_url=server.url, directory_url=server.url)
