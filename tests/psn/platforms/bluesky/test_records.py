"""Records: what stands in them, and that the same one comes out of its reference."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import Rejected
from psn.media.facts import MediaFacts
from psn.platforms.base import MediaFile, Part
from psn.platforms.bluesky.facets import build_facets, find_handles
from psn.platforms.bluesky.records import Draft, Strong, build_embed, build_record
from tests.contracts.lexicons import Lexicons

NOW = datetime(2026, 11, 20, 14, 53, 0, 123456, tzinfo=UTC)
CID = "bafkreibmmkqzj2lzlyzfp3x4xc5amizdg7iuyjdp5gtybzu73dkve4fmvi"
JPEG = {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/jpeg", "size": 1000}
MP4 = {**JPEG, "mimeType": "video/mp4"}
IMAGE = MediaFile(Path("a.jpg"), "image/jpeg", 1000, "a cat", MediaFacts(width=4, height=3))
VIDEO = MediaFile(Path("a.mp4"), "video/mp4", 1000, "", MediaFacts(width=9, height=16))
DIDS = {"bo.example.com": "did:plc:hjtqlqbxppndniamivzktkyr"}
TEXTS = st.text(st.characters(codec="utf-8"), max_size=80)


def build(part: Part, *, blobs: Any = (), reply: Any = None) -> dict[str, Any]:
    facets = build_facets(part.text, dids=DIDS)
    return build_record(part, blobs=blobs, facets=facets, reply=reply, created_at=NOW)


def slices(text: str) -> list[tuple[str, dict[str, str]]]:
    """Give what each facet covers, and what it is."""
    return [
        (text.encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(), facet["features"][0])
        for facet in build_facets(text, dids=DIDS)
    ]


class TestBuildFacets:
    def test_counts_in_bytes(self) -> None:
        text = "Hé 👩‍👩‍👧 @bo.example.com: https://example.com/ä?b=1. #тег"
        assert slices(text) == [
            ("@bo.example.com", {"$type": "app.bsky.richtext.facet#mention", "did": DIDS["bo.example.com"]}),
            (
                "https://example.com/ä?b=1",
                {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.com/ä?b=1"},
            ),
            ("#тег", {"$type": "app.bsky.richtext.facet#tag", "tag": "тег"}),
        ]

    @pytest.mark.parametrize(
        "text", ["@nobody.example.com", "@bo", "bo@bo.example.com", "@bo.example.com@mastodon.eu", "#1", f"#{'x' * 65}"]
    )
    def test_leaves_plain_what_leads_nowhere(self, text: str) -> None:
        assert slices(text) == []

    def test_asks_for_each_handle_once(self) -> None:
        assert find_handles("@Bo.Example.com @bo.example.com @ana.eu, @bo") == ["bo.example.com", "ana.eu"]

    @given(TEXTS, TEXTS)
    def test_always_cuts_between_characters(self, before: str, after: str) -> None:
        text = f"{before} https://example.com {after} #tag @bo.example.com"
        covered = slices(text)  # raises where a range ends inside a character
        assert {feature["$type"].partition("#")[2] for _, feature in covered} >= {"link"}


class TestBuildRecord:
    def test_of_a_text_holds_the_text_and_the_instant(self) -> None:
        assert build(Part(0, "hello")) == {
            "$type": "app.bsky.feed.post",
            "text": "hello",
            "createdAt": "2026-11-20T14:53:00.123Z",
        }

    def test_tells_time_in_utc(self) -> None:
        there = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
        record = build_record(Part(0, "a"), blobs=[], facets=[], reply=None, created_at=there)
        assert record["createdAt"] == "2026-11-20T14:53:00.123Z"

    def test_names_languages(self) -> None:
        assert build(Part(0, "a", options={"language": "en, es,en"}))["langs"] == ["en", "es"]

    def test_of_a_reply_names_root_and_parent(self) -> None:
        root, parent = (
            Strong("at://did:plc:a/app.bsky.feed.post/1", CID),
            Strong("at://did:plc:a/app.bsky.feed.post/2", CID),
        )
        reply = build(Part(1, "a"), reply=(root, parent))["reply"]
        assert (reply["root"]["uri"], reply["parent"]["uri"]) == (root.uri, parent.uri)

    @pytest.mark.parametrize(
        ("part", "blobs"),
        [
            (Part(0, "hello 👋 #tag @bo.example.com https://example.com", options={"language": "en"}), []),
            (Part(0, "", (IMAGE,)), [JPEG]),
            (Part(0, "a", (IMAGE,) * 4), [JPEG] * 4),
            (Part(0, "a", (IMAGE,) * 10), [JPEG] * 10),
            (Part(0, "a", (VIDEO,)), [MP4]),
            (Part(0, "a", (replace(IMAGE, facts=None),)), [JPEG]),
            (Part(0, "a", (IMAGE,), options={"link": "https://example.com", "title": "t", "description": "d"}), [JPEG]),
        ],
        ids=["facets", "image", "images", "gallery", "video", "unmeasured", "card"],
    )
    def test_is_as_the_lexicon_wants_it(self, part: Part, blobs: Any, lexicons: Lexicons) -> None:
        strong = Strong(
            "at://did:plc:abc/app.bsky.feed.post/3n2qumhip5rpg",
            "bafyreibeum747uld7g4crvfgvvdn7ldt5lj5qfiymz2dfqpcjbgjeokm4u",
        )
        for reply in (None, (strong, strong)):
            lexicons.check("app.bsky.feed.post", build(part, blobs=blobs, reply=reply))


class TestBuildEmbed:
    def test_shows_up_to_four_images_with_their_shape(self) -> None:
        embed = build_embed(Part(0, "a", (IMAGE,)), blobs=[JPEG])
        assert embed == {
            "$type": "app.bsky.embed.images",
            "images": [{"image": JPEG, "alt": "a cat", "aspectRatio": {"width": 4, "height": 3}}],
        }

    def test_makes_a_gallery_of_more(self) -> None:
        embed = build_embed(Part(0, "a", (IMAGE,) * 5), blobs=[JPEG] * 5)
        assert embed is not None
        assert (embed["$type"], len(embed["items"])) == ("app.bsky.embed.gallery", 5)

    def test_makes_no_gallery_of_images_without_a_shape(self) -> None:
        with pytest.raises(Rejected):
            build_embed(Part(0, "a", (replace(IMAGE, facts=None),) * 5), blobs=[JPEG] * 5)

    def test_shows_a_video(self) -> None:
        embed = build_embed(Part(0, "a", (VIDEO,)), blobs=[MP4])
        assert embed == {"$type": "app.bsky.embed.video", "video": MP4, "aspectRatio": {"width": 9, "height": 16}}

    def test_makes_a_card_of_the_chosen_link_with_the_image_on_it(self) -> None:
        options = {"link": "https://example.com/a", "title": "A title", "description": "More"}
        embed = build_embed(Part(0, "see https://other.example", (IMAGE,), options=options), blobs=[JPEG])
        assert embed == {
            "$type": "app.bsky.embed.external",
            "external": {"uri": "https://example.com/a", "title": "A title", "description": "More", "thumb": JPEG},
        }

    def test_makes_a_card_of_the_first_link_without_asking_anybody(self) -> None:
        embed = build_embed(Part(0, "see https://example.com/a and https://other.example"), blobs=[])
        assert embed is not None
        assert embed["external"] == {"uri": "https://example.com/a", "title": "example.com", "description": ""}

    def test_puts_the_chosen_card_on_the_first_part_only(self) -> None:
        assert build_embed(Part(1, "no link", options={"link": "https://example.com"}), blobs=[]) is None

    def test_shows_nothing_below_a_plain_text(self) -> None:
        assert build_embed(Part(0, "hello"), blobs=[]) is None


class TestDraft:
    @given(TEXTS, TEXTS)
    def test_comes_back_out_of_its_reference_as_it_was(self, text: str, alt: str) -> None:
        record = build(Part(0, text, (replace(IMAGE, alt_text=alt),)), blobs=[JPEG])
        draft = Draft("3n2qumhip5rpg", record)
        assert Draft.from_reference(draft.to_reference()) == draft
        assert Draft.from_reference(draft.to_reference()).to_reference() == draft.to_reference()

    @pytest.mark.parametrize(
        "reference", ["", "x", "[]", "{}", '{"rkey": 1, "record": {}}', '{"rkey": "a"}', "[" * 100_000]
    )
    def test_never_comes_out_of_something_else(self, reference: str) -> None:
        with pytest.raises(Rejected) as caught:
            Draft.from_reference(reference)
        assert caught.value.error_code == "bluesky.reference"

    def test_knows_itself_again_in_the_server_s_own_form(self) -> None:
        draft = Draft("3n2qumhip5rpg", build(Part(0, "a")))
        assert draft.is_same({**draft.record, "via": "somebody"})
        assert not draft.is_same({**draft.record, "text": "b"})
        assert not draft.is_same({**draft.record, "createdAt": "2026-11-20T14:53:00.124Z"})
