"""Addresses of posts."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import InvalidInput
from psn.platforms.x import PLATFORM
from psn.platforms.x.addresses import build_post_url, read_post_url

ID = "1234567890123456789"


class TestReadPostUrl:
    @pytest.mark.parametrize(
        "pasted",
        [
            ID,
            f"  {ID}\n",
            f"https://x.com/ann/status/{ID}",
            f"https://x.com/ann/status/{ID}/",
            f"https://x.com/ann/status/{ID}?s=20&t=abc",
            f"https://x.com/ann/status/{ID}#m",
            f"https://x.com/ann/status/{ID}/photo/1",
            f"https://x.com/i/web/status/{ID}",
            f"https://X.com/Ann_B/status/{ID}",
            f"x.com/ann/status/{ID}",
            f"http://www.twitter.com/ann/statuses/{ID}",
            f"https://mobile.x.com/ann/status/{ID}",
            f"http://127.0.0.1:8123/x/ann/status/{ID}",
            f"http://localhost:8123/x/i/web/status/{ID}",
        ],
    )
    def test_reads_the_id(self, pasted: str) -> None:
        assert PLATFORM.read_post_url(pasted) == ID

    @pytest.mark.parametrize(
        "pasted",
        [
            "",
            "hello",
            "0",
            "-7",
            "١٢٣",
            "1" * 20,
            "https://x.com/ann",
            "https://x.com/ann/status/",
            "https://x.com/ann/status/abc",
            f"https://x.com/ann/status/{ID}0",
            f"https://x.com/ann/status/{ID}/likes/now",
            f"https://x.com.example.com/ann/status/{ID}",
            f"https://example.com/ann/status/{ID}",
            f"https://example.com/?u=https://x.com/ann/status/{ID}",
            f"https://x.com@example.com/ann/status/{ID}",
            f"javascript://x.com/ann/status/{ID}",
            "https://[x.com/ann/status/7",
            f"https://x.com/ann/status/{ID} and more",
        ],
    )
    def test_shows_an_example_of_what_it_wants(self, pasted: str) -> None:
        with pytest.raises(InvalidInput, match=r"https://x\.com/handle/status/") as caught:
            read_post_url(pasted)
        assert caught.value.error_code == "url.post"

    @given(post_id=st.integers(1, 2**63 - 1).map(str), web=st.sampled_from(["https://x.com", "http://127.0.0.1:9/x"]))
    def test_reads_what_is_built(self, post_id: str, web: str) -> None:
        assert read_post_url(build_post_url(post_id, web_base_url=web)) == post_id

    @given(st.text())
    def test_never_fails_in_another_way(self, pasted: str) -> None:
        with contextlib.suppress(InvalidInput):
            assert read_post_url(pasted).isdigit()
