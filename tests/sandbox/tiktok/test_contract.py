"""Every answer of the sandbox's TikTok, held against the contract that the adapter is held against."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from jsonschema import ValidationError

from tests.psn.platforms.tiktok.contract import check_answer, check_refusal, check_request, load_contract
from tests.psn.platforms.tiktok.parts import JPEG
from tests.sandbox.files import MP4
from tests.sandbox.process import WEB, Sandbox
from tests.sandbox.tiktok.people import CLIENT, Consent, P, Person, put, store

USER = "open_id,union_id,avatar_url,display_name,username,profile_deep_link,bio_description,is_verified"
STATS = "follower_count,following_count,likes_count,video_count"
VIDEO = "id,create_time,share_url,title,video_description,duration,cover_image_url,view_count,like_count,comment_count,share_count"


def call_everything(person: Person) -> Iterator[httpx2.Response]:
    """Call each endpoint in its usual ways."""
    sandbox = person.sandbox
    consent = Consent(sandbox)
    yield consent.exchange(consent.answer()["code"])
    yield person.call("GET", "/v2/user/info/", params={"fields": f"{USER},{STATS}"})
    yield person.ask(f"{P}creator_info/query/")
    for opened in (person.open_draft(), person.open_video(title="hi", is_aigc=True)):
        yield opened
        put(opened.json()["data"]["upload_url"], MP4)
        yield person.ask(f"{P}status/fetch/", {"publish_id": opened.json()["data"]["publish_id"]})
    photos = person.send_photos(store(sandbox, "a.jpg", JPEG), title="Look")
    yield photos
    for addresses in ([store(sandbox, "b.jpg", JPEG)], [f"{sandbox.url}/_storage/gone"]):
        yield person.send_photos(*addresses, mode="DIRECT_POST", privacy_level="PUBLIC_TO_EVERYONE")
    sandbox.move_clock(100)
    for answer in (opened, photos):
        yield person.ask(f"{P}status/fetch/", {"publish_id": answer.json()["data"]["publish_id"]})
    yield person.ask("/v2/video/list/", {"max_count": 2}, fields=VIDEO)
    ids = [post["id"] for post in sandbox.ask("posts")]
    yield person.ask("/v2/video/query/", {"filters": {"video_ids": ids}}, fields=VIDEO)


def name_of(answer: httpx2.Response) -> str:
    return f"{answer.request.method} {answer.request.url.path.removeprefix('/tiktok')}"


class TestAnswers:
    def test_are_what_the_contract_says(self, person: Person) -> None:
        answers = list(call_everything(person))
        for answer in answers:
            assert answer.status_code == 200, answer.text
            check_answer(name_of(answer), answer.json())
        assert {name_of(answer) for answer in answers} == set(load_contract()["calls"])

    def test_to_wrong_requests_are_what_the_contract_says(self, person: Person, sandbox: Sandbox) -> None:
        stranger = Person(sandbox, {"access_token": "wrong"})
        refused = [
            stranger.ask("/v2/video/list/", fields=VIDEO),
            person.open_draft(0),
            person.open_video(privacy_level="?"),
            person.ask(f"{P}status/fetch/", {"publish_id": "nothing"}),
            person.ask("/v2/video/list/"),
            WEB.post(f"{sandbox.base('tiktok')}{P}creator_info/query/", content=b"{"),
        ]
        for answer in refused:
            assert 400 <= answer.status_code < 500
            check_refusal(answer.json())
        check_refusal(WEB.post(f"{sandbox.base('tiktok')}/v2/oauth/token/", data=CLIENT).json(), shape="oauth_refusal")

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
    def test_that_were_ordered_are_what_the_contract_says(self, person: Person, sandbox: Sandbox, status: int) -> None:
        sandbox.fail("status", "*", platform="tiktok", status=status)
        answer = person.ask("/v2/video/list/", fields=VIDEO)
        assert answer.status_code == status
        check_refusal(answer.json())

    def test_would_be_caught_if_they_were_wrong(self, person: Person) -> None:
        body = person.open_draft().json()
        del body["data"]["upload_url"]
        with pytest.raises(ValidationError):
            check_answer(f"POST {P}inbox/video/init/", body)
        with pytest.raises(ValidationError):
            check_refusal(person.open_draft().json())

    def test_are_to_requests_that_the_contract_knows(self) -> None:
        source = {"source": "FILE_UPLOAD", "video_size": 9, "chunk_size": 9, "total_chunk_count": 1}
        check_request(f"POST {P}inbox/video/init/", {"source_info": source})
