from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.psn.platforms.tiktok.parts import JPEG
from tests.sandbox.files import MP4, make_png
from tests.sandbox.process import WEB, Sandbox, rush
from tests.sandbox.tiktok.people import MB, Person, connect, put, store

REST = b"\x07" * (12 * MB)


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def opened(answer: httpx2.Response) -> dict[str, Any]:
    data: dict[str, Any] = answer.raise_for_status().json()["data"]
    return data


class TestUpload:
    def test_makes_a_draft_with_its_last_piece(self, person: Person, sandbox: Sandbox) -> None:
        content = MP4 + REST
        draft = opened(person.open_draft(len(content), chunk=5 * MB, chunks=2))
        first = put(draft["upload_url"], content[: 5 * MB], total=len(content))
        assert (first.status_code, first.headers["content-range"]) == (206, f"bytes 0-4999999/{len(content)}")
        assert person.status(draft["publish_id"]) | {"downloaded_bytes": 0} == {
            "status": "PROCESSING_UPLOAD",
            "fail_reason": "",
            "publicaly_available_post_id": [],
            "uploaded_bytes": 5 * MB,
            "downloaded_bytes": 0,
        }
        assert sandbox.ask("posts") == []
        assert put(draft["upload_url"], content[5 * MB :], first=5 * MB, total=len(content)).status_code == 201
        sandbox.move_clock(1)
        assert person.status(draft["publish_id"])["status"] == "SEND_TO_USER_INBOX"
        (post,) = sandbox.ask("posts")
        assert (post["kind"], WEB.get(post["media"][0]["url"]).content) == ("inbox", content)

    @pytest.mark.parametrize(
        ("size", "chunk", "chunks"),
        [
            (30 * MB, 10 * MB, 4),  # rounded up
            (12 * MB, 5 * MB, 3),
            (30 * MB, 1 * MB, 30),  # too small
            (200 * MB, 65 * MB, 3),  # too large
            (100 * MB, 100 * MB, 1),
            (4 * MB, 2 * MB, 2),
            (0, 0, 0),
        ],
    )
    def test_is_cut_as_tiktok_says(self, person: Person, size: int, chunk: int, chunks: int) -> None:
        assert code_of(person.open_draft(size, chunk=chunk, chunks=chunks)) == (400, "invalid_params")

    @pytest.mark.parametrize(
        ("first", "last", "status"),
        [(0, 5 * MB, 416), (5 * MB, 12 * MB, 416), (0, 12 * MB, 416), (1, 5 * MB + 1, 416)],
        ids=["again", "ahead", "whole", "beside"],
    )
    def test_takes_what_follows_and_nothing_else(self, person: Person, first: int, last: int, status: int) -> None:
        draft = opened(person.open_draft(len(REST), chunk=5 * MB, chunks=2))
        if first == 0 and last == 5 * MB:
            assert put(draft["upload_url"], REST[: 5 * MB], total=len(REST)).status_code == 206
        answer = put(draft["upload_url"], REST[first:last], first=first, total=len(REST))
        assert answer.status_code == status

    @pytest.mark.parametrize(
        "headers",
        [
            {"Content-Range": ""},
            {"Content-Range": "bytes 0-1/2"},
            {"Content-Range": f"bytes 0-{len(MP4) - 1}/*"},
            {"Content-Type": "application/octet-stream"},
        ],
    )
    def test_wants_its_headers(self, person: Person, headers: dict[str, str]) -> None:
        draft = opened(person.open_draft())
        assert put(draft["upload_url"], MP4, headers=headers).status_code == 400
        assert put(draft["upload_url"], MP4).status_code == 201

    def test_needs_no_token_but_its_own(self, person: Person) -> None:
        url = opened(person.open_draft())["upload_url"]
        address, _, query = url.partition("?")
        for wrong in ("", f"?{query}x", "?upload_id=1", "?upload_id=x&upload_token=y"):
            assert put(address + wrong, MP4).status_code == 404
        assert WEB.get(url).status_code == 404

    def test_dies_after_an_hour(self, person: Person, sandbox: Sandbox) -> None:
        draft = opened(person.open_draft())
        sandbox.move_clock(3600)
        assert put(draft["upload_url"], MP4).status_code == 403

    def test_counts_once_what_comes_twice_at_the_same_time(self, person: Person, sandbox: Sandbox) -> None:
        url = opened(person.open_draft())["upload_url"]
        header = {"Content-Type": "video/mp4", "Content-Range": f"bytes 0-{len(MP4) - 1}/{len(MP4)}"}
        answers = rush(lambda client, _: client.put(url, content=MP4, headers=header), callers=8)
        assert sorted(answer.status_code for answer in answers) == [201, *[416] * 7]
        assert len(sandbox.ask("posts")) == 1

    def test_of_no_video_fails(self, person: Person, sandbox: Sandbox) -> None:
        draft = opened(person.open_draft(1000))
        assert put(draft["upload_url"], b"\x01" * 1000).status_code == 201
        sandbox.move_clock(1)
        status = person.status(draft["publish_id"])
        assert (status["status"], status["fail_reason"]) == ("FAILED", "file_format_check_failed")
        assert sandbox.ask("posts") == []

    def test_fails_or_takes_its_time_as_ordered(self, person: Person, sandbox: Sandbox) -> None:
        match = {"match": "PUT /upload/video/", "platform": "tiktok"}
        sandbox.fail("slow_processing", seconds=100, **match)
        slow = person.post()
        sandbox.fail("fail_processing", **match)
        failing = person.post()
        sandbox.move_clock(50)
        assert [person.status(one)["status"] for one in (slow, failing)] == ["PROCESSING_UPLOAD", "FAILED"]
        sandbox.move_clock(51)
        assert person.status(slow)["status"] == "PUBLISH_COMPLETE"


class TestDirectPost:
    def test_gets_its_id_when_it_was_looked_through(self, person: Person, sandbox: Sandbox) -> None:
        sandbox.fail("slow_processing", "PUT /upload/video/", platform="tiktok", seconds=100)
        publish_id = person.post(title="hi")
        assert person.status(publish_id)["publicaly_available_post_id"] == []
        sandbox.move_clock(101)
        (post,) = sandbox.ask("posts")
        assert person.status(publish_id)["publicaly_available_post_id"] == [int(post["id"])]

    @pytest.mark.parametrize("level", ["SELF_ONLY", "MUTUAL_FOLLOW_FRIENDS"])
    def test_has_no_id_when_it_is_not_public(self, person: Person, sandbox: Sandbox, level: str) -> None:
        publish_id = person.post(privacy_level=level)
        sandbox.move_clock(100)
        status = person.status(publish_id)
        assert (status["status"], status["publicaly_available_post_id"]) == ("PUBLISH_COMPLETE", [])

    @pytest.mark.parametrize(
        ("info", "refusal"),
        [
            ({"privacy_level": ""}, (403, "privacy_level_option_mismatch")),
            ({"privacy_level": "FOLLOWER_OF_CREATOR"}, (403, "privacy_level_option_mismatch")),
            ({"title": "👍" * 1101}, (400, "invalid_params")),
            ({"disable_comment": "yes"}, (400, "invalid_params")),
            ({"privacy_level": "SELF_ONLY", "brand_content_toggle": True}, (400, "invalid_params")),
        ],
    )
    def test_is_refused(self, person: Person, info: dict[str, Any], refusal: tuple[int, str]) -> None:
        assert code_of(person.open_video(**info)) == refusal

    def test_takes_a_title_of_2200_units(self, person: Person) -> None:
        assert person.open_video(title="👍" * 1100).status_code == 200

    @pytest.mark.parametrize(
        ("handle", "level", "refusal"),
        [
            ("banned.ann", "SELF_ONLY", (403, "spam_risk_user_banned_from_posting")),
            ("unaudited.ann", "PUBLIC_TO_EVERYONE", (403, "unaudited_client_can_only_post_to_private_accounts")),
            ("unaudited.ann", "SELF_ONLY", (200, "ok")),
            ("private.ann", "PUBLIC_TO_EVERYONE", (403, "privacy_level_option_mismatch")),
            ("private.ann", "FOLLOWER_OF_CREATOR", (200, "ok")),
        ],
    )
    def test_depends_on_who_asks(self, sandbox: Sandbox, handle: str, level: str, refusal: tuple[int, str]) -> None:
        assert code_of(connect(sandbox, handle=handle).open_video(privacy_level=level)) == refusal

    def test_has_fifteen_a_day_and_says_so_with_200(self, person: Person, sandbox: Sandbox) -> None:
        for _ in range(3):
            for _ in range(5):
                person.post()
            sandbox.move_clock(61)
        asked = person.ask("/v2/post/publish/creator_info/query/")
        assert code_of(asked) == (200, "spam_risk_too_many_posts")
        assert code_of(person.open_video()) == (403, "spam_risk_too_many_posts")
        assert person.open_draft().status_code == 200
        sandbox.move_clock(86_400)
        assert connect(sandbox).open_video().status_code == 200


class TestDrafts:
    def test_wait_five_a_day(self, person: Person, sandbox: Sandbox) -> None:
        for _ in range(5):
            put(opened(person.open_draft())["upload_url"], MP4)
        assert code_of(person.open_draft()) == (403, "spam_risk_too_many_pending_share")
        sandbox.move_clock(86_401)
        assert connect(sandbox).open_draft().status_code == 200


class TestPhotos:
    def test_are_fetched_once_each(self, person: Person, sandbox: Sandbox) -> None:
        urls = [store(sandbox, name, JPEG) for name in ("a.jpg", "b.jpg")]
        publish_id = opened(person.send_photos(*urls, title="Look", description="what it is"))["publish_id"]
        sandbox.move_clock(1)
        assert person.status(publish_id)["status"] == "SEND_TO_USER_INBOX"
        fetched = [call for call in sandbox.ask("calls", platform="_storage") if call["caller"] == "tiktok"]
        assert len(fetched) == 2
        (post,) = sandbox.ask("posts")
        assert (post["kind"], post["text"], len(post["media"])) == ("inbox", "Look\nwhat it is", 2)

    def test_are_posted(self, person: Person, sandbox: Sandbox) -> None:
        url = store(sandbox, "a.jpg", JPEG)
        opened(person.send_photos(url, mode="DIRECT_POST", privacy_level="PUBLIC_TO_EVERYONE"))
        assert [post["kind"] for post in sandbox.ask("posts")] == ["photos"]

    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda sandbox: f"{sandbox.url}/_storage/gone", "photo_pull_failed"),
            (lambda _: "http://127.0.0.1:9/a.jpg", "photo_pull_failed"),
            (lambda sandbox: store(sandbox, "a.png", make_png()), "file_format_check_failed"),
            (lambda sandbox: store(sandbox, "a.txt", b"hello"), "file_format_check_failed"),
        ],
        ids=["gone", "nobody-there", "png", "text"],
    )
    def test_fail_when_they_cannot_be_had(self, person: Person, sandbox: Sandbox, make: Any, reason: str) -> None:
        publish_id = opened(person.send_photos(make(sandbox)))["publish_id"]
        sandbox.move_clock(1)
        status = person.status(publish_id)
        assert (status["status"], status["fail_reason"]) == ("FAILED", reason)
        assert sandbox.ask("posts") == []

    @pytest.mark.parametrize(
        ("addresses", "info", "refusal"),
        [
            (["https://example.com/a.jpg"], {}, (403, "url_ownership_unverified")),
            (["http://[::1"], {}, (403, "url_ownership_unverified")),
            ([], {}, (400, "invalid_params")),
            (["http://127.0.0.1:9/a"] * 36, {}, (400, "invalid_params")),
            (["http://127.0.0.1:9/a"], {"title": "a" * 91}, (400, "invalid_params")),
            (["http://127.0.0.1:9/a"], {"description": "a" * 4001}, (400, "invalid_params")),
        ],
    )
    def test_are_refused(
        self, person: Person, addresses: list[str], info: dict[str, Any], refusal: tuple[int, str]
    ) -> None:
        assert code_of(person.send_photos(*addresses, **info)) == refusal


class TestStatus:
    def test_is_for_its_owner(self, person: Person, sandbox: Sandbox) -> None:
        publish_id = opened(person.open_draft())["publish_id"]
        stranger = connect(sandbox, handle="stranger")
        path = "/v2/post/publish/status/fetch/"
        assert code_of(stranger.ask(path, {"publish_id": publish_id})) == (
            400,
            "token_not_authorized_for_specified_publish_id",
        )
        assert code_of(person.ask(path, {"publish_id": "v_pub_file~v2-1.7"})) == (400, "invalid_publish_id")


class TestLimits:
    @pytest.mark.parametrize(
        ("path", "limit"),
        [
            ("/v2/post/publish/inbox/video/init/", 6),
            ("/v2/post/publish/creator_info/query/", 20),
        ],
    )
    def test_count_calls_a_minute(self, person: Person, sandbox: Sandbox, path: str, limit: int) -> None:
        statuses = [person.ask(path).status_code for _ in range(limit + 1)]
        assert statuses[-1] == 429
        assert 429 not in statuses[:-1]
        sandbox.move_clock(61)
        assert person.ask(path).status_code != 429
