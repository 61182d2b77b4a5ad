"""Holds calls and answers against the hand-written contract, both the adapter's and the sandbox's."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from tests.contracts.specs import REPOSITORY

PATH = REPOSITORY / "tests" / "contracts" / "schemas" / "tiktok.json"


@functools.cache
def load_contract() -> dict[str, Any]:
    """Read the contract."""
    document: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return document


def check_request(call: str, body: object = None, *, query: Mapping[str, str] | None = None) -> None:
    """Raise `jsonschema.ValidationError` when the contract does not know this call.

    Args:
        call: method and path: `GET /v2/user/info/`.
    """
    schemas = load_contract()["calls"][call]
    _check(schemas.get("query", {"maxProperties": 0}), dict(query or {}))
    _check(schemas.get("request", {"type": "null"}), body)


def check_answer(call: str, body: object) -> None:
    """Raise `jsonschema.ValidationError` when this is not what a carried-out call is answered."""
    _check(load_contract()["calls"][call]["response"], body)


def check_refusal(body: object, *, shape: str = "refusal") -> None:
    """Raise `jsonschema.ValidationError` when this is not how a call is refused."""
    _check(load_contract()["$defs"][shape], body)


def _check(schema: dict[str, Any], value: object) -> None:
    document = {"$defs": load_contract()["$defs"], **schema}
    Draft202012Validator(document, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)
