"""LinkedIn's names and addresses, both ways."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import InvalidInput
from psn.platforms.linkedin.addresses import (
    build_comment_urn,
    build_post_url,
    find_post_urn,
    read_created_at,
    read_post_url,
    split_comment_urn,
)

SITE = "https://www.linkedin.com"
SHARE = "urn:li:share:7141138937766391808"
COMMENT = "urn:li:comment:(urn:li:activity:7141138937766391808,7141138937766391999)"
SHORT_COMMENT = "urn:li:comment:(activity:7141138937766391808,7141138937766391999)"


class TestReadPostUrl:
    @pytest.mark.parametrize(
        ("url", "urn"),
        [
            (SHARE, SHARE),
            (f"  {SITE}/feed/update/{SHARE}/ ", SHARE),
            (f"www.linkedin.com/feed/update/{SHARE}", SHARE),
            (f"{SITE}/feed/update/urn%3Ali%3Ashare%3A7141138937766391808/?utm_source=share", SHARE),
            (f"http://127.0.0.1:8766/linkedin/feed/update/{SHARE}", SHARE),
            (f"{SITE}/posts/jane-doe_a-b-activity-7141138937766391808-AbCd?utm=1", SHARE.replace("share", "activity")),
            (f"{SITE}/posts/jane_ugcPost-1-share-7141138937766391808-x_Y-", SHARE),
            (f"{SITE}/posts/jane_x-ugcPost-7141138937766391808", SHARE.replace("share", "ugcPost")),
            (COMMENT, COMMENT),
            (build_post_url(COMMENT, web_base_url=SITE), COMMENT),
            (f"{SITE}/feed/update/{SHARE}?commentUrn={SHORT_COMMENT}", SHORT_COMMENT),
        ],
    )
    def test_reads_what_people_paste(self, url: str, urn: str) -> None:
        assert read_post_url(url) == urn

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "7141138937766391808",
            "urn:li:person:abc",
            f"https://linkedin.com.evil.example/feed/update/{SHARE}",
            f"ftp://www.linkedin.com/feed/update/{SHARE}",
            f"{SITE}/in/jane-doe",
            f"{SITE}/feed/update/",
            f"{SITE}/x/{SHARE}",
            f"{SITE}/feed/update/urn:li:share:123x",
            "https://[/feed",
            f"{SITE}/posts/jane",
        ],
    )
    def test_refuses_everything_else(self, url: str) -> None:
        with pytest.raises(InvalidInput):
            read_post_url(url)

    @given(st.text(max_size=60))
    def test_reads_or_refuses_anything(self, text: str) -> None:
        try:
            urn = read_post_url(text)
        except InvalidInput:
            return
        assert urn.startswith("urn:li:")

    @given(st.sampled_from(["share", "ugcPost", "activity"]), st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1))
    def test_reads_back_what_is_built(self, kind: str, number: int, comment: int) -> None:
        urn = f"urn:li:{kind}:{number}"
        for name in (urn, build_comment_urn(urn, str(comment))):
            assert read_post_url(build_post_url(name, web_base_url=SITE)) == name


class TestNames:
    def test_tell_when_a_post_was_made(self) -> None:
        assert read_created_at(SHARE) == datetime(2023, 12, 14, 18, 56, 38, 709000, tzinfo=UTC)

    def test_stand_in_sentences(self) -> None:
        assert find_post_urn(f"Content is a duplicate of {SHARE}.") == SHARE
        assert find_post_urn("Content is a duplicate of urn:li:digitalmediaAsset:C4") is None

    def test_of_comments_hold_the_post_s(self) -> None:
        post = SHARE.replace("share", "activity")
        assert split_comment_urn(COMMENT) == split_comment_urn(SHORT_COMMENT) == (post, "7141138937766391999")
        assert split_comment_urn(SHARE) is None
        assert split_comment_urn("urn:li:comment:(urn:li:person:1,2)") is None
