"""An app registers itself with an instance, or says why it cannot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from psn.errors import InvalidInput, Problem, RateLimited, Rejected, Unavailable
from psn.oauth.apps import register_app
from psn.oauth.spec import OAuthSpec
from tests.psn import loopback
from tests.psn.loopback import build_reply, serve
from tests.psn.oauth.test_flow import form_of

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SPEC = OAuthSpec(
    authorize_path="/oauth/authorize",
    token_path="/oauth/token",
    revoke_path="/oauth/revoke",
    scopes=("read", "write"),
    apps_path="/api/v1/apps",
    out_of_band_uri="urn:ietf:wg:oauth:2.0:oob",
)


def register(url: str, spec: OAuthSpec = SPEC) -> tuple[str, str]:
    app = register_app(spec, base_url=url, scopes=spec.scopes, now=NOW)
    assert app.client_secret not in repr(app)
    return app.client_id, app.client_secret


class TestRegisterApp:
    def test_names_every_way_back_at_once(self) -> None:
        with serve(loopback.answer(build_reply(200, b'{"id":"1","client_id":"c","client_secret":"s3cret"}'))) as server:
            assert register(server.url) == ("c", "s3cret")
        assert server.requests[0].startswith(b"POST /api/v1/apps ")
        assert form_of(server.requests[0]) == {
            "client_name": "Post Shit Now",
            "redirect_uris": "http://127.0.0.1:8765/callback\nurn:ietf:wg:oauth:2.0:oob",
            "scopes": "read write",
        }

    def test_leaves_out_what_the_platform_does_not_know(self) -> None:
        with serve(loopback.answer(build_reply(200, b'{"client_id":"c","client_secret":"s3cret"}'))) as server:
            register(server.url, replace(SPEC, out_of_band_uri=""))
        assert form_of(server.requests[0])["redirect_uris"] == "http://127.0.0.1:8765/callback"

    @pytest.mark.parametrize(
        ("status", "body", "kind", "code"),
        [
            (404, b"<html>", InvalidInput, "account.instance"),
            (404, b'{"error":"Not Found"}', InvalidInput, "account.instance"),
            (405, b"", InvalidInput, "account.instance"),
            (200, b"<html>welcome</html>", InvalidInput, "account.instance"),
            (200, b'{"client_id": 7}', InvalidInput, "account.instance"),
            (200, b"[]", InvalidInput, "account.instance"),
            (301, b"", InvalidInput, "account.instance"),
            (422, b'{"error":"Validation failed"}', Rejected, "oauth.app_refused"),
            (403, b'{"error":"This method is not allowed"}', Rejected, "oauth.app_refused"),
            (429, b"", RateLimited, "platform.rate_limited"),
            (500, b"", Unavailable, "platform.unavailable"),
        ],
    )
    def test_says_what_is_wrong_with_the_address(
        self, status: int, body: bytes, kind: type[Problem], code: str
    ) -> None:
        with serve(loopback.answer(build_reply(status, body))) as server, pytest.raises(Problem) as caught:
            register(server.url)
        assert (type(caught.value), caught.value.error_code) == (kind, code)

    def test_says_when_nobody_is_there(self) -> None:
        with pytest.raises(Unavailable, match="Check the address"):
            register("http://127.0.0.1:1")
