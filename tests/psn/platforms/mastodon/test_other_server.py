"""The adapter against a server of Mastodon's API that we did not write: mastodon_mock, as a process on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from psn.errors import NeedsReconnect, Rejected, Unavailable
from psn.platforms.base import MediaFile, Part, Published
from psn.platforms.mastodon import connect
from psn.platforms.mastodon.adapter import MastodonAdapter
from tests.sandbox.files import make_png

START_SECONDS = 20
TOKEN = "mock_token"  # the one it knows without being asked


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that lives as long as this file's tests."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ["serve", "--in-memory", "--host", "127.0.0.1", "--port", str(port)]
    folder = tmp_path_factory.mktemp("mastodon-mock")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mastodon_mock", *arguments], cwd=folder, stdout=log, stderr=log
        )
        _wait(process, port=port)
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(10)


@pytest.fixture
def adapter(base_url: str) -> Iterator[MastodonAdapter]:
    """The account of the server's own token."""
    connected = connect(base_url, TOKEN)
    yield connected
    connected.close()


def _wait(process: subprocess.Popen[bytes], *, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise AssertionError("mastodon_mock did not start") from None
            time.sleep(0.05)


def publish(
    adapter: MastodonAdapter, part: Part, *, reply_to: str | None = None, former: str = "", media_ids: Any = ()
) -> Published:
    prepared = adapter.prepare_post(part, media_ids=media_ids, reply_to=reply_to, former=former)
    return adapter.create_post(part, media_ids=media_ids, reply_to=reply_to, prepared=prepared, send_before=None)


class TestAForeignServer:
    def test_publishes_what_is_found_again(self, adapter: MastodonAdapter) -> None:
        part = Part(
            0, "Read https://example.com/a?b=1&c=2 & tell @alice #news\n\nThen **rest**", options={"spoiler": "News"}
        )
        since = datetime.now(UTC) - timedelta(seconds=1)
        published = publish(adapter, part)
        asked: dict[str, Any] = {"reference": "", "since": since, "reply_to": None}
        found = adapter.find_published(part, known_ids=(), **asked)
        assert found is not None
        assert found.platform_post_id == published.platform_post_id
        assert adapter.find_published(part, known_ids=(published.platform_post_id,), **asked) is None
        assert adapter.find_published(Part(0, "never said"), known_ids=(), **asked) is None

    def test_takes_the_same_key_for_the_same_post(self, adapter: MastodonAdapter) -> None:
        part = Part(0, "only once")
        key = adapter.prepare_post(part, media_ids=(), reply_to=None, former="").reference
        assert key
        first, second = (publish(adapter, part, former=key) for _ in range(2))
        assert first.platform_post_id == second.platform_post_id
        assert publish(adapter, part).platform_post_id != first.platform_post_id

    def test_makes_a_thread_with_a_picture(self, adapter: MastodonAdapter, tmp_path: Path) -> None:
        path = tmp_path / "square.png"
        path.write_bytes(make_png())
        media = MediaFile(path, "image/png", path.stat().st_size, "a square")
        first = publish(adapter, Part(0, "thread, 1"))
        media_id = adapter.upload_media(media)
        second = publish(adapter, Part(1, "thread, 2", (media,)), reply_to=first.platform_post_id, media_ids=[media_id])
        newest = adapter.fetch_recent_posts(limit=2)
        assert [(post.text, post.in_reply_to) for post in newest] == [
            ("thread, 2", first.platform_post_id),
            ("thread, 1", None),
        ]
        metrics = {post.platform_post_id: post.metrics for post in adapter.fetch_posts([first.platform_post_id, "99"])}
        assert metrics[first.platform_post_id]["replies"] == 1
        assert "99" not in metrics
        assert second.url.endswith(second.platform_post_id)

    def test_deletes_once_and_for_all(self, adapter: MastodonAdapter) -> None:
        published = publish(adapter, Part(0, "short-lived"))
        adapter.delete_post(published.platform_post_id)
        adapter.delete_post(published.platform_post_id)
        assert adapter.fetch_posts([published.platform_post_id]) == []

    def test_says_who_and_what_it_is(self, adapter: MastodonAdapter) -> None:
        assert adapter.fetch_profile().handle
        assert adapter.fetch_capabilities()["max_characters"] == 500
        assert set(adapter.fetch_account_metrics()) == {"followers", "following", "posts"}

    @pytest.mark.parametrize("text", ["x" * 501, " "])
    def test_refuses_what_the_rules_refuse(self, adapter: MastodonAdapter, text: str) -> None:
        with pytest.raises(Rejected) as caught:
            publish(adapter, Part(0, text))
        assert caught.value.error_code == "mastodon.invalid"

    def test_refuses_a_wrong_token(self, base_url: str) -> None:
        stranger = connect(base_url, "wrong")
        with pytest.raises(NeedsReconnect):
            stranger.fetch_profile()
        with pytest.raises(NeedsReconnect):
            publish(stranger, Part(0, "hello"))
        stranger.close()

    def test_is_missed_when_it_is_gone(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        nobody = connect(f"http://127.0.0.1:{port}", TOKEN)
        with pytest.raises(Unavailable):
            nobody.fetch_profile()
        nobody.close()
