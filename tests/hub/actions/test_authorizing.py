"""Connecting through a person's browser: begun in one process, ended in another, once (AUTH-1)."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from hub.actions import authorizing, pending
from hub.actions.connecting import Where, connect_sandbox, locate
from hub.actions.pending import Pending
from hub.models import Account, OAuthToken, User
from hub.publishing.grants import lose_grant
from hub.publishing.keeping import open_column
from psn.config.envfile import write_env_file
from psn.config.hub import HubConfig
from psn.errors import Conflict, InvalidInput, NeedsReconnect, NotAllowed, NotFound, NotReady, Problem
from psn.oauth.flow import Authorization
from psn.oauth.transports import Transport
from psn.oauth.unattended import approve_unattended
from psn.platforms.registry import get_platform, platform_names
from tests.hub.actions.stage import at_once
from tests.sandbox.conftest import sandbox, sandbox_process
from tests.sandbox.process import WEB, Sandbox

__all__ = ["sandbox", "sandbox_process"]

BY_BROWSER = [name for name in platform_names() if name != "bluesky"]
APP = {"client_id": "psn-sandbox", "client_secret": "psn-sandbox-secret"}


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def home() -> HubConfig:
    """The hub, with its home on disk."""
    assert settings.HUB is not None
    found: HubConfig = settings.HUB
    return found


@pytest.fixture(autouse=True)
def nothing_waits(home: HubConfig) -> Iterator[None]:
    yield
    for path in (home.home / "connecting").glob("*"):
        path.unlink()


def begin(
    home: HubConfig, sandbox: Sandbox, platform: str, *, transport: Transport = "loopback", at: datetime | None = None,
    **where: Any,
) -> Pending:  # fmt: skip
    place = locate(platform, base_url=sandbox.base(platform), **where)
    app = {} if platform == "mastodon" else APP
    return authorizing.begin(home, place, workspace=settings.WORKSPACE, transport=transport, now=at or now(), **app)


def say(found: Pending, decision: str = "allow", *, handle: str = "ana") -> str:
    """Do what the person does in the browser, and give where it ends up."""
    return approve_unattended(Authorization(found.url, "", ""), handle=handle, decision=decision)


class TestABrowser:
    @pytest.mark.parametrize("platform", BY_BROWSER)
    def test_connects_an_account_that_is_then_renewable_where_it_can_be(
        self, me: User, home: HubConfig, sandbox: Sandbox, platform: str
    ) -> None:
        begun = begin(home, sandbox, platform)
        found = pending.find(home, begun.code.lower(), now=now())  # as another process does
        assert found == begun
        account = authorizing.end(home, found, say(found), now=now())
        row = OAuthToken.objects.get(account_id=account.id)
        assert (account.status, account.is_sandbox, account.base_url) == ("active", False, sandbox.base(platform))
        assert row.client_id == found.client_id
        assert open_column(row, "client_secret_sealed") == found.client_secret

    def test_shows_a_code_to_paste_where_it_cannot_come_back(self, me: User, home: HubConfig, sandbox: Sandbox) -> None:
        found = begin(home, sandbox, "mastodon", transport="paste")
        assert found.redirect_uri == "urn:ietf:wg:oauth:2.0:oob"
        account = authorizing.end(home, found, f"  {read_code(found)}\n", now=now())
        assert account.handle == "ana"

    def test_asks_for_a_page_s_scopes_only_when_one_is_connected(
        self, me: User, home: HubConfig, sandbox: Sandbox
    ) -> None:
        page = "urn:li:organization:1"
        assert "organization" not in begin(home, sandbox, "linkedin").url
        found = begin(home, sandbox, "linkedin", organization=page)
        assert "w_organization_social" in found.url
        assert authorizing.end(home, found, say(found), now=now()).platform_account_id == page

    def test_is_of_no_use_where_people_sign_in_with_passwords(self, home: HubConfig, sandbox: Sandbox) -> None:
        with pytest.raises(InvalidInput) as refused:
            begin(home, sandbox, "bluesky")
        assert refused.value.error_code == "connect.needs_password"
        assert "--password-stdin" in refused.value.message


class TestAnAnswer:
    def test_serves_once(self, me: User, home: HubConfig, sandbox: Sandbox) -> None:
        found = begin(home, sandbox, "x")
        answer = say(found)
        authorizing.end(home, found, answer, now=now())
        with pytest.raises(NotFound) as refused:
            authorizing.end(home, found, answer, now=now())
        assert refused.value.error_code == "connect.no_such_try"

    def test_serves_one_of_two_who_bring_it_at_once(self, me: User, home: HubConfig, sandbox: Sandbox) -> None:
        found = begin(home, sandbox, "x")
        answer = say(found)
        got = at_once(*[lambda: authorizing.end(home, found, answer, now=now())] * 3)
        assert sorted(type(one).__name__ for one in got) == ["Account", "NotFound", "NotFound"]
        assert Account.objects.count() == 1

    def test_that_is_no_uses_the_authorization_up(self, home: HubConfig, sandbox: Sandbox) -> None:
        found = begin(home, sandbox, "x")
        with pytest.raises(NotAllowed) as refused:
            authorizing.end(home, found, say(found, "deny"), now=now())
        assert refused.value.error_code == "oauth.denied"
        assert refused.value.next_command == f"psn_account connect x --base-url {sandbox.x}"
        with pytest.raises(NotFound):
            pending.find(home, found.code, now=now())

    @pytest.mark.parametrize(
        ("answer", "kind", "code"),
        [
            ("http://127.0.0.1:8765/callback?code=c&state=another", NotAllowed, "oauth.state_mismatch"),
            ("http://127.0.0.1:8765/callback?code=c", NotAllowed, "oauth.state_mismatch"),
            ("hello", InvalidInput, "oauth.redirect"),
            ("https://x.com/home", InvalidInput, "oauth.redirect"),
        ],
    )
    def test_that_is_none_leaves_it_waiting(
        self, me: User, home: HubConfig, sandbox: Sandbox, answer: str, kind: type[Problem], code: str
    ) -> None:
        found = begin(home, sandbox, "x")
        with pytest.raises(kind) as refused:
            authorizing.end(home, found, answer, now=now())
        assert refused.value.error_code == code
        assert authorizing.end(home, found, say(found), now=now()).handle == "ana"

    def test_that_comes_too_late_says_to_begin_again(self, me: User, home: HubConfig, sandbox: Sandbox) -> None:
        found = begin(home, sandbox, "x")
        answer = say(found)
        sandbox.move_clock(31)  # X's codes live 30 seconds
        with pytest.raises(NeedsReconnect) as refused:
            authorizing.end(home, found, answer, now=now())
        assert refused.value.error_code == "oauth.code_refused"
        assert refused.value.next_command == f"psn_account connect x --base-url {sandbox.x}"
        assert not Account.objects.exists()

    def test_of_another_profile_never_takes_the_place_of_one(self, me: User, home: HubConfig, sandbox: Sandbox) -> None:
        former = connect_sandbox(platform="x", sandbox_url=sandbox.url, handle="ana", now=now())
        found = begin(home, sandbox, "x", former=former)
        with pytest.raises(Conflict) as refused:
            authorizing.end(home, found, say(found, handle="eva"), now=now())
        assert refused.value.error_code == "account.other_profile"
        lose_grant(former, reason="revoked")
        again = begin(home, sandbox, "x", former=former)
        account = authorizing.end(home, again, say(again), now=now())
        assert (account.id, account.status, account.is_sandbox) == (former.id, "active", True)


class TestAPendingAuthorization:
    def test_is_sealed_and_private(self, home: HubConfig, sandbox: Sandbox) -> None:
        found = begin(home, sandbox, "x")
        (path,) = (home.home / "connecting").iterdir()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = path.read_text()
        secrets = [found.state, found.code_verifier, found.client_secret]
        assert not [secret for secret in secrets if secret in text or secret in repr(found)]

    def test_is_over_after_ten_minutes(self, home: HubConfig, sandbox: Sandbox) -> None:
        found = begin(home, sandbox, "x")
        pending.find(home, found.code, now=now() + timedelta(minutes=9))
        with pytest.raises(NotFound):
            pending.find(home, found.code, now=now() + timedelta(minutes=11))
        with pytest.raises(NotFound):
            pending.find(home, found.code, now=now())

    def test_is_forgotten_when_nobody_came_for_it(self, home: HubConfig, sandbox: Sandbox) -> None:
        old = file_of(home, begin(home, sandbox, "x"))
        os.utime(old, (0, 0))
        begin(home, sandbox, "x")
        assert not old.exists()

    def test_opens_under_its_own_name_alone(self, home: HubConfig, sandbox: Sandbox) -> None:
        one, other = begin(home, sandbox, "x"), begin(home, sandbox, "x")
        file_of(home, one).replace(file_of(home, other))
        with pytest.raises(NotFound):
            pending.find(home, other.code, now=now())

    @pytest.mark.parametrize("code", ["", "NOSUCH", "../../hub", "7Q2F3", "a" * 500, "\x00", "7Q2F30"])
    def test_is_found_by_a_real_code_alone(self, home: HubConfig, code: str) -> None:
        with pytest.raises(NotFound) as refused:
            pending.find(home, code, now=now())
        assert refused.value.error_code == "connect.no_such_try"


class TestTheApp:
    def test_comes_from_the_keys_file(self, me: User, home: HubConfig, sandbox: Sandbox) -> None:
        write_env_file(
            settings.WORKSPACE.keys_env,
            {"LINKEDIN_CLIENT_ID": "psn-sandbox", "LINKEDIN_CLIENT_SECRET": "psn-sandbox-secret"},
            comment="test",
        )
        try:
            place = locate("linkedin", base_url=sandbox.base("linkedin"))
            found = authorizing.begin(home, place, workspace=settings.WORKSPACE, transport="paste", now=now())
        finally:
            settings.WORKSPACE.keys_env.unlink()
        account = authorizing.end(home, found, say(found), now=now())
        row = OAuthToken.objects.get(account_id=account.id)
        assert open_column(row, "client_secret_sealed") == "psn-sandbox-secret"

    @pytest.mark.parametrize(
        ("platform", "missing"),
        [("x", ["X_CLIENT_ID"]), ("linkedin", ["LINKEDIN_CLIENT_ID", "LINKEDIN_CLIENT_SECRET"])],
    )
    def test_that_is_missing_is_named_with_how_to_make_one(
        self, home: HubConfig, platform: str, missing: list[str]
    ) -> None:
        with pytest.raises(NotReady) as refused:
            authorizing.begin(
                home, Where(get_platform(platform)), workspace=settings.WORKSPACE, transport="paste", now=now()
            )
        assert refused.value.error_code == "connect.no_app"
        assert all(f"psn_config keys set {name}" in (refused.value.ask or "") for name in missing)
        assert f"psn_account connect {platform} --sandbox" in (refused.value.ask or "")

    def test_registers_itself_only_with_an_instance(self, home: HubConfig, sandbox: Sandbox) -> None:
        with pytest.raises(InvalidInput) as refused:
            authorizing.begin(
                home,
                locate("mastodon", base_url=f"{sandbox.url}/nothing"),
                workspace=settings.WORKSPACE,
                transport="loopback",
                now=now(),
            )
        assert refused.value.error_code == "account.instance"


def file_of(home: HubConfig, found: Pending) -> Path:
    return home.home / "connecting" / f"{found.code}.sealed"


def read_code(found: Pending) -> str:
    """Say yes at an instance that shows the code on a page, and read it there."""
    page = WEB.get(found.url).text
    action = re.search(r'<form[^>]*action="([^"]*)"', page)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page))
    target = (action[1] if action else "") or found.url
    base = found.url.split("/mastodon")[0]
    shown = WEB.post(
        target if target.startswith("http") else base + target, data={**fields, "handle": "ana", "decision": "allow"}
    )
    code = re.search(r"<code[^>]*>([^<]+)</code>|value=\"([A-Za-z0-9_-]{20,})\"", shown.text)
    assert code, shown.text
    return code[1] or code[2]
