"""A client of Mastodon's API that we did not write, Mastodon.py, against the sandbox's instance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mastodon
import pytest

from tests.sandbox.files import MP4, make_png
from tests.sandbox.mastodon.people import REDIRECT_URI, consent, make_key, read_redirect
from tests.sandbox.process import Sandbox

SCOPES = ["read", "write"]


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Any]:
    """A client that registered itself and was let in."""
    base = sandbox.base("mastodon")
    client_id, client_secret = mastodon.Mastodon.create_app(
        "Second opinion", scopes=SCOPES, redirect_uris=REDIRECT_URI, api_base_url=base
    )
    made = mastodon.Mastodon(client_id=client_id, client_secret=client_secret, api_base_url=base)
    url = made.auth_request_url(redirect_uris=REDIRECT_URI, scopes=SCOPES)
    made.log_in(code=read_redirect(consent(url, handle="guest"))["code"], redirect_uri=REDIRECT_URI, scopes=SCOPES)
    yield made
    made.session.close()


class TestAForeignClient:
    def test_is_let_in(self, client: Any) -> None:
        assert client.account_verify_credentials().username == "guest"
        assert client.instance_v2().configuration.statuses.max_characters == 500

    def test_posts_once_for_each_key(self, client: Any) -> None:
        key = make_key()
        first, second = (client.status_post("once", idempotency_key=key) for _ in range(2))
        assert first.id == second.id
        assert client.status_post("once").id != first.id

    def test_makes_a_thread_with_files(self, sandbox: Sandbox, client: Any, tmp_path: Path) -> None:
        first = client.status_post("one", visibility="unlisted", spoiler_text="w", language="es")
        picture = client.media_post(make_png(), mime_type="image/png", description="a square")
        second = client.status_post("two", in_reply_to_id=first, media_ids=[picture])
        video = client.media_post(MP4, mime_type="video/mp4")
        with pytest.raises(mastodon.MastodonAPIError, match="not finished processing"):
            client.status_post("three", media_ids=[video])
        sandbox.move_clock(1)
        client.status_post("three", media_ids=[video])
        newest = client.account_statuses(client.account_verify_credentials(), limit=3)
        assert [status.in_reply_to_id for status in newest] == [None, first.id, None]
        assert client.status(second).media_attachments[0].description == "a square"
        assert client.status_source(first).text == "one"

    def test_deletes(self, client: Any) -> None:
        made = client.status_post("gone soon")
        client.status_delete(made)
        with pytest.raises(mastodon.MastodonNotFoundError):
            client.status(made)

    def test_turns_pages(self, client: Any) -> None:
        for number in range(5):
            client.status_post(f"post {number}")
        first = client.account_statuses(client.account_verify_credentials(), limit=2)
        assert len(client.fetch_remaining(first)) == 5

    def test_understands_a_refusal(self, client: Any) -> None:
        with pytest.raises(mastodon.MastodonAPIError, match="Text is too long"):
            client.status_post("x" * 501)

    def test_understands_the_limits(self, client: Any) -> None:
        client.status_post("x")
        assert 0 < client.ratelimit_remaining < client.ratelimit_limit == 300
