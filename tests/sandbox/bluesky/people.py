"""People with an account on the sandbox's Bluesky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx2

from tests.sandbox.process import WEB, Sandbox

PASSWORD = "psn-sandbox-secret"
POSTS = "app.bsky.feed.post"
KEY = "3n2qumhip5rpg"


@dataclass
class Person:
    """Somebody who is signed in."""

    sandbox: Sandbox
    handle: str
    did: str
    access: str
    refresh: str

    def call(self, method: str, nsid: str, *, token: str | None = None, **given: Any) -> httpx2.Response:
        """Make a call; with another token, or with none when it is empty."""
        token = self.access if token is None else token
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **given.pop("headers", {})}
        return WEB.request(method, f"{self.sandbox.base('bluesky')}/xrpc/{nsid}", headers=headers, **given)

    def put(self, text: str = "hello", *, rkey: str = KEY, record: Any = None, **fields: Any) -> httpx2.Response:
        """Write a record, if nothing is under its key."""
        record = make_record(text) if record is None else record
        body = {"repo": self.did, "collection": POSTS, "rkey": rkey, "record": record, "swapRecord": None, **fields}
        left_out = [name for name, value in body.items() if value is ...]
        for name in left_out:
            del body[name]
        return self.call("POST", "com.atproto.repo.putRecord", json=body)

    def upload(self, content: bytes, mime_type: str) -> httpx2.Response:
        """Upload a file."""
        headers = {"Content-Type": mime_type}
        return self.call("POST", "com.atproto.repo.uploadBlob", content=content, headers=headers)

    def read(self, rkey: str = KEY, **query: str) -> httpx2.Response:
        """Read a record."""
        params = {"repo": self.did, "collection": POSTS, "rkey": rkey, **query}
        return self.call("GET", "com.atproto.repo.getRecord", token="", params=params)


def make_record(text: str = "hello", **fields: Any) -> dict[str, Any]:
    return {"$type": POSTS, "text": text, "createdAt": "2026-11-20T14:53:00.123Z", **fields}


def sign_in(sandbox: Sandbox, identifier: str = "ana.bsky.social", password: str = PASSWORD) -> httpx2.Response:
    """Try to sign in."""
    body = {"identifier": identifier, "password": password}
    return WEB.post(f"{sandbox.base('bluesky')}/xrpc/com.atproto.server.createSession", json=body)


def connect(sandbox: Sandbox, handle: str = "ana.bsky.social") -> Person:
    """Sign in."""
    body = sign_in(sandbox, handle).raise_for_status().json()
    return Person(sandbox, body["handle"], body["did"], body["accessJwt"], body["refreshJwt"])


def refused(answer: httpx2.Response) -> tuple[int, str]:
    """Give status and name of a refusal."""
    return answer.status_code, answer.json()["error"]
