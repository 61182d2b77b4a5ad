"""YAML files that a person edits: read strictly into a model, and every mistake told with file, line and field.

Whatever could make a small file mean something huge or something else is refused: anchors and aliases, deep nesting, a field that is
given twice, more than 64 KiB.
"""

from __future__ import annotations

import difflib
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from psn.errors import Finding, InvalidInput

MAX_BYTES = 65_536  # a long strategy has four thousand
MAX_FINDINGS = 50  # nobody mends more before looking again
MAX_DEPTH = 8  # lists and mappings inside each other; the deepest field there is lies three deep
M = TypeVar("M", bound=BaseModel)
Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class YamlFile(Generic[M]):
    """A file that was read.

    Args:
        value: what it says, with the defaults of what it does not say.
    """

    path: Path
    value: M
    tree: yaml.Node | None = field(default=None, repr=False)

    def find_line(self, key: str) -> int | None:
        """Give the line, from 1, of a dotted key such as `languages.x`; None when the file does not have it."""
        return None if self.tree is None else _find_line(self.tree, tuple(key.split(".")))


def find_yaml(path: Path, *, model: type[M]) -> YamlFile[M] | None:
    """Read a file into its model; None when there is none.

    Raises:
        InvalidInput: it cannot be read, is not YAML, or a field is wrong; one finding for each mistake, with its line.
    """
    try:
        text = _read_text(path)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}.", code="config.unreadable") from error
    tree, content = _parse(text, path=path)
    if tree is None or content == "":  # nothing but comments, or nothing after ---
        return YamlFile(path, model())
    try:
        return YamlFile(path, model.model_validate(content), tree)
    except ValidationError as error:
        findings = [_finding(path, tree, detail, model=model) for detail in error.errors()[:MAX_FINDINGS]]
        raise _refusal(path, *findings, code="config.invalid") from None


def _read_text(path: Path) -> str:
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for whoever writes into it
        raise OSError("it is no ordinary file")
    with path.open("rb") as stream:
        raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        finding = Finding(
            target=str(path),
            code="config.too_big",
            at="line 1",
            message=f"more than {MAX_BYTES} bytes",
            limit=MAX_BYTES,
            fix="Keep to what PSN asks for; notes of your own belong into another file.",
        )
        raise _refusal(path, finding, code="config.too_big")
    return raw.decode("utf-8")


def _parse(text: str, *, path: Path) -> tuple[yaml.Node | None, Any]:
    """Give the file's nodes, which know their lines, and its content with every scalar as text: the model knows the types."""
    try:
        for problem, line in _find_dangers(text):
            raise _not_plain(path, problem, line=line)
        tree = yaml.compose(text, Loader=yaml.BaseLoader)
        content = None if tree is None else yaml.BaseLoader("").construct_document(tree)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        raise _not_plain(path, f"not YAML: {problem}", line=_line_of_error(error, text)) from None
    for key in _find_repeated(tree) if tree is not None else ():
        raise _not_plain(path, f"{key.value} is given twice", line=key.start_mark.line + 1, key=str(key.value))
    return tree, content


def _find_dangers(text: str) -> Iterator[tuple[str, int]]:
    """Look through the file before anything is built from it; gives what is wrong and in which line."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            yield "anchors (&) and aliases (*) are not taken", line
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                yield "nested too deeply", line
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _find_repeated(node: yaml.Node) -> Iterator[yaml.Node]:
    """Find keys that a mapping has twice: YAML would take the last one without a word."""
    children = node.value if isinstance(node, yaml.CollectionNode) else []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, _ in children:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                yield key
            seen.add(str(key.value))
        children = [value for _, value in children]
    for child in children:
        yield from _find_repeated(child)


def _line_of_error(error: yaml.YAMLError, text: str) -> int | None:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return int(mark.line) + 1
    position = getattr(error, "position", None)  # of a character that no YAML may hold
    return None if position is None else text.count("\n", 0, position) + 1


def _not_plain(path: Path, problem: str, *, line: int | None, key: str = "") -> InvalidInput:
    at = f"line {line}" if line else "somewhere"
    finding = Finding(
        target=str(path),
        code="config.yaml",
        at=f"{at}, field {key}" if key else at,
        message=problem,
        fix="Correct the line and run again.",
    )
    return _refusal(path, finding, code="config.yaml")


def _finding(path: Path, tree: yaml.Node, detail: Any, *, model: type[BaseModel]) -> Finding:
    location: Location = tuple(piece for piece in detail["loc"] if piece != "[key]")  # a mapping's key is wrong itself
    key = ".".join(str(piece) for piece in location)
    line = _nearest_line(tree, location)
    unknown = detail["type"] == "extra_forbidden"
    return Finding(
        target=str(path),
        code="config.field",
        at=f"line {line}, field {key}" if key else f"line {line}",
        message="unknown field" if unknown else detail["msg"].removeprefix("Value error, "),
        got=None if unknown else str(detail["input"])[:80],
        fix=_name_fields(location, model=model) if unknown else None,
    )


def _name_fields(location: Location, *, model: type[BaseModel]) -> str:
    known = list(model.model_fields) if len(location) == 1 else []
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Known fields: {', '.join(known)}." if known else "Remove it."


def _refusal(path: Path, *findings: Finding, code: str) -> InvalidInput:
    first = findings[0]
    hint = f" {first.fix}" if first.fix and first.fix.startswith("Did you mean") else ""
    return InvalidInput(f"{path}, {first.at}: {first.message.rstrip('.')}.{hint}", code=code, findings=findings)


def _nearest_line(node: yaml.Node, location: Location) -> int:
    """Give the line, from 1, of the deepest node on the way that exists."""
    for length in range(len(location), 0, -1):
        if (line := _find_line(node, location[:length])) is not None:
            return line
    return int(node.start_mark.line) + 1


def _find_line(node: yaml.Node, location: Location) -> int | None:
    first, *rest = location
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(first):
                return _find_line(value, tuple(rest)) if rest else int(key.start_mark.line) + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(first, int) and first < len(node.value):
        child = node.value[first]
        return _find_line(child, tuple(rest)) if rest else int(child.start_mark.line) + 1
    return None
