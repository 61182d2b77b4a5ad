from __future__ import annotations

import pytest

from psn.errors import InvalidInput
from psn.platforms.tiktok.addresses import build_profile_url, is_post_id, read_post_url, strip_tracking

ID = "7411111111111111111"


class TestReadPostUrl:
    @pytest.mark.parametrize(
        "url",
        [
            f"https://www.tiktok.com/@ann.lee_1/video/{ID}",
            f"https://www.tiktok.com/@ann/photo/{ID}/",
            f"  www.tiktok.com/@ann/video/{ID}?is_from_webapp=1&lang=en#top ",
            f"https://m.tiktok.com/@ann/video/{ID}",
            f"http://127.0.0.1:8766/tiktok/@ann/video/{ID}",
            f"http://localhost:8766/tiktok/@ann/photo/{ID}",
            ID,
        ],
    )
    def test_gives_the_id(self, url: str) -> None:
        assert read_post_url(url) == ID

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "hello",
            "https://vm.tiktok.com/ZMabcdef/",
            f"https://example.com/@ann/video/{ID}",
            f"https://www.tiktok.com.example.com/@ann/video/{ID}",
            f"https://www.tiktok.com/@ann/live/{ID}",
            "https://www.tiktok.com/@ann",
            f"ftp://www.tiktok.com/@ann/video/{ID}",
            f"https://www.tiktok.com/@ann/video/{ID}{ID}",
            "https://[::1/@ann/video/7",
            "v_pub_file~v2-1.7411111111111111111",
        ],
    )
    def test_refuses_everything_else(self, url: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            read_post_url(url)
        assert caught.value.error_code == "url.post"


class TestIds:
    def test_tell_a_public_post_from_a_publish_id(self) -> None:
        assert is_post_id(ID)
        assert not is_post_id("v_pub_file~v2-1.7411111111111111111")
        assert not is_post_id("")

    def test_build_a_profile(self) -> None:
        assert build_profile_url("ann", web_base_url="https://www.tiktok.com") == "https://www.tiktok.com/@ann"

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            (f"https://www.tiktok.com/@ann/video/{ID}?utm_campaign=x", f"https://www.tiktok.com/@ann/video/{ID}"),
            ("http://127.0.0.1:7/tiktok/@ann/video/7?x", "http://127.0.0.1:7/tiktok/@ann/video/7"),
            ("javascript:alert(1)", ""),
            ("", ""),
        ],
    )
    def test_lose_what_tracks_people(self, url: str, shown: str) -> None:
        assert strip_tracking(url) == shown
