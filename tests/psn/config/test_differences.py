"""Documents beside each other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.config.differences import Difference, compare, fill, flatten, keep_unknown, read_kept, said
from psn.config.preferences import Preferences
from psn.config.strategy import Strategy

NAMES = st.text("abc", min_size=1, max_size=2)
DOCUMENTS = st.recursive(
    st.dictionaries(NAMES, st.integers() | st.text(max_size=3), max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | st.integers(), max_size=3),
    max_leaves=8,
)


class TestCompare:
    @given(document=DOCUMENTS)
    def test_finds_nothing_between_the_same(self, document: dict[str, Any]) -> None:
        assert compare(document, document) == ()

    @given(old=DOCUMENTS, new=DOCUMENTS)
    def test_leads_from_one_to_the_other_and_back(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        made = flatten(old)
        for one in compare(old, new):
            made.pop(one.key, None)
            if one.new is not None:
                made[one.key] = one.new
        assert made == flatten(new)
        assert {(one.key, one.new, one.old) for one in compare(new, old)} == {
            (one.key, one.old, one.new) for one in compare(old, new)
        }

    def test_takes_a_list_as_one_value(self) -> None:
        old: dict[str, Any] = {"pillars": [{"name": "a"}], "x": {"y": 1}}
        new: dict[str, Any] = {"pillars": [], "x": {}}
        assert compare(old, new) == (Difference("pillars", [{"name": "a"}], []), Difference("x.y", 1, None))


class TestKeptDocuments:
    def test_keep_only_what_was_said(self) -> None:
        assert said(Strategy(name="Ana")) == {"name": "Ana"}
        assert said(Preferences.model_validate({"calendar": {"conflict_minutes": 5}})) == {
            "calendar": {"conflict_minutes": 5}
        }

    def test_are_read_without_what_a_newer_psn_added(self) -> None:
        kept = {"name": "Ana", "newer": 1, "pillars": [{"name": "a", "weight": 1, "colour": "red"}]}
        assert read_kept(kept, model=Strategy).pillars[0].name == "a"
        assert fill(kept, model=Strategy)["timezone"] == "UTC"
        assert keep_unknown(kept, model=Strategy) == {"newer": 1}

    @pytest.mark.parametrize("kept", [[], None, 7, "text", {"name": 7}])
    def test_that_nobody_can_read_are_shown_as_they_are(self, kept: Any) -> None:
        assert fill(kept, model=Strategy) == (kept if isinstance(kept, dict) else {})
        assert keep_unknown(kept, model=Strategy) == {}
