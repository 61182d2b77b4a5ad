"""People with an account on the sandbox's X, connected through its consent page."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.sandbox.process import WEB, Sandbox

CLIENT_ID = "psn-sandbox"
REDIRECT_URI = "http://127.0.0.1:8765/callback"
SCOPES = "tweet.read tweet.write users.read media.write offline.access"


@dataclass
class Consent:
    """One walk through the consent page."""

    sandbox: Sandbox
    scope: str = SCOPES
    state: str = "some-state"
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the authorize URL."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "scope": self.scope,
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }

    def open(self, **changes: str) -> httpx2.Response:
        """Open the consent page."""
        query = {name: value for name, value in (self.query | changes).items() if value}
        return WEB.get(f"{self.sandbox.x}/i/oauth2/authorize", params=query)

    def answer(self, page: httpx2.Response, *, decision: str = "allow", handle: str = "sandbox") -> httpx2.Response:
        """Press a button of the page."""
        nonce = re.search(r'name="nonce" value="([^"]+)"', page.text)
        assert nonce, page.text
        form = {"nonce": nonce[1], "decision": decision, "handle": handle}
        return WEB.post(f"{self.sandbox.x}/i/oauth2/authorize", data=form)

    def allow(self, *, handle: str = "sandbox") -> str:
        """Walk to the end and give the code."""
        return read_redirect(self.answer(self.open(), handle=handle))["code"]

    def exchange(self, code: str, /, **changes: str) -> httpx2.Response:
        """Trade the code for tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "client_id": CLIENT_ID,
            "code_verifier": self.verifier,
        }
        return WEB.post(f"{self.sandbox.x}/2/oauth2/token", data=form | changes)


@dataclass
class Person:
    """A connected account."""

    sandbox: Sandbox
    handle: str
    tokens: dict[str, Any]

    @property
    def header(self) -> dict[str, str]:
        """The header that says who calls."""
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """Call the API with this person's token."""
        headers = self.header | arguments.pop("headers", {})
        return WEB.request(method, f"{self.sandbox.x}{path}", headers=headers, **arguments)

    def post(self, text: str, **body: Any) -> httpx2.Response:
        """Send a post."""
        return self.call("POST", "/2/tweets", json={"text": text, **body})

    def post_id(self, text: str, **body: Any) -> str:
        """Send a post that must be taken and give its id."""
        response = self.post(text, **body)
        assert response.status_code == 201, response.text
        return str(response.json()["data"]["id"])

    @property
    def id(self) -> str:
        """The platform's id of this account."""
        return str(self.call("GET", "/2/users/me").json()["data"]["id"])


def connect(sandbox: Sandbox, *, handle: str = "sandbox", scope: str = SCOPES) -> Person:
    """Connect an account as a person would."""
    consent = Consent(sandbox, scope=scope)
    return Person(sandbox, handle, consent.exchange(consent.allow(handle=handle)).raise_for_status().json())


def refresh(sandbox: Sandbox, refresh_token: str) -> httpx2.Response:
    """Trade a refresh token."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": CLIENT_ID}
    return WEB.post(f"{sandbox.x}/2/oauth2/token", data=form)


def read_redirect(response: httpx2.Response) -> dict[str, str]:
    """Give the parameters that a redirect to the app carries."""
    assert response.status_code == 302, response.text
    assert response.headers["location"].startswith(f"{REDIRECT_URI}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()}
