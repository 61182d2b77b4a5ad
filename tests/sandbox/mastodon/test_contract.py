"""Every answer of the sandbox's instance, held against Mastodon's OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from openapi_core.exceptions import OpenAPIError

from tests.psn.platforms.mastodon.contract import check_answer
from tests.sandbox.files import MP4, make_png
from tests.sandbox.mastodon.people import Person, consent, read_redirect, register
from tests.sandbox.process import WEB, Sandbox


def check(answer: httpx2.Response) -> None:
    check_answer(
        answer.request.method,
        answer.request.url.path.removeprefix("/mastodon"),
        status=answer.status_code,
        body=answer.content,
        content_type=answer.headers["content-type"],
        query=dict(answer.request.url.params),
    )


def call_everything(sandbox: Sandbox, person: Person) -> Iterator[httpx2.Response]:
    """Call each endpoint in each of its usual ways."""
    body = {"client_name": "Test", "redirect_uris": ["http://127.0.0.1:8765/callback"]}
    yield WEB.post(f"{person.base}/api/v1/apps", json=body)
    app = register(sandbox)
    yield app.exchange(read_redirect(consent(app.authorize_url()))["code"])
    yield app.exchange("wrong")
    for version in ("v1", "v2"):
        yield person.call("GET", f"/api/{version}/instance")
    yield person.call("GET", "/api/v1/accounts/verify_credentials")
    picture = person.upload(make_png(), description="A square")
    yield picture
    video = person.upload(MP4)
    yield video
    sandbox.move_clock(1)
    yield person.call("GET", f"/api/v1/media/{video.json()['id']}")
    yield person.post(
        "See https://example.com #now @ben@else.example", media_ids=[picture.json()["id"]], spoiler_text="w"
    )
    made = person.post("More")
    yield made
    status_id = made.json()["id"]
    yield person.post("Even more", in_reply_to_id=status_id, visibility="direct", language="es")
    yield person.post("")
    yield person.call("GET", f"/api/v1/statuses/{status_id}")
    yield person.call("GET", f"/api/v1/statuses/{status_id}/source")
    yield person.call("GET", "/api/v1/statuses", params={"id[]": status_id})
    yield person.own(limit="1")
    yield person.call("DELETE", f"/api/v1/statuses/{status_id}")
    yield person.call("DELETE", f"/api/v1/statuses/{status_id}")
    for status in (401, 404, 422, 429, 503):
        sandbox.fail("status", "POST /api/v1/statuses", platform="mastodon", status=status)
        yield person.post("refused")


class TestEveryAnswer:
    def test_is_what_the_document_says(self, sandbox: Sandbox, ann: Person) -> None:
        statuses = set()
        for answer in call_everything(sandbox, ann):
            check(answer)
            statuses.add(answer.status_code)
        assert statuses >= {200, 202, 400, 401, 404, 422, 429, 503}

    @pytest.mark.parametrize(
        "change", [(b'"content":', b'"context":'), (b'"visibility": "public"', b'"visibility": "p"')]
    )
    def test_could_be_found_wrong(self, ann: Person, change: tuple[bytes, bytes]) -> None:
        answer = ann.post("hello")
        wrong = answer.content.replace(*change)
        assert wrong != answer.content
        with pytest.raises(OpenAPIError):
            check_answer("POST", "/api/v1/statuses", status=200, body=wrong, content_type="application/json")
