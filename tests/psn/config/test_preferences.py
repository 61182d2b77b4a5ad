"""Preferences: typed keys, set one at a time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.config.preferences import Preferences, change_key, describe_keys
from psn.errors import InvalidInput


class TestChangeKey:
    @pytest.mark.parametrize(
        ("key", "text", "value"),
        [
            ("defaults.grace_hours", "24", 24),
            ("calendar.conflict_minutes", "0", 0),
            ("persona.default", "brand-operator", "brand-operator"),
        ],
    )
    def test_reads_the_value_as_what_it_is(self, key: str, text: str, value: Any) -> None:
        section, name = key.split(".")
        assert change_key({}, key, text) == {section: {name: value}}

    def test_keeps_everything_else_also_what_only_a_newer_psn_knows(self) -> None:
        before: dict[str, Any] = {
            "calendar": {"conflict_minutes": 1, "newer": 2},
            "newest": {"a": 1},
            "persona": {"default": "personal"},
        }
        after = change_key(before, "calendar.conflict_minutes", "9")
        assert after == before | {"calendar": {"conflict_minutes": 9, "newer": 2}}
        assert before["calendar"]["conflict_minutes"] == 1

    def test_forgets_a_value_that_goes_back_to_the_default(self) -> None:
        before = {"calendar": {"conflict_minutes": 1}, "defaults": {"grace_hours": 2}}
        assert change_key(before, "calendar.conflict_minutes", "default") == {"defaults": {"grace_hours": 2}}
        assert change_key({}, "calendar.conflict_minutes", "default") == {}

    @pytest.mark.parametrize(
        ("key", "text"),
        [
            ("defaults.grace_hours", "0"),
            ("defaults.grace_hours", "721"),
            ("defaults.grace_hours", "-1"),
            ("defaults.grace_hours", "1.5"),
            ("defaults.grace_hours", "a day"),
            ("defaults.grace_hours", ""),
            ("defaults.grace_hours", "nan"),
            ("defaults.grace_hours", "true"),
            ("calendar.conflict_minutes", "9" * 5000),
            ("calendar.conflict_minutes", "1441"),
            ("persona.default", "Personal"),
            ("persona.default", "brand-operator\x00"),
            ("persona.default", "\udcff"),
        ],
    )
    def test_refuses_a_value_that_does_not_fit(self, key: str, text: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            change_key({}, key, text)
        assert (refused.value.error_code, key in refused.value.message) == ("setting.value", True)
        assert len(refused.value.message) < 400

    @pytest.mark.parametrize(
        ("key", "hint"),
        [
            ("defaults.grace_hour", "Did you mean defaults.grace_hours?"),
            ("conflict_minutes", "Did you mean calendar.conflict_minutes?"),
            ("grace", "Known: "),
            ("", "Known: "),
            ("defaults.grace_hours.x", "Did you mean defaults.grace_hours?"),
            ("__class__.x", "Known: "),
            ("z" * 9999, "Known: "),
        ],
    )
    def test_guesses_which_key_was_meant(self, key: str, hint: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            change_key({}, key, "1")
        assert refused.value.error_code == "setting.unknown"
        assert hint in refused.value.message
        assert len(refused.value.message) < 400

    @given(key=st.sampled_from(sorted(describe_keys())), text=st.text(max_size=30))
    def test_gives_what_can_be_read_or_refuses(self, key: str, text: str) -> None:
        try:
            outcome = type(Preferences.model_validate(change_key({}, key, text))).__name__
        except InvalidInput as refused:
            outcome = refused.error_code
        assert outcome in ("Preferences", "setting.value")


class TestDescribeKeys:
    def test_says_what_every_key_means(self) -> None:
        assert all(len(meaning) > 20 for meaning in describe_keys().values())
        named = {f"{section}.{name}" for section, values in Preferences().model_dump().items() for name in values}
        assert set(describe_keys()) == named
