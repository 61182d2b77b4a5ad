"""Connecting accounts at a real sandbox, wherever it listens today, and disconnecting them (AUTH)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.actions.accounts import find_account
from hub.actions.connecting import connect_sandbox, disconnect_account
from hub.actions.sandbox import follow_sandbox
from hub.models import Account, AuditEntry, OAuthToken, User
from psn.errors import Conflict
from tests.factories import OWNER, make_account, make_post
from tests.hub.actions.stage import claim
from tests.hub.publishing.stage import ring
from tests.sandbox.process import Sandbox, start_sandbox, stop_sandbox

Move = Callable[[], Sandbox]


@pytest.fixture
def move(tmp_path: Path) -> Iterator[Move]:
    """Stop the sandbox and start it at another port, with what it holds."""
    running: list[Sandbox] = []

    def move() -> Sandbox:
        ports = {old.url for old in running}
        if running:
            stop_sandbox(running[-1])
        running.append(start_sandbox(tmp_path / "state"))
        assert running[-1].url not in ports
        return running[-1]

    yield move
    stop_sandbox(running[-1])


def connect(sandbox: Sandbox, handle: str = "sandbox") -> Account:
    return connect_sandbox(platform="x", sandbox_url=sandbox.url, handle=handle, now=datetime.now(UTC))


class TestAMovedSandbox:
    def test_has_the_accounts_it_had_when_one_of_them_is_connected_again(self, me: User, move: Move) -> None:
        before = move()
        account, other = connect(before), connect(before, "other")
        after = move()
        again = connect(after)
        assert (again.id, again.base_url) == (account.id, after.x)
        other.refresh_from_db()
        assert (other.base_url, Account.objects.count()) == (after.x, 2)
        assert ring(make_post(other, status="scheduled")).status == "published"

    def test_keeps_of_two_accounts_for_one_profile_the_one_connected_last(self, me: User, move: Move) -> None:
        sandbox = move()
        newer = connect(sandbox)
        Account.objects.using(OWNER).filter(id=newer.id).update(base_url="http://127.0.0.1:9/x")
        profile = {"platform_account_id": newer.platform_account_id, "handle": newer.handle, "base_url": sandbox.x}
        older = make_account(me, connected_at=newer.connected_at - timedelta(days=1), **profile)
        OAuthToken.objects.using(OWNER).create(
            user_id=me.id, account_id=older.id, access_token_sealed="x", obtained_at=older.connected_at
        )
        for _ in range(2):
            follow_sandbox(sandbox.url)
            for account in (newer, older):
                account.refresh_from_db()
            assert (newer.base_url, newer.status, older.status) == (sandbox.x, "active", "disconnected")
        assert older.base_url not in (sandbox.x, "")
        assert [token.account_id for token in OAuthToken.objects.using(OWNER).all()] == [newer.id]
        (entry,) = AuditEntry.objects.using(OWNER).filter(action="account.disconnected")
        assert entry.subject_id == str(older.id)
        assert find_account("@sandbox") == newer
        assert connect(sandbox).id == newer.id


class TestDisconnect:
    def test_never_calls_a_post_that_is_going_out_scheduled(self, me: User) -> None:
        account = make_account(me)
        post = make_post(account, status="scheduled")
        with pytest.raises(Conflict, match="1 scheduled post of"):
            disconnect_account(str(account.id), now=datetime.now(UTC))
        claim(post)
        with pytest.raises(Conflict, match="is being published") as refused:
            disconnect_account(str(account.id), now=datetime.now(UTC))
        assert "scheduled" not in refused.value.message
        assert refused.value.next_command == f"psn_post why {post.id}"
