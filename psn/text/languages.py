"""A post in several languages: independently written sections, one below the other (POST-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psn.errors import InvalidInput

SEPARATOR = "\n\n—\n\n"


def join_languages(texts: Mapping[str, str], *, order: Sequence[str] = (), separator: str = SEPARATOR) -> str:
    """Put the sections of a post one below the other.

    Args:
        texts: by language (`en`, `es`); none of them may hold the separator, or readers could not tell where the next begins.
        order: of the languages; as they stand in `texts` when left out.

    Raises:
        InvalidInput: a section is empty or holds the separator, or the order names other languages than there are.
    """
    order = tuple(order) or tuple(texts)
    if sorted(order) != sorted(texts):
        raise InvalidInput(
            f"The order names {', '.join(order)}, but there are sections in {', '.join(texts) or 'no language'}. Name each once.",
            code="text.languages",
        )
    return separator.join(_check_section(language, texts[language].strip(), separator=separator) for language in order)


def split_languages(text: str, *, order: Sequence[str], separator: str = SEPARATOR) -> dict[str, str]:
    """Read the sections back that `join_languages` put together.

    Raises:
        InvalidInput: there are more or fewer of them than languages.
    """
    sections = text.split(separator)
    if len(sections) != len(order):
        raise InvalidInput(
            f"The text has {len(sections)} sections for {len(order)} languages ({', '.join(order)}). Separate them by {separator!r}.",
            code="text.languages",
        )
    return dict(zip(order, sections, strict=True))


def _check_section(language: str, section: str, *, separator: str) -> str:
    if not section:
        raise InvalidInput(
            f"The section in {language!r} is empty. Write it, or leave the language out.", code="text.languages"
        )
    if separator in section:
        raise InvalidInput(
            f"The section in {language!r} holds the line that separates the languages. Take it out.",
            code="text.languages",
        )
    return section
