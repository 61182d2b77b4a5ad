"""What people get wrong: each ends in one result line with a stable code, a sentence, and the next step (CLI-1)."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.e2e.workspace import REPOSITORY, Outcome, Workspace, make_workspace, read_outcome

NOBODY = "00000000-0000-4000-8000-000000000000"
SECRET = "never-to-be-repeated-5f2c"


@dataclass(frozen=True)
class Case:
    """One mistake and what comes of it."""

    name: str
    arguments: Sequence[str]
    code: str
    exit_code: int
    stdin: bytes = b""


def check_refusal(outcome: Outcome) -> None:
    """A sentence for a person, and a next step: a command that exists, or something only a person can do."""
    error, action = outcome.result["error"], outcome.result["next_action"]
    assert len(error["message"].split()) >= 3
    assert "Traceback" not in outcome.stderr, outcome.stderr
    assert action["needs"] in ("agent", "human")


CREATE = ["psn_post", "create", "--account", "@sandbox"]
CONNECT = ["psn_account", "connect", "x", "--token-stdin", "--base-url"]
KEYS = ["psn_config", "keys"]
TABLE = [
    # posts
    Case("a text too long", [*CREATE, "--text", "a" * 281], "validation.failed", 5),
    Case("an empty text", [*CREATE, "--text", ""], "validation.failed", 5),
    Case("blanks alone", [*CREATE, "--text", " \n "], "validation.failed", 5),
    Case("an account nobody connected", ["psn_post", "create", "--account", "@nobody", "--text", "x"], "account.not_found", 1),
    Case("an account by a name that is none", ["psn_post", "create", "--account", "nobody", "--text", "x"], "account.name", 5),
    Case("an account in broken characters", ["psn_account", "show", "@\udcff"], "account.name", 5),
    Case("an account that does not exist", ["psn_account", "show", NOBODY], "account.not_found", 1),
    Case("a time in the past", [*CREATE, "--text", "x", "--at", "2020-01-01T00:00:00+00:00"], "time.past", 5),
    Case("a time without a zone", [*CREATE, "--text", "x", "--at", "2030-01-01T00:00:00"], "time.no_zone", 5),
    Case("a time nobody can read", [*CREATE, "--text", "x", "--at", "tomorrow"], "time.unreadable", 5),
    Case("a time in year 9999", [*CREATE, "--text", "x", "--at", "9999-12-31T00:00:00+00:00"], "time.too_far", 5),
    Case("a time after all time", [*CREATE, "--text", "x", "--at", "9999-12-31T23:59:00-10:00"], "time.unreadable", 5),
    Case("a span of ages", [*CREATE, "--text", "x", "--at", "+9999999d"], "time.too_far", 5),
    Case("a post that does not exist", ["psn_post", "show", NOBODY], "post.not_found", 1),
    Case("an id that is none", ["psn_post", "cancel", "7"], "post.not_found", 1),
    Case("a page after a post that does not exist", ["psn_post", "list", "--before", NOBODY], "post.not_found", 1),
    Case("a status that does not exist", ["psn_post", "list", "--status", "gone"], "post.status", 5),
    Case("a limit that is no number", ["psn_post", "list", "--limit", "many"], "usage", 2),
    Case("a time-out that is no number", ["psn_post", "wait", NOBODY, "--timeout", "nan"], "usage", 2),
    Case("two sources of text", [*CREATE, "--text", "x", "--stdin"], "usage", 2, b"x"),
    Case("no source of text", CREATE, "usage", 2),
    Case("a file that is not there", [*CREATE, "--file", "/nonexistent/post.txt"], "text.unreadable", 5),
    Case("a folder as a file", [*CREATE, "--file", "/"], "text.unreadable", 5),
    Case("bytes that are no text", [*CREATE, "--stdin"], "text.encoding", 5, b"\xff\xfe\x00binary"),
    Case("a NUL in a text", [*CREATE, "--stdin"], "text.nul", 5, b"a\x00b"),
    Case("two megabytes of text", [*CREATE, "--stdin"], "text.too_large", 5, b"a" * 2_000_000),
    Case("a text in broken characters", [*CREATE, "--text", "\udcff"], "text.encoding", 5),
    Case("media that are not there", [*CREATE, "--text", "x", "--media", "/nonexistent/a.png"], "media.not_found", 5),
    Case("media of a wrong type", [*CREATE, "--text", "x", "--media", str(REPOSITORY / "manage.py")], "media.type", 5),
    Case("a file of a user who is not here", [*CREATE, "--file", "~nosuch/x"], "text.unreadable", 5),
    Case("a file with a name too long", [*CREATE, "--file", "a" * 300], "text.unreadable", 5),
    Case("a file without an end", [*CREATE, "--file", "/dev/zero"], "text.too_large", 5),
    Case("media of a user who is not here", [*CREATE, "--text", "x", "--media", "~nosuch/x.png"], "media.unreadable", 5),
    Case("media with a name too long", [*CREATE, "--text", "x", "--media", "a" * 300 + ".png"], "media.unreadable", 5),
    Case("media without an end", [*CREATE, "--text", "x", "--media", "/dev/zero"], "media.not_found", 5),
    Case("an alt text without media", [*CREATE, "--text", "x", "--alt", "a cat"], "usage", 2),
    Case("a word on a post that does not exist", ["psn_post", "resolve", NOBODY, "--not-published"], "post.not_found", 1),
    Case("a word on a post that says nothing", ["psn_post", "resolve", NOBODY], "usage", 2),
    Case("a word on a post that says both", ["psn_post", "resolve", NOBODY, "--published", "7", "--not-published"], "usage", 2),
    Case("a notice that does not exist", ["psn_post", "notices", "--seen", NOBODY], "notice.not_found", 1),
    Case("a notice that is none", ["psn_post", "notices", "--seen", "7"], "notice.not_found", 1),
    Case("a page after a notice that does not exist", ["psn_post", "notices", "--before", NOBODY], "notice.not_found", 1),
    Case("a story of a post that does not exist", ["psn_post", "why", NOBODY], "post.not_found", 1),
    # the command line itself
    Case("a verb that does not exist", ["psn_post", "sing"], "usage", 2),
    Case("no verb", ["psn_post"], "usage", 2),
    Case("a missing argument", ["psn_post", "show"], "usage", 2),
    Case("an option that does not exist", ["psn_post", "list", "--all"], "usage", 2),
    Case("a command that does not exist", ["psn_sing"], "usage.unknown_command", 2),
    # accounts
    Case("a platform that does not exist", ["psn_account", "connect", "myspace", "--sandbox"], "platform.unknown", 5),
    Case("a platform, but no app there", ["psn_account", "connect", "x"], "connect.no_app", 3),
    Case("a handle no platform takes", ["psn_account", "connect", "x", "--sandbox", "--handle", "no such handle!"], "account.handle", 5),
    Case("a token document that is no JSON", [*CONNECT, "http://127.0.0.1:9"], "account.token_document", 5, SECRET.encode()),
    Case(
        "a token document with a broken token",
        [*CONNECT, "http://127.0.0.1:9"],
        "account.token_document",
        5,
        json.dumps({"access_token": f"{SECRET} \n"}).encode(),
    ),
    Case("a token document that is no text", [*CONNECT, "http://127.0.0.1:9"], "account.token_document", 5, SECRET.encode() + b"\xff\x00"),
    Case(
        "a server without encryption",
        [*CONNECT, "http://example.com"],
        "account.base_url_insecure",
        5,
        json.dumps({"access_token": SECRET}).encode(),
    ),
    Case(
        "a server that is no address",
        [*CONNECT, "ftp://example.com"],
        "account.base_url",
        5,
        json.dumps({"access_token": SECRET}).encode(),
    ),
    Case(
        "a server that does not answer",
        [*CONNECT, "http://127.0.0.1:9"],
        "platform.unavailable",
        4,
        json.dumps({"access_token": SECRET}).encode(),
    ),
    # keys
    Case("an empty key", [*KEYS, "set", "VENDOR_KEY"], "key.value", 5, b" \n"),
    Case("a key of two lines", [*KEYS, "set", "VENDOR_KEY"], "key.value", 5, SECRET.encode() + b"\nmore"),
    Case("a key that is no text", [*KEYS, "set", "VENDOR_KEY"], "key.value", 5, SECRET.encode() + b"\xff"),
    Case("a key that no file can hold", [*KEYS, "set", "VENDOR_KEY"], "config.value", 5, SECRET.encode() + b"'"),
    Case("a key's name that is none", [*KEYS, "set", "my-key"], "key.name", 5, SECRET.encode()),
    Case("a key that does not exist", [*KEYS, "remove", "VENDOR_KEY"], "key.not_found", 1),
    # backups
    Case("a backup over a file", ["psn_hub", "backup", "--to", str(REPOSITORY / "manage.py")], "backup.exists", 7),
    Case("a backup into no folder", ["psn_hub", "backup", "--to", "/nonexistent/hub.psn"], "hub.not_writable", 3),
    Case("a restore without a yes", ["psn_hub", "restore", "/nonexistent/hub.psn"], "approval.needed", 6),
    Case("a restore of nothing", ["psn_hub", "restore", "/nonexistent/hub.psn", "--yes"], "backup.not_found", 1),
    Case("a backup at a user's who is not here", ["psn_hub", "backup", "--to", "~nosuch/x"], "backup.path", 5),
    Case("a backup with a name too long", ["psn_hub", "backup", "--to", "a" * 300], "backup.path", 5),
    Case("a backup of something else", ["psn_hub", "verify", str(REPOSITORY / "manage.py")], "backup.foreign", 3),
    Case("a key that is none", ["psn_hub", "verify", str(REPOSITORY / "manage.py"), "--key-stdin"], "key.malformed", 3, b"what?"),
    Case("a move to nowhere", ["psn_hub", "move", "--provider", "moon"], "provider.unknown", 5),
    Case("a move to where the hub is", ["psn_hub", "move", "--provider", "local"], "move.same", 5),
    Case("a move without an address", ["psn_hub", "move", "--provider", "url"], "url.missing", 5),
    Case("no move to undo", ["psn_hub", "move", "--back"], "move.none", 1),
    Case("a restore from a user who is not here", ["psn_hub", "restore", "~nosuch/x", "--yes"], "backup.path", 5),
    Case("a restore from a name too long", ["psn_hub", "restore", "a" * 300, "--dry-run"], "backup.path", 5),
    # rehearsals refuse what the thing itself refuses
    Case("a rehearsed key that no file can hold", [*KEYS, "set", "VENDOR_KEY", "--dry-run"], "config.value", 5, SECRET.encode() + b"'"),
    Case("a rehearsed removal of no key", [*KEYS, "remove", "VENDOR_KEY", "--dry-run"], "key.not_found", 1),
    Case("a rehearsed backup over a file", ["psn_hub", "backup", "--to", str(REPOSITORY / "manage.py"), "--dry-run"], "backup.exists", 7),
    Case("a rehearsed account at the sandbox", ["psn_account", "connect", "x", "--sandbox", "--dry-run"], "usage", 2),
    Case(
        "a rehearsed token that nobody takes",
        [*CONNECT, "http://127.0.0.1:9", "--dry-run"],
        "platform.unavailable",
        4,
        json.dumps({"access_token": SECRET}).encode(),
    ),
    # the sandbox
    Case("a port that is none", ["psn_sandbox", "start", "--port", "70000"], "sandbox.port", 5),
    Case("a fault that does not exist", ["psn_sandbox", "fault", "sulk"], "usage", 2),
    Case("a fault without its status", ["psn_sandbox", "fault", "status"], "sandbox.fault", 5),
    Case("a post that hides for no time", ["psn_sandbox", "fault", "invisible"], "sandbox.fault", 5),
    Case("a limit below nothing", ["psn_sandbox", "posts", "--limit", "-1"], "usage", 2),
]  # fmt: skip


@pytest.fixture(scope="module")
def ends(shared: Workspace) -> dict[str, Outcome]:
    """How every case of the table ended; they run side by side, for most of their time is Python's start."""
    with ThreadPoolExecutor(4) as pool:
        outcomes = pool.map(lambda case: shared.run(*case.arguments, stdin=case.stdin), TABLE)
        return dict(zip([case.name for case in TABLE], outcomes, strict=True))


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_every_mistake_ends_in_a_sentence_and_a_next_step(ends: dict[str, Outcome], case: Case) -> None:
    outcome = ends[case.name]
    assert (outcome.exit_code, outcome.code) == (case.exit_code, case.code), outcome.result
    check_refusal(outcome)
    assert SECRET not in outcome.stdout + outcome.stderr


def test_nothing_of_it_stayed_behind(ready: Workspace, ends: dict[str, Outcome]) -> None:
    assert all(SECRET.encode() not in path.read_bytes() for path in ready.folder.rglob("*.log"))
    assert SECRET not in (ready.root / "config" / "keys.env").read_text()
    assert ready.ok("psn_config", "keys", "list")["keys"] == []
    assert "@nobody" not in [account["handle"] for account in ready.ok("psn_account", "list")["accounts"]]


class TestATextTooLong:
    def test_is_told_in_units_with_what_to_cut(self, ready: Workspace) -> None:
        outcome = ready.refused(*CREATE, "--text", "a" * 301, code="validation.failed", exit_code=5)
        (finding,) = outcome.result["findings"]
        assert (finding["code"], finding["limit"], finding["got"]) == ("text.too_long", 280, 301)
        assert "21" in finding["fix"]
        assert (finding["target"], finding["at"]) == ("x", "parts.0")


class TestHelp:
    @pytest.mark.parametrize(
        "arguments", [["psn_post", "--help"], ["psn_post", "create", "-h"]], ids=["command", "verb"]
    )
    def test_is_text_and_no_envelope(self, ready: Workspace, arguments: list[str]) -> None:
        process = ready.launch(*arguments)
        stdout, _ = process.communicate(timeout=60)
        assert (process.returncode, stdout[:6]) == (0, b"usage:")


@pytest.fixture
def files(ready: Workspace) -> Iterator[Workspace]:
    """The shared workspace, whose config is put back after the test."""
    kept = {path: (path.read_bytes(), path.stat().st_mode) for path in (ready.root / "config").glob("*.*")}
    yield ready
    for path, (content, mode) in kept.items():
        path.write_bytes(content)
        path.chmod(mode & 0o777)


class TestConfigFiles:
    @pytest.mark.parametrize(
        "arguments", [["psn_post", "list"], ["psn_setup"], ["psn_validate"]], ids=lambda names: names[0]
    )
    def test_that_others_can_read_are_refused(self, files: Workspace, arguments: list[str]) -> None:
        files.hub_env.chmod(0o644)
        outcome = files.refused(*arguments, code="config.not_private", exit_code=3)
        assert outcome.result["next_action"] == {"needs": "human", "ask": f"chmod 600 '{files.hub_env}'"}

    @pytest.mark.parametrize(
        ("change", "code", "named"),
        [
            (lambda text: text.replace("PROVIDER=", "PROVIDRE="), "config.field", "PROVIDRE"),
            (lambda text: text.replace("PROVIDER=local", "PROVIDER=neom"), "provider.unknown", "neom"),
            (lambda text: text.replace("\nNAME=psn", ""), "config.field", "NAME"),
            (lambda text: text + "what is this\n", "config.env_line", "line "),
            (lambda text: text + f" KEY = {SECRET}\n", "config.env_line", "line "),
            (lambda text: text.replace("DATA=/", "DATA=home/"), "config.field", "DATA"),
        ],
        ids=["field", "provider", "missing", "line", "spaces", "relative"],
    )
    def test_with_a_slip_of_the_pen_name_it(
        self, files: Workspace, change: Callable[[str], str], code: str, named: str
    ) -> None:
        files.hub_env.write_text(change(files.hub_env.read_text()))
        outcome = files.refused("psn_post", "list", code=code, exit_code=5)
        assert named in outcome.result["error"]["message"]
        assert str(files.hub_env) in outcome.result["error"]["message"]
        assert SECRET not in outcome.stdout + outcome.stderr
        check_refusal(outcome)

    def test_that_are_no_text_are_refused(self, files: Workspace) -> None:
        files.hub_env.write_bytes(b"\xff\xfe\x00")
        check_refusal(files.refused("psn_post", "list", code="config.unreadable", exit_code=3))

    @pytest.mark.parametrize(
        ("text", "code", "at"),
        [
            ("version: 1\nname: me\ntimezone: Europe/Madird\n", "config.invalid", "line 3, field timezone"),
            ("version: 1\nnmae: me\n", "config.invalid", "line 2, field nmae"),
            ("version: 1\nname: [me\n", "config.yaml", "line 3"),
            ("version: 1\ntimezone: 2026-13-45\n", "config.invalid", "line 2, field timezone"),
            ("version: 1\n? [a, b]\n: c\n", "config.yaml", "line 2"),
            ("- a list\n", "config.invalid", "line 1"),
            ('name: "a\\0b"\n', "config.invalid", "line 1, field name"),
        ],
        ids=["zone", "field", "syntax", "date", "key", "list", "nul"],
    )
    def test_of_yaml_name_file_line_and_field(self, files: Workspace, text: str, code: str, at: str) -> None:
        files.strategy.write_text(text)
        outcome = files.refused("psn_setup", code=code, exit_code=5)
        assert (outcome.result["next_action"]["needs"], outcome.next_command) == ("human", None)
        assert f"{files.strategy}, {at}" in outcome.result["error"]["message"]
        assert outcome.result["findings"][0]["at"] == at


def check_that_only_a_person_helps(outcome: Outcome) -> None:
    """Every command would fail with the same error, so none of them is proposed."""
    action = outcome.result["next_action"]
    assert (action["needs"], action.get("command")) == ("human", None)
    assert "HUB_ENCRYPTION_KEY" in action["ask"]


class TestTheKey:
    """`HUB_ENCRYPTION_KEY`: without the right one nothing sealed opens, and nothing sealed may be given up for it."""

    @pytest.fixture(params=["wrong", "missing", "unreadable"])
    def spoilt(self, files: Workspace, request: pytest.FixtureRequest) -> str:
        lines = files.hub_env.read_text().splitlines()
        (line,) = [line for line in lines if line.startswith("HUB_ENCRYPTION_KEY=")]
        flipped = line[:-2] + ("A" if line[-2] != "A" else "B") + line[-1]
        put = {"wrong": [flipped], "missing": [], "unreadable": ["HUB_ENCRYPTION_KEY=abc"]}[request.param]
        files.hub_env.write_text("\n".join([*(other for other in lines if other != line), *put]) + "\n")
        return {"wrong": "key.wrong", "missing": "key.missing", "unreadable": "key.malformed"}[request.param]

    def test_is_missed_by_what_opens_a_token(self, files: Workspace, spoilt: str) -> None:
        post = files.ok(*CREATE, "--text", f"sealed {time.time_ns()}", "--at", "+0s", "--approve")["post"]
        outcome = files.run("psn_post", "wait", post["id"], "--timeout", "30")
        assert (outcome.exit_code, outcome.code) == (1, spoilt)

    def test_is_missed_by_validation(self, files: Workspace, spoilt: str) -> None:
        outcome = files.refused("psn_validate", code="validation.failed", exit_code=5)
        assert outcome.result["findings"]
        check_that_only_a_person_helps(outcome)

    def test_is_asked_of_a_person_by_whatever_needs_it(self, files: Workspace, spoilt: str) -> None:
        commands = (["psn_config", "keys", "rotate", "--dry-run"], ["psn_config", "keys", "rotate"], ["psn_setup"])
        for outcome in (files.run(*command) for command in commands):
            assert outcome.code[:4] == "key.", outcome.result
            check_that_only_a_person_helps(outcome)

    def test_is_never_made_anew_over_what_is_sealed(self, files: Workspace, spoilt: str) -> None:
        before = files.hub_env.read_bytes()
        outcome = files.run("psn_setup")
        assert (outcome.exit_code, outcome.code[:4]) == (3, "key.")
        check_refusal(outcome)
        assert files.hub_env.read_bytes() == before


class TestTheSandbox:
    def test_that_is_down_says_how_to_start_it(self, ready: Workspace) -> None:
        ready.ok("psn_sandbox", "stop")
        try:
            assert ready.ok("psn_sandbox", "status")["state"] == "down"
            for arguments in (["posts"], ["fault", "clear"], ["fault", "drop_after"]):
                outcome = ready.refused("psn_sandbox", *arguments, code="sandbox.down", exit_code=3)
                assert outcome.next_command == "python3 manage.py psn_sandbox start"
        finally:
            ready.ok("psn_sandbox", "start")

    def test_does_not_take_a_port_that_is_taken(self, ready: Workspace) -> None:
        port = ready.sandbox_url.rpartition(":")[2]
        ready.ok("psn_sandbox", "stop")
        try:
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                number = str(taken.getsockname()[1])
                outcome = ready.refused(
                    "psn_sandbox", "start", "--port", number, code="sandbox.port_taken", exit_code=7
                )
            assert outcome.next_command == "python3 manage.py psn_sandbox start"
        finally:
            ready.ok("psn_sandbox", "start", "--port", port)

    def test_that_runs_does_not_start_elsewhere(self, ready: Workspace) -> None:
        port = int(ready.sandbox_url.rpartition(":")[2])
        ready.refused("psn_sandbox", "start", "--port", str(port + 1), code="sandbox.running", exit_code=7)


class TestTheWorker:
    def test_that_is_down_is_why_a_post_waits(self, ready: Workspace, create: Callable[..., str]) -> None:
        ready.ok("psn_worker", "stop")
        try:
            post = create("Nobody sends me", "--at", "+1s", "--approve")
            late = ready.refused("psn_post", "wait", post, "--timeout", "1.5", code="post.not_ended", exit_code=7)
            assert late.next_command == f"python3 manage.py psn_post why {post}"
            why = ready.run("psn_post", "why", post)
            assert "no worker lives" in why.data["summary"]
            assert why.next_command == "python3 manage.py psn_worker start"
            outcome = ready.refused("psn_validate", code="validation.failed", exit_code=5)
            assert outcome.next_command == "python3 manage.py psn_worker start"
        finally:
            ready.ok("psn_worker", "start")
        assert ready.ok("psn_post", "wait", post)["post"]["status"] == "published"


class TestAGrant:
    def test_that_was_given_back_takes_no_post(
        self, ready: Workspace, account: str, create: Callable[..., str]
    ) -> None:
        post = create()
        given_back = ready.ok("psn_account", "disconnect", f"@{account}")
        assert given_back["revoked_at_platform"] is True
        again = f"python3 manage.py psn_account reconnect {given_back['account']['id']}"
        for arguments in (
            ["create", "--account", f"@{account}", "--text", "x"],
            ["schedule", post, "--at", "+1h", "--approve"],
            ["publish", post, "--approve"],
        ):
            outcome = ready.refused("psn_post", *arguments, code="account.needs_reconnect", exit_code=4)
            assert outcome.next_command == again
        assert ready.ok("psn_post", "show", post)["post"]["status"] == "draft"

    def test_that_the_platform_refuses_ends_the_post_and_asks_to_connect_again(
        self, ready: Workspace, account: str, create: Callable[..., str]
    ) -> None:
        ready.ok("psn_sandbox", "fault", "expired_token", "--times", "2")  # the renewed token is refused too
        post = create("Too late", "--at", "+0s", "--approve")
        outcome = ready.run("psn_post", "wait", post)
        assert (outcome.exit_code, outcome.code) == (1, "account.needs_reconnect")
        shown = ready.ok("psn_account", "show", f"@{account}")["account"]
        assert shown["status"] == "needs_reconnect"
        again = ready.refused(
            "psn_post", "schedule", post, "--at", "+1s", "--approve", code="account.needs_reconnect", exit_code=4
        )
        assert again.next_command == f"python3 manage.py psn_account reconnect {shown['id']}"
        ready.ok("psn_account", "disconnect", f"@{account}")

    def test_that_cannot_be_renewed_asks_to_connect_again(self, ready: Workspace, account: str) -> None:
        document = {"access_token": "old", "refresh_token": "refused", "expires_in": 1}
        outcome = ready.run(
            *CONNECT, f"{ready.sandbox_url}/x", "--client-id", "psn-sandbox", stdin=json.dumps(document).encode()
        )
        assert (outcome.exit_code, outcome.code) == (4, "account.needs_reconnect")
        check_refusal(outcome)


class TestADataDirectory:
    def test_that_is_half_made_is_refused_and_never_removed(self, fresh: Workspace) -> None:
        fresh.ok("psn_setup", "--only", "environment")
        fresh.ok("psn_setup", "--only", "hub")
        fresh.ok("psn_hub", "stop")
        data = fresh.hub_home / "pg"
        (data / "PG_VERSION").unlink()
        outcome = fresh.refused("psn_setup", code="hub.data_foreign", exit_code=3)
        check_refusal(outcome)
        assert str(data) in outcome.result["error"]["message"]
        assert (data / "global").is_dir()
        shutil.rmtree(data)
        fresh.ok("psn_setup", "--only", "hub")

    def test_that_is_gone_is_asked_of_a_person(self, fresh: Workspace) -> None:
        fresh.ok("psn_setup", "--only", "environment")
        fresh.ok("psn_setup", "--only", "hub")
        fresh.ok("psn_hub", "stop")
        shutil.rmtree(fresh.hub_home / "pg")
        outcome = fresh.refused("psn_post", "list", code="hub.data_missing", exit_code=3)
        check_refusal(outcome)
        assert (outcome.result["next_action"]["needs"], outcome.next_command) == ("human", None)


class TestAWorkspaceWithoutAHub:
    @pytest.mark.parametrize(
        "command", ["psn_post list", "psn_hub status", "psn_worker start", "psn_config keys list", "psn_migrate"]
    )
    def test_leads_to_set_up(self, fresh: Workspace, command: str) -> None:
        outcome = fresh.refused(*command.split(), code="hub.missing", exit_code=3)
        assert outcome.next_command == "python3 manage.py psn_setup"
        assert list(fresh.root.iterdir()) == []

    def test_fails_its_validation(self, fresh: Workspace) -> None:
        assert fresh.refused("psn_validate", code="validation.failed", exit_code=5).next_command


class TestCtrlC:
    def test_ends_a_wait_with_one_result_line(self, ready: Workspace, create: Callable[..., str]) -> None:
        post = create()
        process = ready.launch("psn_post", "wait", post, "--timeout", "60")
        time.sleep(1.5)  # until it waits
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
        outcome = read_outcome(process.returncode, stdout, stderr)
        assert (outcome.exit_code, outcome.code) == (130, "interrupted")


class TestAnOldPython:
    def test_is_told_before_anything_else_is_imported(self) -> None:
        code = (
            "import sys; sys.version_info = (3, 9, 2); sys.version = '3.9.2 (old)'\n"
            f"import runpy; sys.argv = ['manage.py', 'psn_setup']\nrunpy.run_path({str(REPOSITORY / 'manage.py')!r}, run_name='__main__')"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        outcome = read_outcome(done.returncode, done.stdout, done.stderr)
        assert (outcome.exit_code, outcome.code) == (3, "boot.python_version")
        assert "3.9.2" in outcome.result["error"]["message"]
        check_refusal(outcome)


class TestAHomeThatCannotBeUsed:
    def test_is_named(self, tmp_path: Path) -> None:
        workspace = make_workspace()
        try:
            blocked = workspace.folder / "a-file"
            blocked.write_text("not a folder")
            outcome = replace(workspace, home=blocked / "home").refused(
                "psn_setup", code="hub.not_writable", exit_code=3
            )
            assert str(blocked) in outcome.result["error"]["message"]
            check_refusal(outcome)
        finally:
            workspace.remove()


class TestADiskThatIsFull:
    @pytest.fixture
    def small(self) -> Iterator[Workspace]:
        """A workspace on a disk of its own, too small for a hub."""
        workspace = make_workspace()
        disk = workspace.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", disk], capture_output=True)
        if mounted.returncode:
            workspace.remove()
            pytest.skip(f"no disk can be mounted: {mounted.stderr!r}")
        disk.chmod(0o711)
        yield replace(workspace, home=disk / "home")
        subprocess.run(["/bin/umount", disk], check=True)
        workspace.remove()

    @pytest.mark.parametrize("where", ["home", "workspace"])
    def test_ends_set_up_with_what_to_do(self, small: Workspace, where: str) -> None:
        place = small if where == "home" else replace(small, root=small.home.parent / "w", home=small.folder / "home")
        outcome = place.refused("psn_setup", code="hub.no_disk", exit_code=3)
        check_refusal(outcome)
        assert not list(small.folder.rglob("PG_VERSION"))
