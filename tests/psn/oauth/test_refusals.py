"""Every shape of refusal, and what it means: only one that names the grant asks for a person (AUTH-3)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import NeedsReconnect, PlatformError, RateLimited, Rejected, Unavailable
from psn.http import Reply
from psn.oauth.refusals import check_token_reply

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def graph(code: int, subcode: int | None = None, **more: Any) -> dict[str, Any]:
    error = {"message": "s3cret", "type": "OAuthException", "code": code, "fbtrace_id": "trace", **more}
    return {"error": error | ({"error_subcode": subcode} if subcode else {})}


def tiktok(error: str) -> dict[str, Any]:
    return {"error": error, "error_description": "s3cret", "log_id": "trace"}


def instagram(words: str) -> dict[str, Any]:
    return {"error_type": "OAuthException", "code": 400, "error_message": words}


REFUSALS: dict[str, tuple[int, Any, type[PlatformError]]] = {
    "x: spent": (400, {"error": "invalid_request", "error_description": "s3cret"}, NeedsReconnect),
    "linkedin: revoked": (400, {"error": "invalid_grant"}, NeedsReconnect),
    "linkedin: app": (401, {"error": "invalid_client", "error_description": "s3cret"}, Rejected),
    "mastodon: code": (400, {"error": "invalid_grant"}, NeedsReconnect),
    "mastodon: app": (401, {"error": "invalid_client"}, Rejected),
    "tiktok: spent": (400, tiktok("invalid_grant"), NeedsReconnect),
    "tiktok: spent, with 200": (200, tiktok("invalid_grant"), NeedsReconnect),
    "tiktok: app, with 200": (200, tiktok("invalid_client"), Rejected),
    "tiktok: limit, with 200": (200, tiktok("rate_limit_exceeded"), RateLimited),
    "tiktok: trouble, with 200": (200, tiktok("server_error"), Unavailable),
    "tiktok: nested": (401, {"error": {"code": "access_token_invalid", "log_id": "trace"}}, NeedsReconnect),
    "meta: token": (400, graph(190), NeedsReconnect),
    "meta: expired": (400, graph(190, 463), NeedsReconnect),
    "meta: code used": (400, graph(100, 36009), NeedsReconnect),
    "meta: code expired": (400, graph(100, 36007), NeedsReconnect),
    "meta: app": (400, graph(101), Rejected),
    "meta: permission": (403, graph(10), Rejected),
    "meta: limit": (400, graph(4), RateLimited),
    "meta: passing": (400, graph(2), Unavailable),
    "meta: transient": (400, graph(1234, is_transient=True), Unavailable),
    "instagram: code": (400, instagram("This authorization code has been used"), NeedsReconnect),
    "instagram: code unknown": (400, instagram("Matching code was not found or was already used"), NeedsReconnect),
    "instagram: app": (400, instagram("Invalid platform app"), Rejected),
    "instagram: secret": (400, instagram("Error validating client secret."), Rejected),
    "a limit": (429, {}, RateLimited),
    "no reason": (400, {}, Unavailable),
    "somebody else's": (403, {"error": "access_denied"}, Unavailable),
    "a list": (400, [1], Unavailable),
}


def check(status: int, body: Any) -> None:
    check_token_reply(Reply(status, {}, json.dumps(body).encode()), now=NOW, refused="Connect again.")


class TestARefusal:
    @pytest.mark.parametrize(("status", "body", "kind"), REFUSALS.values(), ids=REFUSALS.keys())
    def test_means_what_the_platform_means(self, status: int, body: Any, kind: type[PlatformError]) -> None:
        with pytest.raises(PlatformError) as caught:
            check(status, body)
        assert type(caught.value) is kind
        assert "s3cret" not in caught.value.message
        if "trace" in json.dumps(body):
            assert caught.value.request_id == "trace"

    def test_names_the_code_by_which_the_platform_s_support_finds_it(self) -> None:
        with pytest.raises(Rejected, match="101"):
            check(400, graph(101))

    @given(
        st.sampled_from([200, 201, 301, 400, 401, 403, 404, 422, 429]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner) | st.dictionaries(st.sampled_from(["error", "code", "error_type", "x"]), inner)
            ),
            max_leaves=6,
        ),
    )
    def test_in_any_shape_never_breaks_the_reader(self, status: int, body: Any) -> None:
        try:
            check(status, body)
        except PlatformError:
            return
        assert status < 300


class TestAGrant:
    @pytest.mark.parametrize(
        "body",
        [
            {"access_token": "a"},
            {"access_token": "a", "error": ""},
            {"data": {"access_token": "a"}, "error": {"code": "ok", "message": ""}},
            {},
        ],
    )
    def test_is_no_refusal(self, body: Any) -> None:
        check(200, body)
