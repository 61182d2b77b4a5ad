"""Uploads to the sandbox's X: whole, in parts, processed, described, attached."""

from __future__ import annotations

import base64
from typing import Any

import httpx2
import pytest

from tests.sandbox.files import GIF, MP4, make_png
from tests.sandbox.people import Person, connect
from tests.sandbox.process import WEB, Sandbox


def upload(person: Person, content: bytes, *, category: str = "tweet_image") -> httpx2.Response:
    """Upload in one call."""
    files = {"media": ("file", content)}
    return person.call("POST", "/2/media/upload", data={"media_category": category}, files=files)


def upload_id(person: Person, content: bytes) -> str:
    """Upload in one call that must be taken."""
    response = upload(person, content)
    assert response.status_code == 200, response.text
    return str(response.json()["data"]["id"])


def initialize(person: Person, *, total_bytes: int, media_type: str, category: str = "tweet_image") -> httpx2.Response:
    """Open an upload in parts."""
    body = {"media_type": media_type, "total_bytes": total_bytes, "media_category": category}
    return person.call("POST", "/2/media/upload/initialize", json=body)


def append(person: Person, media_id: str, index: int, content: bytes) -> httpx2.Response:
    """Send one part."""
    form = {"data": {"segment_index": str(index)}, "files": {"media": ("part", content)}}
    return person.call("POST", f"/2/media/upload/{media_id}/append", **form)


def finalize(person: Person, media_id: str) -> httpx2.Response:
    """Put the parts together."""
    return person.call("POST", f"/2/media/upload/{media_id}/finalize")


def upload_in_parts(person: Person, content: bytes, *, media_type: str, category: str) -> dict[str, Any]:
    """Upload in parts of 400 bytes and give the last answer's data."""
    opened = initialize(person, total_bytes=len(content), media_type=media_type, category=category)
    media_id = opened.json()["data"]["id"]
    for index, start in enumerate(range(0, len(content), 400)):
        append(person, media_id, index, content[start : start + 400]).raise_for_status()
    data: dict[str, Any] = finalize(person, media_id).raise_for_status().json()["data"]
    return data


def read_state(person: Person, media_id: str) -> dict[str, Any]:
    """Ask how far the processing is."""
    query = {"command": "STATUS", "media_id": media_id}
    info: dict[str, Any] = person.call("GET", "/2/media/upload", params=query).json()["data"]["processing_info"]
    return info


class TestOneShot:
    def test_makes_a_file_that_can_be_posted_at_once(self, sandbox: Sandbox, person: Person) -> None:
        picture = make_png()

        response = upload(person, picture)

        data = response.json()["data"]
        assert data["size"] == len(picture)
        assert "processing_info" not in data
        person.post_id("", media={"media_ids": [data["id"]]})
        [[shown]] = [post["media"] for post in sandbox.ask("posts")]
        file = WEB.get(shown["url"])
        assert (file.content, file.headers["content-type"]) == (picture, "image/png")
        assert file.headers["x-content-type-options"] == "nosniff"

    def test_takes_base64_in_json(self, person: Person) -> None:
        body = {"media": base64.b64encode(make_png()).decode(), "media_category": "tweet_image"}

        assert person.call("POST", "/2/media/upload", json=body).status_code == 200

    @pytest.mark.parametrize(
        ("content", "category"),
        [
            pytest.param(b"MZ not a picture", "tweet_image", id="something else"),
            pytest.param(make_png() + bytes(5 * 1024 * 1024), "tweet_image", id="more than five megabytes"),
            pytest.param(make_png(), "holiday", id="an unknown category"),
        ],
    )
    def test_refuses(self, person: Person, content: bytes, category: str) -> None:
        assert upload(person, content, category=category).status_code == 400

    def test_needs_its_own_scope(self, sandbox: Sandbox) -> None:
        writer = connect(sandbox, scope="tweet.read tweet.write users.read")

        assert upload(writer, make_png()).status_code == 403


class TestParts:
    def test_make_the_file_again(self, sandbox: Sandbox, person: Person) -> None:
        picture = make_png() + bytes(range(256)) * 5

        data = upload_in_parts(person, picture, media_type="image/png", category="tweet_image")

        assert data["size"] == len(picture)
        assert WEB.get(f"{sandbox.x}/media/{data['id']}").content == picture

    def test_may_come_twice_and_in_any_order(self, sandbox: Sandbox, person: Person) -> None:
        picture = make_png() + b"tail"
        media_id = initialize(person, total_bytes=len(picture), media_type="image/png").json()["data"]["id"]

        append(person, media_id, 1, picture[50:])
        append(person, media_id, 0, b"lost on the way")
        append(person, media_id, 0, picture[:50])

        assert finalize(person, media_id).status_code == 200
        assert WEB.get(f"{sandbox.x}/media/{media_id}").content == picture

    def test_may_be_base64_in_json(self, person: Person) -> None:
        picture = make_png()
        media_id = initialize(person, total_bytes=len(picture), media_type="image/png").json()["data"]["id"]
        body = {"media": base64.b64encode(picture).decode(), "segment_index": 0}

        assert person.call("POST", f"/2/media/upload/{media_id}/append", json=body).status_code == 200
        assert finalize(person, media_id).status_code == 200

    @pytest.mark.parametrize("segments", [{}, {0: 40}, {0: 40, 2: 20}], ids=["none", "too little", "a gap"])
    def test_must_be_all_there(self, person: Person, segments: dict[int, int]) -> None:
        media_id = initialize(person, total_bytes=60, media_type="image/png").json()["data"]["id"]
        for index, size in segments.items():
            append(person, media_id, index, make_png()[:size])

        assert finalize(person, media_id).status_code == 400

    def test_must_be_what_was_announced(self, person: Person) -> None:
        media_id = initialize(person, total_bytes=len(GIF), media_type="image/png").json()["data"]["id"]
        append(person, media_id, 0, GIF)

        assert finalize(person, media_id).status_code == 400

    @pytest.mark.parametrize("index", ["-1", "1000", "one", ""])
    def test_have_a_number_up_to_999(self, person: Person, index: str) -> None:
        media_id = initialize(person, total_bytes=60, media_type="image/png").json()["data"]["id"]
        form = {"data": {"segment_index": index}, "files": {"media": ("part", b"x")}}

        assert person.call("POST", f"/2/media/upload/{media_id}/append", **form).status_code == 400

    @pytest.mark.parametrize(
        "announced",
        [
            {"media_type": "application/zip", "total_bytes": 60},
            {"media_type": "image/png", "total_bytes": 5 * 1024 * 1024 + 1},
            {"media_type": "video/mp4", "total_bytes": 512 * 1024 * 1024 + 1},
            {"media_type": "image/png", "total_bytes": "60"},
            {"media_type": "image/png"},
        ],
        ids=["a type X does not take", "a large picture", "a large video", "a string for a size", "no size"],
    )
    def test_are_not_begun_for(self, person: Person, announced: dict[str, Any]) -> None:
        assert person.call("POST", "/2/media/upload/initialize", json=announced).status_code == 400

    def test_are_the_owners_only(self, sandbox: Sandbox, person: Person) -> None:
        media_id = initialize(person, total_bytes=60, media_type="image/png").json()["data"]["id"]

        assert append(connect(sandbox, handle="other"), media_id, 0, b"x").status_code == 404


class TestProcessing:
    @pytest.mark.parametrize(
        ("content", "media_type", "category"),
        [(MP4, "video/mp4", "tweet_video"), (GIF, "image/gif", "tweet_gif")],
        ids=["video", "gif"],
    )
    def test_goes_from_pending_to_succeeded(
        self, sandbox: Sandbox, person: Person, content: bytes, media_type: str, category: str
    ) -> None:
        data = upload_in_parts(person, content, media_type=media_type, category=category)
        states = [data["processing_info"]]
        for _ in range(2):
            sandbox.move_clock(1)
            states.append(read_state(person, data["id"]))

        assert [info["state"] for info in states] == ["pending", "in_progress", "succeeded"]
        assert [info.get("check_after_secs") for info in states] == [1, 1, None]

    def test_must_end_before_the_file_is_posted(self, sandbox: Sandbox, person: Person) -> None:
        data = upload_in_parts(person, MP4, media_type="video/mp4", category="tweet_video")
        body = {"media_ids": [data["id"]]}
        assert person.post("Too early", media=body).status_code == 400
        sandbox.move_clock(2)

        assert person.post("In time", media=body).status_code == 201

    def test_fails_on_a_broken_video(self, sandbox: Sandbox, person: Person) -> None:
        data = upload_in_parts(person, b"no film at all", media_type="video/mp4", category="tweet_video")
        sandbox.move_clock(2)

        assert read_state(person, data["id"])["state"] == "failed"
        assert person.post("Look", media={"media_ids": [data["id"]]}).status_code == 400


class TestAttach:
    def test_keeps_the_authors_order(self, sandbox: Sandbox, person: Person) -> None:
        ids = [upload_id(person, make_png(colour=(shade, shade, shade))) for shade in (10, 90, 200)]
        wanted = [ids[2], ids[0], ids[1]]
        person.post_id("Three", media={"media_ids": wanted})

        assert [one["id"] for one in sandbox.ask("posts")[0]["media"]] == wanted

    def test_refuses_the_file_of_somebody_else(self, sandbox: Sandbox, person: Person) -> None:
        foreign = upload_id(connect(sandbox, handle="other"), make_png())

        assert person.post("Look", media={"media_ids": [foreign]}).status_code == 400

    def test_refuses_a_file_that_expired(self, sandbox: Sandbox, person: Person) -> None:
        media_id = upload_id(person, make_png())
        sandbox.move_clock(24 * 3600 + 1)

        assert connect(sandbox).post("Look", media={"media_ids": [media_id]}).status_code == 400

    def test_refuses_an_upload_that_is_still_open(self, person: Person) -> None:
        media_id = initialize(person, total_bytes=60, media_type="image/png").json()["data"]["id"]

        assert person.post("Look", media={"media_ids": [media_id]}).status_code == 400

    def test_refuses_a_gif_beside_a_picture_and_a_file_twice(self, sandbox: Sandbox, person: Person) -> None:
        picture, moving = upload_id(person, make_png()), upload_id(person, GIF)
        sandbox.move_clock(2)

        assert person.post("Both", media={"media_ids": [picture, moving]}).status_code == 400
        assert person.post("Twice", media={"media_ids": [picture, picture]}).status_code == 400
        assert person.post("Alone", media={"media_ids": [moving]}).status_code == 201


class TestAltText:
    def test_is_shown_with_the_picture(self, sandbox: Sandbox, person: Person) -> None:
        media_id = upload_id(person, make_png())
        body = {"id": media_id, "metadata": {"alt_text": {"text": 'A "blue" square'}}}
        answer = person.call("POST", "/2/media/metadata", json=body)
        post_id = person.post_id("Look", media={"media_ids": [media_id]})

        assert answer.json()["data"]["associated_metadata"] == {"alt_text": {"text": 'A "blue" square'}}
        assert sandbox.ask("posts")[0]["media"][0]["alt_text"] == 'A "blue" square'
        assert 'alt="A &quot;blue&quot; square"' in WEB.get(f"{sandbox.x}/sandbox/status/{post_id}").text

    @pytest.mark.parametrize(("length", "status"), [(1000, 200), (1001, 400)])
    def test_has_at_most_a_thousand_characters(self, person: Person, length: int, status: int) -> None:
        body = {"id": upload_id(person, make_png()), "metadata": {"alt_text": {"text": "a" * length}}}

        assert person.call("POST", "/2/media/metadata", json=body).status_code == status
