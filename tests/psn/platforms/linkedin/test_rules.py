"""LinkedIn's limits, before anything is sent (PUB-11)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from psn.errors import Finding
from psn.media.facts import MediaFacts
from psn.platforms.base import NOTHING_KNOWN, AccountFacts, MediaFile, Part
from psn.platforms.linkedin.rules import check_parts, count_text, pick_target

TITLE = {"title": "Ten slides"}
ARTICLE = {"format": "article", "link": "https://example.com/a", "title": "A"}


def file(mime_type: str = "image/png", size_bytes: int = 100_000, **facts: Any) -> MediaFile:
    alt_text = facts.pop("alt_text", "")
    return MediaFile(Path("x"), mime_type, size_bytes, alt_text, MediaFacts(**facts) if facts else None)


def codes(*parts: Part, facts: AccountFacts = NOTHING_KNOWN) -> list[str]:
    return [found.code for found in check_parts(parts, facts)]


def only(*parts: Part) -> Finding:
    (found,) = check_parts(parts, NOTHING_KNOWN)
    return found


IMAGE, VIDEO, PDF = file(), file("video/mp4"), file("application/pdf")
DOCX = file("application/vnd.openxmlformats-officedocument.wordprocessingml.document")


class TestText:
    @pytest.mark.parametrize("text", ["x" * 3000, "🙂" * 1500, "(" * 3000, "x"])
    def test_counts_what_readers_see_in_utf16(self, text: str) -> None:
        assert codes(Part(0, text)) == []

    def test_says_how_much_is_too_much(self) -> None:
        found = only(Part(0, "🙂" * 1501))
        assert (found.code, found.limit, found.got) == ("text.too_long", 3000, 3002)

    def test_counts_a_mention_by_its_name(self) -> None:
        mention = "@[Ann](urn:li:organization:1)"
        assert count_text(mention, NOTHING_KNOWN).used == 3

    def test_says_where_the_rest_is_hidden(self) -> None:
        assert count_text("x" * 210, NOTHING_KNOWN).cut_at is None
        assert count_text("x" * 211, NOTHING_KNOWN).cut_at == 210

    @pytest.mark.parametrize("text", ["", " \n "])
    def test_wants_something_to_publish(self, text: str) -> None:
        assert codes(Part(0, text)) == ["text.empty"]
        assert codes(Part(0, text, (IMAGE,))) == []
        assert codes(Part(0, text, options=ARTICLE)) == []
        assert codes() == ["post.empty"]

    @pytest.mark.parametrize("text", ["half \ud83d", "nul \0"])
    def test_refuses_what_is_no_character(self, text: str) -> None:
        assert codes(Part(0, text)) == ["text.invalid_characters"]


class TestParts:
    def test_refuses_a_thread(self) -> None:
        assert codes(Part(0, "a"), Part(1, "b"), Part(2, "c")) == ["thread.unsupported"] * 2

    def test_takes_one_first_comment(self) -> None:
        assert codes(Part(0, "a"), Part(1, "b", kind="comment")) == []
        assert codes(Part(0, "a"), Part(1, "b", kind="comment"), Part(2, "c", kind="comment")) == ["comment.place"]
        assert codes(Part(0, "a", kind="comment")) == ["comment.place"]

    def test_refuses_what_a_comment_cannot_be(self) -> None:
        post = Part(0, "a")
        assert codes(post, Part(1, "b", (IMAGE,), "comment")) == ["comment.media"]
        assert codes(post, Part(1, " ", kind="comment")) == ["text.empty"]
        assert codes(post, Part(1, "x" * 1251, kind="comment")) == ["text.too_long"]

    def test_wants_a_grant_that_may_publish(self) -> None:
        assert codes(Part(0, "a"), facts=AccountFacts(scopes=frozenset({"openid", "profile"}))) == ["account.scope"]
        for scope in ("w_member_social", "w_organization_social"):
            assert codes(Part(0, "a"), facts=AccountFacts(scopes=frozenset({scope}))) == []


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "media", "code"),
        [
            ({"colour": "red"}, (), "option.unknown"),
            ({"visibility": "PUBLIC"}, (), "option.value"),
            ({"format": "reel"}, (), "option.value"),
            ({"title": "A"}, (), "option.unused"),
            ({"title": "A"}, (IMAGE, IMAGE), "option.unused"),
            ({"format": "post", "link": "https://example.com"}, (), "option.unused"),
            ({"format": "document", "link": "https://example.com", **TITLE}, (PDF,), "option.unused"),
            ({"format": "post"}, (PDF,), "option.unused"),
            ({"format": "document"}, (PDF,), "option.missing"),
            ({}, (PDF,), "option.missing"),
            ({"link": "https://example.com"}, (), "option.missing"),
            ({"format": "article", "title": "A"}, (), "option.link"),
            ({**ARTICLE, "link": "example.com/a"}, (), "option.link"),
            ({**ARTICLE, "link": "javascript:alert(1)"}, (), "option.link"),
            ({**ARTICLE, "link": "https://exa mple.com"}, (), "option.link"),
            ({**ARTICLE, "link": "https://[x"}, (), "option.link"),
            ({**ARTICLE, "title": "x" * 401}, (), "option.too_long"),
            (ARTICLE, (IMAGE, IMAGE), "media.too_many"),
            (ARTICLE, (VIDEO,), "media.type"),
            ({"format": "document", **TITLE}, (IMAGE,), "media.document"),
            ({"format": "document", **TITLE}, (), "media.document"),
        ],
    )
    def test_refuses_what_linkedin_would_drop_or_refuse(
        self, options: dict[str, str], media: tuple[MediaFile, ...], code: str
    ) -> None:
        assert codes(Part(0, "a", media, options=options)) == [code]

    @pytest.mark.parametrize(
        ("options", "media"),
        [
            ({}, ()),
            ({"visibility": "connections"}, ()),
            ({"format": "post"}, (IMAGE,) * 20),
            ({"title": "A film"}, (VIDEO,)),
            (TITLE, (PDF,)),
            ({"format": "document", **TITLE}, (DOCX,)),
            (ARTICLE, ()),
            (ARTICLE, (IMAGE,)),
            ({"link": "http://example.com", "title": "A"}, ()),
        ],
    )
    def test_takes_what_linkedin_takes(self, options: dict[str, str], media: tuple[MediaFile, ...]) -> None:
        assert codes(Part(0, "a", media, options=options)) == []


class TestMedia:
    @pytest.mark.parametrize(
        ("media", "code"),
        [
            ((IMAGE,) * 21, "media.too_many"),
            ((IMAGE, VIDEO), "media.mixed"),
            ((file("image/webp"),), "media.type"),
            ((file("audio/mpeg"),), "media.type"),
            ((file(size_bytes=5_000_001),), "media.too_large"),
            ((file(size_bytes=0),), "media.empty"),
            ((file(width=6020, height=6010),), "media.too_many_pixels"),
            ((file("image/gif", width=9, height=9, frames=251),), "media.too_many_frames"),
            ((file(alt_text="x" * 4087),), "media.alt_too_long"),
            ((file("video/mp4", 76_799),), "media.too_small"),
            ((file("video/mp4", 500_000_001),), "media.too_large"),
            ((file("video/mp4", duration_seconds=2.9),), "media.too_short"),
            ((file("video/mp4", duration_seconds=1801.0),), "media.too_long"),
            ((file("video/mp4", width=2500, height=1000),), "media.ratio"),
        ],
    )
    def test_refuses_what_linkedin_refuses(self, media: tuple[MediaFile, ...], code: str) -> None:
        assert codes(Part(0, "a", media)) == [code]

    @pytest.mark.parametrize(
        "media",
        [
            file(size_bytes=5_000_000, width=6000, height=6000),
            file("image/gif", width=9, height=9, frames=250),
            file("image/jpeg", alt_text="x" * 4086),
            file("video/mp4", 76_800, duration_seconds=3.0, width=1080, height=1920),
        ],
    )
    def test_takes_what_is_just_right(self, media: MediaFile) -> None:
        assert codes(Part(0, "a", (media,))) == []

    def test_refuses_a_document_of_too_many_pages(self) -> None:
        assert codes(Part(0, "a", (file("application/pdf", pages=301),), options=TITLE)) == ["media.too_many_pages"]

    def test_knows_what_to_make_of_a_file(self) -> None:
        assert pick_target("image/webp", {}) is not None
        assert pick_target("video/quicktime", {}) is not None
        assert pick_target("image/jpeg", {"format": "document"}) is not None
        assert pick_target("video/mp4", ARTICLE) is None
        assert pick_target("audio/mpeg", {}) is None
