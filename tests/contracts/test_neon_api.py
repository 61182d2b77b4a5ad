"""The stand-in of Neon's API, held against Neon's own OpenAPI document, and what the real neonctl asks of it (HUB-5)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from psn.providers.neon import NeonCli
from tests.contracts.specs import find_contract
from tests.neon_api import Call, NeonApi, World, run_neon_api
from tests.neon_api.program import need_neonctl

SERVER = "https://console.neon.tech"


@pytest.fixture(scope="module")
def spec() -> OpenAPI:
    """Neon's document."""
    document = yaml.load(find_contract("neon-v2.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    document = json.loads(json.dumps(document, default=str))  # status codes are names, dates are text
    config = Config(spec_validator_cls=None)  # type: ignore[arg-type]  # some of the document fails strict validation
    return OpenAPI.from_dict(document, config=config)


@pytest.fixture
def api() -> Iterator[NeonApi]:
    with run_neon_api(World(looks=1)) as running:
        yield running


def check(spec: OpenAPI, call: Call) -> None:
    """Hold a call and its answer against the document.

    Raises:
        OpenAPIError: one of them is not what the document says.
    """
    body = json.dumps(call.body).encode() if call.body else None
    content: dict[str, Any] = {"data": body, "content_type": "application/json"} if body else {}
    path = f"/api/v2{call.path}"
    headers = {"Authorization": call.authorization}
    request = MockRequest(SERVER, call.method.lower(), path, args=call.query, headers=headers, **content)
    if call.status < 400:
        spec.validate_request(request)
    answer = json.dumps(call.document).encode()
    spec.validate_response(request, MockResponse(answer, call.status, content_type="application/json"))


def ask(api: NeonApi, method: str, path: str, *, key: str = "", **more: Any) -> httpx2.Response:
    """Ask the stand-in without neonctl."""
    with httpx2.Client(trust_env=False, timeout=20) as client:
        headers = {"Authorization": f"Bearer {key or api.world.key}"}
        return client.request(method, f"{api.url}{path}", headers=headers, **more)


class TestTheStandIn:
    def test_answers_as_the_document_says(self, spec: OpenAPI, api: NeonApi) -> None:
        (org,) = api.world.organisations
        ask(api, "GET", "/users/me/organizations")
        project = {"name": "psn", "org_id": org.id, "pg_version": 18, "region_id": "aws-us-east-2", "branch": {}}
        made = ask(api, "POST", "/projects", json={"project": project}).json()
        below = f"/projects/{made['project']['id']}"
        branch = f"{below}/branches/{made['branch']['id']}"
        for path in (below, f"{below}/operations", f"{below}/operations", f"{below}/branches"):
            ask(api, "GET", path)
        for path in ("endpoints", "databases", "roles", "roles/neondb_owner/reveal_password"):
            ask(api, "GET", f"{branch}/{path}")
        ask(api, "GET", "/projects", params={"org_id": org.id, "limit": "100", "search": "ps"})
        ask(api, "GET", "/projects/shared", params={"limit": "100"})
        assert [call.status for call in api.calls] == [200, 201, *[200] * 10]
        for call in api.calls:
            check(spec, call)

    def test_refuses_as_the_document_says(self, spec: OpenAPI, api: NeonApi) -> None:
        api.world.limit = 0
        ask(api, "GET", "/projects")
        ask(api, "GET", "/projects", key="napi_wrong")
        ask(api, "POST", "/projects", json={"project": {"org_id": api.world.organisations[0].id}})
        ask(api, "GET", "/projects/no-such-1")
        api.fail("GET /projects", status=429, message="too many requests")
        ask(api, "GET", "/projects")
        assert [call.status for call in api.calls] == [400, 401, 422, 404, 429]
        for call in api.calls:
            check(spec, call)

    def test_would_be_caught_if_it_were_wrong(self, spec: OpenAPI, api: NeonApi) -> None:
        ask(api, "GET", "/users/me/organizations")
        (call,) = api.calls
        del call.document["organizations"][0]["handle"]
        with pytest.raises(OpenAPIError):
            check(spec, call)


class TestNeonctl:
    def test_asks_and_is_answered_as_the_document_says(self, spec: OpenAPI, api: NeonApi, tmp_path: Path) -> None:
        neonctl = need_neonctl()
        around = {"PATH": os.environ["PATH"], "PSN_NEONCTL": str(neonctl), **api.environment}
        neon = NeonCli.from_environment(around, folder=tmp_path)
        neon.connection_url(neon.ensure_project("psn", region="aws-us-east-2", pg_version=17).id)
        assert {call.name.split("/")[-1] for call in api.calls} == {
            "projects",
            "organizations",
            "operations",
            "branches",
            "endpoints",
            "databases",
            "reveal_password",
        }
        for call in api.calls:
            check(spec, call)
