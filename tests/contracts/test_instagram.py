"""What the adapter says and what the sandbox answers, held against one contract: Instagram's, as Meta's pages describe it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from psn.errors import Rejected
from psn.platforms.base import Part
from psn.platforms.instagram.adapter import InstagramAdapter
from tests.contracts.recording import Exchange, record
from tests.psn.platforms.meta.stage import grant, make_video, prepare, publish, put_file, put_image, refresh
from tests.sandbox.meta.files import draw
from tests.sandbox.process import Sandbox, start_sandbox, stop_sandbox

CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).parent / "schemas" / "instagram.json").read_text(encoding="utf-8")
)
PREFIX = "/instagram"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    started = start_sandbox(tmp_path_factory.mktemp("contract-instagram") / "state")
    yield started
    stop_sandbox(started)


@pytest.fixture(scope="module")
def exchanges(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    """Everything that PSN ever asks of Instagram, and what is refused."""
    folder = tmp_path_factory.mktemp("media")
    with record(sandbox.url) as recording:
        behind = Sandbox(recording.url, sandbox.state_dir, sandbox.process)
        token = grant(behind, "instagram", "ann")
        base = behind.base("instagram")
        adapter = InstagramAdapter(
            base, token=token.access_token, web_base_url=base, version="v25.0", sleep=sandbox.move_clock
        )
        _use(adapter, sandbox, folder)
        sandbox.move_clock(2 * 86400)
        refresh(behind, "instagram", token, now=datetime.now(UTC) + timedelta(days=2))
        with pytest.raises(Rejected):
            prepare(adapter, Part(0, "x", (put_file(sandbox, folder, draw(kind="PNG"), "image/jpeg"),)))
        assert adapter.fetch_posts(["17900000000000000"]) == []
        adapter.close()
    return recording.exchanges


def _use(adapter: InstagramAdapter, sandbox: Sandbox, folder: Path) -> None:
    image, video = put_image(sandbox, folder, alt_text="red"), make_video(sandbox, folder)
    fetched = make_video(sandbox, folder, public=True)
    adapter.fetch_profile()
    adapter.fetch_account_metrics()
    reel = {"format": "reel", "share_to_feed": "yes", "cover_at_ms": "0", "ai": "yes"}
    parts = [
        Part(0, "image", (image,), options={"ai": "yes"}),
        Part(0, "reel", (video,), options=reel),
        Part(0, "fetched", (fetched,)),
        Part(0, "many", (image, video, image), options={"ai": "yes"}),
        Part(0, "", (image,), options={"format": "story"}),
        Part(0, "", (video,), options={"format": "story", "ai": "yes"}),
    ]
    since, published = datetime.now(UTC), [publish(adapter, part) for part in parts]
    comment = Part(1, "#tags", kind="comment")
    publish(adapter, comment, reply_to=published[0].platform_post_id)
    given: dict[str, Any] = {"since": since, "known_ids": ()}
    adapter.find_published(comment, reference="", reply_to=published[0].platform_post_id, **given)
    for part in parts[:1] + parts[-1:]:
        prepared = prepare(adapter, part)
        adapter.create_post(part, media_ids=[], reply_to=None, prepared=prepared, send_before=None)
        adapter.find_published(part, reference=prepared.reference, reply_to=None, **given)
    sandbox.move_clock(7200)
    adapter.fetch_posts([one.platform_post_id for one in published])
    list(adapter._turn_posts("media", since=None, size=2))


def name_call(exchange: Exchange) -> str:
    """Give the name under which the contract has a call."""
    path = exchange.path.removeprefix(PREFIX)
    path = re.sub(r"^(/ig-api-upload)?/v\d+\.\d+", r"\1/{version}", path)
    return f"{exchange.method} {re.sub(r'/[0-9]{5,}', '/{id}', path)}"


def check(schema: Any, document: Any) -> None:
    """Hold a document against a part of the contract.

    Raises:
        ValidationError: it is not what the contract says.
    """
    Draft202012Validator({"$defs": CONTRACT["$defs"], **schema}).validate(document)


class TestAdapter:
    def test_makes_every_call_as_the_contract_says(self, exchanges: list[Exchange]) -> None:
        api = [one for one in exchanges if not one.path.endswith("/oauth/authorize")]
        assert {name_call(one) for one in api} == set(CONTRACT["calls"])
        for one in api:
            call = CONTRACT["calls"][name_call(one)]
            check(call["parameters"], one.parameters)
            asked = [field for field in one.query.get("fields", "").split(",") if field]
            assert set(asked) <= set(call.get("fields", [])), one.path
            assert set(call.get("headers", [])) <= set(one.headers)

    def test_shows_its_token_in_no_address_but_where_it_must(self, exchanges: list[Exchange]) -> None:
        assert {name_call(one) for one in exchanges if "access_token" in one.query} == {
            "GET /access_token",
            "GET /refresh_access_token",
        }


class TestSandbox:
    def test_answers_every_call_as_the_contract_says(self, exchanges: list[Exchange]) -> None:
        refused = 0
        for one in exchanges:
            if one.path.endswith("/oauth/authorize"):
                continue
            refused += one.status >= 400
            answer = {"$ref": "#/$defs/error"} if one.status >= 400 else CONTRACT["calls"][name_call(one)]["answer"]
            check(answer, one.document)
        assert refused == 2


class TestContract:
    @pytest.mark.parametrize(
        "form",
        [
            {},
            {"image_url": "file:///etc/passwd"},
            {"image_url": "https://a.example/x", "colour": "red"},
            {"image_url": "https://a.example/x", "video_url": "https://a.example/y", "media_type": "REELS"},
            {"media_type": "CAROUSEL", "children": "1"},
            {"media_type": "VIDEO", "video_url": "https://a.example/y"},
            {"image_url": "https://a.example/x", "is_carousel_item": "true", "caption": "Hi"},
            {"image_url": "https://a.example/x", "media_type": "STORIES", "alt_text": "Hi"},
            {"image_url": "https://a.example/x", "thumb_offset": "1"},
        ],
    )
    def test_would_catch_a_wrong_call(self, form: dict[str, str]) -> None:
        with pytest.raises(ValidationError):
            check(CONTRACT["calls"]["POST /{version}/{id}/media"]["parameters"], form)

    def test_would_catch_a_wrong_answer(self) -> None:
        with pytest.raises(ValidationError):
            check(CONTRACT["calls"]["POST /{version}/{id}/media_publish"]["answer"], {"id": 7})
