"""Every answer of the sandbox's X, held against X's own published spec."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from openapi_core.validation.response.exceptions import ResponseValidationError

from tests.contracts.specs import find_contract
from tests.sandbox.files import GIF, make_png
from tests.sandbox.people import Person
from tests.sandbox.process import Sandbox

SERVER = "https://api.x.com"


@pytest.fixture(scope="session")
def spec() -> OpenAPI:
    """X's spec."""
    document = json.loads(find_contract("x-api-v2.json").read_text(encoding="utf-8"))
    document["servers"] = [{"url": SERVER}]
    config = Config(
        spec_validator_cls=None,  # type: ignore[arg-type] # some of the document fails strict validation
        extra_media_type_deserializers={"application/problem+json": json.loads},
    )
    return OpenAPI.from_dict(document, config=config)


def check_answer(spec: OpenAPI, answer: httpx2.Response) -> None:
    """Hold one answer against the spec.

    Raises:
        OpenAPIError: it is not what the spec says.
    """
    path = answer.request.url.path.removeprefix("/x")
    query = dict(answer.request.url.params)
    call = MockRequest(SERVER, answer.request.method.lower(), path, args=query)
    content_type = answer.headers["content-type"].partition(";")[0]
    spec.validate_response(call, MockResponse(answer.content, answer.status_code, content_type=content_type))


def call_everything(person: Person) -> Iterator[httpx2.Response]:
    """Call each endpoint in each of its usual ways."""
    yield person.call("GET", "/2/users/me", params={"user.fields": "created_at,public_metrics,subscription_type,url"})
    form: dict[str, Any] = {"data": {"media_category": "tweet_image"}, "files": {"media": ("file", make_png())}}
    uploaded = person.call("POST", "/2/media/upload", **form)
    yield uploaded
    media_id = uploaded.json()["data"]["id"]
    metadata = {"id": media_id, "metadata": {"alt_text": {"text": "A square"}}}
    yield person.call("POST", "/2/media/metadata", json=metadata)
    yield from _upload_in_parts(person)
    created = person.post("See https://example.com #now", media={"media_ids": [media_id]}, made_with_ai=True)
    yield created
    post_id = created.json()["data"]["id"]
    yield person.post("More", reply={"in_reply_to_tweet_id": post_id})
    fields = "attachments,author_id,conversation_id,created_at,entities,lang,non_public_metrics,public_metrics,source"
    query = {"post.fields": fields, "expansions": "attachments.media_keys,author_id", "media.fields": "alt_text,url"}
    query["post.fields"] += ",reply_settings,possibly_sensitive,note_post,text,id"
    yield person.call("GET", "/2/tweets", params={"ids": f"{post_id},7", **query})
    yield person.call("GET", f"/2/users/{person.id}/tweets", params={"max_results": "5", **query})
    yield person.call("GET", "/2/users/7/tweets")
    yield person.call("DELETE", f"/2/tweets/{post_id}")


def _upload_in_parts(person: Person) -> Iterator[httpx2.Response]:
    body = {"media_type": "image/gif", "total_bytes": len(GIF), "media_category": "tweet_gif"}
    opened = person.call("POST", "/2/media/upload/initialize", json=body)
    yield opened
    path = f"/2/media/upload/{opened.json()['data']['id']}"
    yield person.call("POST", f"{path}/append", data={"segment_index": "0"}, files={"media": ("part", GIF)})
    yield person.call("POST", f"{path}/finalize")
    query = {"command": "STATUS", "media_id": opened.json()["data"]["id"]}
    yield person.call("GET", "/2/media/upload", params=query)


class TestAnswers:
    def test_are_what_the_spec_says(self, spec: OpenAPI, person: Person) -> None:
        answers = list(call_everything(person))

        assert len(answers) == 13
        for answer in answers:
            assert answer.is_success, answer.text
            check_answer(spec, answer)

    def test_to_wrong_requests_are_what_the_spec_says(self, spec: OpenAPI, person: Person) -> None:
        refused = [
            person.post("a" * 281),
            person.call("POST", "/2/tweets", json={"colour": "red"}),
            person.call("GET", "/2/tweets", params={"ids": "x"}),
            person.call("GET", f"/2/users/{person.id}/tweets", params={"max_results": "1"}),
            person.call("DELETE", "/2/tweets/7"),
            person.call("POST", "/2/media/upload/initialize", json={}),
            person.call("GET", "/2/media/upload", params={"media_id": "7"}),
        ]

        for answer in refused:
            assert answer.status_code in (400, 404)
            check_answer(spec, answer)

    def test_differ_only_where_x_itself_does(self, spec: OpenAPI, sandbox: Sandbox, person: Person) -> None:
        """X sends `about:blank` problems for these, which its own spec does not list."""
        person.post("Once")
        again = person.post("Once")
        sandbox.fail("status", status=429)
        limited = person.post("Twice")
        person.tokens["access_token"] = "wrong"
        stranger = person.post("Thrice")

        assert [answer.status_code for answer in (again, limited, stranger)] == [403, 429, 401]
        for answer in (again, limited, stranger):
            assert answer.json()["type"] == "about:blank"
            with pytest.raises(OpenAPIError):
                check_answer(spec, answer)

    def test_would_be_caught_if_they_were_wrong(self, spec: OpenAPI, person: Person) -> None:
        answer = person.post("Hello")
        answer._content = answer.content.replace(b'"id": "', b'"id": "not ')

        with pytest.raises(ResponseValidationError):
            check_answer(spec, answer)
