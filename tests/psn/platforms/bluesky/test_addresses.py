"""Addresses of posts, and the keys in them."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import InvalidInput
from psn.platforms.bluesky.addresses import PostUri, build_post_url, parse_uri, read_post_url
from psn.platforms.bluesky.tids import build_tid, find_instant

DID = "did:plc:fsh7fvxdprpwcv7pygeudj5g"
URI = f"at://{DID}/app.bsky.feed.post/3n2qumhip5rpg"
INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)).map(lambda instant: instant.replace(tzinfo=UTC))


class TestReadPostUrl:
    @pytest.mark.parametrize(
        ("pasted", "read"),
        [
            (URI, URI),
            (f" {URI} ", URI),
            (f"https://bsky.app/profile/{DID}/post/3n2qumhip5rpg", URI),
            ("https://bsky.app/profile/Ana.bsky.social/post/3n2q", "at://ana.bsky.social/app.bsky.feed.post/3n2q"),
            ("bsky.app/profile/ana.example.com/post/3n2q/", "at://ana.example.com/app.bsky.feed.post/3n2q"),
            ("https://bsky.app/profile/ana.eu/post/3n2q?ref=x#y", "at://ana.eu/app.bsky.feed.post/3n2q"),
            (f"http://127.0.0.1:8766/bluesky/profile/{DID}/post/3n2qumhip5rpg", URI),
        ],
    )
    def test_reads_what_people_paste(self, pasted: str, read: str) -> None:
        assert read_post_url(pasted) == read

    @pytest.mark.parametrize(
        "pasted",
        [
            "",
            "3n2qumhip5rpg",
            "https://bsky.app/profile/ana.bsky.social",
            "https://evil.example/profile/ana.bsky.social/post/3n2q",
            "https://bsky.app.evil.example/profile/ana.bsky.social/post/3n2q",
            "ftp://bsky.app/profile/ana.bsky.social/post/3n2q",
            "https://bsky.app/profile/ana/post/3n2q",
            f"at://{DID}/app.bsky.feed.like/3n2qumhip5rpg",
            f"at://{DID}/app.bsky.feed.post/3n2q/more",
            f"{URI}\nat://x",
            "https://[bsky.app/profile/ana.eu/post/3n2q",
        ],
    )
    def test_refuses_everything_else(self, pasted: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            read_post_url(pasted)
        assert caught.value.error_code == "url.post"


class TestBuildPostUrl:
    @pytest.mark.parametrize(("handle", "author"), [("ana.eu", "ana.eu"), ("handle.invalid", DID), ("", DID)])
    def test_names_the_author_in_a_way_that_leads_there(self, handle: str, author: str) -> None:
        url = build_post_url(parse_uri(URI), handle=handle, web_base_url="https://bsky.app")
        assert url == f"https://bsky.app/profile/{author}/post/3n2qumhip5rpg"

    def test_is_read_back(self) -> None:
        uri = PostUri("ana.eu", "3n2qumhip5rpg")
        assert read_post_url(build_post_url(uri, handle="ana.eu", web_base_url="https://bsky.app")) == str(uri)


class TestTid:
    def test_counts_from_1970(self) -> None:
        assert build_tid(datetime(1970, 1, 1, tzinfo=UTC), clock_id=0) == "2222222222222"
        assert build_tid(datetime(1970, 1, 1, tzinfo=UTC), clock_id=1023) == "22222222222zz"

    def test_is_read_as_the_number_it_is(self) -> None:
        # The specification's own example, read by Python's base 32 instead of ours.
        digits = "3jzfcijpj2z2a".translate(
            str.maketrans("234567abcdefghijklmnopqrstuvwxyz", string.digits + "abcdefghijklmnopqrstuv")
        )
        made_at = datetime.fromtimestamp((int(digits, 32) >> 10) / 1_000_000, tz=UTC)
        found = find_instant("3jzfcijpj2z2a")
        assert found is not None
        assert abs(found - made_at) < timedelta(milliseconds=1)
        assert found.date().isoformat() == "2023-06-30"

    @given(INSTANTS, st.integers(0, 1023))
    def test_tells_when_it_was_made(self, instant: datetime, clock_id: int) -> None:
        assert find_instant(build_tid(instant, clock_id=clock_id)) == instant

    @given(INSTANTS, st.integers(1, 10**12), st.integers(0, 1023), st.integers(0, 1023))
    def test_sorts_like_time(self, instant: datetime, later: int, one: int, other: int) -> None:
        after = instant + timedelta(microseconds=later)
        assert build_tid(instant, clock_id=one) < build_tid(after, clock_id=other)

    @pytest.mark.parametrize("key", ["", "self", "z222222222222", "222222222222", "22222222222221", "222222222222A"])
    def test_knows_what_is_none(self, key: str) -> None:
        assert find_instant(key) is None
