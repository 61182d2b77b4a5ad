"""What the adapter sends, against Mastodon's OpenAPI document, and how it copes with answers the sandbox never gives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from openapi_core.exceptions import OpenAPIError

from psn.errors import PlatformError, Rejected, Unavailable, UnknownOutcome
from psn.platforms.base import MediaFile, Part, Prepared
from psn.platforms.mastodon.adapter import MAX_SOURCES, MastodonAdapter
from tests.psn.loopback import Act, Line, RawServer, build_reply, serve
from tests.psn.platforms.mastodon.contract import check_request
from tests.sandbox.files import make_png

Answer = tuple[int, object]
Answers = Mapping[str, Answer]  # "METHOD /path": status, body
STATUS = {
    "id": "7",
    "created_at": "2026-11-20T08:00:00.000Z",
    "content": "<p>hi</p>",
    "url": "https://m.example/@ann/7",
}
VERSION = {"version": "4.5.0"}
GONE: Answer = (404, {"error": "Record not found"})
ANSWERS: Answers = {
    "GET /api/v1/accounts/verify_credentials": (200, {"id": "3", "username": "ann"}),
    "GET /api/v2/instance": (200, VERSION),
    "POST /api/v1/statuses": (200, STATUS),
    "GET /api/v1/statuses": (200, [STATUS]),
    "GET /api/v1/statuses/7": (200, STATUS),
    "GET /api/v1/statuses/7/source": (200, {"id": "7", "text": "hi", "spoiler_text": ""}),
    "DELETE /api/v1/statuses/7": (200, STATUS),
    "GET /api/v1/accounts/3/statuses": (200, []),
    "POST /api/v2/media": (202, {"id": "5", "type": "image", "url": None}),
    "GET /api/v1/media/5": (200, {"id": "5", "type": "image", "url": "https://m.example/5.png"}),
}
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def answer_by_path(answers: Answers) -> Act:
    def act(line: Line) -> None:
        while request := line.read_request():
            method, target = request.split(b" ", 2)[:2]
            status, body = answers[f"{method.decode()} {urlsplit(target.decode()).path}"]
            line.send(build_reply(status, body if isinstance(body, bytes) else json.dumps(body).encode()))

    return act


@pytest.fixture
def make_adapter() -> Iterator[Any]:
    made: list[MastodonAdapter] = []

    def make(server: RawServer, **options: Any) -> MastodonAdapter:
        made.append(MastodonAdapter(server.url, token="t0ken", wait_seconds=0.0, **options))
        return made[-1]

    yield make
    for adapter in made:
        adapter.close()


def make_file(folder: Path) -> MediaFile:
    path = folder / "file.png"
    path.write_bytes(make_png())
    return MediaFile(path, "image/png", path.stat().st_size, "a square")


def create(adapter: MastodonAdapter, part: Part | None = None, **more: Any) -> Any:
    given: dict[str, Any] = {
        "media_ids": [],
        "reply_to": None,
        "prepared": Prepared("key"),
        "send_before": None,
        **more,
    }
    return adapter.create_post(part or Part(0, "hi"), **given)


def find(adapter: MastodonAdapter, text: str = "hi", **more: Any) -> Any:
    asked: dict[str, Any] = {"reference": "", "since": NOW, "reply_to": None, "known_ids": (), **more}
    return adapter.find_published(Part(0, text), **asked)


def head_of(request: bytes, name: str) -> str:
    found = re.search(rb"(?im)^" + name.encode() + rb": (.*?)\r$", request)
    return found[1].decode() if found else ""


class TestEveryRequest:
    def test_is_what_the_document_says(self, make_adapter: Any, tmp_path: Path) -> None:
        with serve(answer_by_path(ANSWERS)) as server:
            adapter = make_adapter(server)
            adapter.fetch_profile()
            adapter.fetch_capabilities()
            media_id = adapter.upload_media(make_file(tmp_path))
            options = {"visibility": "private", "spoiler": "w", "sensitive": "yes", "language": "es"}
            create(adapter, Part(0, "hi", options=options), media_ids=[media_id], reply_to="6")
            create(adapter, Part(0, ""), media_ids=[media_id])
            adapter.fetch_recent_posts()
            adapter.fetch_posts(["7", "8"])
            adapter.delete_post("7")
        assert {request.split(b" ", 1)[0] for request in server.requests} == {b"GET", b"POST", b"DELETE"}
        for request in server.requests:
            check_request(request)
            assert head_of(request, "authorization") == "Bearer t0ken"

    def test_could_be_found_wrong(self, make_adapter: Any) -> None:
        with serve(answer_by_path(ANSWERS)) as server:
            create(make_adapter(server))
        with pytest.raises(OpenAPIError):
            check_request(server.requests[-1].replace(b'"status":"hi"', b'"status":[]  '))

    def test_carries_the_key_once_it_is_made(self, make_adapter: Any) -> None:
        with serve(answer_by_path(ANSWERS)) as server:
            adapter = make_adapter(server)
            prepared = adapter.prepare_post(Part(0, "hi"), media_ids=(), reply_to=None, former="")
            create(adapter, prepared=prepared)
        assert head_of(server.requests[-1], "idempotency-key") == prepared.reference
        assert re.fullmatch(r"[0-9a-f]{32}", prepared.reference)

    def test_streams_a_file_with_its_description(self, make_adapter: Any, tmp_path: Path) -> None:
        with serve(answer_by_path(ANSWERS)) as server:
            assert make_adapter(server).upload_media(make_file(tmp_path)) == "5"
        request = server.requests[0]
        assert make_png() in request
        assert b'name="description"\r\n\r\na square' in request
        assert int(head_of(request, "content-length")) == len(request.partition(b"\r\n\r\n")[2])


class TestOtherServers:
    @pytest.mark.parametrize("version", ["3.5.3 (compatible; Pixelfed 0.12.3)", "takahe/0.11", "0.17.3"])
    def test_give_no_reference_where_they_keep_no_keys(self, make_adapter: Any, version: str) -> None:
        with serve(answer_by_path({**ANSWERS, "GET /api/v2/instance": (200, {"version": version})})) as server:
            adapter = make_adapter(server)
            prepared = adapter.prepare_post(Part(0, "hi"), media_ids=(), reply_to=None, former="")
            create(adapter, prepared=prepared)
        assert prepared.reference == ""
        assert head_of(server.requests[-1], "idempotency-key")

    def test_give_none_where_they_do_not_say_what_they_are(self, make_adapter: Any) -> None:
        none = {"GET /api/v2/instance": GONE, "GET /api/v1/instance": GONE}
        with serve(answer_by_path({**ANSWERS, **none})) as server:
            prepared = make_adapter(server).prepare_post(Part(0, "hi"), media_ids=(), reply_to=None, former="")
        assert prepared.reference == ""

    def test_are_asked_in_the_former_way_where_they_are_older(self, make_adapter: Any) -> None:
        former = {"GET /api/v2/instance": GONE, "GET /api/v1/instance": (200, {"version": "3.5.3"})}
        with serve(answer_by_path({**ANSWERS, **former})) as server:
            assert make_adapter(server).fetch_capabilities() == {"version": "3.5.3"}

    def test_are_asked_for_posts_one_by_one_where_they_know_no_list(self, make_adapter: Any) -> None:
        with serve(answer_by_path({**ANSWERS, "GET /api/v1/statuses": GONE, "GET /api/v1/statuses/8": GONE})) as server:
            adapter = make_adapter(server)
            assert [post.platform_post_id for post in adapter.fetch_posts(["7", "8"])] == ["7"]
            adapter.fetch_posts(["7"])
        assert sum(b"GET /api/v1/statuses?" in request for request in server.requests) == 1

    def test_are_asked_for_the_source_where_they_show_more_than_was_written(self, make_adapter: Any) -> None:
        shown = {**STATUS, "content": "<p>a <strong>bold</strong> word</p>"}
        source = {"GET /api/v1/statuses/7/source": (200, {"id": "7", "text": "a **bold** word", "spoiler_text": ""})}
        pages = {"GET /api/v1/accounts/3/statuses": (200, [shown])}
        with serve(one_page({**ANSWERS, **pages, **source})) as server:
            adapter = make_adapter(server, account_id="3")
            assert find(adapter, "a **bold** word").platform_post_id == "7"
            assert find(adapter, "a **brave** word") is None

    def test_cannot_be_judged_where_they_show_too_much_else(self, make_adapter: Any) -> None:
        many = [{**STATUS, "id": str(number), "content": "<p>other</p>"} for number in range(1, MAX_SOURCES + 2)]
        act = one_page({**ANSWERS, "GET /api/v1/accounts/3/statuses": (200, many)})
        with serve(act) as server, pytest.raises(Unavailable) as caught:
            find(make_adapter(server, account_id="3"))
        assert caught.value.error_code == "mastodon.too_many_posts"


def one_page(answers: Answers) -> Act:
    """Answer, and say with `Link` that there is only this page."""

    def act(line: Line) -> None:
        while request := line.read_request():
            method, target = request.split(b" ", 2)[:2]
            status, body = answers[f"{method.decode()} {urlsplit(target.decode()).path}"]
            line.send(
                build_reply(status, json.dumps(body).encode(), 'link: <https://m.example/x?min_id=9>; rel="prev"')
            )

    return act


class TestHostileAnswers:
    @pytest.mark.parametrize(
        "answer",
        [
            (200, b""), (200, b"<html>proxy</html>"), (200, b"[]"), (200, {"error": "no"}), (200, {"id": None}),
            (200, b'{"id":"7"'), (204, b""), (302, b""), (500, b""), (502, b"<html>"), (408, b""), (200, b"\xff"),
        ],
    )  # fmt: skip
    def test_after_the_call_are_in_doubt(self, make_adapter: Any, answer: Answer) -> None:
        with serve(answer_by_path({"POST /api/v1/statuses": answer})) as server, pytest.raises(UnknownOutcome):
            create(make_adapter(server))
        assert server.connections == 1

    @pytest.mark.parametrize("answer", [(200, b""), (200, b"<html>"), (302, b""), (500, b""), (404, b"<html>")])
    def test_to_anything_else_may_be_asked_again(self, make_adapter: Any, answer: Answer, tmp_path: Path) -> None:
        with serve(answer_by_path(dict.fromkeys(ANSWERS, answer))) as server:
            adapter = make_adapter(server, account_id="3")
            for call in (
                adapter.fetch_profile,
                adapter.fetch_account_metrics,
                adapter.fetch_recent_posts,
                lambda: adapter.fetch_posts(["7"]),
                lambda: adapter.upload_media(make_file(tmp_path)),
                lambda: find(adapter),
            ):
                with pytest.raises(Unavailable):
                    call()

    def test_of_pages_that_never_end_are_no_answer(self, make_adapter: Any) -> None:
        count = iter(range(10_000, 0, -1))

        def act(line: Line) -> None:
            while line.read_request():
                line.send(build_reply(200, json.dumps([{**STATUS, "id": str(next(count))}]).encode()))

        with serve(act) as server, pytest.raises(Unavailable) as caught:
            find(make_adapter(server, account_id="3"))
        assert caught.value.error_code == "mastodon.endless_pages"

    def test_that_lead_to_the_same_page_end_the_look(self, make_adapter: Any) -> None:
        link = 'link: <https://m.example/x?max_id=7>; rel="next"'

        def act(line: Line) -> None:
            while line.read_request():
                line.send(build_reply(200, json.dumps([STATUS]).encode(), link))

        with serve(act) as server:
            make_adapter(server, account_id="3").fetch_recent_posts(limit=100)
        assert len(server.requests) == 2

    def test_never_show_the_token(self, make_adapter: Any) -> None:
        echo = (403, {"error": "You sent Bearer t0ken"})
        with serve(answer_by_path({"POST /api/v1/statuses": echo})) as server, pytest.raises(PlatformError) as caught:
            create(make_adapter(server))
        assert isinstance(caught.value, Rejected)
        assert "t0ken" not in str(caught.value)
