"""What the adapter says and what the sandbox answers, held against Meta's own Postman collection of the Threads API.

The collection has a sample of each call and of most answers; it does not say which fields there are besides, so it is checked that
nothing is asked or answered that no sample knows, and that what is in a sample has the same type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from psn.platforms.base import Part
from psn.platforms.threads.adapter import ThreadsAdapter
from tests.contracts.recording import Exchange, record
from tests.contracts.specs import find_contract
from tests.psn.platforms.meta.stage import grant, make_video, publish, put_image, refresh
from tests.sandbox.process import Sandbox, start_sandbox, stop_sandbox

PREFIX = "/threads"
# developers.facebook.com/documentation/threads/posts (2026-04-14) has these; the collection of 2026-01-02 has no sample of them
NEWER_PARAMETERS = {"POST /{id}/threads": {"link_attachment", "topic_tag"}}
STANDARD = {
    "access_token",
    "fields",
    "limit",
    "after",
    "client_id",
    "redirect_uri",
    "code",
}  # what every call of a kind may have

Samples = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def collection() -> dict[str, Any]:
    """Meta's collection."""
    document: dict[str, Any] = json.loads(
        find_contract("threads-api.postman_collection.json").read_text(encoding="utf-8")
    )
    return document


@pytest.fixture(scope="module")
def samples(collection: dict[str, Any]) -> Samples:
    """The collection's calls by name, each with the parameters and answers of its samples."""
    found: Samples = {}
    for item in _walk(collection["item"]):
        request, url = item["request"], item["request"]["url"]
        path = "/" + "/".join(part for part in url["path"] if part)
        given = {one["key"]: one.get("value", "") for one in url.get("query", [])}
        body = request.get("body") or {}
        given |= {one["key"]: one.get("value", "") for one in body.get("urlencoded", [])}
        answers = [_read(answer.get("body") or "") for answer in item.get("response", [])]
        call = {"parameters": given, "answers": [answer for answer in answers if answer]}
        found.setdefault(f"{request['method']} {_normal(path)}", []).append(call)
    return found


def _walk(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        if "item" in item:
            yield from _walk(item["item"])
        else:
            yield item


def _read(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:  # some samples are no JSON
        return None


def _normal(path: str) -> str:
    path = re.sub(r"^/v\d+\.\d+", "", path)
    return re.sub(r"^/(?:me|\{\{[a-z_]+\}\}|[0-9]{5,})(?=/|$)", "/{id}", path)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    started = start_sandbox(tmp_path_factory.mktemp("contract-threads") / "state")
    yield started
    stop_sandbox(started)


@pytest.fixture(scope="module")
def exchanges(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    """Everything that PSN ever asks of Threads."""
    folder = tmp_path_factory.mktemp("media")
    with record(sandbox.url) as recording:
        behind = Sandbox(recording.url, sandbox.state_dir, sandbox.process)
        token, base = grant(behind, "threads", "ann"), behind.base("threads")
        adapter = ThreadsAdapter(
            base, token=token.access_token, web_base_url=base, version="v1.0", sleep=sandbox.move_clock
        )
        _use(adapter, sandbox, folder)
        sandbox.move_clock(2 * 86400)
        refresh(behind, "threads", token, now=datetime.now(UTC) + timedelta(days=2))
        adapter.close()
    return [one for one in recording.exchanges if not one.path.endswith("/oauth/authorize")]


def _use(adapter: ThreadsAdapter, sandbox: Sandbox, folder: Path) -> None:
    image, video = put_image(sandbox, folder, alt_text="red"), make_video(sandbox, folder, public=True)
    adapter.fetch_profile()
    adapter.fetch_account_metrics()
    since = datetime.now(UTC)
    options = {"link": "https://example.com/", "topic": "python", "reply_control": "everyone"}
    first = publish(adapter, Part(0, "text", options=options))
    for media in ((image,), (video,), (image, video)):
        publish(adapter, Part(0, "media", media))
    part = Part(1, "reply")
    prepared = adapter.prepare_post(part, media_ids=[], reply_to=first.platform_post_id, former="")
    adapter.create_post(part, media_ids=[], reply_to=first.platform_post_id, prepared=prepared, send_before=None)
    adapter.find_published(
        part, reference=prepared.reference, since=since, reply_to=first.platform_post_id, known_ids=()
    )
    adapter.fetch_recent_posts()
    list(adapter._turn_posts("threads", since=None, size=2))
    adapter.fetch_posts([first.platform_post_id])
    adapter.delete_post(first.platform_post_id)


def name_call(exchange: Exchange) -> str:
    """Give the name under which the collection has a call."""
    return f"{exchange.method} {_normal(exchange.path.removeprefix(PREFIX))}"


def check_shape(document: Any, sample: Any, *, known: set[str], at: str = "") -> None:
    """Refuse a type that differs from the sample's, and a name that no sample knows."""
    if isinstance(sample, dict):
        assert isinstance(document, dict), at
        for name, value in document.items():
            assert name in sample or name in known, f"{at}.{name} is in no sample"
            if name in sample:
                check_shape(value, sample[name], known=known, at=f"{at}.{name}")
    elif isinstance(sample, list):
        assert isinstance(document, list), at
        for value in document:
            # of several samples the one that is meant, by name if they have one
            named = [one for one in sample if isinstance(one, dict) and one.get("name") == _name_of(value)]
            check_shape(value, (named or sample)[0], known=known, at=f"{at}[]")
    else:
        assert type(document) is type(sample), f"{at}: {document!r} is not like {sample!r}"


def _name_of(value: Any) -> Any:
    return value.get("name") if isinstance(value, dict) else None


def known_fields(collection: dict[str, Any]) -> set[str]:
    """Give every field that the collection asks for anywhere."""
    lists = [one["value"] for one in collection["variable"] if one["key"].startswith("fields_")]
    return {field for text in lists for field in re.sub(r"\{[^}]*\}", "", text).split(",")}


class TestAdapter:
    def test_makes_only_calls_that_meta_knows(self, exchanges: list[Exchange], samples: Samples) -> None:
        made = {name_call(one) for one in exchanges}
        assert made <= set(samples)
        assert len(made) >= 11

    def test_gives_only_parameters_that_meta_knows(self, exchanges: list[Exchange], samples: Samples) -> None:
        for one in exchanges:
            name = name_call(one)
            known = {parameter for sample in samples[name] for parameter in sample["parameters"]}
            assert set(one.parameters) <= known | STANDARD | NEWER_PARAMETERS.get(name, set()), name

    def test_asks_only_for_fields_that_meta_knows(self, exchanges: list[Exchange], collection: dict[str, Any]) -> None:
        for one in exchanges:
            assert set(one.query.get("fields", "id").split(",")) <= known_fields(collection), one.path

    def test_asks_only_for_metrics_that_meta_knows(self, exchanges: list[Exchange], collection: dict[str, Any]) -> None:
        lists = {one["key"]: one["value"] for one in collection["variable"]}
        for one in exchanges:
            kind = "metrics_account" if one.path.endswith("threads_insights") else "metrics_post"
            asked = one.query.get("metric", "views").split(",")
            assert set(asked) <= set(lists[kind].split(",")), one.path

    def test_never_publishes_in_one_step(self, exchanges: list[Exchange]) -> None:
        assert not any("auto_publish_text" in one.parameters for one in exchanges)


class TestSandbox:
    def test_answers_as_meta_does(
        self, exchanges: list[Exchange], samples: Samples, collection: dict[str, Any]
    ) -> None:
        known, checked = known_fields(collection) | {"paging", "next", "total_value"}, set()
        for one in exchanges:
            assert one.status == 200, one.answer
            for sample in [answer for call in samples[name_call(one)] for answer in call["answers"]][:1]:
                check_shape(one.document, sample, known=known)
                checked.add(name_call(one))
        assert len(checked) >= 10


class TestCheckShape:
    @pytest.mark.parametrize(
        "wrong", [{"id": 7}, {"id": "7", "colour": "red"}, [], {"id": True}, {"list": [{"a": "x"}]}]
    )
    def test_would_catch_a_wrong_answer(self, wrong: Any) -> None:
        with pytest.raises(AssertionError):
            check_shape(wrong, {"id": "string", "list": [{"a": 1}]}, known=set())
