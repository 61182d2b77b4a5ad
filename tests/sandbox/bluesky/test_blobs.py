"""Files at the sandbox's Bluesky."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.bluesky.people import Person, connect, make_record, refused
from tests.sandbox.files import make_png
from tests.sandbox.process import WEB, Sandbox, rush

PNG = make_png()


def images(*blobs: Any) -> dict[str, Any]:
    shown = [{"image": blob, "alt": f"alt {number}"} for number, blob in enumerate(blobs)]
    return make_record(embed={"$type": "app.bsky.embed.images", "images": shown})


class TestUploadBlob:
    def test_names_a_file_by_its_content(self, ana: Person) -> None:
        blob = ana.upload(PNG, "image/png").json()["blob"]
        assert (blob["mimeType"], blob["size"]) == ("image/png", len(PNG))
        assert ana.upload(PNG, "image/png").json()["blob"] == blob

    def test_is_one_file_for_all_who_upload_it_at_once(self, ana: Person) -> None:
        url = f"{ana.sandbox.base('bluesky')}/xrpc/com.atproto.repo.uploadBlob"
        headers = {"Authorization": f"Bearer {ana.access}", "Content-Type": "image/png"}
        answers = rush(lambda client, _: client.post(url, content=PNG, headers=headers), callers=8)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1

    def test_believes_the_bytes_and_not_the_header(self, ana: Person) -> None:
        assert ana.upload(PNG, "video/mp4").json()["blob"]["mimeType"] == "image/png"

    def test_takes_fifty_megabytes(self, ana: Person) -> None:
        assert refused(ana.upload(b"\0" * 50_000_001, "video/mp4")) == (413, "PayloadTooLarge")

    def test_wants_to_know_who(self, ana: Person) -> None:
        headers = {"Content-Type": "image/png"}
        answer = ana.call("POST", "com.atproto.repo.uploadBlob", token="", content=PNG, headers=headers)
        assert refused(answer) == (401, "AuthMissing")


class TestBlobInARecord:
    def test_is_shown(self, ana: Person) -> None:
        ana.put(record=images(ana.upload(PNG, "image/png").json()["blob"])).raise_for_status()
        media = ana.sandbox.ask("posts", platform="bluesky")[0]["media"][0]
        assert (media["alt_text"], WEB.get(media["url"]).content) == ("alt 0", PNG)

    def test_must_have_been_uploaded_by_the_same_person(self, sandbox: Sandbox, ana: Person) -> None:
        blob = connect(sandbox, "bo.eu").upload(PNG, "image/png").json()["blob"]
        assert refused(ana.put(record=images(blob))) == (400, "BlobNotFound")

    def test_must_be_what_it_says(self, ana: Person) -> None:
        blob = ana.upload(PNG, "image/png").json()["blob"]
        assert refused(ana.put(record=images({**blob, "mimeType": "image/jpeg"}))) == (400, "InvalidMimeType")

    def test_must_fit_its_place(self, ana: Person) -> None:
        blob = ana.upload(b"%PDF-1.7", "application/pdf").json()["blob"]
        assert refused(ana.put(record=images(blob))) == (400, "InvalidMimeType")
        large = ana.upload(PNG + b"\0" * 2_000_000, "image/png").json()["blob"]
        assert refused(ana.put(record=images(large))) == (400, "BlobTooLarge")

    @pytest.mark.parametrize("size", [1_000_000, 1_000_001])
    def test_must_be_smaller_on_a_card(self, ana: Person, size: int) -> None:
        thumb = ana.upload(PNG + b"\0" * (size - len(PNG)), "image/png").json()["blob"]
        card = {"uri": "https://example.com", "title": "t", "description": "", "thumb": thumb}
        answer = ana.put(record=make_record(embed={"$type": "app.bsky.embed.external", "external": card}))
        assert answer.status_code == (200 if size == 1_000_000 else 400)

    def test_is_dropped_when_nobody_names_it_in_time(self, sandbox: Sandbox, ana: Person) -> None:
        blob = ana.upload(PNG, "image/png").json()["blob"]
        sandbox.move_clock(3601)
        assert refused(ana.put(record=images(blob))) == (400, "BlobNotFound")
        ana.upload(PNG, "image/png")
        ana.put(record=images(blob)).raise_for_status()
        sandbox.move_clock(3601)
        later = connect(sandbox)  # the session is over by now, and the file is not
        assert later.put(rkey="3n2qumhip5rph", record=images(blob)).status_code == 200
