"""Connecting accounts at a real sandbox, wherever it listens today, and disconnecting them (AUTH)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.actions.accounts import find_account
from hub.actions.connecting import (
    SANDBOX_PASSWORD,
    connect_sandbox,
    connect_with_password,
    connect_with_token,
    disconnect_account,
    locate,
    refresh_account,
)
from hub.actions.sandbox import follow_sandbox
from hub.models import Account, AuditEntry, Notice, OAuthToken, User
from hub.models.base import hub_now
from hub.publishing.grants import lose_grant, open_adapter, read_grant
from psn.errors import Conflict, InvalidInput, NeedsReconnect, Unavailable
from psn.oauth.apps import AppKeys
from psn.oauth.scopes import MEANINGS
from psn.oauth.spec import OAuthSpec
from psn.platforms.registry import get_platform, platform_names
from tests.factories import OWNER, make_account, make_post
from tests.hub.actions.stage import claim
from tests.hub.publishing.stage import ring
from tests.hub.worlds import connect_as
from tests.sandbox.conftest import sandbox, sandbox_process
from tests.sandbox.process import Sandbox, start_sandbox, stop_sandbox

__all__ = ["sandbox", "sandbox_process"]

Move = Callable[[], Sandbox]
every = pytest.mark.parametrize("platform", platform_names())
PAGE = "urn:li:organization:1"


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


def join(sandbox: Sandbox, platform: str, **options: Any) -> Account:
    return connect_sandbox(platform=platform, sandbox_url=sandbox.url, now=datetime.now(UTC), **options)


def row_of(account: Account) -> OAuthToken:
    return OAuthToken.objects.get(account_id=account.id)


class TestEveryPlatform:
    @every
    def test_is_connected_at_the_sandbox_without_anybody(self, me: User, sandbox: Sandbox, platform: str) -> None:
        account = join(sandbox, platform)
        assert (account.platform, account.status, account.is_sandbox) == (platform, "active", True)
        assert account.base_url == f"{sandbox.url}/{platform}"
        assert account.profile_url.startswith(account.base_url)
        adapter = open_adapter(account, now=datetime.now(UTC))
        assert adapter.fetch_profile().platform_account_id == account.platform_account_id
        assert account.capabilities == adapter.fetch_capabilities()
        adapter.close()

    @every
    def test_is_connected_anew_as_the_same_account(self, me: User, sandbox: Sandbox, platform: str) -> None:
        first = join(sandbox, platform, handle="ana")
        lose_grant(first, reason="revoked")
        again = join(sandbox, platform, handle="ana", former=first)
        assert (again.id, again.status, row_of(again).version) == (first.id, "active", 2)
        assert not Notice.objects.filter(account_id=again.id, seen_at__isnull=True).exists(), "it was seen to by this"

    @every
    def test_keeps_its_secrets_sealed(self, me: User, sandbox: Sandbox, platform: str) -> None:
        row = row_of(join(sandbox, platform))
        token = read_grant(row)
        with connect_as("postgres") as root:
            dumped = str(root.execute("SELECT t::text FROM oauth_tokens t").fetchall())
        assert token.access_token not in dumped
        assert not token.refresh_token or token.refresh_token not in dumped
        assert "psn-sandbox-secret" not in dumped

    @every
    def test_refuses_another_profile_in_the_place_of_one(self, me: User, sandbox: Sandbox, platform: str) -> None:
        ana = join(sandbox, platform, handle="ana")
        with pytest.raises(Conflict) as refused:
            join(sandbox, platform, handle="eva", former=ana)
        assert refused.value.error_code == "account.other_profile"
        assert [(one.handle, row_of(one).version) for one in Account.objects.all()] == [(ana.handle, 1)]

    @every
    def test_is_refreshed_on_demand_with_what_it_may_do(self, me: User, sandbox: Sandbox, platform: str) -> None:
        account = join(sandbox, platform)
        Account.objects.filter(id=account.id).update(capabilities={"old": True})
        before = read_grant(row_of(account))
        done = refresh_account(str(account.id), now=datetime.now(UTC))
        assert done.account.capabilities == account.capabilities
        assert done.renewed is bool(before.refresh_token)
        assert bool(done.reason) is not done.renewed
        assert (read_grant(row_of(account)).access_token != before.access_token) is done.renewed

    @every
    def test_is_disconnected_and_given_back_where_it_can_be(self, me: User, sandbox: Sandbox, platform: str) -> None:
        account = join(sandbox, platform)
        token = read_grant(row_of(account))
        disconnected, revoked = disconnect_account(str(account.id), now=datetime.now(UTC))
        assert (disconnected.status, OAuthToken.objects.count()) == ("disconnected", 0)
        assert revoked is (platform in ("x", "tiktok", "bluesky", "mastodon"))
        found = get_platform(platform)
        if revoked and platform != "bluesky":  # whose access token lives on for its two hours
            adapter = found.connect(account.base_url, token.access_token)
            with pytest.raises(NeedsReconnect):
                adapter.fetch_profile()
            adapter.close()

    @every
    def test_explains_every_scope_it_asks_for(self, platform: str) -> None:
        spec = get_platform(platform).sign_in
        if isinstance(spec, OAuthSpec):
            assert {*spec.scopes, *spec.organization_scopes} <= set(MEANINGS)

    @every
    def test_says_when_a_handle_is_none(self, me: User, sandbox: Sandbox, platform: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            join(sandbox, platform, handle="no such handle!")
        assert refused.value.error_code == "account.handle"


class TestAnOrganization:
    def test_is_asked_for_only_when_it_is_chosen(self, me: User, sandbox: Sandbox) -> None:
        person, page = join(sandbox, "linkedin"), join(sandbox, "linkedin", organization=PAGE)
        wanted = {"w_organization_social", "r_organization_social", "rw_organization_admin"}
        assert not wanted & set(row_of(person).scopes)
        assert wanted <= set(row_of(page).scopes)
        assert (page.platform_account_id, Account.objects.count()) == (PAGE, 2)
        adapter = open_adapter(page, now=datetime.now(UTC))
        assert adapter.fetch_profile().platform_account_id == PAGE
        adapter.close()

    @pytest.mark.parametrize(
        ("platform", "organization"),
        [("x", PAGE), ("bluesky", PAGE), ("linkedin", "1"), ("linkedin", "urn:li:person:1"), ("linkedin", f"{PAGE}/x")],
    )
    def test_is_refused_where_there_is_none(self, platform: str, organization: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            locate(platform, base_url="", organization=organization)
        assert refused.value.error_code == "account.organization"


class TestLocate:
    def test_completes_an_instance_s_name(self) -> None:
        assert locate("mastodon", base_url=" mastodon.social/ ").base_url == "https://mastodon.social"

    @pytest.mark.parametrize(
        ("platform", "base_url", "code"),
        [
            ("mastodon", "", "account.base_url"),
            ("mastodon", "https://", "account.base_url"),
            ("mastodon", "not a name", "account.base_url"),
            ("mastodon", "http://mastodon.social", "account.base_url_insecure"),
            ("myspace", "", "platform.unknown"),
        ],
    )
    def test_says_what_is_wrong(self, platform: str, base_url: str, code: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            locate(platform, base_url=base_url)
        assert refused.value.error_code == code


class TestATokenFromThePortal:
    def test_connects_and_is_renewed_with_the_app_it_was_made_for(self, me: User, sandbox: Sandbox) -> None:
        token = read_grant(row_of(join(sandbox, "tiktok")))
        account = connect_with_token(
            platform="tiktok",
            base_url=sandbox.base("tiktok"),
            token=token,
            app=AppKeys("psn-sandbox", "psn-sandbox-secret"),
        )
        assert refresh_account(str(account.id), now=datetime.now(UTC)).renewed

    def test_that_is_refused_stores_nothing(self, me: User, sandbox: Sandbox) -> None:
        token = replace(read_grant(row_of(join(sandbox, "x"))), access_token="nonsense")
        before = row_of(find_account("@sandbox")).version
        with pytest.raises(NeedsReconnect):
            connect_with_token(platform="x", base_url=sandbox.x, token=token)
        assert row_of(find_account("@sandbox")).version == before

    def test_is_only_looked_at_in_a_rehearsal(self, me: User, sandbox: Sandbox) -> None:
        token = read_grant(row_of(join(sandbox, "x")))
        disconnect = Account.objects.filter(handle="sandbox")
        disconnect.update(status="disconnected")
        shown = connect_with_token(platform="x", base_url=sandbox.x, token=token, dry_run=True)
        assert (shown.handle, disconnect.get().status) == ("sandbox", "disconnected")


class TestAnAppPassword:
    def test_connects(self, me: User, sandbox: Sandbox) -> None:
        account = sign_in(sandbox, "@ana.bsky.social")
        assert (account.handle, account.is_sandbox) == ("ana.bsky.social", False)
        assert refresh_account(str(account.id), now=datetime.now(UTC)).renewed

    def test_that_is_wrong_says_where_to_make_one(self, me: User, sandbox: Sandbox) -> None:
        with pytest.raises(NeedsReconnect) as refused:
            sign_in(sandbox, "ana.bsky.social", password="wr0ng-password")
        assert refused.value.error_code == "account.password"
        assert "https://bsky.app/settings/app-passwords" in refused.value.message
        assert "wr0ng" not in refused.value.message
        assert not Account.objects.exists()

    def test_wants_a_handle(self, sandbox: Sandbox) -> None:
        with pytest.raises(InvalidInput) as refused:
            sign_in(sandbox, "  ")
        assert refused.value.error_code == "account.handle"

    def test_is_no_way_into_other_platforms(self, sandbox: Sandbox) -> None:
        with pytest.raises(InvalidInput) as refused:
            connect_with_password(
                platform="x", base_url=sandbox.x, identifier="ana", password="x", now=datetime.now(UTC)
            )
        assert refused.value.error_code == "connect.no_password"

    def test_is_only_tried_in_a_rehearsal(self, me: User, sandbox: Sandbox) -> None:
        assert sign_in(sandbox, "ana.bsky.social", dry_run=True).handle == "ana.bsky.social"
        assert not Account.objects.exists()


def sign_in(sandbox: Sandbox, handle: str, *, password: str = SANDBOX_PASSWORD, dry_run: bool = False) -> Account:
    return connect_with_password(
        platform="bluesky",
        base_url=sandbox.base("bluesky"),
        identifier=handle,
        password=password,
        now=datetime.now(UTC),
        dry_run=dry_run,
    )


class TestRefreshAccount:
    def test_says_what_it_would_do(self, me: User, sandbox: Sandbox) -> None:
        account = join(sandbox, "x")
        done = refresh_account(str(account.id), now=datetime.now(UTC), dry_run=True)
        assert (done.renewed, done.reason, row_of(account).version) == (False, "", 1)

    def test_asks_to_connect_what_is_not_connected(self, me: User) -> None:
        account = make_account(me, status="needs_reconnect")
        with pytest.raises(NeedsReconnect) as refused:
            refresh_account(str(account.id), now=datetime.now(UTC))
        assert refused.value.next_command == f"psn_account reconnect {account.id}"

    def test_loses_nothing_when_the_platform_is_away(self, me: User, sandbox: Sandbox) -> None:
        account = join(sandbox, "x")
        sandbox.fail("drop_before", match="POST /2/oauth2/token")
        with pytest.raises(Unavailable):
            refresh_account(str(account.id), now=datetime.now(UTC))
        assert refresh_account(str(account.id), now=datetime.now(UTC)).renewed

    def test_renews_meta_s_token_once_it_is_a_day_old(self, me: User, sandbox: Sandbox) -> None:
        account = join(sandbox, "instagram")
        sandbox.move_clock(timedelta(hours=25).total_seconds())
        OAuthToken.objects.filter(account_id=account.id).update(obtained_at=hub_now() - timedelta(hours=25))
        assert refresh_account(str(account.id), now=datetime.now(UTC)).renewed


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
