"""Members of the sandbox's LinkedIn, connected through its consent page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.sandbox.people import read_redirect
from tests.sandbox.process import WEB, Sandbox

CLIENT = {"client_id": "psn-sandbox", "client_secret": "psn-sandbox-secret"}
REDIRECT_URI = "http://127.0.0.1:8765/callback"
SCOPES = "openid profile w_member_social"
ALL_SCOPES = f"{SCOPES} w_organization_social r_organization_social rw_organization_admin r_member_postAnalytics"
VERSION = {"LinkedIn-Version": "202610", "X-Restli-Protocol-Version": "2.0.0"}


def ask(sandbox: Sandbox, **changes: str) -> httpx2.Response:
    """Open the consent page."""
    query = {
        "response_type": "code",
        "client_id": CLIENT["client_id"],
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPES,
        "state": "some-state",
    }
    return WEB.get(f"{sandbox.base('linkedin')}/oauth/v2/authorization", params=query | changes)


def answer(sandbox: Sandbox, page: httpx2.Response, *, decision: str = "allow", handle: str = "ann") -> httpx2.Response:
    """Press a button of the page."""
    nonce = re.search(r'name="nonce" value="([^"]+)"', page.text)
    assert nonce, page.text
    form = {"nonce": nonce[1], "decision": decision, "handle": handle}
    return WEB.post(f"{sandbox.base('linkedin')}/oauth/v2/authorization", data=form)


def allow(sandbox: Sandbox, *, handle: str = "ann", **changes: str) -> str:
    """Walk to the end and give the code."""
    return read_redirect(answer(sandbox, ask(sandbox, **changes), handle=handle))["code"]


def trade(sandbox: Sandbox, code: str, /, **changes: str) -> httpx2.Response:
    """Trade a code for a token."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI, **CLIENT}
    return WEB.post(f"{sandbox.base('linkedin')}/oauth/v2/accessToken", data=form | changes)


@dataclass
class Member:
    """A connected member."""

    sandbox: Sandbox
    token: str

    def call(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """Call the API with this member's token."""
        headers = {"Authorization": f"Bearer {self.token}", **VERSION, **arguments.pop("headers", {})}
        sent = {name: value for name, value in headers.items() if value}
        return WEB.request(method, f"{self.sandbox.base('linkedin')}{path}", headers=sent, **arguments)

    @property
    def urn(self) -> str:
        """The member's name."""
        return f"urn:li:person:{self.call('GET', '/v2/userinfo').json()['sub']}"

    def post(self, commentary: str = "hi", **changes: Any) -> httpx2.Response:
        """Send a post."""
        body = {
            "author": self.urn,
            "commentary": commentary,
            "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }
        return self.call("POST", "/rest/posts", json=body | changes)

    def open_upload(self, kind: str, **more: Any) -> dict[str, Any]:
        """Ask for an address for a file."""
        order = {"initializeUploadRequest": {"owner": self.urn, **more}}
        response = self.call("POST", f"/rest/{kind}s?action=initializeUpload", json=order).raise_for_status()
        value: dict[str, Any] = response.json()["value"]
        return value


def connect(sandbox: Sandbox, *, handle: str = "ann", scope: str = SCOPES) -> Member:
    """Connect a member as a person would."""
    response = trade(sandbox, allow(sandbox, handle=handle, scope=scope)).raise_for_status()
    return Member(sandbox, str(response.json()["access_token"]))
