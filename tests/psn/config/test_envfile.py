"""Private `KEY=value` files: what is written is read, and what is wrong is named without its value."""

from __future__ import annotations

import logging
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.config.envfile import check_private, check_value, read_env_file, write_env_file, write_private
from psn.errors import InvalidInput, NotReady

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
SECRET = "never-shown-9c1e"


def put(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


class TestWhatIsWritten:
    @given(values=st.dictionaries(NAMES, st.text(max_size=40)))
    def test_is_what_is_read_or_is_refused(self, values: dict[str, str]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.env"
            code = ""
            try:
                write_env_file(path, values, comment="A comment\nof two lines")
            except InvalidInput as refused:
                code = refused.error_code
            assert (read_env_file(path), code) == ((values, "") if path.exists() else ({}, "config.value"))

    @given(value=st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="'\"\\"), max_size=60))
    def test_may_be_any_printable_text_without_quotes(self, value: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.env"
            write_env_file(path, {"A": value}, comment="x")
            assert read_env_file(path) == {"A": value}

    def test_replaces_the_file_whole_and_leaves_no_other(self, tmp_path: Path) -> None:
        path = tmp_path / "a.env"
        write_env_file(path, {"A": "1", "B": "2"}, comment="x")
        write_env_file(path, {"B": "3"}, comment="x")
        assert read_env_file(path) == {"B": "3"}
        assert list(tmp_path.iterdir()) == [path]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_needs_a_folder_that_takes_it(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(NotReady) as refused:
            write_private(tmp_path / "file" / "a.env", "A=1\n")
        assert refused.value.error_code == "config.not_writable"

    def test_is_refused_by_the_check_alone_too(self) -> None:
        check_value("A", "two words")
        with pytest.raises(InvalidInput) as refused:
            check_value("A", f"{SECRET}'")
        assert SECRET not in refused.value.message


class TestWhatIsRead:
    def test_may_be_missing(self, tmp_path: Path) -> None:
        assert read_env_file(tmp_path / "none.env") == {}

    def test_may_have_comments_quotes_and_exports(self, tmp_path: Path) -> None:
        path = put(tmp_path / "a.env", "# a comment\n\nexport A=1\nB='two words'\nC=\"three\"\nD=\n")
        assert read_env_file(path) == {"A": "1", "B": "two words", "C": "three", "D": ""}

    @pytest.mark.parametrize(
        "line",
        [
            f"A {SECRET}",
            f"A = {SECRET}",
            f" A={SECRET}",
            f"export  A={SECRET}",
            f"1A={SECRET}",
            f"={SECRET}",
            "  ",
            f"A-B={SECRET}",
        ],
    )
    def test_is_named_by_its_line_and_never_by_its_value(
        self, tmp_path: Path, line: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = put(tmp_path / "a.env", f"A=1\n{line}\n")
        with caplog.at_level(logging.DEBUG), pytest.raises(InvalidInput) as refused:
            read_env_file(path)
        assert (refused.value.error_code, f"{path}, line 2" in refused.value.message) == ("config.env_line", True)
        assert SECRET not in refused.value.message + caplog.text

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
    def test_must_be_closed_to_others(self, tmp_path: Path, mode: int) -> None:
        path = put(tmp_path / "a.env", "A=1\n")
        path.chmod(mode)
        for look in (read_env_file, check_private):
            with pytest.raises(NotReady, match="chmod 600") as refused:
                look(path)
            assert refused.value.error_code == "config.not_private"

    def test_must_be_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "hub.env").mkdir()
        with pytest.raises(NotReady, match="is a folder") as refused:
            read_env_file(tmp_path / "hub.env")
        assert (refused.value.error_code, "chmod" in refused.value.message) == ("config.unreadable", False)

    def test_must_be_text(self, tmp_path: Path) -> None:
        path = tmp_path / "a.env"
        path.touch(mode=0o600)
        path.write_bytes(b"A=\xff\n")
        with pytest.raises(NotReady) as refused:
            read_env_file(path)
        assert refused.value.error_code == "config.unreadable"

    def test_takes_nothing_from_the_environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("A", "outside")
        assert read_env_file(put(tmp_path / "a.env", "A=$HOME\n")) == {"A": "$HOME"}
