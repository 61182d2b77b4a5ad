"""`config/strategy.yaml`: what the person decided. A mistake in it names file, line and field."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from psn.errors import Finding, InvalidInput

DEFAULT_TEXT = """\
# What you decided. PSN reads this file and never rewrites it.
version: 1

# Your name, as PSN addresses you.
name: me

# Your IANA time zone (https://en.wikipedia.org/wiki/List_of_tz_database_time_zones).
# Times you give and times PSN shows are in this zone; the hub stores UTC.
timezone: {timezone}
"""


class Strategy(BaseModel):
    """The person's decisions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = 1
    name: Annotated[str, Field(min_length=1, max_length=100)] = "me"
    timezone: str = "UTC"

    @field_validator("name")
    @classmethod
    def _writable(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("a name on one line, without control characters")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("not an IANA time zone such as Europe/Madrid") from None
        return value


def read_strategy(path: Path) -> Strategy:
    """Read `strategy.yaml`; a missing file is the defaults.

    Raises:
        InvalidInput: not YAML, or a field is wrong; one finding per mistake, with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Strategy()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}.", code="config.unreadable") from error
    tree, content = _parse(text, path=path)
    if tree is None or content == "":  # nothing but comments, or nothing after ---
        return Strategy()
    try:
        return Strategy.model_validate(content)
    except ValidationError as error:
        findings = [_finding(path, tree, detail) for detail in error.errors()]
        first = findings[0]
        raise InvalidInput(f"{path}, {first.at}: {first.message}", code="config.invalid", findings=findings) from None


def _parse(text: str, *, path: Path) -> tuple[yaml.Node | None, Any]:
    """Give the file's nodes, which know their lines, and its content with every scalar as text: the model knows the types."""
    try:
        tree = yaml.compose(text, Loader=yaml.BaseLoader)
        return tree, None if tree is None else yaml.BaseLoader("").construct_document(tree)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f"line {mark.line + 1}" if mark else "somewhere"
        problem = getattr(error, "problem", None) or str(error)
        finding = Finding(
            target=str(path),
            code="config.yaml",
            at=at,
            message=f"not YAML: {problem}",
            fix="Correct the line and run again.",
        )
        raise InvalidInput(f"{path}, {at}: not YAML: {problem}.", code="config.yaml", findings=[finding]) from None


def _finding(path: Path, tree: yaml.Node, detail: Any) -> Finding:
    field = ".".join(str(piece) for piece in detail["loc"])
    line = _line_of(tree, detail["loc"])
    message = "unknown field" if detail["type"] == "extra_forbidden" else detail["msg"].removeprefix("Value error, ")
    return Finding(
        target=str(path),
        code="config.field",
        at=f"line {line}, field {field}" if field else f"line {line}",
        message=message,
        got=str(detail["input"])[:80] if detail["type"] != "extra_forbidden" else None,
        fix=f"Known fields: {', '.join(Strategy.model_fields)}." if detail["type"] == "extra_forbidden" else None,
    )


def _line_of(node: yaml.Node, location: tuple[str | int, ...]) -> int:
    """Give the line, from 1, of the deepest node on the way that exists."""
    if location and isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(location[0]):
                return key.start_mark.line + 1 if len(location) == 1 else _line_of(value, location[1:])
    if (
        location
        and isinstance(node, yaml.SequenceNode)
        and isinstance(location[0], int)
        and location[0] < len(node.value)
    ):
        return _line_of(node.value[location[0]], location[1:])
    return node.start_mark.line + 1
