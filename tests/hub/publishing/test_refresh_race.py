"""Two real processes renew one grant at once, and one of them is killed or cut off at every point that matters (AUTH-2, AUTH-3).

Whatever happens: no token is asked with twice at the same time, no pair whose answer was stored is lost, and in the end the account
works or says that it must be connected again, with one notice.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from hub.actions.connecting import connect_sandbox
from hub.models import Account, Notice, OAuthToken
from hub.publishing import renewing
from hub.publishing.grants import open_adapter, read_grant
from psn.config.workspace import ROOT
from tests.factories import OWNER, People
from tests.hub.publishing.renewer import LEASE_SECONDS
from tests.hub.publishing.test_grants import age
from tests.hub.queue.process import worker_environment
from tests.sandbox.process import Sandbox

RENEWALS = {"x": "POST /2/oauth2/token", "bluesky": "POST /xrpc/com.atproto.server.refreshSession"}
PATIENCE_SECONDS = 30


class TestTwoProcesses:
    def test_ask_once_and_get_the_same_token(self, hub: People, sandbox: Sandbox, tmp_path: Path) -> None:
        account = connect(sandbox, "x")
        with renewers(account, tmp_path, "nothing", "nothing") as both:
            got = finish(*both)
        assert got[0] == got[1] == {"token": grant_of(account)}
        assert len(renewals(sandbox, "x")) == 1
        assert_works(account)

    @pytest.mark.parametrize(
        ("platform", "point", "works"),
        [
            ("x", "killed before the call", True),
            ("x", "killed after the answer", False),
            ("x", "killed while storing", False),
            ("x", "killed after storing", True),
            ("x", "cut before storing", True),
            ("x", "cut while storing", True),
            # its old refresh token gives the same successor for a while
            ("bluesky", "killed after the answer", True),
            ("bluesky", "killed while storing", True),
        ],
    )
    def test_survive_what_befalls_one_of_them(
        self, hub: People, sandbox: Sandbox, tmp_path: Path, platform: str, point: str, works: bool
    ) -> None:
        account = connect(sandbox, platform)
        with renewers(account, tmp_path, point, "nothing", "nothing") as (struck, *others):
            (got,) = finish(struck)
            answers = finish(*others)
        assert (struck.returncode == -signal.SIGKILL) is point.startswith("killed")
        assert_never_at_once(renewals(sandbox, platform))
        assert answers[0] == answers[1]
        if point.startswith("cut"):
            assert got == {"token": grant_of(account)}, "what came back was stored in spite of it"
        assert_settled(account, works=works)

    def test_never_ask_with_one_token_at_once_though_the_first_dies_in_the_middle(
        self, hub: People, sandbox: Sandbox, tmp_path: Path
    ) -> None:
        account = connect(sandbox, "x")
        sandbox.fail("latency", match=RENEWALS["x"], seconds=0.3, times=None)
        with renewers(account, tmp_path, "killed after the answer", "nothing", "nothing") as processes:
            finish(*processes)
        assert_never_at_once(renewals(sandbox, "x"))
        assert_settled(account, works=None)


def connect(sandbox: Sandbox, platform: str) -> Account:
    account = connect_sandbox(platform=platform, sandbox_url=sandbox.url, now=datetime.now(UTC))
    sandbox.order("faults", platform=platform, kind="latency", match=RENEWALS[platform], seconds=0.2, times=None)
    age(account)
    return account


@contextmanager
def renewers(account: Account, tmp_path: Path, *points: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Start processes that will want a token once `finish` lets them."""
    environment = worker_environment(tmp_path, name="tests@here:1a2b")
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.hub.publishing.renewer", str(account.id), str(account.user_id), point],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for point in points
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def finish(*processes: subprocess.Popen[str]) -> list[dict[str, str]]:
    """Let processes go at the same instant, and give what each got; nothing when it was killed."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=PATIENCE_SECONDS)[0] for process in processes]
    return [json.loads(line) if line else {} for line in said]


def grant_of(account: Account) -> str:
    return read_grant(OAuthToken.objects.get(account_id=account.id)).access_token


def renewals(sandbox: Sandbox, platform: str) -> list[tuple[str, datetime]]:
    """Read the renewals that reached the platform since the connection, oldest first: what was asked with, and when."""
    method, _, path = RENEWALS[platform].partition(" ")
    calls = [
        call
        for call in reversed(sandbox.ask("calls", limit="1000"))
        if (call["method"], call["path"]) == (method, path)
    ]
    asked = calls[1:] if platform == "x" else calls  # at X, connecting itself makes such a call
    return [(call["body_sha256"], datetime.fromisoformat(call["at"])) for call in asked]


def assert_never_at_once(calls: list[tuple[str, datetime]]) -> None:
    """A token was asked with again only after the lease of whoever asked before had run out."""
    by_body: dict[str, list[datetime]] = defaultdict(list)
    for body, at in calls:
        by_body[body].append(at)
    gaps = [(after - before).total_seconds() for times in by_body.values() for before, after in pairwise(times)]
    assert all(gap > LEASE_SECONDS * 0.9 - 0.3 for gap in gaps), gaps


def assert_settled(account: Account, *, works: bool | None) -> None:
    account.refresh_from_db()
    told = Notice.objects.using(OWNER).filter(account_id=account.id).count()
    if works is not False and account.status == "active":
        assert_works(account)
        assert told == 0
        return
    assert not works
    assert (account.status, told) == ("needs_reconnect", 1)


def assert_works(account: Account) -> None:
    """The platform honours both tokens of the pair that is stored."""
    for _ in range(2):
        account.refresh_from_db()
        adapter = open_adapter(account, now=datetime.now(UTC))
        assert adapter.fetch_profile().platform_account_id == account.platform_account_id
        adapter.close()
        renewing.renew(account, OAuthToken.objects.get(account_id=account.id), now=datetime.now(UTC))
