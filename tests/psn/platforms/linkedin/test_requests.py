"""How the adapter copes with answers that the sandbox never gives, and where it sends what."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from psn.errors import PlatformError, Rejected, Unavailable, UnknownOutcome
from psn.platforms.base import Part, Prepared
from psn.platforms.linkedin.adapter import LinkedInAdapter
from psn.platforms.linkedin.stores import Stores
from tests.psn.loopback import Act, Line, RawServer, build_reply, serve
from tests.psn.platforms.linkedin import files

MEMBER, PAGE = "urn:li:person:abc", "urn:li:organization:1"
SHARE = "urn:li:share:7141138937766391808"
OTHER_HOST = "http://localhost"  # this machine, but not where the calls go

Answers = Mapping[str, Any]  # "METHOD /path": body, or (status, body, more header lines)


def play(answers: Answers) -> Act:
    def act(line: Line) -> None:
        while request := line.read_request():
            method, target = request.split(b" ", 2)[:2]
            answer = answers[f"{method.decode()} {urlsplit(target.decode()).path}"]
            status, body, headers = answer if isinstance(answer, tuple) else (200, answer, ())
            content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
            line.send(build_reply(status, content, *headers))

    return act


class Make(Protocol):
    """Makes adapters that are closed afterwards."""

    def __call__(self, server: RawServer | None = None, *, account_id: str = MEMBER, **options: Any) -> LinkedInAdapter:
        """Make one that calls this server; LinkedIn itself when left out."""


@pytest.fixture
def make_adapter() -> Iterator[Make]:
    made: list[LinkedInAdapter] = []

    def make(server: RawServer | None = None, *, account_id: str = MEMBER, **options: Any) -> LinkedInAdapter:
        url = server.url if server else "https://api.linkedin.com"
        web = "https://www.linkedin.com"
        made.append(LinkedInAdapter(url, token="t0ken", web_base_url=web, account_id=account_id, **options))
        return made[-1]

    yield make
    for adapter in made:
        adapter.close()


def create(adapter: LinkedInAdapter) -> None:
    adapter.create_post(Part(0, "hi"), media_ids=[], reply_to=None, prepared=Prepared("1"), send_before=None)


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "words": b"ok",
    "page": b"<!doctype html><html>",
    "null": b"null",
    "list": b"[]",
    "number": b"7",
    "nested": b"[" * 100_000,
    "bytes": b"\xff\xfe\x00",
    "wrong-types": b'{"sub": [], "elements": {}, "results": [], "value": 7, "id": {}}',
}


class TestHostileAnswers:
    @pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
    def test_to_a_commit_leave_a_doubt(self, make_adapter: Make, body: bytes) -> None:
        for status in (200, 201):
            with serve(play({"POST /rest/posts": (status, body, ())})) as server, pytest.raises(UnknownOutcome):
                create(make_adapter(server))

    @pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
    def test_to_a_read_say_nothing(self, make_adapter: Make, body: bytes) -> None:
        path = "/rest/posts"
        with serve(play({"GET /v2/userinfo": body, f"GET {path}": body})) as server:
            member, page = make_adapter(server), make_adapter(server, account_id=PAGE)
            for read in (member.fetch_profile, page.fetch_recent_posts, lambda: page.fetch_posts([SHARE])):
                with pytest.raises(Unavailable):
                    read()
            since = datetime.now(UTC)
            with pytest.raises(Unavailable):
                page.find_published(Part(0, "hi"), reference="1", since=since, reply_to=None, known_ids=())

    @pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
    def test_to_an_upload_leave_nothing_behind(self, make_adapter: Make, body: bytes, tmp_path: Path) -> None:
        answers = {f"POST /rest/{kind}": body for kind in ("images", "videos", "documents")}
        with serve(play(answers)) as server:
            for media in (files.png(tmp_path), files.mp4(tmp_path), files.pdf(tmp_path)):
                with pytest.raises(Unavailable):
                    make_adapter(server).upload_media(media)

    def test_that_lead_elsewhere_are_not_followed(self, make_adapter: Make) -> None:
        moved = (302, b"", ("location: http://127.0.0.1:1/rest/posts", f"x-restli-id: {SHARE}"))
        with serve(play({"POST /rest/posts": moved, "GET /v2/userinfo": moved})) as server:
            with pytest.raises(UnknownOutcome):
                create(make_adapter(server))
            with pytest.raises(Unavailable):
                make_adapter(server).fetch_profile()

    def test_never_bring_the_token_into_a_message(self, make_adapter: Make) -> None:
        said = {"status": 400, "message": "bad token t0ken"}
        with serve(play({"POST /rest/posts": (400, said, ())})) as server, pytest.raises(Rejected) as refused:
            create(make_adapter(server))
        assert "t0ken" not in refused.value.message


def opened(kind: str, url: str) -> dict[str, Any]:
    return {"value": {"uploadUrl": url, kind: f"urn:li:{kind}:a"}}


def video(url: str, *spans: tuple[int, int]) -> dict[str, Any]:
    parts = [{"uploadUrl": f"{url}/part", "firstByte": first, "lastByte": last} for first, last in spans]
    return {"value": {"video": "urn:li:video:a", "uploadToken": "", "uploadInstructions": parts}}


def uploaded(server: RawServer) -> list[bytes]:
    return [request for request in server.requests if request.startswith(b"PUT ")]


class TestUploadAddresses:
    def test_see_the_token_only_where_all_other_calls_go(self, make_adapter: Make, tmp_path: Path) -> None:
        with serve(play({"PUT /up": (201, b"", ())})) as store:
            elsewhere = f"{OTHER_HOST}:{store.port}/up?x=(1)"
            with serve(play({"POST /rest/images": opened("image", elsewhere)})) as server:
                assert make_adapter(server).upload_media(files.png(tmp_path)) == "urn:li:image:a"
            (put,) = uploaded(store)
        assert b"t0ken" not in put
        assert put.startswith(b"PUT /up?x=(1) ")
        assert put.endswith(files.png(tmp_path).path.read_bytes())

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "/up",
            "ftp://www.linkedin.com/up",
            "http://www.linkedin.com/up",
            "http://169.254.169.254/latest",
            "https://user:secret@www.linkedin.com/up",
            "https://[x/up",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "http://127.0.0.1:1/a\x00b",
            "http://127.0.0.1:1/a b",
            "http://127.0.0.1:1/" + "a" * 10_000,
            "http://127.0.0.1:99999/a",
        ],
    )
    def test_are_refused_when_they_are_unsafe(self, make_adapter: Make, url: str, tmp_path: Path) -> None:
        answers = {"POST /rest/images": opened("image", url), "POST /rest/videos": video(url, (0, 4999))}
        with serve(play(answers)) as server:
            for media in (files.png(tmp_path), files.mp4(tmp_path)):
                with pytest.raises(Unavailable) as refused:
                    make_adapter(server).upload_media(media)
                assert refused.value.error_code == "linkedin.upload_address"

    @pytest.mark.parametrize(
        ("url", "is_trusted"),
        [
            ("https://www.linkedin.com/dms-uploads/a", True),
            ("https://api.linkedin.com/a", True),
            ("https://www.linkedin.com:8443/a", True),
            ("https://linkedin.com.evil.example/a", False),
            ("https://evil-linkedin.com/a", False),
        ],
    )
    def test_at_linkedin_see_the_token_and_at_others_do_not(self, url: str, is_trusted: bool) -> None:
        stores = Stores("https://api.linkedin.com", token="t0ken")
        assert stores._is_trusted(stores._split(url)) is is_trusted
        http = stores._open(stores._split(url), with_token=is_trusted)
        assert ("authorization" in http._headers) is is_trusted
        stores.close()

    def test_on_this_machine_are_not_linkedin_s(self) -> None:
        stores = Stores("https://api.linkedin.com", token="t0ken")
        with serve(play({"PUT /_shutdown": None})) as local, pytest.raises(Unavailable) as refused:
            stores.put(f"{local.url}/_shutdown", b"", size_bytes=0, timeout_seconds=1, with_token=False)
        assert refused.value.error_code == "linkedin.upload_address"
        assert local.connections == 0

    def test_that_refuse_a_part_are_worth_another_upload(self, make_adapter: Make, tmp_path: Path) -> None:
        with serve(play({"PUT /part": (403, b"<Error/>", ())})) as store:
            answers = {"POST /rest/videos": video(store.url, (0, 4999))}
            with serve(play(answers)) as server, pytest.raises(Unavailable) as refused:
                make_adapter(server).upload_media(files.mp4(tmp_path))
        assert refused.value.error_code == "linkedin.upload_refused"

    def test_that_give_no_tag_are_no_upload(self, make_adapter: Make, tmp_path: Path) -> None:
        with serve(play({"PUT /part": (200, b"", ())})) as store:
            answers = {"POST /rest/videos": video(store.url, (0, 4999))}
            with serve(play(answers)) as server, pytest.raises(Unavailable):
                make_adapter(server).upload_media(files.mp4(tmp_path))


class TestVideoParts:
    @pytest.mark.parametrize(
        "spans",
        [
            [(0, 4998)],
            [(0, 5000)],
            [(1, 4999)],
            [(0, 99), (200, 4999)],
            [(0, 99), (50, 4999)],
            [(0, 10**12)],
            [(5, 4), (0, 4999)],
        ],
        ids=["short", "long", "late", "gap", "overlap", "endless", "backwards"],
    )
    def test_that_do_not_make_up_the_video_are_not_sent(
        self, make_adapter: Make, spans: list[tuple[int, int]], tmp_path: Path
    ) -> None:
        with serve(play({"PUT /part": (200, b"", ("etag: x",))})) as store:
            answers = {"POST /rest/videos": video(store.url, *spans)}
            with serve(play(answers)) as server, pytest.raises(Unavailable):
                make_adapter(server).upload_media(files.mp4(tmp_path))
            assert uploaded(store) == []

    def test_are_named_in_their_order(self, make_adapter: Make, tmp_path: Path) -> None:
        ready = {"GET /rest/videos/urn%3Ali%3Avideo%3Aa": {"status": "AVAILABLE"}}
        with serve(play({"PUT /part": (200, b"", ("etag: t",))})) as store:
            answers = {"POST /rest/videos": video(store.url, (3000, 4999), (0, 2999)), **ready}
            with serve(play(answers)) as server:
                assert make_adapter(server).upload_media(files.mp4(tmp_path)) == "urn:li:video:a"
                finalize = json.loads(server.requests[1].partition(b"\r\n\r\n")[2])
            sizes = [len(request.partition(b"\r\n\r\n")[2]) for request in uploaded(store)]
        assert sizes == [3000, 2000]
        assert finalize["finalizeUploadRequest"]["uploadedPartIds"] == ["t", "t"]

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            ((403, {"status": 403, "message": "no"}, ()), None),
            ({"status": "PROCESSING_FAILED", "processingFailureReason": "codec"}, Rejected),
            ({"status": "SOMETHING_NEW"}, Unavailable),
            ({}, Unavailable),
            ((404, b"", ()), Rejected),
            ((503, b"", ()), Unavailable),
        ],
        ids=["may-not-ask", "failed", "unknown", "empty", "gone", "down"],
    )
    def test_wait_for_linkedin_as_far_as_it_tells(
        self, make_adapter: Make, answer: Any, error: type[PlatformError] | None, tmp_path: Path
    ) -> None:
        def upload(server: RawServer) -> str:
            adapter = make_adapter(server, processing_seconds=1, sleep=lambda _: None)
            return adapter.upload_media(files.mp4(tmp_path))

        with serve(play({"PUT /part": (200, b"", ("etag: t",))})) as store:
            answers = {
                "POST /rest/videos": video(store.url, (0, 4999)),
                "GET /rest/videos/urn%3Ali%3Avideo%3Aa": answer,
            }
            with serve(play(answers)) as server:
                if error is None:
                    assert upload(server) == "urn:li:video:a"
                    return
                with pytest.raises(error) as refused:
                    upload(server)
                assert type(refused.value) is error


class TestDelete:
    @pytest.mark.parametrize("status", [200, 204, 404])
    def test_does_not_mind_that_it_is_gone(self, make_adapter: Make, status: int) -> None:
        with serve(play({"DELETE /rest/posts/urn%3Ali%3Ashare%3A7141138937766391808": (status, b"", ())})) as server:
            make_adapter(server).delete_post(SHARE)

    @pytest.mark.parametrize("status", [400, 403])
    def test_says_that_it_is_kept(self, make_adapter: Make, status: int) -> None:
        answers = {"DELETE /rest/posts/urn%3Ali%3Ashare%3A7141138937766391808": (status, b"", ())}
        with serve(play(answers)) as server, pytest.raises(Rejected):
            make_adapter(server).delete_post(SHARE)
