"""Every call of the adapter and every answer of the sandbox, held against Bluesky's own lexicons."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from jsonschema import ValidationError

from psn.platforms.base import Part
from psn.platforms.bluesky.adapter import BlueskyAdapter
from tests.contracts.lexicons import Lexicons
from tests.psn.loopback import Line, build_reply, serve
from tests.psn.platforms.bluesky.accounts import grant, make_image, publish
from tests.sandbox.process import Sandbox


@dataclass
class Recording:
    """What went through.

    Args:
        calls: method, path with query, body, status and answer of each.
    """

    url: str = ""
    calls: list[tuple[str, str, bytes, int, bytes]] = field(default_factory=list)


@contextmanager
def record(sandbox: Sandbox) -> Iterator[Recording]:
    """Stand between somebody and the sandbox."""
    recording = Recording()

    def forward(line: Line) -> None:
        while request := line.read_request():
            head, _, body = request.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            method, path, _ = first.split(" ")
            headers = dict(header.split(": ", 1) for header in lines)
            connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            recording.calls.append((method, path, body, answer.status, content))
            line.send(build_reply(answer.status, content))

    with serve(forward) as server:
        recording.url = f"{server.url}/bluesky"
        yield recording


def check_call(lexicons: Lexicons, call: tuple[str, str, bytes, int, bytes]) -> str:
    """Hold one call and its answer against the lexicon that both name."""
    method, path, body, status, content = call
    nsid, _, query = path.removeprefix("/bluesky/xrpc/").partition("?")
    if nsid == "app.bsky.actor.getProfile":  # only what it answers is among the contracts
        lexicons.check("app.bsky.actor.defs#profileViewDetailed", json.loads(content))
        return nsid
    lexicons.check_query(nsid, query)
    if method == "POST" and nsid != "com.atproto.repo.uploadBlob":
        lexicons.check_input(nsid, json.loads(body))
    if status == 200:
        lexicons.check_output(nsid, json.loads(content))
    else:
        assert set(json.loads(content)) == {"error", "message"}
    if nsid == "com.atproto.repo.putRecord":
        lexicons.check("app.bsky.feed.post", json.loads(body)["record"])
    return nsid


class TestEveryCall:
    def test_is_as_the_lexicons_want_it(
        self, sandbox: Sandbox, connect: Callable[..., BlueskyAdapter], handle: str, lexicons: Lexicons
    ) -> None:
        with record(sandbox) as recording:
            adapter = connect(grant(sandbox, handle).access_token, recording.url)
            grant(sandbox, "bo.example.com")
            first = publish(
                adapter, Part(0, "é @bo.example.com @nobody.eu https://example.com #tag", options={"language": "en"})
            )
            images = tuple(make_image(number) for number in range(5))
            publish(adapter, Part(1, "a gallery", images), reply_to=first.platform_post_id)
            publish(adapter, Part(0, "four", images[:4]))
            publish(adapter, Part(0, "card", images[:1], options={"link": "https://example.com", "title": "t"}))
            reference = adapter.prepare_post(Part(0, "x"), media_ids=[], reply_to=None, former="").reference
            assert (
                adapter.find_published(
                    Part(0, "x"),
                    reference=reference,
                    since=adapter.fetch_recent_posts()[0].created_at,
                    reply_to=None,
                    known_ids=(),
                )
                is None
            )
            adapter.fetch_recent_posts(limit=2)
            adapter.fetch_posts([first.platform_post_id])
            adapter.fetch_account_metrics()
            adapter.delete_post(first.platform_post_id)
        seen = {check_call(lexicons, call) for call in recording.calls}
        assert seen == {
            "app.bsky.actor.getProfile",
            "app.bsky.feed.getPosts",
            "com.atproto.identity.resolveHandle",
            "com.atproto.repo.deleteRecord",
            "com.atproto.repo.getRecord",
            "com.atproto.repo.listRecords",
            "com.atproto.repo.putRecord",
            "com.atproto.repo.uploadBlob",
            "com.atproto.server.getSession",
        }


class TestLexicons:
    RECORD = {"$type": "app.bsky.feed.post", "text": "a", "createdAt": "2026-11-20T14:53:00.123Z"}

    def test_take_a_post(self, lexicons: Lexicons) -> None:
        lexicons.check("app.bsky.feed.post", self.RECORD)

    @pytest.mark.parametrize(
        "change",
        [
            {"text": "x" * 301},
            {"text": "👩‍👩‍👧‍👦" * 121},
            {"text": None},
            {"createdAt": "2026-11-20"},
            {"langs": ["en"] * 4},
            {"langs": ["e n"]},
            {"txet": "a"},
            {"$type": "app.bsky.feed.like"},
            {"facets": [{"index": {"byteStart": -1, "byteEnd": 2}, "features": []}]},
            {"facets": [{"index": {"byteStart": 0, "byteEnd": 2}, "features": [{"uri": "https://example.com"}]}]},
            {"embed": {"$type": "app.bsky.embed.unheard"}},
            {"embed": {"$type": "app.bsky.embed.external", "external": {"uri": "https://e.eu", "title": "t"}}},
            {"reply": {"root": {"uri": "at://did:plc:a", "cid": "x"}, "parent": {"uri": "at://did:plc:a", "cid": "x"}}},
        ],
        ids=str,
    )
    def test_catch_what_is_wrong(self, lexicons: Lexicons, change: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            lexicons.check("app.bsky.feed.post", {**self.RECORD, **change})

    def test_catch_a_wrong_call(self, lexicons: Lexicons) -> None:
        with pytest.raises(ValidationError):
            lexicons.check_query("app.bsky.feed.getPosts", "uris=not-an-address")
        with pytest.raises(ValidationError):
            lexicons.check_input(
                "com.atproto.repo.deleteRecord", {"repo": "ana.eu", "collection": "app.bsky.feed.post"}
            )
        with pytest.raises(ValidationError):
            lexicons.check_output("com.atproto.identity.resolveHandle", {"did": "7"})
