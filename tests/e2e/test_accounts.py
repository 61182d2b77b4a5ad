"""Accounts from the command line, as processes: every platform, and every way an answer comes back from a browser (AUTH-1)."""

from __future__ import annotations

import json
import secrets
import signal
import socket
from typing import Any

import pytest

from psn.oauth.flow import Authorization
from psn.oauth.unattended import approve_unattended
from psn.platforms.registry import platform_names
from tests.e2e.workspace import WEB, Outcome, Workspace, read_outcome

every = pytest.mark.parametrize("platform", platform_names())
LISTENER_PORT = 8765


class TestConnectAtTheSandbox:
    @every
    def test_needs_nothing_and_nobody(self, ready: Workspace, platform: str) -> None:
        handle = plain_handle()
        shown = ready.ok("psn_account", "connect", platform, "--sandbox", "--handle", handle)["account"]
        assert (shown["platform"], shown["status"], shown["sandbox"]) == (platform, "active", True)
        assert shown["handle"].removeprefix("@").startswith(handle)

    def test_is_seen_through_to_the_end(self, ready: Workspace) -> None:
        shown = ready.ok("psn_account", "connect", "tiktok", "--sandbox", "--handle", plain_handle())["account"]
        told = ready.ok("psn_account", "show", shown["id"])
        assert told["abilities"]
        assert set(told["grant"]["scopes_explained"]) == set(told["grant"]["scopes"])
        again = ready.ok("psn_account", "reconnect", shown["id"])["account"]
        assert (again["id"], again["status"]) == (shown["id"], "active")
        assert ready.ok("psn_account", "refresh", shown["id"])["renewed"] is True
        assert ready.ok("psn_account", "disconnect", shown["id"])["account"]["status"] == "disconnected"


class TestConnectByBrowser:
    def test_goes_on_in_another_process_with_what_was_pasted(self, ready: Workspace) -> None:
        begun = needs_browser(ready, "x", "--no-wait")
        answer = say_yes(begun)
        command = (begun.next_command or "").split()[2:]
        assert command[:4] == ["psn_account", "connect", "x", "--resume"]
        connected = ready.ok(*command[:5], "--redirect-stdin", stdin=f"{answer}\n".encode())
        assert connected["account"]["status"] == "active"
        ready.refused(*command[:5], "--redirect-stdin", stdin=answer.encode(), code="connect.no_such_try", exit_code=1)

    def test_without_anybody_to_paste_says_how_to_go_on(self, ready: Workspace) -> None:
        begun = needs_browser(ready, "linkedin")  # stdin is empty, and there is no screen
        assert begun.result["data"]["scopes"]["w_member_social"]
        assert "psn-sandbox-secret" not in begun.stdout + begun.stderr

    def test_takes_the_address_on_stdin_while_it_waits(self, ready: Workspace) -> None:
        process = ready.launch("psn_account", "connect", "x", *at(ready, "x"), "--redirect-stdin")
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        assert (line["type"], line["status"]) == ("progress", "wait")
        rest, stderr = process.communicate(f"{approve(line['detail']['url'])}\n".encode(), timeout=60)
        outcome = read_outcome(process.returncode, json.dumps(line).encode() + b"\n" + rest, stderr)
        assert outcome.data["account"]["status"] == "active"

    def test_listens_for_the_browser(self, ready: Workspace) -> None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", LISTENER_PORT)) == 0:
                pytest.skip(f"something else listens on port {LISTENER_PORT}")
        process = ready.launch("psn_account", "connect", "x", *at(ready, "x"), "--listen")
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        assert WEB.get(f"http://127.0.0.1:{LISTENER_PORT}/favicon.ico").status_code == 404
        assert WEB.get(approve(line["detail"]["url"])).status_code == 200
        rest, stderr = process.communicate(timeout=60)
        outcome = read_outcome(process.returncode, json.dumps(line).encode() + b"\n" + rest, stderr)
        assert outcome.data["account"]["status"] == "active"

    def test_stopped_in_the_middle_can_be_gone_on_with(self, ready: Workspace) -> None:
        process = ready.launch("psn_account", "connect", "x", *at(ready, "x"), "--redirect-stdin")
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 130
        answer = approve(line["detail"]["url"])
        resumed = ["psn_account", "connect", "x", "--resume", line["detail"]["resume"], "--redirect-stdin"]
        assert ready.ok(*resumed, stdin=answer.encode())["account"]["status"] == "active"

    def test_that_is_declined_says_so(self, ready: Workspace) -> None:
        begun = needs_browser(ready, "x", "--no-wait")
        denied = approve_unattended(Authorization(url_of(begun), "", ""), handle="ana", decision="deny")
        code = begun.result["data"]["resume"]
        outcome = ready.refused(
            "psn_account", "connect", "x", "--resume", code, "--redirect-stdin",
            stdin=denied.encode(), code="oauth.denied", exit_code=1,
        )  # fmt: skip
        assert "psn_account connect x" in (outcome.next_command or "")

    def test_rehearsed_says_what_would_be_asked_for_and_asks_nobody(self, ready: Workspace) -> None:
        plan = ready.ok("psn_account", "connect", "linkedin", "--organization", "urn:li:organization:1", "--dry-run")
        assert plan["scopes"]["rw_organization_admin"]
        assert (plan["app_known"], plan["transport"]) == (False, "paste")
        assert set(ready.ok("psn_account", "connect", "linkedin", "--dry-run")["scopes"]) < set(plan["scopes"])


class TestWhatCannotBeConnected:
    @pytest.mark.parametrize(
        ("arguments", "code", "exit_code"),
        [
            (["x"], "connect.no_app", 3),
            (["linkedin", "--client-id", "app"], "connect.no_app", 3),
            (["bluesky"], "connect.needs_password", 5),
            (["bluesky", "--password-stdin"], "account.handle", 5),
            (["x", "--password-stdin"], "connect.no_password", 5),
            (["mastodon"], "account.base_url", 5),
            (["mastodon", "--base-url", "http://mastodon.social"], "account.base_url_insecure", 5),
            (["mastodon", "--base-url", "http://127.0.0.1:9"], "platform.unavailable", 4),
            (["myspace"], "platform.unknown", 5),
            (["x", "--organization", "urn:li:organization:1"], "account.organization", 5),
            (["x", "--resume", "NOSUCH"], "connect.no_such_try", 1),
            (["x", "--resume", "ABCDEF", "--no-wait"], "usage", 2),
            (["x", "--listen", "--no-wait"], "usage", 2),
            (["x", "--sandbox", "--token-stdin"], "usage", 2),
            (["x", "--client-secret-stdin"], "usage", 2),
            (["x", "--redirect-stdin", "--client-id", "a", "--client-secret-stdin"], "usage", 2),
        ],
    )
    def test_says_why_and_what_is_next(self, ready: Workspace, arguments: list[str], code: str, exit_code: int) -> None:
        outcome = ready.refused("psn_account", "connect", *arguments, stdin=b"pa55word", code=code, exit_code=exit_code)
        assert outcome.result["next_action"]["needs"] in ("human", "agent")
        assert "pa55word" not in outcome.stdout + outcome.stderr

    def test_is_no_instance(self, ready: Workspace) -> None:
        ready.refused(
            "psn_account",
            "connect",
            "mastodon",
            "--base-url",
            f"{ready.sandbox_url}/x",
            code="account.instance",
            exit_code=5,
        )

    def test_is_an_account_with_a_wrong_app_password(self, ready: Workspace) -> None:
        outcome = ready.refused(
            "psn_account", "connect", "bluesky", "--base-url", f"{ready.sandbox_url}/bluesky", "--handle", "ana.bsky.social",
            "--password-stdin", stdin=b"wr0ng-pass", code="account.password", exit_code=4,
        )  # fmt: skip
        assert "wr0ng" not in outcome.stdout + outcome.stderr


class TestCap:
    def test_limits_a_day(self, ready: Workspace, account: str) -> None:
        assert ready.ok("psn_account", "cap", f"@{account}", "3")["posts_per_day"]["yours"] == 3
        assert ready.ok("psn_account", "show", f"@{account}")["posts_per_day"]["in_force"] == 3
        assert ready.ok("psn_account", "cap", f"@{account}", "none")["posts_per_day"]["yours"] is None
        ready.refused("psn_account", "cap", f"@{account}", "many", code="account.cap", exit_code=5)


def at(ready: Workspace, platform: str) -> list[str]:
    """Connect to the sandbox as if it were the platform itself."""
    return ["--base-url", f"{ready.sandbox_url}/{platform}", "--client-id", "psn-sandbox"]


def needs_browser(ready: Workspace, platform: str, *more: str) -> Outcome:
    if platform == "linkedin":  # its app has a secret
        ready.ok("psn_config", "keys", "set", "LINKEDIN_CLIENT_ID", stdin=b"psn-sandbox")
        ready.ok("psn_config", "keys", "set", "LINKEDIN_CLIENT_SECRET", stdin=b"psn-sandbox-secret")
        try:
            where = ["--base-url", f"{ready.sandbox_url}/linkedin"]
            return ready.refused(
                "psn_account", "connect", platform, *where, *more, code="connect.needs_browser", exit_code=4
            )
        finally:
            ready.ok("psn_config", "keys", "remove", "LINKEDIN_CLIENT_ID")
            ready.ok("psn_config", "keys", "remove", "LINKEDIN_CLIENT_SECRET")
    return ready.refused(
        "psn_account", "connect", platform, *at(ready, platform), *more, code="connect.needs_browser", exit_code=4
    )


def url_of(begun: Outcome) -> str:
    action: dict[str, Any] = begun.result["next_action"]
    assert action["needs"] == "human"
    return str(action["url"])


def say_yes(begun: Outcome) -> str:
    return approve(url_of(begun))


def approve(url: str) -> str:
    return approve_unattended(Authorization(url, "", ""), handle=plain_handle())


def plain_handle() -> str:
    """Give a handle that nobody has, and that every platform would take."""
    return f"e{secrets.token_hex(4)}"
