"""What the arguments say a post holds, and what they cannot mean."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from hub.actions.drafts import Written
from hub.management.content_arguments import add_content_arguments, read_content
from hub.models import User
from psn.errors import InvalidInput, Usage
from tests import media_files
from tests.factories import make_account


def read(*words: str) -> Written:
    parser = argparse.ArgumentParser()
    add_content_arguments(parser)
    given: dict[str, Any] = vars(parser.parse_args(words))
    del given["approve"], given["dry_run"]
    return read_content(**given)


def texts(written: Written) -> list[str]:
    return [part.text for part in written.parts]


class TestReadContent:
    def test_puts_parts_in_order_and_the_comment_last(self) -> None:
        written = read("--text", "one", "--comment", "#tags", "--part", "two")
        assert texts(written) == ["one", "two", "#tags"]
        assert [part.kind for part in written.parts] == ["post", "post", "comment"]

    def test_gives_files_to_the_parts_they_are_for(self) -> None:
        files = [str(media_files.jpeg(number=number)) for number in range(2)]
        written = read("--text", "one", "--part", "two", "--media", files[0], "--alt", "a", "--media-of", "2", files[1])
        assert [[str(media.path) for media in part.media] for part in written.parts] == [[files[0]], [files[1]]]
        assert written.parts[0].media[0].alt_text == "a"

    def test_puts_another_language_below_the_first(self) -> None:
        assert texts(read("--text", "Hello", "--also", "es", "Hola")) == ["Hello\n\n—\n\nHola"]

    def test_reads_options(self) -> None:
        assert read("--text", "a", "--option", "format=reel", "--option", "title=A = b").options == {
            "format": "reel",
            "title": "A = b",
        }

    @pytest.mark.parametrize(
        "words",
        [
            ["--option", "reel"],
            ["--option", "=reel"],
            ["--option", "a=1", "--option", "a=2"],
            ["--alt", "nothing to describe"],
            ["--media-of", "2", "x.jpg"],
            ["--media-of", "0", "x.jpg"],
            ["--media-of", "-1", "x.jpg"],
            ["--also", "es", "Hola", "--also", "es", "Otra vez"],
        ],
    )
    def test_refuses_what_cannot_be_meant(self, words: list[str]) -> None:
        with pytest.raises(Usage):
            read("--text", "a", *words)

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (["--media", "/nowhere/a.jpg"], "media.not_found"),
            (["--media", "http://169.254.169.254/latest/meta-data"], "media.url"),
            (["--also", "es", ""], "text.languages"),
            (["--part", "a\x00b"], "text.nul"),
        ],
    )
    def test_says_what_is_wrong_with_what_was_named(self, words: list[str], code: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            read("--text", "a", *words)
        assert refused.value.error_code == code


class TestWritten:
    def test_is_split_as_the_accounts_platform_counts(self, me: User) -> None:
        long = " ".join(f"Sentence number {number} of a long story." for number in range(20))
        written = read("--text", long, "--thread", "--numbered")
        at_x = written.for_account(make_account(me))
        at_mastodon = written.for_account(make_account(me, platform="mastodon", handle="m"))
        assert (len(at_x), len(at_mastodon)) == (3, 2)
        assert at_x[0].text.endswith("1/3")
        assert len(read("--text", long).for_account(make_account(me, handle="other"))) == 1

    def test_gives_each_platform_the_options_it_knows(self, me: User) -> None:
        written = read("--text", "a", "--option", "format=story", "--option", "linkedin.title=T", "--option", "ai=yes")
        assert written.options_of(make_account(me)) == {"ai": "yes"}
        assert written.options_of(make_account(me, platform="instagram", handle="i")) == {
            "format": "story",
            "ai": "yes",
        }
        assert written.options_of(make_account(me, platform="linkedin", handle="l")) == {
            "format": "story",
            "title": "T",
        }
