"""What became of a post's content since it was looked at last (TEAM-2)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.text.changes import MAX_COMPARED, Piece, compare_contents, compare_texts

PICTURE = {"sha256": "aa", "mime_type": "image/png", "alt_text": "A cat"}
CONTENT: dict[str, Any] = {
    "scheduled_at": "2026-12-01T08:00:00+00:00",
    "options": {"format": "reel"},
    "parts": [{"kind": "post", "text": "Hello there", "media": [PICTURE]}],
}
TEXTS = st.text(alphabet=st.sampled_from("ab .\n😀é"), max_size=40)


def part(text: str = "Hello there", *media: dict[str, str], kind: str = "post") -> dict[str, Any]:
    return {"kind": kind, "text": text, "media": list(media)}


class TestCompareContents:
    def test_finds_nothing_where_nothing_changed(self) -> None:
        assert compare_contents(CONTENT, {**CONTENT, "parts": [part("Hello there", PICTURE)]}) == []

    @pytest.mark.parametrize(
        ("after", "told"),
        [
            ({"scheduled_at": "2026-12-02T08:00:00+00:00"}, [("scheduled_at", "changed")]),
            ({"scheduled_at": None}, [("scheduled_at", "removed")]),
            ({"options": {}}, [("options.format", "removed")]),
            ({"options": [1]}, [("options.", "added"), ("options.format", "removed")]),
            ({"options": {"format": "post"}}, [("options.format", "changed")]),
            ({"options": {"format": "reel", "title": "x"}}, [("options.title", "added")]),
            ({"parts": [part("Hello you", PICTURE)]}, [("parts.0.text", "changed")]),
            ({"parts": [part("Hello there", PICTURE, kind="comment")]}, [("parts.0.kind", "changed")]),
            ({"parts": [part("Hello there", PICTURE), part("More")]}, [("parts.1", "added")]),
            ({"parts": []}, [("parts.0", "removed")]),
            ({"parts": [part()]}, [("parts.0.media.0", "removed")]),
            ({"parts": [part("Hello there", PICTURE | {"alt_text": "A dog"})]}, [("parts.0.media.0.alt_text", "changed")]),
            ({"parts": [part("Hello there", PICTURE | {"sha256": "bb"})]}, [("parts.0.media.0", "changed")]),
            ({"parts": [part("Hello there", PICTURE | {"mime_type": "image/gif"})]}, [("parts.0.media.0", "changed")]),
            ({"parts": [part("Bye", PICTURE)], "options": {}}, [("options.format", "removed"), ("parts.0.text", "changed")]),
        ],
    )  # fmt: skip
    def test_names_each_thing_that_is_not_as_it_was(self, after: dict[str, Any], told: list[tuple[str, str]]) -> None:
        assert [(change.at, change.deed) for change in compare_contents(CONTENT, CONTENT | after)] == told

    def test_shows_which_words_came_and_went(self) -> None:
        (change,) = compare_contents(CONTENT, CONTENT | {"parts": [part("Hello dear you", PICTURE)]})
        assert change.pieces == (Piece("same", "Hello "), Piece("removed", "there"), Piece("added", "dear you"))

    def test_takes_an_empty_document_for_an_empty_post(self) -> None:
        assert compare_contents({}, {}) == []


class TestCompareTexts:
    @given(before=TEXTS, after=TEXTS)
    def test_keeps_both_texts_whole(self, before: str, after: str) -> None:
        pieces = compare_texts(before, after)
        assert "".join(piece.text for piece in pieces if piece.fate != "removed") == after
        assert "".join(piece.text for piece in pieces if piece.fate != "added") == before

    @given(text=TEXTS)
    def test_finds_no_change_in_the_same_text(self, text: str) -> None:
        assert {piece.fate for piece in compare_texts(text, text)} <= {"same"}

    def test_compares_no_more_than_a_person_would_read(self) -> None:
        long = "a " * MAX_COMPARED
        assert compare_texts(long, f"{long}b") == (Piece("removed", long), Piece("added", f"{long}b"))
