"""The protocol, over real sockets where it sends."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import (
    InvalidInput,
    NeedsReconnect,
    NotAllowed,
    PlatformError,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from psn.oauth import flow
from psn.oauth.pkce import build_challenge
from psn.oauth.spec import OAuthSpec, Token
from psn.oauth.unattended import approve_unattended
from tests.psn import loopback
from tests.psn.loopback import build_reply, serve

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SPEC = OAuthSpec(
    authorize_path="/i/authorize", token_path="/2/token", revoke_path="/2/revoke", scopes=("a.read", "b.write")
)
OLD = Token(
    access_token="0ld-access", refresh_token="0ld-refresh", access_expires_at=NOW, scopes=("a.read",), obtained_at=NOW
)
GRANTED = build_reply(
    200,
    b'{"token_type":"bearer","expires_in":7200,"access_token":"n3w","scope":"a.read","refresh_token":"n3w-refresh"}',
)

REDIRECTED = build_reply(302, b"", "location: http://127.0.0.1:8765/callback?code=1&state=s")


def exchange(url: str, *, client_secret: str = "") -> Token:
    return flow.exchange_code(
        SPEC,
        api_base_url=url,
        client_id="app",
        client_secret=client_secret,
        code="c0de-77",
        code_verifier="v3rifier-99",
        now=NOW,
    )


def refresh(url: str) -> Token:
    return flow.refresh_token(SPEC, api_base_url=url, client_id="app", token=OLD, now=NOW)


def form_of(request: bytes) -> dict[str, str]:
    return dict(parse_qsl(request.partition(b"\r\n\r\n")[2].decode()))


class TestStartAuthorization:
    def test_asks_for_everything_the_platform_wants(self) -> None:
        started = flow.start_authorization(SPEC, web_base_url="https://x.com", client_id="app")
        address = urlsplit(started.url)
        assert f"{address.scheme}://{address.netloc}{address.path}" == "https://x.com/i/authorize"
        assert parse_qs(address.query) == {
            "response_type": ["code"],
            "client_id": ["app"],
            "redirect_uri": ["http://127.0.0.1:8765/callback"],
            "scope": ["a.read b.write"],
            "code_challenge": [build_challenge(started.code_verifier)],
            "code_challenge_method": ["S256"],
            "state": [started.state],
        }

    def test_puts_the_state_last(self) -> None:
        started = flow.start_authorization(SPEC, web_base_url="https://x.com", client_id="app")
        assert started.url.endswith(f"&state={started.state}")

    def test_makes_new_secrets_each_time_and_shows_none(self) -> None:
        started = [flow.start_authorization(SPEC, web_base_url="https://x.com", client_id="app") for _ in range(50)]
        assert len({one.state for one in started}) == len({one.code_verifier for one in started}) == 50
        assert all(one.code_verifier not in repr(one) and one.code_verifier not in one.url for one in started)

    def test_writes_blanks_between_scopes_as_percent_20(self) -> None:
        assert (
            "scope=only%20these"
            in flow.start_authorization(
                SPEC, web_base_url="https://x.com", client_id="app", scopes=["only", "these"]
            ).url
        )

    @pytest.mark.parametrize(("web", "client_id"), [("http://x.com", "app"), ("https://x.com", " ")])
    def test_refuses_an_unsafe_start(self, web: str, client_id: str) -> None:
        with pytest.raises(InvalidInput):
            flow.start_authorization(SPEC, web_base_url=web, client_id=client_id)


class TestReadRedirect:
    @given(st.text(min_size=1), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
    def test_gives_back_the_code_that_was_sent(self, code: str, state: str) -> None:
        query = urlencode({"code": code.encode("utf-8", "replace"), "state": state})
        expected = code.encode("utf-8", "replace").decode()
        for url in (f"http://127.0.0.1:8765/callback?{query}", f"  ?{query}\n", f"https://a.b/c?{query}#_=_"):
            assert flow.read_redirect(url, state=state) == expected

    @pytest.mark.parametrize(
        "query", ["code=1&state=other", "code=1", "code=1&state=", "error=access_denied&state=other"]
    )
    def test_refuses_another_authorizations_answer(self, query: str) -> None:
        with pytest.raises(NotAllowed) as caught:
            flow.read_redirect(f"http://127.0.0.1:8765/callback?{query}", state="mine")
        assert caught.value.error_code == "oauth.state_mismatch"

    def test_never_takes_an_empty_state_for_a_match(self) -> None:
        with pytest.raises(NotAllowed):
            flow.read_redirect("http://127.0.0.1:8765/callback?code=1&state=", state="")

    @pytest.mark.parametrize(("error", "code"), [("access_denied", "oauth.denied"), ("server_error", "oauth.refused")])
    def test_says_when_the_answer_was_no(self, error: str, code: str) -> None:
        with pytest.raises(NotAllowed) as caught:
            flow.read_redirect(f"http://127.0.0.1:8765/callback?error={error}&state=mine", state="mine")
        assert caught.value.error_code == code

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:8765/callback?state=mine",
            "http://127.0.0.1:8765/callback?code=&state=mine",
            "http://127.0.0.1:8765/callback?code=1&code=2&state=mine",
            "http://[::1?code=1&state=mine",
        ],
        ids=["none", "empty", "two", "no-address"],
    )
    def test_asks_again_when_there_is_no_code(self, url: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            flow.read_redirect(url, state="mine")
        assert caught.value.error_code == "oauth.redirect"

    @given(st.text(), st.text())
    def test_reads_or_refuses_anything(self, url: str, state: str) -> None:
        with contextlib.suppress(NotAllowed, InvalidInput):
            assert flow.read_redirect(url, state=state)


class TestExchangeCode:
    def test_sends_the_code_with_its_proof(self) -> None:
        with serve(loopback.answer(GRANTED)) as server:
            token = exchange(server.url)
        assert form_of(server.requests[0]) == {
            "grant_type": "authorization_code",
            "code": "c0de-77",
            "redirect_uri": "http://127.0.0.1:8765/callback",
            "code_verifier": "v3rifier-99",
            "client_id": "app",
        }
        assert b"uthorization:" not in server.requests[0]
        assert token == Token("n3w", "n3w-refresh", NOW + timedelta(hours=2), ("a.read",), NOW)

    def test_names_a_confidential_app_in_the_header_only(self) -> None:
        with serve(loopback.answer(GRANTED)) as server:
            exchange(server.url, client_secret="s3:cret")
        assert base64.b64encode(b"app:s3%3Acret") in server.requests[0]
        assert "client_id" not in form_of(server.requests[0])

    def test_wants_a_new_authorization_when_the_code_is_refused(self) -> None:
        with (
            serve(loopback.answer(build_reply(400, b'{"error":"invalid_request"}'))) as server,
            pytest.raises(NeedsReconnect),
        ):
            exchange(server.url)


REFUSED: dict[str, tuple[int, bytes, type[PlatformError]]] = {
    "spent-at-x": (
        400,
        b'{"error":"invalid_request","error_description":"Value passed for the token was invalid."}',
        NeedsReconnect,
    ),
    "revoked": (400, b'{"error":"invalid_grant"}', NeedsReconnect),
    "revoked-401": (401, b'{"error":"invalid_grant"}', NeedsReconnect),
    "app-unknown": (401, b'{"error":"invalid_client"}', Rejected),
    "app-not-allowed": (400, b'{"error":"unauthorized_client"}', Rejected),
    "a-page-of-somebody-else": (403, b"<html>", Unavailable),
    "a-400-without-reason": (400, b"<html>", Unavailable),
    "a-redirect": (302, b"", Unavailable),
    "trouble": (500, b"", Unavailable),
    "busy": (503, b'{"error":"invalid_grant"}', Unavailable),
    "too-often": (429, b"", RateLimited),
}


class TestRefreshToken:
    def test_gives_the_new_pair(self) -> None:
        with serve(loopback.answer(GRANTED)) as server:
            token = refresh(server.url)
        assert form_of(server.requests[0]) == {
            "grant_type": "refresh_token",
            "refresh_token": "0ld-refresh",
            "client_id": "app",
        }
        assert (token.access_token, token.refresh_token) == ("n3w", "n3w-refresh")

    def test_keeps_the_refresh_token_where_none_comes_back(self) -> None:
        with serve(loopback.answer(build_reply(200, b'{"access_token":"n3w"}'))) as server:
            token = refresh(server.url)
        assert (token.access_token, token.refresh_token, token.scopes) == ("n3w", "0ld-refresh", ("a.read",))

    @pytest.mark.parametrize(("status", "body", "kind"), REFUSED.values(), ids=REFUSED.keys())
    def test_asks_to_reconnect_only_when_the_grant_is_refused(
        self, status: int, body: bytes, kind: type[PlatformError]
    ) -> None:
        with serve(loopback.answer(build_reply(status, body))) as server, pytest.raises(PlatformError) as caught:
            refresh(server.url)
        assert type(caught.value) is kind
        assert server.connections == 1

    @pytest.mark.parametrize(
        "act",
        [
            loopback.hang_up_after_request,
            loopback.reset_after_request,
            loopback.answer(GRANTED[:-9]),
            loopback.answer(build_reply(200, b"{")),
        ],
        ids=["closed", "reset", "truncated", "unreadable"],
    )
    def test_is_unknown_when_the_answer_is_lost(self, act: loopback.Act) -> None:
        with serve(act) as server, pytest.raises(UnknownOutcome) as caught:
            refresh(server.url)
        assert caught.value.error_code == "oauth.unknown"
        assert server.connections == 1

    def test_is_unavailable_when_nobody_listens(self) -> None:
        with pytest.raises(Unavailable):
            refresh("http://127.0.0.1:1")

    def test_asks_nothing_without_a_refresh_token(self) -> None:
        token = Token("a", "", None, (), NOW)
        with pytest.raises(NeedsReconnect):
            flow.refresh_token(SPEC, api_base_url="http://127.0.0.1:1", client_id="app", token=token, now=NOW)

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [("x-rate-limit-reset: 1795161690", 90), ("retry-after: 30", 30), ("retry-after: soon", 60), ("x-a: b", 60)],
    )
    def test_says_when_to_come_back(self, header: str, seconds: int) -> None:
        with serve(loopback.answer(build_reply(429, b"", header))) as server, pytest.raises(RateLimited) as caught:
            refresh(server.url)
        assert caught.value.retry_at == NOW + timedelta(seconds=seconds)

    @pytest.mark.parametrize("call", [exchange, refresh])
    @pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500])
    def test_never_repeats_what_was_sent(self, call: Callable[[str], Token], status: int) -> None:
        body = b'{"error":"invalid_grant","error_description":"c0de-77 0ld-refresh v3rifier-99","access_token":"0ld-refresh x"}'
        with serve(loopback.answer(build_reply(status, body))) as server, pytest.raises(PlatformError) as caught:
            call(server.url)
        assert not [secret for secret in ("c0de-77", "0ld-refresh", "v3rifier-99") if secret in str(caught.value)]


class TestRevokeToken:
    def test_gives_both_tokens_back(self) -> None:
        with serve(loopback.answer(build_reply(200, b'{"revoked":true}'))) as server:
            flow.revoke_token(SPEC, api_base_url=server.url, client_id="app", token=OLD, now=NOW)
        assert [form_of(request)["token"] for request in server.requests] == ["0ld-refresh", "0ld-access"]

    def test_takes_a_grant_that_is_gone_for_revoked(self) -> None:
        with serve(loopback.answer(build_reply(400, b'{"error":"invalid_request"}'))) as server:
            flow.revoke_token(SPEC, api_base_url=server.url, client_id="app", token=OLD, now=NOW)

    def test_may_be_repeated_when_the_answer_is_lost(self) -> None:
        with serve(loopback.hang_up_after_request) as server, pytest.raises(Unavailable):
            flow.revoke_token(SPEC, api_base_url=server.url, client_id="app", token=OLD, now=NOW)


class TestApproveUnattended:
    def test_refuses_to_say_yes_anywhere_but_here(self) -> None:
        started = flow.start_authorization(SPEC, web_base_url="https://x.com", client_id="app")
        with pytest.raises(InvalidInput) as caught:
            approve_unattended(started, handle="sandbox")
        assert caught.value.error_code == "oauth.unattended"

    def test_sends_the_form_as_a_browser_would(self) -> None:
        page = b"""<form method="post" action="/i/decide"><input type="hidden" name="nonce" value="a&amp;b">
            <input name="handle" value="x"><button name="decision" value="allow"></button></form>
            <form action="/search"><input type="hidden" name="q" value="1"></form>"""
        with serve(loopback.answer(build_reply(200, page)), loopback.answer(REDIRECTED)) as server:
            started = flow.start_authorization(SPEC, web_base_url=server.url, client_id="app")
            assert approve_unattended(started, handle="ann") == "http://127.0.0.1:8765/callback?code=1&state=s"
        assert server.requests[1].startswith(b"POST /i/decide HTTP")
        assert form_of(server.requests[1]) == {"nonce": "a&b", "decision": "allow", "handle": "ann"}

    @pytest.mark.parametrize(
        ("page", "after"),
        [
            (build_reply(400, b"<p>no such app</p>"), GRANTED),
            (build_reply(200, b"<p>nothing to send</p>"), GRANTED),
            (build_reply(200, b'<form action="https://evil.example/steal"></form>'), REDIRECTED),
            (build_reply(200, b"<form></form>"), build_reply(200, b"<p>again</p>")),
        ],
        ids=["error-page", "no-form", "leads-away", "no-redirect"],
    )
    def test_says_when_there_was_no_consent(self, page: bytes, after: bytes) -> None:
        with serve(loopback.answer(page), loopback.answer(after)) as server:
            started = flow.start_authorization(SPEC, web_base_url=server.url, client_id="app")
            with pytest.raises(Rejected):
                approve_unattended(started, handle="ann")
