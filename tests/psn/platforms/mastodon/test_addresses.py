"""Addresses of posts, as people paste them."""

from __future__ import annotations

import pytest

from psn.errors import InvalidInput
from psn.platforms.mastodon.addresses import build_post_url, read_post_url

ID = "109348684216421378"


class TestReadPostUrl:
    @pytest.mark.parametrize(
        "url",
        [
            ID,
            f" https://mastodon.example/@ann/{ID} ",
            f"mastodon.example/@ann/{ID}",
            f"https://mastodon.example/@ann/{ID}/",
            f"https://mastodon.example/@ann/{ID}/embed",
            f"https://mastodon.example/@ann/{ID}?x=1#y",
            f"https://mastodon.example/@ben@elsewhere.example/{ID}",
            f"https://mastodon.example/users/ann/statuses/{ID}",
            f"https://mastodon.example/web/statuses/{ID}",
            f"https://mastodon.example/web/@ann/{ID}",
            f"http://127.0.0.1:8766/mastodon/@ann/{ID}",
            build_post_url(ID, base_url="https://mastodon.example"),
            build_post_url(ID, base_url="http://127.0.0.1:8766/mastodon"),
        ],
    )
    def test_takes_what_browsers_show(self, url: str) -> None:
        assert read_post_url(url) == ID

    @pytest.mark.parametrize(
        ("url", "post_id"),
        [
            ("https://gts.example/@ann/statuses/01HQ7RZP2ZJ8W6BYV7QXN2M0AB", "01HQ7RZP2ZJ8W6BYV7QXN2M0AB"),
            ("https://pleroma.example/notice/AcKPvNjTQ7ZkX8aY4G", "AcKPvNjTQ7ZkX8aY4G"),
            ("AcKPvNjTQ7ZkX8aY4G", "AcKPvNjTQ7ZkX8aY4G"),
        ],
    )
    def test_takes_ids_of_other_servers(self, url: str, post_id: str) -> None:
        assert read_post_url(url) == post_id

    @pytest.mark.parametrize(
        "url",
        [
            "", "hello", "https://mastodon.example", "https://mastodon.example/@ann", "https://mastodon.example/about/7",
            f"ftp://mastodon.example/@ann/{ID}", f"https:///@ann/{ID}", f"https://mastodon.example/@ann/{ID}/media/1",
            "https://mastodon.example/tags/7", "https://[/@ann/7", f"https://mastodon.example/@ann/{'9' * 70}",
        ],
    )  # fmt: skip
    def test_refuses_what_is_no_post(self, url: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            read_post_url(url)
        assert caught.value.error_code == "url.post"
