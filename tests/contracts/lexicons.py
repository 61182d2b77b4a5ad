"""Reads the AT Protocol's lexicons as JSON Schemas, to hold records, calls and answers against them. atproto.com/specs/lexicon.

Stricter than the protocol: what a lexicon does not name is refused, and so is a member of a union that it does not list. A server
ignores both, so here either is a slip of the pen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import regex
from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

Json = dict[str, Any]

FORMATS = {
    "did": r"did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]",
    "handle": r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
    "at-uri": r"at://[^/\s]+(?:/[A-Za-z0-9.-]+(?:/[A-Za-z0-9._:~-]{1,512})?)?",
    "nsid": r"[a-zA-Z][a-zA-Z0-9-]*(?:\.[a-zA-Z][a-zA-Z0-9-]*){2,}",
    "cid": r"b[a-z2-7]{58,}",
    "tid": r"[234567abcdefghij][234567a-z]{12}",
    "record-key": r"(?!\.{1,2}$)[A-Za-z0-9._:~-]{1,512}",
    "language": r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*",
    "uri": r"\w+:(?://)?[^\s/]\S*",
    "datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,20})?(?:Z|[+-]\d\d:\d\d)",
}
FORMATS["at-identifier"] = f"{FORMATS['did']}|{FORMATS['handle']}"


class Lexicons:
    """A folder of lexicons.

    Every `check_…` raises `jsonschema.ValidationError` for what is not as it should be.
    """

    def __init__(self, folder: Path) -> None:
        self._documents = {
            document["id"]: document
            for path in sorted(folder.rglob("*.json"))
            if "lexicon" in (document := json.loads(path.read_text(encoding="utf-8")))
        }
        self._defs = {
            f"{nsid}::{name}": schema
            for nsid, document in self._documents.items()
            for name, definition in document["defs"].items()
            if (schema := _convert(definition, nsid)) is not None
        }

    def __contains__(self, nsid: str) -> bool:
        return nsid in self._documents

    def check(self, reference: str, value: object) -> None:
        """Hold a value against a definition: `app.bsky.feed.post`, `app.bsky.feed.defs#postView`."""
        self._check({"$ref": _point(reference, "")}, value)

    def check_input(self, nsid: str, body: object) -> None:
        """Hold the body of a procedure against it."""
        self._check(_convert(self._main(nsid)["input"]["schema"], nsid) or {}, body)

    def check_output(self, nsid: str, body: object) -> None:
        """Hold an answer of 200 against what a call promises; a call without an output promises nothing."""
        if output := self._main(nsid).get("output"):
            self._check(_convert(output["schema"], nsid) or {}, body)

    def check_query(self, nsid: str, query: str) -> None:
        """Hold a query string against the parameters of a call."""
        parameters = self._main(nsid).get("parameters", {"type": "params", "properties": {}})
        values = {
            name: _read_values(parameters["properties"].get(name, {}), given)
            for name, given in parse_qs(query, keep_blank_values=True).items()
        }
        self._check(_convert(parameters, nsid) or {}, values)

    def _main(self, nsid: str) -> Json:
        main: Json = self._documents[nsid]["defs"]["main"]
        return main

    def _check(self, schema: Json, value: object) -> None:
        _Validator({**schema, "$defs": self._defs}, format_checker=_formats).validate(value)


def _convert(schema: Json, nsid: str) -> Json | None:
    """Turn a definition into a JSON Schema; None for one that describes a call."""
    match schema["type"]:
        case "record":
            return _add_type(_convert_object(schema["record"], nsid), nsid)
        case "object" | "params":
            return _convert_object(schema, nsid)
        case "array":
            limits = {"maxLength": "maxItems", "minLength": "minItems"}
            return {"type": "array", "items": _convert(schema["items"], nsid), **_pick(schema, limits)}
        case "string":
            limits = {"maxLength": "maxBytes", "maxGraphemes": "maxGraphemes", "enum": "enum", "const": "const"}
            return {"type": "string", **_pick(schema, limits), **_pick(schema, {"format": "format"})}
        case "integer" | "boolean":
            limits = {"minimum": "minimum", "maximum": "maximum", "enum": "enum", "const": "const"}
            return {"type": schema["type"], **_pick(schema, limits)}
        case "blob":
            return _convert_blob(schema)
        case "ref":
            return {"$ref": _point(schema["ref"], nsid)}
        case "union":
            return {"anyOf": [_convert_member(reference, nsid) for reference in schema["refs"]]}
        case "unknown" | "bytes" | "cid-link":
            return {"type": "object"}
        case "token":
            return {"type": "string"}
    return None


def _convert_object(schema: Json, nsid: str) -> Json:
    properties = {name: _convert(value, nsid) or {} for name, value in schema.get("properties", {}).items()}
    for name in schema.get("nullable", ()):
        properties[name] = {"anyOf": [properties[name], {"type": "null"}]}
    return {
        "type": "object",
        "properties": {"$type": {"type": "string"}, **properties},
        "required": list(schema.get("required", ())),
        "additionalProperties": False,
    }


def _convert_blob(schema: Json) -> Json:
    accepted = "|".join(re.escape(kind).replace(r"\*", ".*") for kind in schema.get("accept", ["*/*"]))
    return {
        "type": "object",
        "properties": {
            "$type": {"const": "blob"},
            "ref": {
                "type": "object",
                "properties": {"$link": {"type": "string", "format": "cid"}},
                "required": ["$link"],
                "additionalProperties": False,
            },
            "mimeType": {"type": "string", "pattern": f"^(?:{accepted})$"},
            "size": {"type": "integer", "minimum": 1, **_pick(schema, {"maxSize": "maximum"})},
        },
        "required": ["$type", "ref", "mimeType", "size"],
        "additionalProperties": False,
    }


def _convert_member(reference: str, nsid: str) -> Json:
    full = f"{nsid}{reference}" if reference.startswith("#") else reference
    return _add_type({"allOf": [{"$ref": _point(reference, nsid)}]}, full.removesuffix("#main"))


def _add_type(schema: Json, name: str) -> Json:
    """Ask for `$type`, by which the members of a union are told apart."""
    given = {"required": ["$type"], "properties": {"$type": {"const": name}}}
    return {"allOf": [schema, given]}


def _point(reference: str, nsid: str) -> str:
    document, _, name = (f"{nsid}{reference}" if reference.startswith("#") else reference).partition("#")
    return f"#/$defs/{document}::{name or 'main'}"


def _pick(schema: Json, names: dict[str, str]) -> Json:
    return {ours: schema[theirs] for theirs, ours in names.items() if theirs in schema}


def _read_values(schema: Json, given: list[str]) -> object:
    if schema.get("type") == "array":
        return given
    if schema.get("type") == "integer" and given[0].isdigit():
        return int(given[0])
    return given[0] == "true" if schema.get("type") == "boolean" else given[0]


def _check_bytes(_validator: object, limit: int, value: object, _schema: object) -> Iterator[ValidationError]:
    if isinstance(value, str) and len(value.encode()) > limit:
        yield ValidationError(f"{len(value.encode())} bytes are more than {limit}")


def _check_graphemes(_validator: object, limit: int, value: object, _schema: object) -> Iterator[ValidationError]:
    if isinstance(value, str) and (count := len(regex.findall(r"\X", value))) > limit:
        yield ValidationError(f"{count} graphemes are more than {limit}")


def _make_formats() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, pattern in FORMATS.items():
        checker.checks(name)(_make_check(name, re.compile(pattern)))
    return checker


def _make_check(name: str, pattern: re.Pattern[str]) -> Any:
    def check(value: object) -> bool:
        if not isinstance(value, str):
            return True
        if name == "datetime" and pattern.fullmatch(value):
            return datetime.fromisoformat(value).tzinfo is not None
        return pattern.fullmatch(value) is not None

    return check


_Validator = validators.extend(  # type: ignore[no-untyped-call]  # jsonschema has no stubs for it
    Draft202012Validator, {"maxBytes": _check_bytes, "maxGraphemes": _check_graphemes}
)
_formats = _make_formats()
