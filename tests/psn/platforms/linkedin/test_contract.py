"""Everything the adapter sends and everything the sandbox answers, against the written contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import ValidationError

from psn.errors import Duplicate, Rejected
from psn.platforms.base import Part
from psn.platforms.linkedin import wire
from psn.platforms.linkedin.adapter import LinkedInAdapter
from tests.psn.platforms.linkedin import files
from tests.psn.platforms.linkedin.accounts import PAGE_SCOPES, VETTED_SCOPES, find_own_page, grant
from tests.psn.platforms.linkedin.contract import check_answer, check_request, find_call, load_contract
from tests.psn.platforms.linkedin.recording import Relay, relay_to
from tests.psn.platforms.linkedin.test_adapter import find, publish
from tests.sandbox.process import Sandbox

HEADERS = {"authorization": "Bearer t", "linkedin-version": "202610", "x-restli-protocol-version": "2.0.0"}
AUTHOR = "urn:li:person:abc"


def walk_as_member(adapter: LinkedInAdapter, folder: Path) -> None:
    """Do everything that a member can."""
    adapter.fetch_profile()
    post = publish(adapter, r"(all) #tags @[Ann](urn:li:organization:1) *_~|{}<>\ 🙂").platform_post_id
    with pytest.raises(Duplicate):
        publish(adapter, r"(all) #tags @[Ann](urn:li:organization:1) *_~|{}<>\ 🙂")
    publish(adapter, "more", kind="comment", reply_to=post)
    publish(adapter, "one", media=[files.png(folder, alt_text="a")], options={"title": "T", "visibility": "logged_in"})
    publish(adapter, "two", media=[files.png(folder), files.gif(folder)])
    publish(adapter, "deck", media=[files.pdf(folder)], options={"format": "document", "title": "T"})
    publish(adapter, "film", media=[files.mp4(folder)])
    card = {"link": "https://example.com", "title": "T"}
    publish(adapter, "card", options=card, media=[files.png(folder, alt_text="a")])
    adapter.fetch_posts([post])
    adapter.delete_post(post)


def walk_as_page(page: LinkedInAdapter, folder: Path) -> None:
    """Do what only a page can."""
    page.fetch_profile()
    page.fetch_account_metrics()
    text = publish(page, "as a page").platform_post_id
    film = publish(page, "film", media=[files.mp4(folder)]).platform_post_id
    comment = publish(page, "more", kind="comment", reply_to=text).platform_post_id
    find(page, "as a page")
    find(page, "", part=Part(1, "more", kind="comment"), reply_to=text)
    page.fetch_posts([text, film, "urn:li:share:7141138937766391808"])
    page.delete_post(comment)
    page.delete_post(text)


@pytest.fixture(scope="module")
def relay(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Relay:
    """What passes when a member and a page do everything there is to do."""
    folder = tmp_path_factory.mktemp("contract")
    with relay_to(sandbox.url) as relay:
        base = f"{relay.url}/linkedin"
        member = LinkedInAdapter(
            base, token=grant(sandbox, "contract-member", scopes=VETTED_SCOPES).access_token, web_base_url=base
        )
        token = grant(sandbox, "contract-page", scopes=PAGE_SCOPES)
        page_id = find_own_page(sandbox, token)
        page = LinkedInAdapter(base, token=token.access_token, web_base_url=base, account_id=page_id)
        walk_as_member(member, folder)
        sandbox.move_clock(60)
        walk_as_page(page, folder)
        with pytest.raises(Rejected):
            publish(member, "x" * 3001)
        for adapter in (member, page):
            adapter.close()
    return relay


class TestTheContract:
    def test_is_kept_by_every_call(self, relay: Relay) -> None:
        for one in relay.exchanges:
            if not one.target.startswith("/dms-uploads/"):
                check_request(one.method, one.target, headers=one.headers, body=one.body)

    def test_is_kept_by_every_answer(self, relay: Relay) -> None:
        for one in relay.exchanges:
            if not one.target.startswith("/dms-uploads/"):
                check_answer(one.method, one.target, status=one.status, headers=one.answer_headers, body=one.answer)

    def test_is_used_in_all_of_its_parts(self, relay: Relay) -> None:
        seen = {find_call(one.method, one.target) for one in relay.exchanges if "dms-uploads" not in one.target}
        assert seen == set(load_contract()["calls"])

    def test_has_the_token_go_with_images_and_documents_and_not_with_videos(self, relay: Relay) -> None:
        uploads = [one for one in relay.exchanges if one.target.startswith("/dms-uploads/")]
        assert {("authorization" in one.headers) for one in uploads if "/whole?" in one.target} == {True}
        parts = [one for one in uploads if "/0?" in one.target]
        assert [("authorization" in one.headers) for one in parts] == [False, False]

    @pytest.mark.parametrize(
        "change",
        [
            {"author": "urn:li:company:1"},
            {"commentary": "open ("},
            {"commentary": "a_b"},
            {"visibility": "public"},
            {"content": {"media": {"id": "urn:li:document:1"}}},
            {"content": {"multiImage": {"images": [{"id": "urn:li:image:1"}]}}},
            {"content": {}},
            {"extra": 1},
        ],
    )
    def test_refuses_what_it_must(self, change: dict[str, Any]) -> None:
        body = {**wire.build_post(Part(0, "hi"), author=AUTHOR, media_ids=[]), **change}
        with pytest.raises(ValidationError):
            check_request("POST", "/rest/posts", headers=HEADERS, body=json.dumps(body).encode())

    @settings(max_examples=40, deadline=None)
    @given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
    def test_is_kept_with_any_text(self, text: str) -> None:
        body = wire.build_post(Part(0, text), author=AUTHOR, media_ids=[])
        check_request("POST", "/rest/posts", headers=HEADERS, body=json.dumps(body).encode())
