"""What the adapter sends, against X's own OpenAPI document, and how it copes with answers the sandbox never gives."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.parser import BytesHeaderParser, BytesParser
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest

from psn.errors import PlatformError, Rejected, Unavailable, UnknownOutcome
from psn.platforms.base import MediaFile, Part, Prepared
from psn.platforms.x import PLATFORM
from psn.platforms.x.adapter import XAdapter
from tests.contracts.specs import find_contract
from tests.psn.loopback import Act, Line, RawServer, build_reply, serve

Answers = Mapping[str, tuple[int, object]]  # "METHOD /path": status, body
POST = {"id": "7", "text": "hi", "created_at": "2026-11-20T08:00:00Z"}
ANSWERS: Answers = {
    "GET /2/users/me": (200, {"data": {"id": "3", "username": "ann", "name": "Ann"}}),
    "POST /2/tweets": (201, {"data": {"id": "7", "text": "hi"}}),
    "GET /2/users/3/tweets": (200, {"data": [POST], "meta": {"result_count": 1}}),
    "GET /2/tweets": (200, {"data": [POST]}),
    "DELETE /2/tweets/7": (200, {"data": {"deleted": True}}),
    "POST /2/media/upload": (200, {"data": {"id": "5"}}),
    "POST /2/media/upload/initialize": (200, {"data": {"id": "5"}}),
    "POST /2/media/upload/5/append": (200, {"data": {"expires_at": 1}}),
    "POST /2/media/upload/5/finalize": (
        200,
        {"data": {"id": "5", "processing_info": {"state": "pending", "check_after_secs": 0}}},
    ),
    "GET /2/media/upload": (200, {"data": {"id": "5", "processing_info": {"state": "succeeded"}}}),
    "POST /2/media/metadata": (200, {"data": {"id": "5"}}),
}


def answer_by_path(answers: Answers) -> Act:
    def act(line: Line) -> None:
        while request := line.read_request():
            method, target = request.split(b" ", 2)[:2]
            status, body = answers[f"{method.decode()} {urlsplit(target.decode()).path}"]
            line.send(build_reply(status, body if isinstance(body, bytes) else json.dumps(body).encode()))

    return act


def make_adapter(server: RawServer, **options: Any) -> XAdapter:
    return XAdapter(server.url, token="t0ken", web_base_url="https://x.com", **options)


def make_file(path: Path, mime_type: str, size_bytes: int, alt_text: str = "") -> MediaFile:
    path.write_bytes(b"\x01" * size_bytes)
    return MediaFile(path, mime_type, size_bytes, alt_text)


@cache
def load_contract(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def check_request(content: bytes, *, server: RawServer) -> None:
    """Raise when X's document does not know this request."""
    document = {**load_contract(find_contract("x-api-v2.json")), "servers": [{"url": server.url}]}
    contract = OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))  # type: ignore[arg-type]  # it has a duplicate enum entry
    first, _, rest = content.partition(b"\r\n")
    head, _, body = rest.partition(b"\r\n\r\n")
    method, target, _ = first.decode().split(" ")
    headers = {name.lower(): value for name, value in BytesHeaderParser().parsebytes(head).items()}
    content_type = headers.get("content-type") or "application/json"
    if content_type.startswith("multipart/form-data"):
        body, content_type = read_multipart(rest), "application/json"
    contract.validate_request(
        MockRequest(
            server.url,
            method.lower(),
            urlsplit(target).path,
            args=dict(parse_qsl(urlsplit(target).query)),
            headers=headers,
            data=body or None,
            content_type=content_type,
        )
    )


def read_multipart(message: bytes) -> bytes:
    """Give a form as the JSON that X takes as well: the checker cannot read a number in a form."""
    fields: dict[str, object] = {}
    for part in BytesParser().parsebytes(message).get_payload():
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        value = part.get_payload(decode=True)  # type: ignore[union-attr]
        assert isinstance(name, str)
        assert isinstance(value, bytes)
        text = base64.b64encode(value).decode() if name == "media" else value.decode()
        fields[name] = int(text) if text.isdigit() else text
    return json.dumps(fields).encode()


def use_everything(adapter: XAdapter, folder: Path) -> None:
    adapter.fetch_profile()
    adapter.fetch_capabilities()
    adapter.fetch_account_metrics()
    chosen = Part(0, "hi", options={"ai": "yes", "replies": "following"})
    adapter.create_post(chosen, media_ids=[], reply_to=None, prepared=Prepared(), send_before=None)
    adapter.create_post(Part(0, "hi"), media_ids=[], reply_to=None, prepared=Prepared(), send_before=None)
    adapter.create_post(Part(1, ""), media_ids=["5", "6"], reply_to="7", prepared=Prepared(), send_before=None)
    adapter.fetch_recent_posts(since=datetime.now(UTC))
    adapter.find_published(Part(0, "hi"), reference="", since=datetime.now(UTC), reply_to=None, known_ids=())
    adapter.fetch_posts(["7", "8"])
    adapter.delete_post("7")
    adapter.upload_media(make_file(folder / "a.png", "image/png", 10, alt_text="a dot"))
    adapter.upload_media(make_file(folder / "a.mp4", "video/mp4", 1001))


class TestRequests:
    @pytest.mark.filterwarnings("ignore:Unsupported scheme type")  # OAuth; what we send for it is tested below
    def test_are_all_such_as_x_describes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("psn.platforms.x.upload.PART_BYTES", 1000)
        with serve(answer_by_path(ANSWERS)) as server:
            adapter = make_adapter(server)
            use_everything(adapter, tmp_path)
            adapter.close()
            sent = {
                " ".join(request.decode("latin-1").split(" ", 2)[:2]).partition("?")[0] for request in server.requests
            }
            assert sent == set(ANSWERS), "a kind of request was not tried"
            for request in server.requests:
                check_request(request, server=server)

    def test_ask_in_the_words_of_today(self) -> None:
        with serve(answer_by_path(ANSWERS)) as server:
            adapter = make_adapter(server)
            adapter.fetch_posts(["7"])
            adapter.close()
        assert b"post.fields=" in server.requests[0]
        assert b"tweet.fields=" not in server.requests[0]

    def test_ask_for_each_post_once(self) -> None:
        with serve(answer_by_path(ANSWERS)) as server:
            adapter = make_adapter(server)
            adapter.fetch_posts(["7", "8", "7"])
            adapter.close()
        assert b"ids=7%2C8&" in server.requests[0]

    def test_never_hold_more_of_a_file_than_one_part(self, tmp_path: Path) -> None:
        with serve(answer_by_path(ANSWERS)) as server:
            adapter = make_adapter(server)
            adapter.upload_media(make_file(tmp_path / "a.mp4", "video/mp4", 9 * 1024 * 1024))
            adapter.close()
        sizes = [len(request) for request in server.requests if b"/append" in request.split(b"\r\n")[0]]
        assert [size // (1024 * 1024) for size in sizes] == [4, 4, 1]

    def test_carry_the_token_in_its_header_only(self, tmp_path: Path) -> None:
        with serve(answer_by_path(ANSWERS)) as server:
            adapter = make_adapter(server)
            use_everything(adapter, tmp_path)
            adapter.close()
        assert all(request.lower().count(b"t0ken") == 1 for request in server.requests)
        assert all(b"uthorization: Bearer t0ken\r\n" in request for request in server.requests)


class TestConnect:
    @pytest.mark.parametrize("api", ["https://api.x.com", "https://api.x.com/"])
    def test_leads_people_to_the_real_site(self, api: str) -> None:
        adapter = PLATFORM.connect(api, "t0ken")
        assert isinstance(adapter, XAdapter)
        assert adapter.web_base_url == "https://x.com"
        adapter.close()

    def test_leads_people_to_the_stand_in_where_there_is_one(self) -> None:
        with serve(answer_by_path(ANSWERS)) as server:
            adapter = PLATFORM.connect(server.url + "/", "t0ken")
            assert adapter.fetch_profile().url == f"{server.url}/ann"
            adapter.close()


class TestOldVocabulary:
    def test_is_used_once_x_refuses_the_new_one_and_from_then_on(self) -> None:
        def act(line: Line) -> None:
            while request := line.read_request():
                known = b"tweet.fields=" in request.split(b"\r\n")[0]
                post = POST | {"public_metrics": {"retweet_count": 4}}
                line.send(build_reply(200, json.dumps({"data": [post]}).encode()) if known else build_reply(400))

        with serve(act) as server:
            adapter = make_adapter(server)
            assert adapter.fetch_posts(["7"])[0].metrics == {"reposts": 4}
            adapter.fetch_posts(["7"])
            adapter.close()
        assert [b"tweet.fields=" in request for request in server.requests] == [False, True, True]

    def test_is_no_way_around_a_request_that_is_wrong_in_any_words(self) -> None:
        with serve(answer_by_path({"GET /2/tweets": (400, {"title": "Invalid Request"})})) as server:
            adapter = make_adapter(server)
            for _ in range(2):
                with pytest.raises(Rejected):
                    adapter.fetch_posts(["x"])
            adapter.close()
        assert [b"tweet.fields=" in request for request in server.requests] == [False, True, False, True]


class TestOddAnswers:
    @pytest.mark.parametrize(
        ("answers", "kind", "code"),
        [
            ({"POST /2/media/upload": (200, {"data": {"id": "5", "processing_info": {"state": "failed"}}})}, Rejected, "x.media_failed"),
            ({"POST /2/media/upload": (200, {"data": {}})}, Unavailable, "platform.unavailable"),
            ({"POST /2/media/upload": (200, {"data": {"id": "../tweets"}})}, Unavailable, "platform.unavailable"),
            ({"POST /2/media/upload": (302, {})}, Unavailable, "platform.unavailable"),
            ({"POST /2/media/upload": (413, {})}, Rejected, "x.too_large"),
        ],
        ids=["failed", "no-id", "no-number", "redirect", "too-large"],
    )  # fmt: skip
    def test_to_an_upload_are_told_apart(
        self, answers: Answers, kind: type[PlatformError], code: str, tmp_path: Path
    ) -> None:
        with serve(answer_by_path(answers)) as server:
            adapter = make_adapter(server)
            with pytest.raises(kind) as caught:
                adapter.upload_media(make_file(tmp_path / "a.png", "image/png", 10))
            adapter.close()
        assert caught.value.error_code == code

    @pytest.mark.parametrize("status", [204, 301, 302, 307, 308])
    def test_to_a_post_leave_it_unknown(self, status: int) -> None:
        with serve(answer_by_path({"POST /2/tweets": (status, b"")})) as server:
            adapter = make_adapter(server)
            with pytest.raises(UnknownOutcome):
                adapter.create_post(Part(0, "hi"), media_ids=[], reply_to=None, prepared=Prepared(), send_before=None)
            adapter.close()
        assert len(server.requests) == 1

    def test_to_a_deletion_do_not_pass_for_one(self) -> None:
        with serve(answer_by_path({"DELETE /2/tweets/7": (200, {"data": {"deleted": False}})})) as server:
            adapter = make_adapter(server)
            with pytest.raises(Rejected):
                adapter.delete_post("7")
            adapter.close()

    def test_to_a_deletion_of_nothing_pass(self) -> None:
        with serve(answer_by_path({"DELETE /2/tweets/7": (404, {"title": "Not Found"})})) as server:
            adapter = make_adapter(server)
            adapter.delete_post("7")
            adapter.close()

    def test_of_a_timeline_that_turns_for_ever_come_to_an_end(self) -> None:
        page = {"data": [POST], "meta": {"next_token": "again"}}
        with serve(answer_by_path({**ANSWERS, "GET /2/users/3/tweets": (200, page)})) as server:
            adapter = make_adapter(server)
            assert len(adapter.fetch_recent_posts(limit=3)) == 3
            adapter.close()

    @pytest.mark.parametrize(
        "page",
        [
            {"data": [POST], "meta": {"next_token": "again"}},
            {"data": [POST], "meta": {"result_count": 2}},
            {"errors": [{"title": "Not Found Error"}]},
        ],
        ids=["for-ever", "less-than-found", "no-word-of-it"],
    )
    def test_of_a_timeline_do_not_pass_for_all_of_it(self, page: dict[str, object]) -> None:
        with serve(answer_by_path({**ANSWERS, "GET /2/users/3/tweets": (200, page)})) as server:
            adapter = make_adapter(server)
            with pytest.raises(Unavailable):
                adapter.find_published(
                    Part(0, "ho"), reference="", since=datetime.now(UTC), reply_to=None, known_ids=()
                )
            adapter.close()

    def test_of_empty_pages_without_end_do_not_pass_for_an_empty_timeline(self) -> None:
        page = {"meta": {"next_token": "again", "result_count": 0}}
        with serve(answer_by_path({**ANSWERS, "GET /2/users/3/tweets": (200, page)})) as server:
            adapter = make_adapter(server)
            with pytest.raises(Unavailable):
                adapter.fetch_recent_posts(limit=3)
            adapter.close()
