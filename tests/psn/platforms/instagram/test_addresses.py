"""Addresses of posts on Instagram."""

from __future__ import annotations

import pytest

from psn.errors import InvalidInput
from psn.platforms.instagram.addresses import is_shortcode, read_post_url


class TestReadPostUrl:
    @pytest.mark.parametrize(
        ("pasted", "post_id"),
        [
            ("https://www.instagram.com/p/DCkkKl_OGb1/", "DCkkKl_OGb1"),
            ("https://www.instagram.com/p/DCkkKl_OGb1/?igsh=abc&img_index=2", "DCkkKl_OGb1"),
            ("instagram.com/reel/DCkkKl_OGb1", "DCkkKl_OGb1"),
            ("https://www.instagram.com/reels/DCkkKl_OGb1/", "DCkkKl_OGb1"),
            ("https://www.instagram.com/ann.lee/p/DCkkKl_OGb1/", "DCkkKl_OGb1"),
            ("https://www.instagram.com/stories/ann.lee/17900000000000001/", "17900000000000001"),
            ("http://127.0.0.1:8766/instagram/p/B15Plq4gAAA/", "B15Plq4gAAA"),
            ("http://localhost:8766/instagram/stories/ann/2123797258645274624/", "2123797258645274624"),
            (" 17900000000000001 ", "17900000000000001"),
        ],
    )
    def test_finds_the_id(self, pasted: str, post_id: str) -> None:
        assert read_post_url(pasted) == post_id

    @pytest.mark.parametrize(
        "pasted",
        [
            "", "hello", "https://www.instagram.com/", "https://www.instagram.com/ann.lee/", "https://example.com/p/DCkkKl_OGb1/",
            "https://www.instagram.com.example.com/p/DCkkKl_OGb1/", "ftp://www.instagram.com/p/DCkkKl_OGb1/",
            "https://www.instagram.com/p/../x/", "https://[::1/p/DCkkKl_OGb1/", "https://www.instagram.com/p/a b/",
        ],
    )  # fmt: skip
    def test_refuses_everything_else(self, pasted: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            read_post_url(pasted)
        assert caught.value.error_code == "url.post"

    def test_tells_codes_from_ids(self) -> None:
        assert is_shortcode("DCkkKl_OGb1")
        assert not is_shortcode("17900000000000001")
