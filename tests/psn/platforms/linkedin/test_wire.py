"""LinkedIn's JSON both ways, from bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psn.errors import PlatformError, Rejected, Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.base import MediaFile, Part
from psn.platforms.linkedin import metrics, wire

SITE = "https://www.linkedin.com"
AUTHOR = "urn:li:person:abc"
SHARE, UGC = "urn:li:share:7141138937766391808", "urn:li:ugcPost:7141138937766391809"
COMMENT = "urn:li:comment:(urn:li:activity:7141138937766391808,7)"
POST = {
    "id": SHARE,
    "author": "urn:li:organization:1",
    "commentary": r"\(a\) {hashtag|\#|two_words} #one",
    "createdAt": 1702580198709,
    "lifecycleState": "PUBLISHED",
}


def reply(body: Any = None, *, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Reply(status, {"x-li-uuid": "abc", **(headers or {})}, content)


def image(alt_text: str = "") -> MediaFile:
    return MediaFile(Path("a.png"), "image/png", 10, alt_text)


def content(part: Part, media_ids: list[str]) -> Any:
    return wire.build_post(part, author=AUTHOR, media_ids=media_ids).get("content")


class TestBuildPost:
    def test_says_all_that_linkedin_wants(self) -> None:
        assert wire.build_post(Part(0, "hi (you)"), author=AUTHOR, media_ids=[]) == {
            "author": AUTHOR,
            "commentary": r"hi \(you\)",
            "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }

    def test_names_files_with_their_alt_texts(self) -> None:
        assert content(Part(0, "", (image("a"),)), ["i"]) == {"media": {"id": "i", "altText": "a"}}
        assert content(Part(0, "", (image(),), options={"title": "T"}), ["i"]) == {"media": {"id": "i", "title": "T"}}
        assert content(Part(0, "", (image("a"), image())), ["i", "j"]) == {
            "multiImage": {"images": [{"id": "i", "altText": "a"}, {"id": "j"}]}
        }

    def test_writes_an_article_s_card(self) -> None:
        options = {"link": "https://example.com/a?b=(c)", "title": "T"}
        card = {"source": options["link"], "title": "T"}
        assert content(Part(0, "", options=options), []) == {"article": card}
        assert content(Part(0, "", (image("a"),), options=options), ["i"]) == {
            "article": {**card, "thumbnail": "i", "thumbnailAltText": "a"}
        }

    def test_never_drops_a_file(self) -> None:
        with pytest.raises(ValueError, match="argument"):
            wire.build_post(Part(0, "", (image(), image())), author=AUTHOR, media_ids=["i"])

    def test_leaves_a_comment_plain(self) -> None:
        assert wire.build_comment(Part(1, "a (b)", kind="comment"), actor=AUTHOR, post_urn=SHARE) == {
            "actor": AUTHOR,
            "object": SHARE,
            "message": {"text": "a (b)"},
        }


class TestReference:
    @pytest.mark.parametrize("media_ids", [[], ["urn:li:image:a"], ["urn:li:image:a", "urn:li:image:b"]])
    def test_is_read_back_and_is_never_empty(self, media_ids: list[str]) -> None:
        reference = wire.build_reference(media_ids)
        assert reference
        assert wire.read_reference(reference) == media_ids

    @pytest.mark.parametrize("reference", ["", "2", "2 urn:li:image:a", "urn:li:image:a"])
    def test_of_another_form_says_nothing(self, reference: str) -> None:
        assert wire.read_reference(reference) is None


class TestReadPublished:
    @pytest.mark.parametrize("body", [None, b"<html>", {"anything": 1}])
    def test_takes_the_name_from_the_header(self, body: Any) -> None:
        published = wire.read_published(reply(body, status=201, headers={"x-restli-id": UGC}), web_base_url=SITE)
        assert (published.platform_post_id, published.url) == (UGC, f"{SITE}/feed/update/{UGC}")
        assert (published.request_id, published.http_status) == ("abc", 201)

    @pytest.mark.parametrize(
        "name", [None, "", "7141138937766391808", "urn:li:person:a", f"{SHARE}/../x", f"{SHARE}\n"]
    )
    def test_does_not_know_without_a_name(self, name: str | None) -> None:
        headers = {} if name is None else {"x-restli-id": name}
        with pytest.raises(UnknownOutcome) as lost:
            wire.read_published(reply(status=201, headers=headers), web_base_url=SITE)
        assert (lost.value.http_status, lost.value.request_id) == (201, "abc")

    @pytest.mark.parametrize(
        ("body", "header", "urn"),
        [
            ({"commentUrn": COMMENT, "id": "9"}, "9", COMMENT),
            ({"$URN": COMMENT}, "", COMMENT),
            ({"id": "7", "object": "urn:li:activity:7141138937766391808"}, "", COMMENT),
            ({"id": "7"}, "", f"urn:li:comment:({SHARE},7)"),
            ({"id": "7", "object": "urn:li:person:a"}, "", f"urn:li:comment:({SHARE},7)"),
            (None, "7", f"urn:li:comment:({SHARE},7)"),
            (b"<html>", "7", f"urn:li:comment:({SHARE},7)"),
        ],
    )
    def test_takes_a_comment_s_name_where_it_stands(self, body: Any, header: str, urn: str) -> None:
        answer = reply(body, status=201, headers={"x-restli-id": header})
        assert wire.read_published_comment(answer, post_urn=SHARE, web_base_url=SITE).platform_post_id == urn

    @pytest.mark.parametrize(
        "body", [None, b"<html>", [], {"id": 7}, {"id": "seven"}, {"commentUrn": "urn:li:comment:1"}]
    )
    def test_does_not_know_without_a_comment_s_name(self, body: Any) -> None:
        with pytest.raises(UnknownOutcome):
            wire.read_published_comment(reply(body, status=201), post_urn=SHARE, web_base_url=SITE)


class TestReadProfile:
    @pytest.mark.parametrize(
        ("person", "handle", "name"),
        [
            ({"sub": "aB_c-1", "name": "Zoë van Dam"}, "zoe-van-dam", "Zoë van Dam"),
            ({"sub": "aBc", "given_name": "Ann", "family_name": "Lee"}, "ann-lee", "Ann Lee"),
            ({"sub": "aBc", "name": "山田 太郎"}, "abc", "山田 太郎"),
            ({"sub": "aBc"}, "abc", ""),
        ],
    )
    def test_makes_a_handle_of_a_name(self, person: dict[str, str], handle: str, name: str) -> None:
        profile = wire.read_person(reply(person), web_base_url=SITE)
        assert (profile.platform_account_id, profile.handle) == (f"urn:li:person:{person['sub']}", handle)
        assert profile.name == name

    @pytest.mark.parametrize("person", [{}, {"sub": ""}, {"sub": "a b"}, {"sub": 7}, [], b"<html>", None])
    def test_does_not_guess_who_it_is(self, person: Any) -> None:
        with pytest.raises(Unavailable):
            wire.read_person(reply(person), web_base_url=SITE)

    @pytest.mark.parametrize("field", ["organization", "organizationTarget"])
    def test_knows_an_administrator(self, field: str) -> None:
        roles = reply({"elements": [{field: "urn:li:organization:1"}]})
        wire.check_administrator(roles, organization="urn:li:organization:1")
        with pytest.raises(Rejected, match="organization:1"):
            wire.check_administrator(roles, organization="urn:li:organization:11")
        with pytest.raises(Rejected, match="none"):
            wire.check_administrator(reply({"elements": []}), organization="urn:li:organization:1")

    def test_names_a_page(self) -> None:
        page = reply({"id": 1, "vanityName": "acme", "localizedName": "ACME"})
        assert wire.read_organization(page, web_base_url=SITE).url == f"{SITE}/company/acme"
        bare = wire.read_organization(reply({"id": 1}), web_base_url=SITE)
        assert (bare.platform_account_id, bare.handle, bare.name) == ("urn:li:organization:1", "1", "1")


class TestReadPosts:
    def test_gives_back_what_was_written(self) -> None:
        (seen,) = wire.read_page(reply({"elements": [POST]}), web_base_url=SITE).posts
        assert (seen.post.text, seen.media_ids, seen.link) == ("(a) #two_words #one", (), "")
        assert seen.post.created_at == datetime(2023, 12, 14, 18, 56, 38, 709000, tzinfo=UTC)
        assert seen.post.metrics == {}

    @pytest.mark.parametrize(
        ("shown", "media_ids", "link"),
        [
            ({"media": {"id": "urn:li:video:1"}}, ("urn:li:video:1",), ""),
            ({"multiImage": {"images": [{"id": "a"}, {"id": "b"}]}}, ("a", "b"), ""),
            ({"article": {"source": "https://e.com", "thumbnail": "t"}}, (), "https://e.com"),
            ({"poll": {}}, (), ""),
            (None, (), ""),
        ],
    )
    def test_sees_what_is_attached(self, shown: Any, media_ids: tuple[str, ...], link: str) -> None:
        (seen,) = wire.read_page(reply({"elements": [{**POST, "content": shown}]}), web_base_url=SITE).posts
        assert (seen.media_ids, seen.link) == (media_ids, link)

    @pytest.mark.parametrize(
        ("elements", "paging", "is_last"),
        [
            ([POST], {"links": []}, True),
            ([POST], {}, True),
            ([POST], {"links": [{"rel": "next", "href": "x"}]}, False),
            ([POST] * wire.PAGE_SIZE, {}, False),
            ([], {"links": [{"rel": "next", "href": "x"}]}, True),
        ],
    )
    def test_knows_the_last_page(self, elements: list[Any], paging: Any, is_last: bool) -> None:
        answer = reply({"elements": elements, "paging": paging})
        assert wire.read_page(answer, web_base_url=SITE).is_last is is_last

    @pytest.mark.parametrize("body", [None, b"<html>", [], {}, {"elements": [{}]}, {"message": "x", "status": 500}])
    def test_does_not_take_nonsense_for_an_empty_page(self, body: Any) -> None:
        with pytest.raises(Unavailable):
            wire.read_page(reply(body), web_base_url=SITE)
        with pytest.raises(Unavailable):
            wire.read_batch(reply(body), web_base_url=SITE)

    def test_dates_a_post_by_its_name_when_nothing_else_does(self) -> None:
        (seen,) = wire.read_page(reply({"elements": [{**POST, "createdAt": None}]}), web_base_url=SITE).posts
        assert seen.post.created_at == datetime(2023, 12, 14, 18, 56, 38, 709000, tzinfo=UTC)

    @settings(max_examples=40, deadline=None)
    @given(
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda v: (
                st.lists(v)
                | st.dictionaries(
                    st.sampled_from(
                        ["elements", "id", "content", "media", "commentary", "paging", "links", "createdAt"]
                    ),
                    v,
                )
            ),
        )
    )
    def test_reads_or_refuses_anything(self, body: Any) -> None:
        for read in (wire.read_page, wire.read_batch, wire.read_person, wire.read_organization):
            try:
                read(reply(body), web_base_url=SITE)
            except PlatformError:
                continue


class TestNumbers:
    def test_are_asked_for_in_linkedin_s_own_grammar(self) -> None:
        assert metrics.build_member_query(UGC, query_type="COMMENT") == (
            "/rest/memberCreatorPostAnalytics?q=entity&entity=(ugc:urn%3Ali%3AugcPost%3A7141138937766391809)"
            "&queryType=COMMENT&aggregation=TOTAL"
        )
        assert metrics.build_member_query("urn:li:activity:1", query_type="COMMENT") is None
        assert metrics.build_share_query([UGC, SHARE], organization="urn:li:organization:1").endswith(
            "&organizationalEntity=urn%3Ali%3Aorganization%3A1&shares=List(urn%3Ali%3Ashare%3A7141138937766391808)"
            "&ugcPosts=List(urn%3Ali%3AugcPost%3A7141138937766391809)"
        )

    @pytest.mark.parametrize("field", ["count", "value"])
    def test_are_read_by_either_name(self, field: str) -> None:
        assert metrics.read_member_count(reply({"elements": [{field: 7, "metricType": {"a": "COMMENT"}}]})) == 7

    @pytest.mark.parametrize("elements", [[], [{"metricType": "COMMENT"}]])
    def test_stay_unknown_when_linkedin_has_none(self, elements: list[Any]) -> None:
        assert metrics.read_member_count(reply({"elements": elements})) is None

    @pytest.mark.parametrize("body", [None, {}, {"elements": [{"count": -1}]}, {"elements": [{"count": "many"}]}])
    def test_are_not_made_up(self, body: Any) -> None:
        with pytest.raises(Unavailable):
            metrics.read_member_count(reply(body))

    def test_of_pages_are_taken_as_far_as_they_are_known(self) -> None:
        totals = {"impressionCount": 9, "likeCount": True, "shareCount": None, "clickCount": 0, "engagement": 0.1}
        body = {"elements": [{"share": SHARE, "totalShareStatistics": totals}, {"totalShareStatistics": totals}]}
        assert metrics.read_share_counts(reply(body)) == {SHARE: {"impressions": 9, "clicks": 0}}
        assert metrics.read_followers(reply({})) == {}
