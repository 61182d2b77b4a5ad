"""People with an account on the sandbox's instance, connected through its consent page."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.sandbox.process import WEB, Sandbox

REDIRECT_URI = "http://127.0.0.1:8765/callback"
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
SCOPES = "read:accounts read:statuses write:statuses write:media"


@dataclass
class App:
    """An app that registered itself."""

    base: str
    client_id: str
    client_secret: str
    redirect_uri: str = REDIRECT_URI

    def authorize_url(self, *, scope: str = SCOPES, **more: str) -> str:
        """Give the address at which a person says yes."""
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": scope,
            "state": "some-state",
        }
        return str(httpx2.URL(f"{self.base}/oauth/authorize", params=query | more))

    def exchange(self, code: str, /, **changes: str) -> httpx2.Response:
        """Trade a code for a token."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "redirect_uri": self.redirect_uri,
        }
        return WEB.post(f"{self.base}/oauth/token", data=form | changes)


@dataclass
class Person:
    """A connected account."""

    base: str
    token: str

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """Call the API with this person's token."""
        headers = {"Authorization": f"Bearer {self.token}"} | arguments.pop("headers", {})
        return WEB.request(method, f"{self.base}{path}", headers=headers, **arguments)

    def post(self, text: str, *, key: str = "", **body: Any) -> httpx2.Response:
        """Send a status."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.call("POST", "/api/v1/statuses", json={"status": text, **body}, headers=headers)

    def status(self, text: str, **body: Any) -> dict[str, Any]:
        """Send a status that must be taken and give it."""
        found: dict[str, Any] = self.post(text, **body).raise_for_status().json()
        return found

    def upload(self, content: bytes, **fields: str) -> httpx2.Response:
        """Upload a file."""
        return self.call("POST", "/api/v2/media", files={"file": ("file", content)}, data=fields)

    def own(self, **query: str) -> httpx2.Response:
        """Read the account's own statuses."""
        me = self.call("GET", "/api/v1/accounts/verify_credentials").json()["id"]
        return self.call("GET", f"/api/v1/accounts/{me}/statuses", params=query)


def register(sandbox: Sandbox, *, redirect_uri: str = REDIRECT_URI, scopes: str = SCOPES) -> App:
    """Register an app."""
    base = sandbox.base("mastodon")
    body = {"client_name": "Test", "redirect_uris": [redirect_uri], "scopes": scopes}
    made = WEB.post(f"{base}/api/v1/apps", json=body).raise_for_status().json()
    return App(base, made["client_id"], made["client_secret"], redirect_uri)


def consent(url: str, *, handle: str = "ann", decision: str = "allow") -> httpx2.Response:
    """Open a consent page and press a button of it."""
    page = WEB.get(url)
    nonce = re.search(r'name="nonce" value="([^"]+)"', page.text)
    assert nonce, page.text
    return WEB.post(url.partition("?")[0], data={"nonce": nonce[1], "decision": decision, "handle": handle})


def read_redirect(response: httpx2.Response) -> dict[str, str]:
    """Give the parameters that a redirect to the app carries."""
    assert response.status_code == 302, response.text
    assert response.headers["location"].startswith(f"{REDIRECT_URI}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()}


def connect(sandbox: Sandbox, *, handle: str = "ann", scope: str = SCOPES) -> Person:
    """Connect an account as a person would."""
    app = register(sandbox, scopes=scope)
    code = read_redirect(consent(app.authorize_url(scope=scope), handle=handle))["code"]
    return Person(app.base, app.exchange(code).raise_for_status().json()["access_token"])


def make_key() -> str:
    """Make an idempotency key."""
    return secrets.token_hex(16)
