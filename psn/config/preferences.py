"""What a person sets key by key with `psn_config set`. It is kept in the hub alone, and no file holds it."""

from __future__ import annotations

import difflib
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from psn.errors import InvalidInput

MAX_CHARACTERS = 200  # of a value; the longest that any key takes has seventeen
UNSET = "default"
_STRICT = ConfigDict(extra="forbid", frozen=True)


class Defaults(BaseModel):
    """What accounts and posts get where nobody said otherwise."""

    model_config = _STRICT

    grace_hours: Annotated[
        int, Field(ge=1, le=720, description="how many hours late a post may still go out; after that it is missed")
    ] = 48

    @property
    def grace(self) -> timedelta:
        return timedelta(hours=self.grace_hours)


class Calendar(BaseModel):
    """What the calendar marks."""

    model_config = _STRICT

    conflict_minutes: Annotated[
        int, Field(ge=0, le=1440, description="posts of one account that are closer together are marked as a conflict")
    ] = 30


class Persona(BaseModel):
    """As whom the person writes."""

    model_config = _STRICT

    default: Annotated[
        Literal["personal", "brand-operator", "brand-ambassador"],
        Field(description="as whom you write where you do not say it"),
    ] = "personal"


class Preferences(BaseModel):
    """Every preference. A key is a section and a name: `calendar.conflict_minutes`."""

    model_config = _STRICT

    defaults: Defaults = Defaults()
    calendar: Calendar = Calendar()
    persona: Persona = Persona()


def describe_keys() -> dict[str, str]:
    """Name every key, and say what it means."""
    return {
        f"{section}.{name}": str(detail.description)
        for section, outer in Preferences.model_fields.items()
        for name, detail in type(outer.default).model_fields.items()
    }


def change_key(document: dict[str, Any], key: str, text: str) -> dict[str, Any]:
    """Give the document with one key changed; what else it holds stays, also what only a newer PSN knows.

    Args:
        document: what was set so far, section by section.
        text: the value as a person types it, or `default`.

    Raises:
        InvalidInput: no such key, or the value does not fit.
    """
    if key not in describe_keys():
        raise _unknown(key)
    section, name = key.split(".")
    changed = {name: _read_value(section, name, text)} if text != UNSET else {}
    others = {other: value for other, value in dict(document.get(section, {})).items() if other != name}
    rest = {other: value for other, value in document.items() if other != section}
    return rest | ({section: others | changed} if others or changed else {})


def _read_value(section: str, name: str, text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise _wrong(f"{section}.{name}", f"at most {MAX_CHARACTERS} characters", "")
    try:
        read = Preferences.model_validate({section: {name: text}})
    except ValidationError as error:
        raise _wrong(f"{section}.{name}", error.errors()[0]["msg"], text) from None
    return read.model_dump(mode="json")[section][name]


def _unknown(key: str) -> InvalidInput:
    close = difflib.get_close_matches(key, describe_keys(), n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(describe_keys())}."
    return InvalidInput(
        f"There is no preference {key[:80]!r}. {hint}",
        code="setting.unknown",
        next_command="psn_config show preferences",
    )


def _wrong(key: str, problem: str, text: str) -> InvalidInput:
    got = f", not {text[:80]!r}" if text else ""
    problem = f"{problem[:1].lower()}{problem[1:]}".rstrip(".")
    return InvalidInput(
        f"{key}: {problem}{got}. To go back to what PSN takes by itself, set it to `{UNSET}`.",
        code="setting.value",
        next_command="psn_config show preferences",
    )
