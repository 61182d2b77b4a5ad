"""Which of the account's statuses is a part of ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from psn.platforms.base import MediaFile, Part, RemotePost
from psn.platforms.mastodon.content import read_content
from psn.platforms.mastodon.matching import CLOCK_SKEW, Seen, Source, is_source_of, pick_candidates, shows_part

BEGAN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
FILE = MediaFile(Path("file"), "image/png", 1)


def seen(
    post_id: str = "1", html: str = "<p>hi</p>", *, seconds: float = 1, reply_to: str | None = None, **more: Any
) -> Seen:
    post = RemotePost(post_id, "", BEGAN + timedelta(seconds=seconds), "", reply_to, {})
    return Seen(post, read_content(html), more.get("spoiler", ""), more.get("mentioned", {}), more.get("files", 0))


def pick(part: Part, *all_seen: Seen, reply_to: str | None = None, known_ids: tuple[str, ...] = ()) -> list[str]:
    found = pick_candidates(part, all_seen, since=BEGAN, reply_to=reply_to, known_ids=known_ids)
    return [one.post.platform_post_id for one in found]


class TestPickCandidates:
    def test_takes_the_earliest_since_the_call_began_first(self) -> None:
        assert pick(Part(0, "hi"), seen("3", seconds=3), seen("2", seconds=2), seen("1", seconds=-1)) == ["2", "3", "1"]

    def test_leaves_out_what_was_there_long_before(self) -> None:
        assert pick(Part(0, "hi"), seen(seconds=-CLOCK_SKEW.total_seconds() - 1)) == []

    def test_leaves_out_what_belongs_to_another_part(self) -> None:
        assert pick(Part(0, "hi"), seen("1"), seen("2"), known_ids=("1",)) == ["2"]

    @pytest.mark.parametrize(("reply_to", "found"), [("9", ["2"]), (None, ["1"]), ("8", [])])
    def test_looks_at_what_it_replies_to(self, reply_to: str | None, found: list[str]) -> None:
        assert pick(Part(1, "hi"), seen("1"), seen("2", reply_to="9"), reply_to=reply_to) == found

    def test_looks_at_the_number_of_files(self) -> None:
        assert pick(Part(0, "", (FILE, FILE)), seen("1", "", files=1), seen("2", "", files=2)) == ["2"]


class TestShowsPart:
    @pytest.mark.parametrize(
        ("options", "text", "shown"),
        [
            ({}, "hi", seen()),
            ({"spoiler": "careful "}, "hi", seen(spoiler="careful")),
            ({"spoiler": "careful"}, "", seen(html="<p>careful</p>", files=1)),
            ({"visibility": "private"}, "hi", seen()),
        ],
        ids=["text", "warning", "warning that became the text", "option"],
    )
    def test_recognises_it(self, options: dict[str, str], text: str, shown: Seen) -> None:
        assert shows_part(Part(0, text, options=options), shown)

    @pytest.mark.parametrize(
        "part", [Part(0, "ho"), Part(0, "hi", options={"spoiler": "careful"}), Part(0, "", options={"spoiler": "x"})]
    )
    def test_tells_it_from_others(self, part: Part) -> None:
        assert not shows_part(part, seen())


class TestIsSourceOf:
    def test_compares_what_was_typed(self) -> None:
        part = Part(0, "**hi**\r\nthere ", options={"spoiler": "w"})
        assert is_source_of(part, Source("**hi**\nthere", "w"))
        assert not is_source_of(part, Source("**hi**\nthere", ""))
        assert not is_source_of(part, Source("hi there", "w"))
