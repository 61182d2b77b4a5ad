"""What the adapter sends, against the contract, and how it copes with answers the sandbox never gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from jsonschema import ValidationError

from psn.errors import PlatformError, Unavailable, UnknownOutcome
from psn.platforms.base import Prepared
from psn.platforms.tiktok.adapter import TikTokAdapter
from tests.psn.loopback import Act, Line, RawServer, build_reply, serve
from tests.psn.platforms.tiktok.contract import check_answer, check_request, load_contract
from tests.psn.platforms.tiktok.parts import PUBLIC, make_photo, make_video, photo_part, video_part

P = "/v2/post/publish/"
VIDEO = {"id": "7411111111111111111", "create_time": 1_795_000_000, "title": "hi", "view_count": 3, "share_url": ""}
ANSWERS: Mapping[str, object] = {  # `data` by call
    "GET /v2/user/info/": {"user": {"open_id": "-000a", "display_name": "Ann", "follower_count": 3}},
    f"POST {P}creator_info/query/": {"creator_username": "ann", "privacy_level_options": [PUBLIC["visibility"]]},
    f"POST {P}inbox/video/init/": {"publish_id": "v_inbox_file~1", "upload_url": "{base}/upload/video/?t=1"},
    f"POST {P}video/init/": {"publish_id": "v_pub_file~1", "upload_url": "{base}/upload/video/?t=1"},
    f"POST {P}content/init/": {"publish_id": "p_pub_url~1"},
    f"POST {P}status/fetch/": {"status": "PUBLISH_COMPLETE", "publicaly_available_post_id": [7411111111111111111]},
    "POST /v2/video/list/": {"videos": [VIDEO], "cursor": 1_795_000_000_000, "has_more": False},
    "POST /v2/video/query/": {"videos": [VIDEO]},
}


def answer_by_path(answers: Mapping[str, object], *, raw: bytes | None = None) -> Act:
    """Answer calls that are in the table; `raw` answers what is not."""

    def act(line: Line) -> None:
        while request := line.read_request():
            method, target = request.split(b" ", 2)[:2]
            call = f"{method.decode()} {urlsplit(target.decode()).path}"
            if call.startswith("PUT"):
                line.send(build_reply(201, b""))
            elif call in answers:
                host = next(head for head in request.split(b"\r\n") if head.lower().startswith(b"host:"))[5:].strip()
                body = json.dumps({"data": answers[call], "error": {"code": "ok", "message": "", "log_id": "log"}})
                line.send(build_reply(200, body.replace("{base}", f"http://{host.decode()}").encode()))
            else:
                line.send(raw or build_reply(404, b"Unsupported path(Janus)"))
                return  # an answer that breaks off does so here

    return act


@contextmanager
def connected(act: Act, **options: Any) -> Iterator[tuple[TikTokAdapter, RawServer]]:
    """Give an adapter that talks to a server playing this act."""
    given = {"processing_seconds": 0.0, "poll_seconds": 0.01, **options}
    with serve(act) as server:
        adapter = TikTokAdapter(server.url, token="t0ken", web_base_url="https://www.tiktok.com", **given)
        try:
            yield adapter, server
        finally:
            adapter.close()


def use_everything(adapter: TikTokAdapter, folder: Path) -> None:
    """Make every kind of call at least once."""
    video = make_video(folder / "a.mp4")
    photo = make_photo(folder / "a.jpg", public_url="https://media.example.com/a.jpg")
    direct = {**PUBLIC, "comments": "yes", "ai": "yes", "brand_organic": "yes"}
    parts = [
        video_part(video),
        video_part(video, "caption", **direct),
        photo_part(photo, text="what it is"),
        photo_part(photo, title="Look", **PUBLIC),
    ]
    for part in parts:
        media_ids = [adapter.upload_media(media) for media in part.media]
        prepared = adapter.prepare_post(part, media_ids=media_ids, reply_to=None, former="")
        adapter.create_post(part, media_ids=media_ids, reply_to=None, prepared=prepared, send_before=None)
    adapter.fetch_profile()
    adapter.fetch_capabilities()
    adapter.fetch_account_metrics()
    adapter.fetch_recent_posts(since=datetime(2026, 1, 1, tzinfo=UTC))
    adapter.fetch_posts(["7411111111111111111", "v_pub_file~1"])
    adapter.find_published(parts[1], reference="v_pub_file~1", since=datetime.now(UTC), reply_to=None, known_ids=())


def check_call(request: bytes) -> str:
    """Raise when the contract does not know this request; give method and path."""
    head, _, body = request.partition(b"\r\n\r\n")
    method, target, _ = head.partition(b"\r\n")[0].decode().split(" ")
    address = urlsplit(target)
    call = f"{method} {address.path}"
    check_request(call, json.loads(body) if body else None, query=dict(parse_qsl(address.query)))
    assert b"\r\nauthorization: bearer t0ken" in head.lower()
    assert not body or b"\r\ncontent-type: application/json; charset=utf-8" in head.lower()
    return call


class TestRequests:
    def test_are_what_the_contract_says(self, tmp_path: Path) -> None:
        with connected(answer_by_path(ANSWERS)) as (adapter, server):
            use_everything(adapter, tmp_path)
        calls = {check_call(request) for request in server.requests if not request.startswith(b"PUT")}
        assert calls == set(ANSWERS)

    def test_would_be_caught_if_they_were_wrong(self) -> None:
        body = {"source_info": {"source": "FILE_UPLOAD", "video_size": 0, "chunk_size": 1, "total_chunk_count": 1}}
        with pytest.raises(ValidationError):
            check_request(f"POST {P}inbox/video/init/", body)
        with pytest.raises(ValidationError):
            check_request("GET /v2/user/info/", query={"fields": "open_id,colour"})
        with pytest.raises(ValidationError):
            check_answer(f"POST {P}status/fetch/", {"data": {"status": "?"}, "error": {"code": "ok"}})

    def test_cover_the_contract(self) -> None:
        assert set(ANSWERS) | {"POST /v2/oauth/token/"} == set(load_contract()["calls"])

    def test_make_the_post_exactly_once(self, tmp_path: Path) -> None:
        part = video_part(make_video(tmp_path / "a.mp4"))
        with connected(answer_by_path(ANSWERS)) as (adapter, server):
            prepared = adapter.prepare_post(part, media_ids=["a"], reply_to=None, former="")
            adapter.create_post(part, media_ids=["a"], reply_to=None, prepared=prepared, send_before=None)
        assert sum(request.startswith(b"PUT") for request in server.requests) == 1


HOSTILE = {
    "html": build_reply(200, b"<html>login</html>"),
    "empty": build_reply(200, b""),
    "list": build_reply(200, b"[]"),
    "no-data": build_reply(200, b'{"error":{"code":"ok"}}'),
    "no-id": build_reply(200, b'{"data":{},"error":{"code":"ok"}}'),
    "null": build_reply(200, b'{"data":null,"error":{"code":"ok"}}'),
    "other-types": build_reply(200, b'{"data":{"publish_id":[],"videos":7,"user":7,"status":7},"error":{"code":"ok"}}'),
    "redirect": build_reply(302, b"", "location: http://10.0.0.1/"),
    "see-other": build_reply(
        303, b'{"data":{"publish_id":"x"},"error":{"code":"ok"}}', "location: https://example.com/"
    ),
    "no-content": b"HTTP/1.1 204 X\r\n\r\n",
    "cut": b'HTTP/1.1 200 X\r\ncontent-length: 999\r\n\r\n{"data":',
    "server-error": build_reply(502, b"<html>bad gateway</html>"),
    "internal": build_reply(200, b'{"data":{},"error":{"code":"internal_error","message":"","log_id":"l"}}'),
}
Use = Callable[[TikTokAdapter, Path], object]


def open_video(adapter: TikTokAdapter, folder: Path) -> object:
    return adapter.prepare_post(video_part(make_video(folder / "a.mp4")), media_ids=["a"], reply_to=None, former="")


def send_photos(adapter: TikTokAdapter, folder: Path) -> object:
    part = photo_part(make_photo(folder / "a.jpg"))
    return adapter.create_post(
        part, media_ids=["https://m.example/a.jpg"], reply_to=None, prepared=Prepared(), send_before=None
    )


READS: dict[str, Use] = {
    "profile": lambda adapter, _: adapter.fetch_profile(),
    "capabilities": lambda adapter, _: adapter.fetch_capabilities(),
    "counts": lambda adapter, _: adapter.fetch_account_metrics(),
    "recent": lambda adapter, _: adapter.fetch_recent_posts(),
    "posts": lambda adapter, _: adapter.fetch_posts(["7411111111111111111"]),
    "status": lambda adapter, _: adapter.fetch_posts(["v_pub_file~1"]),
    "look": lambda adapter, _: adapter.find_published(
        video_part(), reference="v_pub_file~1", since=datetime.now(UTC), reply_to=None, known_ids=()
    ),
    "open": open_video,
}
# `creator_info` names nothing that must be there; its absence only makes every choice impossible.
GENTLE = {("capabilities", "no-id"), ("capabilities", "other-types")}


class TestHostileAnswers:
    @pytest.mark.parametrize("answer", HOSTILE)
    @pytest.mark.parametrize("use", READS)
    def test_to_a_question_mean_that_nobody_answered(self, use: str, answer: str, tmp_path: Path) -> None:
        with connected(answer_by_path({}, raw=HOSTILE[answer])) as (adapter, _):
            if (use, answer) in GENTLE:
                assert adapter.fetch_capabilities()["privacy_level_options"] == []
            else:
                with pytest.raises(Unavailable):
                    READS[use](adapter, tmp_path)

    @pytest.mark.parametrize("answer", HOSTILE)
    def test_to_the_one_call_mean_that_nobody_knows(self, answer: str, tmp_path: Path) -> None:
        with connected(answer_by_path({}, raw=HOSTILE[answer])) as (adapter, server), pytest.raises(UnknownOutcome):
            send_photos(adapter, tmp_path)
        assert len(server.requests) == 1

    def test_never_lead_to_a_foreign_address(self, tmp_path: Path) -> None:
        answers = {f"POST {P}inbox/video/init/": {"publish_id": "x", "upload_url": "http://169.254.169.254/latest"}}
        part = video_part(make_video(tmp_path / "a.mp4", size_bytes=11_000_000))
        with connected(answer_by_path(answers)) as (adapter, _), pytest.raises(Unavailable) as caught:
            adapter.prepare_post(part, media_ids=["a"], reply_to=None, former="")
        assert caught.value.error_code == "tiktok.upload_address"

    def test_of_endless_pages_come_to_an_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("psn.platforms.tiktok.adapter.MAX_PAGES", 3)
        answers = {"POST /v2/video/list/": {"videos": [VIDEO], "cursor": 1, "has_more": True}}
        with connected(answer_by_path(answers)) as (adapter, server), pytest.raises(Unavailable) as caught:
            adapter.fetch_recent_posts(limit=100)
        assert (caught.value.error_code, len(server.requests)) == ("tiktok.endless_pages", 3)

    def test_never_show_the_token(self, tmp_path: Path) -> None:
        body = b'{"data":{},"error":{"code":"invalid_params","message":"Bearer t0ken is odd","log_id":"l"}}'
        with (
            connected(answer_by_path({}, raw=build_reply(400, body))) as (adapter, _),
            pytest.raises(PlatformError) as caught,
        ):
            send_photos(adapter, tmp_path)
        assert "t0ken" not in caught.value.message


class TestPatience:
    def test_asks_until_it_is_over(self, tmp_path: Path) -> None:
        states = iter(["PROCESSING_DOWNLOAD"] * 4)  # opening takes one, and looks past it

        def act(line: Line) -> None:
            while line.read_request():
                data = {"publish_id": "p~1", "status": next(states, "SEND_TO_USER_INBOX")}
                line.send(build_reply(200, json.dumps({"data": data, "error": {"code": "ok"}}).encode()))

        with connected(act, processing_seconds=5.0) as (adapter, server):
            published = send_photos(adapter, tmp_path)
        assert getattr(published, "delivered", None) is True
        assert len(server.requests) == 5

    def test_ends(self, tmp_path: Path) -> None:
        answers = {
            f"POST {P}content/init/": {"publish_id": "p~1"},
            f"POST {P}status/fetch/": {"status": "PROCESSING_DOWNLOAD"},
        }
        act = answer_by_path(answers)
        with connected(act, processing_seconds=0.1) as (adapter, server), pytest.raises(UnknownOutcome) as caught:
            send_photos(adapter, tmp_path)
        assert (caught.value.error_code, caught.value.reference) == ("tiktok.processing", "p~1")
        assert 2 < len(server.requests) < 15
