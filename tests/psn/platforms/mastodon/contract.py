"""Mastodon's API as an OpenAPI document, to hold calls and answers against."""

from __future__ import annotations

import json
from email.parser import BytesHeaderParser
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.datastructures import ImmutableMultiDict

from tests.contracts.specs import find_contract

HOST = "https://mastodon.example"


@cache
def load_contract() -> OpenAPI:
    """Load the document; skips the test where it is not."""
    document = json.loads(find_contract("mastodon-openapi.json").read_text(encoding="utf-8"))
    document["servers"] = [{"url": HOST}]
    for operations in document["paths"].values():
        for operation in operations.values():  # the library does not know the scheme; the tests look at the header
            if isinstance(operation, dict):
                operation.pop("security", None)
    # A slip of it: a status with text and files would have to be exactly one of "with text" and "with files".
    body = document["paths"]["/api/v1/statuses"]["post"]["requestBody"]["content"]["application/json"]
    body["schema"]["anyOf"] = body["schema"].pop("oneOf")
    # Another: since OpenAPI 3.1 a file is not a string.
    fields = document["paths"]["/api/v2/media"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    for field in fields["properties"].values():
        if field.get("format") == "binary":
            field.pop("type")
    return OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))  # type: ignore[arg-type]


def check_request(content: bytes) -> None:
    """Hold one raw request against the document.

    Raises:
        OpenAPIError: it is not what the document says.
    """
    first, _, rest = content.partition(b"\r\n")
    head, _, body = rest.partition(b"\r\n\r\n")
    method, target, _ = first.decode().split(" ")
    headers = {name.lower(): value for name, value in BytesHeaderParser().parsebytes(head).items()}
    load_contract().validate_request(
        MockRequest(
            HOST,
            method.lower(),
            urlsplit(target).path,
            args=ImmutableMultiDict(parse_qsl(urlsplit(target).query)),
            headers=headers,
            data=body or None,
            content_type=headers.get("content-type", "application/json"),
        )
    )


def check_answer(method: str, path: str, *, status: int, body: bytes, content_type: str, query: Any = None) -> None:
    """Hold one answer against the document.

    Raises:
        OpenAPIError: it is not what the document says.
    """
    request = MockRequest(HOST, method.lower(), path, args=query or {})
    load_contract().validate_response(request, MockResponse(body, status, content_type=content_type.partition(";")[0]))
