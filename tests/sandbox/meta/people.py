"""People with an account on the sandbox's Instagram or Threads, connected through its consent page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.sandbox.process import WEB, Sandbox

REDIRECT_URI = "https://127.0.0.1:8765/callback"
SCOPES = {
    "instagram": "instagram_business_basic,instagram_business_content_publish,instagram_business_manage_comments,"
    "instagram_business_manage_insights",
    "threads": "threads_basic,threads_content_publish,threads_manage_replies,threads_read_replies,"
    "threads_manage_insights,threads_delete",
}
VERSION = {"instagram": "v25.0", "threads": "v1.0"}
PREFIX = {"instagram": "ig", "threads": "th"}


@dataclass
class Person:
    """Somebody with an account, and a token for it."""

    sandbox: Sandbox
    platform: str
    handle: str = "ann"
    token: str = ""

    @property
    def base(self) -> str:
        """The platform's base URL."""
        return self.sandbox.base(self.platform)

    def open_page(self, **changes: str) -> httpx2.Response:
        """Open the consent page."""
        query = {
            "response_type": "code",
            "client_id": "psn-sandbox",
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPES[self.platform],
            "state": "some-state",
        }
        return WEB.get(f"{self.base}/oauth/authorize", params=query | changes)

    def decide(self, decision: str = "allow", **changes: str) -> httpx2.Response:
        """Open the page and press a button of it."""
        page = self.open_page(**changes)
        nonce = re.search(r'name="nonce" value="([^"]+)"', page.text)
        assert nonce, page.text
        form = {"nonce": nonce[1], "decision": decision, "handle": self.handle}
        return WEB.post(f"{self.base}/oauth/authorize", data=form)

    def get_code(self, **changes: str) -> str:
        """Say yes, and give the code as an app must read it."""
        location = self.decide(**changes).headers["location"]
        return parse_qs(urlsplit(location).query)["code"][0]

    def exchange(self, code: str, **changes: str) -> httpx2.Response:
        """Trade a code for a token of an hour."""
        form = {
            "client_id": "psn-sandbox",
            "client_secret": "psn-sandbox-secret",
            "grant_type": "authorization_code",
            "redirect_uri": REDIRECT_URI,
            "code": code,
        }
        return WEB.post(f"{self.base}/oauth/access_token", data=form | changes)

    def get_short_token(self, **changes: str) -> str:
        """Connect, up to the token of an hour."""
        answer = self.exchange(self.get_code(**changes)).raise_for_status().json()
        granted = answer["data"][0] if self.platform == "instagram" else answer
        return str(granted["access_token"])

    def lengthen(self, token: str, **changes: str) -> httpx2.Response:
        """Trade a token of an hour for one of sixty days."""
        query = {
            "grant_type": f"{PREFIX[self.platform]}_exchange_token",
            "client_secret": "psn-sandbox-secret",
            "access_token": token,
        }
        return WEB.get(f"{self.base}/access_token", params=query | changes)

    def renew(self, token: str) -> httpx2.Response:
        """Trade a token of sixty days for another one."""
        query = {"grant_type": f"{PREFIX[self.platform]}_refresh_token", "access_token": token}
        return WEB.get(f"{self.base}/refresh_access_token", params=query)

    def call(self, method: str, path: str, *, version: str = "", **arguments: Any) -> httpx2.Response:
        """Call the API with this person's token."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"{self.base}/{version or VERSION[self.platform]}{path}"
        return WEB.request(method, url, headers=headers | arguments.pop("headers", {}), **arguments)

    def get(self, path: str, **query: str) -> Any:
        """Read something that must be there."""
        return self.call("GET", path, params=query).raise_for_status().json()

    def post(self, path: str, **form: str) -> httpx2.Response:
        """Send a form."""
        return self.call("POST", path, data=form)

    def post_id(self, path: str, **form: str) -> str:
        """Send a form that must be taken, and give the id it makes."""
        answer = self.post(path, **form)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])


def connect(sandbox: Sandbox, platform: str, *, handle: str = "ann", scope: str = "") -> Person:
    """Connect an account as a person would."""
    person = Person(sandbox, platform, handle)
    person.token = person.get_short_token(**({"scope": scope} if scope else {}))
    return person


def read_error(answer: httpx2.Response) -> tuple[int, int, int | None]:
    """Give status, code and subcode of a refusal, which must have the whole envelope."""
    error = answer.json()["error"]
    assert {"message", "type", "code", "fbtrace_id"} <= set(error), error
    return answer.status_code, error["code"], error.get("error_subcode")


def put(sandbox: Sandbox, name: str, content: bytes) -> str:
    """Put a file where platforms can fetch it, and give its address."""
    url = f"{sandbox.url}/_storage/{name}"
    WEB.put(url, content=content).raise_for_status()
    return url
