"""Posts in several languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import InvalidInput
from psn.text.languages import SEPARATOR, join_languages, split_languages

SECTIONS = st.text(min_size=1).filter(lambda text: text.strip() == text and text)


class TestJoinLanguages:
    def test_sets_one_section_below_the_other(self) -> None:
        assert join_languages({"en": "Hello.\n", "es": "Hola."}) == f"Hello.{SEPARATOR}Hola."

    def test_keeps_to_the_order_and_the_separator(self) -> None:
        assert (
            join_languages({"en": "Hello.", "es": "Hola."}, order=("es", "en"), separator="\n~\n") == "Hola.\n~\nHello."
        )

    @given(st.dictionaries(st.sampled_from(["en", "es", "de", "fr"]), SECTIONS, min_size=1))
    def test_is_undone_by_split_languages(self, texts: dict[str, str]) -> None:
        assert split_languages(
            join_languages(texts, separator="\n***\n"), order=list(texts), separator="\n***\n"
        ) == texts or any("***" in text for text in texts.values())

    @pytest.mark.parametrize(
        ("texts", "order"),
        [
            ({"en": "Hello.", "es": " \n"}, ()),
            ({"en": f"Hel{SEPARATOR}lo.", "es": "Hola."}, ()),
            ({"en": "Hello."}, ("en", "es")),
            ({"en": "Hello.", "es": "Hola."}, ("en",)),
            ({"en": "Hello.", "es": "Hola."}, ("en", "es", "en")),
        ],
        ids=["empty", "separator inside", "missing", "left over", "twice"],
    )
    def test_refuses_what_readers_could_not_tell_apart(self, texts: dict[str, str], order: tuple[str, ...]) -> None:
        with pytest.raises(InvalidInput) as refused:
            join_languages(texts, order=order)
        assert refused.value.error_code == "text.languages"


class TestSplitLanguages:
    def test_refuses_another_number_of_sections(self) -> None:
        with pytest.raises(InvalidInput):
            split_languages("Hello.", order=("en", "es"))
