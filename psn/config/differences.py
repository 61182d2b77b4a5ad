"""Documents of configuration beside each other: which keys differ, and from what to what. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Difference:
    """A key that two documents have not alike.

    Args:
        key: dotted: `languages.x`. A list is one value.
        old, new: None where the document does not have the key.
    """

    key: str
    old: Any
    new: Any


def flatten(document: Any, *, above: str = "") -> dict[str, Any]:
    """Give the values of a nested document by their dotted keys, without empty mappings; what is no document has none."""
    flat: dict[str, Any] = {}
    for name, value in document.items() if isinstance(document, Mapping) else ():
        key = f"{above}.{name}" if above else str(name)
        flat |= flatten(value, above=key) if isinstance(value, Mapping) else {key: value}
    return flat


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Tell what changed between two documents, in the new one's order; what is gone comes last."""
    before, after = flatten(old), flatten(new)
    keys = [*after, *(key for key in before if key not in after)]
    found = (Difference(key, before.get(key), after.get(key)) for key in keys)
    return tuple(one for one in found if one.old != one.new)


def said(model: BaseModel) -> dict[str, Any]:
    """Give what was said, without the defaults of what was not."""
    return model.model_dump(mode="json", exclude_unset=True)


def full(model: BaseModel) -> dict[str, Any]:
    """Give the document with its defaults."""
    return model.model_dump(mode="json")


def read_kept(value: Any, *, model: type[M]) -> M:
    """Read a document that was kept; fields that only a newer PSN knows are left aside.

    Raises:
        ValidationError: a field that is known does not fit.
    """
    return model.model_validate(value, extra="ignore")


def fill(value: Any, *, model: type[BaseModel]) -> dict[str, Any]:
    """Give a kept document with its defaults; one that this PSN cannot read as it is."""
    try:
        return full(read_kept(value, model=model))
    except ValidationError:
        return dict(value) if isinstance(value, Mapping) else {}


def keep_unknown(value: Any, *, model: type[BaseModel]) -> dict[str, Any]:
    """Give the fields of a kept document that only a newer PSN knows."""
    kept = value if isinstance(value, Mapping) else {}
    return {key: one for key, one in kept.items() if key not in model.model_fields}
