"""YAML files of the person's: nothing small becomes huge, and every mistake has its place."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from psn.config.strategy import Strategy
from psn.config.yamlfile import MAX_BYTES, MAX_FINDINGS, find_yaml
from psn.errors import InvalidInput

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


def refusal(path: Path, text: str | bytes) -> InvalidInput:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InvalidInput) as refused:
        find_yaml(path, model=Strategy)
    return refused.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "strategy.yaml"


class TestFindYaml:
    def test_is_nothing_where_there_is_no_file(self, path: Path) -> None:
        assert find_yaml(path, model=Strategy) is None

    def test_reads_a_file_of_another_editor(self, path: Path) -> None:
        path.write_bytes(b"\xef\xbb\xbfname: Ana\r\ntimezone: Europe/Madrid\r\n")
        found = find_yaml(path, model=Strategy)
        assert found is not None
        assert found.value == Strategy(name="Ana", timezone="Europe/Madrid")

    @pytest.mark.parametrize(
        ("text", "at", "says"),
        [
            (BOMB, "line 1", "anchors"),
            ("name: &x Ana\n", "line 1", "anchors"),
            ("version: 1\nname: *x\n", "line 2", "anchors"),
            ("name: me\nname: you\n", "line 2, field name", "twice"),
            ("languages:\n  x: en\n  x: es\n", "line 3, field x", "twice"),
            (f"name: {'[' * 30_000}\n", "line 1", "deeply"),
            ("".join(f"{' ' * i}a:\n" for i in range(40)), "line 9", "deeply"),
            ("name: a\x07b\n", "line 1", "not YAML"),
            ("version: 1\n\nname: a\x07b\n", "line 3", "not YAML"),
        ],
        ids=["bomb", "anchor", "alias", "twice", "twice inside", "brackets", "steps", "bell", "bell further down"],
    )
    def test_refuses_what_means_more_than_it_shows(self, path: Path, text: str, at: str, says: str) -> None:
        error = refusal(path, text)
        assert (error.error_code, error.findings[0].at) == ("config.yaml", at)
        assert says in error.message

    @pytest.mark.parametrize("text", [BOMB, f"name: {'[' * 60_000}\n", "- " * 30_000], ids=["bomb", "flow", "block"])
    def test_takes_no_time_to_refuse(self, path: Path, text: str) -> None:
        path.write_text(text)
        began = time.process_time()
        with pytest.raises(InvalidInput):
            find_yaml(path, model=Strategy)
        assert time.process_time() - began < 2

    def test_tells_of_a_thousand_mistakes_only_the_first(self, path: Path) -> None:
        error = refusal(path, "".join(f"f{number}: x\n" for number in range(5000)))
        assert [finding.at for finding in error.findings][:2] == ["line 1, field f0", "line 2, field f1"]
        assert len(error.findings) == MAX_FINDINGS

    def test_reads_no_more_than_a_file_may_have(self, path: Path) -> None:
        error = refusal(path, "# " + "x" * MAX_BYTES + "\n")
        assert (error.error_code, error.findings[0].limit) == ("config.too_big", MAX_BYTES)
        path.write_text("#" * (MAX_BYTES - 1) + "\n")
        assert find_yaml(path, model=Strategy) is not None

    @pytest.mark.parametrize("make", ["folder", "pipe", "device", "bytes"])
    def test_says_what_cannot_be_read(self, path: Path, make: str) -> None:
        if make == "folder":
            path.mkdir()
        elif make == "pipe":
            os.mkfifo(path)
        elif make == "device":
            path.symlink_to("/dev/zero")
        else:
            path.write_bytes(b"name: \xff\n")
        with pytest.raises(InvalidInput) as refused:
            find_yaml(path, model=Strategy)
        assert (refused.value.error_code, str(path) in refused.value.message) == ("config.unreadable", True)

    @pytest.mark.parametrize(
        ("field", "hint"),
        [("timzone", "Did you mean timezone?"), ("pilars", "Did you mean pillars?"), ("<<", "Known fields: ")],
    )
    def test_guesses_what_was_meant(self, path: Path, field: str, hint: str) -> None:
        fix = refusal(path, f"version: 1\n{field}: x\n").findings[0].fix
        assert fix is not None
        assert fix.startswith(hint)

    def test_knows_where_a_key_stands(self, path: Path) -> None:
        path.write_text("version: 1\nlanguages:\n\n  x: en\n")
        found = find_yaml(path, model=Strategy)
        assert found is not None
        assert [found.find_line(key) for key in ("version", "languages.x", "languages.linkedin", "timezone")] == [
            1, 4, None, None,
        ]  # fmt: skip
