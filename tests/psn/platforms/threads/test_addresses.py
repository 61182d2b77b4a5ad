"""Addresses of posts on Threads."""

from __future__ import annotations

import pytest

from psn.errors import InvalidInput
from psn.platforms.threads.addresses import is_shortcode, read_post_url


class TestReadPostUrl:
    @pytest.mark.parametrize(
        ("pasted", "post_id"),
        [
            ("https://www.threads.net/@ann.lee/post/DCkkKl_OGb1", "DCkkKl_OGb1"),
            ("https://www.threads.com/@ann.lee/post/DCkkKl_OGb1?xmt=abc", "DCkkKl_OGb1"),
            ("threads.net/t/DCkkKl_OGb1/", "DCkkKl_OGb1"),
            ("http://127.0.0.1:8766/threads/@ann/post/B15PuUVgAAA", "B15PuUVgAAA"),
            (" 18000000000000001 ", "18000000000000001"),
        ],
    )
    def test_finds_the_id(self, pasted: str, post_id: str) -> None:
        assert read_post_url(pasted) == post_id

    @pytest.mark.parametrize(
        "pasted",
        [
            "", "hello", "https://www.threads.net/@ann.lee", "https://example.com/@ann/post/DCkkKl_OGb1",
            "https://www.threads.net.example.com/@ann/post/DCkkKl_OGb1", "https://[::1/@ann/post/DCkkKl_OGb1",
            "https://www.threads.net/@ann/post/../x",
        ],
    )  # fmt: skip
    def test_refuses_everything_else(self, pasted: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            read_post_url(pasted)
        assert caught.value.error_code == "url.post"

    def test_tells_codes_from_ids(self) -> None:
        assert is_shortcode("DCkkKl_OGb1")
        assert not is_shortcode("18000000000000001")
