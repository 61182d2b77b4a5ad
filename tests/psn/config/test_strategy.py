"""`config/strategy.yaml`: a mistake names file, line and field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args
from zoneinfo import available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psn.config.strategy import DEFAULT_TEXT, Platform, Strategy, read_strategy
from psn.errors import InvalidInput
from psn.platforms.registry import platform_names


def put(folder: Path, text: str) -> Path:
    path = folder / "strategy.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


class TestReadStrategy:
    @pytest.mark.parametrize("zone", sorted(available_timezones())[::60])
    def test_reads_the_file_that_set_up_writes(self, tmp_path: Path, zone: str) -> None:
        assert read_strategy(put(tmp_path, DEFAULT_TEXT.format(timezone=zone))) == Strategy(timezone=zone)

    @pytest.mark.parametrize("text", ["", "# a comment\n", "---\n"])
    def test_is_the_defaults_when_nothing_is_said(self, tmp_path: Path, text: str) -> None:
        assert read_strategy(put(tmp_path, text)) == read_strategy(tmp_path / "none.yaml") == Strategy()

    @pytest.mark.parametrize("name", ["5", "yes", "null", "2026-01-01", "Ana", "'Ana Ñ'"])
    def test_takes_what_was_written_as_the_name(self, tmp_path: Path, name: str) -> None:
        assert read_strategy(put(tmp_path, f"name: {name}\n")).name == name.strip("'")

    @pytest.mark.parametrize(
        ("text", "code", "at"),
        [
            ("version: 1\ntimezone: Madrid\n", "config.invalid", "line 2, field timezone"),
            ("timezone: ''\n", "config.invalid", "line 1, field timezone"),
            ("timezone: ../etc/passwd\n", "config.invalid", "line 1, field timezone"),
            ("timezone: 2026-13-45\n", "config.invalid", "line 1, field timezone"),
            ("version: 2\n", "config.invalid", "line 1, field version"),
            ("pillars: Engineering\n", "config.invalid", "line 1, field pillars"),
            (
                "pillars:\n  - name: a\n    weight: 1\n  - name: b\n    weight: 0\n",
                "config.invalid",
                "line 5, field pillars.1.weight",
            ),
            ("pillars:\n  - weight: 1\n", "config.invalid", "line 2, field pillars.0.name"),
            ("pillars:\n  - {name: a, weight: 1, colour: red}\n", "config.invalid", "line 2, field pillars.0.colour"),
            (
                "pillars:\n  - {name: A, weight: 1}\n  - {name: a, weight: 2}\n",
                "config.invalid",
                "line 1, field pillars",
            ),
            ("languages:\n  x: en\n  linkedin: fr\n", "config.invalid", "line 3, field languages.linkedin"),
            ("languages:\n  facebook: en\n", "config.invalid", "line 2, field languages.facebook"),
            ("targets:\n  x: many\n", "config.invalid", "line 2, field targets.x"),
            ("targets:\n  x: 71\n", "config.invalid", "line 2, field targets.x"),
            (f"targets:\n  x: {'9' * 5000}\n", "config.invalid", "line 2, field targets.x"),
            (f"name: {'n' * 101}\n", "config.invalid", "line 1, field name"),
            ("name: ' Ana'\n", "config.invalid", "line 1, field name"),
            ("version: one\n", "config.invalid", "line 1, field version"),
            ("\n\nname: ''\n", "config.invalid", "line 3, field name"),
            ("name: [a]\n", "config.invalid", "line 1, field name"),
            ("name: &a [*a]\n", "config.yaml", "line 1"),
            ('name: "a\\0"\n', "config.invalid", "line 1, field name"),
            ("name: me\ncolour: blue\n", "config.invalid", "line 2, field colour"),
            ("just text\n", "config.invalid", "line 1"),
            ("- a\n", "config.invalid", "line 1"),
            ("name: [\n", "config.yaml", "line 2"),
            ("name: me\n\tversion: 1\n", "config.yaml", "line 2"),
            ("a: 1\n---\nb: 2\n", "config.yaml", "line 2"),
            ("? [a, b]\n: c\n", "config.yaml", "line 1"),
            ("name: *nobody\n", "config.yaml", "line 1"),
        ],
    )
    def test_names_the_place_of_a_mistake(self, tmp_path: Path, text: str, code: str, at: str) -> None:
        path = put(tmp_path, text)
        with pytest.raises(InvalidInput) as refused:
            read_strategy(path)
        assert (refused.value.error_code, refused.value.findings[0].at) == (code, at)
        assert refused.value.message.startswith(f"{path}, {at}: ")

    def test_reads_what_is_written_about_in_which_language_and_how_often(self, tmp_path: Path) -> None:
        text = DEFAULT_TEXT.format(timezone="UTC")
        spoken = re.sub(r"^# (pillars|languages|targets|  )", r"\1", text, flags=re.MULTILINE)
        strategy = read_strategy(put(tmp_path, spoken))
        assert [(pillar.name, pillar.weight) for pillar in strategy.pillars] == [("Engineering", 60), ("Hiring", 40)]
        assert strategy.languages == {"x": "en", "linkedin": "both"}
        assert strategy.targets == {"x": 5, "linkedin": 2}

    def test_lists_every_mistake_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput) as refused:
            read_strategy(put(tmp_path, "version: x\nname: ''\ncolour: blue\n"))
        assert [finding.at for finding in refused.value.findings] == [
            "line 1, field version", "line 2, field name", "line 3, field colour",
        ]  # fmt: skip

    def test_runs_no_code(self, tmp_path: Path) -> None:
        (tmp_path / "x").mkdir()
        text = f"name: !!python/object/apply:os.rmdir ['{tmp_path / 'x'}']\n"
        with pytest.raises(InvalidInput):
            read_strategy(put(tmp_path, text))
        assert (tmp_path / "x").is_dir()

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=st.text(max_size=60))
    def test_gives_a_strategy_or_a_refusal(self, tmp_path: Path, text: str) -> None:
        try:
            outcome = type(read_strategy(put(tmp_path, text))).__name__
        except InvalidInput as refused:
            outcome = refused.error_code
        assert outcome in ("Strategy", "config.yaml", "config.invalid", "config.unreadable")


class TestPlatform:
    def test_is_every_platform_there_is(self) -> None:
        assert get_args(Platform) == platform_names()
