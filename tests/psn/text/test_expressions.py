"""What people see as one character, found without looking back through a whole run of flags."""

from __future__ import annotations

import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from psn.text.expressions import find_clusters

# Whatever joins or breaks clusters in its own way: flags, joiners, marks, line ends, syllables, a conjunct, a prepended mark.
_PIECES = (
    "\U0001f1ea\U0001f1f8\U0001f468\u200d\U0001f3fd\ufe0f\u0301\u20e3#a\r\n\u1100\u1161\u11a8\u0915\u094d\u0600\u0903"
)


class TestFindClusters:
    @settings(max_examples=300, deadline=None)
    @given(st.text(_PIECES, max_size=12))
    def test_gives_the_same_as_the_expression_that_looks_back(self, text: str) -> None:
        assert list(find_clusters(text)) == [cluster.span() for cluster in regex.finditer(r"\X", text)]

    def test_gives_an_odd_letter_behind_flags_by_itself(self) -> None:
        assert list(find_clusters("\U0001f1ea\U0001f1f8" * 2 + "\U0001f1ea")) == [(0, 2), (2, 4), (4, 5)]
