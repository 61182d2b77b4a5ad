"""Holds calls and answers against the hand-written contract, whoever makes them."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from jsonschema import Draft202012Validator

from tests.contracts.specs import REPOSITORY

PATH = REPOSITORY / "tests" / "contracts" / "schemas" / "linkedin.json"


@functools.cache
def load_contract() -> dict[str, Any]:
    """Read the contract."""
    document: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return document


def find_call(method: str, target: str) -> str:
    """Give the contract's name of a call; KeyError when it knows none.

    Args:
        target: path and query.
    """
    name = f"{method} {urlsplit(target).path}"
    found = [
        call for call in load_contract()["calls"] if re.fullmatch(re.escape(call).replace(r"\{id\}", "[^/]+"), name)
    ]
    if len(found) != 1:
        raise KeyError(name)
    return str(found[0])


def check_request(method: str, target: str, *, headers: Mapping[str, str], body: bytes) -> None:
    """Raise `jsonschema.ValidationError` when the contract does not allow a call, and KeyError when it knows none.

    Args:
        target: path and query.
        headers: names in lower case.
    """
    call = load_contract()["calls"][find_call(method, target)]
    if target.startswith("/rest/"):
        _check(load_contract()["headers"], dict(headers))
        assert ":" not in urlsplit(target).path, "the names in a path are encoded"
    _check(call.get("query", {"maxProperties": 0}), _read_query(urlsplit(target).query))
    _check(call.get("request", {"type": "null"}), json.loads(body) if body else None)


def check_answer(method: str, target: str, *, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raise `jsonschema.ValidationError` when this is not how LinkedIn answers a call.

    Args:
        headers: names in lower case.
    """
    assert headers.get("x-li-uuid"), "every answer names its call"
    content = json.loads(body) if body else None
    if status >= 400:
        _check({"$ref": "#/$defs/refusal", "properties": {"status": {"const": status}}}, content)
        return
    call = load_contract()["calls"][find_call(method, target)]
    assert status == call.get("status", 200)
    _check(call.get("answer_headers", {}), dict(headers))
    _check(call["answer"], content)


def _read_query(query: str) -> dict[str, str]:
    """Read a query whose lists are written as Rest.li wants them: brackets and commas as they are, the names encoded."""
    for value in re.findall(r"=([^&]*)", query):
        assert ":" not in re.sub(r"^\((share|ugc):", "(", value), f"{value}: the names in a query are encoded"
        assert "%28" not in value, f"{value}: brackets are not"
    return {name: unquote(value) for name, value in parse_qsl(query, keep_blank_values=True)}


def _check(schema: dict[str, Any], value: object) -> None:
    Draft202012Validator({"$defs": load_contract()["$defs"], **schema}).validate(value)
