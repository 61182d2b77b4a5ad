"""People with an account on the sandbox's TikTok, connected through its consent page."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.sandbox.files import MP4
from tests.sandbox.process import WEB, Sandbox

CLIENT = {"client_key": "psn-sandbox", "client_secret": "psn-sandbox-secret"}
REDIRECT_URI = "http://127.0.0.1:8765/callback"
SCOPES = "user.info.basic,user.info.profile,user.info.stats,video.list,video.upload,video.publish"
P = "/v2/post/publish/"
MB = 1000 * 1000


@dataclass
class Consent:
    """One walk through the consent page."""

    sandbox: Sandbox
    scope: str = SCOPES
    redirect_uri: str = REDIRECT_URI
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def open(self, **changes: str) -> httpx2.Response:
        """Open the consent page."""
        query = {
            "response_type": "code",
            "client_key": CLIENT["client_key"],
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": "some-state",
            "code_challenge": hashlib.sha256(self.verifier.encode()).hexdigest(),
            "code_challenge_method": "S256",
        }
        query = {name: value for name, value in (query | changes).items() if value}
        return WEB.get(f"{self.sandbox.base('tiktok')}/v2/auth/authorize/", params=query)

    def answer(self, *, decision: str = "allow", handle: str = "sandbox") -> dict[str, str]:
        """Press a button of the page, and give what the redirect carries."""
        nonce = re.search(r'name="nonce" value="([^"]+)"', self.open().text)
        assert nonce
        form = {"nonce": nonce[1], "decision": decision, "handle": handle}
        answered = WEB.post(f"{self.sandbox.base('tiktok')}/v2/auth/authorize/", data=form)
        assert answered.status_code == 302, answered.text
        return {name: values[0] for name, values in parse_qs(urlsplit(answered.headers["location"]).query).items()}

    def exchange(self, code: str, /, **changes: str) -> httpx2.Response:
        """Trade the code for tokens."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        form |= {"code_verifier": self.verifier, **CLIENT, **changes}
        return WEB.post(f"{self.sandbox.base('tiktok')}/v2/oauth/token/", data=form)


@dataclass
class Person:
    """A connected account."""

    sandbox: Sandbox
    tokens: dict[str, Any]

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """Call the API with this person's token."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return WEB.request(method, f"{self.sandbox.base('tiktok')}{path}", headers=headers, **arguments)

    def ask(self, path: str, body: object = None, **query: str) -> httpx2.Response:
        """Post JSON."""
        return self.call("POST", path, json={} if body is None else body, params=query)

    def open_draft(self, size: int = len(MP4), *, chunk: int = 0, chunks: int = 1) -> httpx2.Response:
        """Open the upload of a draft."""
        source = {"source": "FILE_UPLOAD", "video_size": size, "chunk_size": chunk or size, "total_chunk_count": chunks}
        return self.ask(f"{P}inbox/video/init/", {"source_info": source})

    def open_video(self, **info: Any) -> httpx2.Response:
        """Open the upload of a direct post."""
        size = len(MP4)
        source = {"source": "FILE_UPLOAD", "video_size": size, "chunk_size": size, "total_chunk_count": 1}
        return self.ask(
            f"{P}video/init/", {"post_info": {"privacy_level": "PUBLIC_TO_EVERYONE", **info}, "source_info": source}
        )

    def send_photos(self, *addresses: str, mode: str = "MEDIA_UPLOAD", **info: Any) -> httpx2.Response:
        """Have photos fetched."""
        source = {"source": "PULL_FROM_URL", "photo_cover_index": 0, "photo_images": list(addresses)}
        body = {"media_type": "PHOTO", "post_mode": mode, "post_info": info, "source_info": source}
        return self.ask(f"{P}content/init/", body)

    def post(self, **info: Any) -> str:
        """Post a video and give its publish id."""
        opened = self.open_video(**info).raise_for_status().json()["data"]
        assert put(opened["upload_url"], MP4).status_code == 201
        return str(opened["publish_id"])

    def status(self, publish_id: str) -> dict[str, Any]:
        """Ask what became of a post."""
        answer = self.ask(f"{P}status/fetch/", {"publish_id": publish_id})
        data: dict[str, Any] = answer.raise_for_status().json()["data"]
        return data


def connect(sandbox: Sandbox, *, handle: str = "sandbox", scope: str = SCOPES) -> Person:
    """Connect an account as a person would."""
    consent = Consent(sandbox, scope=scope)
    return Person(sandbox, consent.exchange(consent.answer(handle=handle)["code"]).raise_for_status().json())


def put(
    url: str, content: bytes, *, first: int = 0, total: int | None = None, headers: Mapping[str, str] | None = None
) -> httpx2.Response:
    """Send a piece."""
    total = len(content) if total is None else total
    given = {"Content-Type": "video/mp4", "Content-Range": f"bytes {first}-{first + len(content) - 1}/{total}"}
    return WEB.put(url, content=content, headers=given | dict(headers or {}))


def store(sandbox: Sandbox, key: str, content: bytes) -> str:
    """Put a file where the sandbox can fetch it, and give its address."""
    url = f"{sandbox.url}/_storage/{key}"
    WEB.put(url, content=content).raise_for_status()
    return url
