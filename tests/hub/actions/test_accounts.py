"""Finding the account a person names."""

from __future__ import annotations

from typing import Any

import pytest

from hub.actions.accounts import check_connected, find_account, list_accounts
from hub.models import Account, User
from psn.errors import InvalidInput, NeedsReconnect, NotFound
from tests.factories import OWNER, People, make_account


class TestFindAccount:
    @pytest.mark.parametrize("text", ["@Ana", "@ana", "x:@Ana", "{id}"])
    def test_knows_an_account_by_every_name_it_has(self, me: User, text: str) -> None:
        account = make_account(me, handle="Ana")
        make_account(me, handle="Anabel")
        assert find_account(text.format(id=account.id)) == account

    @pytest.mark.parametrize("text", ["ana", "", "@", "x:", "7", "@a\x00b", "@\udcff", "\n"])
    def test_says_how_an_account_is_written(self, me: User, text: str) -> None:
        with pytest.raises((InvalidInput, NotFound)) as refused:
            find_account(text)
        assert refused.value.next_command == "psn_account list"

    def test_never_finds_somebody_else_s(self, hub: People) -> None:
        theirs = make_account(hub.other, handle="theirs")
        for text in ("@theirs", str(theirs.id)):
            with pytest.raises(NotFound):
                find_account(text)

    def test_prefers_the_one_that_is_connected(self, me: User) -> None:
        make_account(me, handle="ana", status="disconnected", base_url="https://old.example")
        account = make_account(me, handle="ana")
        assert find_account("@ana") == account

    def test_asks_which_when_two_have_the_handle(self, me: User) -> None:
        accounts = [make_account(me, handle="ana", base_url=f"https://{host}.example") for host in "ab"]
        with pytest.raises(InvalidInput) as refused:
            find_account("@ana")
        assert refused.value.error_code == "account.ambiguous"
        assert all(str(account.id) in refused.value.message for account in accounts)


class TestCheckConnected:
    @pytest.mark.parametrize("status", ["needs_reconnect", "disconnected"])
    @pytest.mark.parametrize(
        ("values", "command"),
        [
            ({"is_sandbox": True}, "psn_account connect x --sandbox --handle ana"),
            ({"is_sandbox": False}, "psn_account connect x --token-stdin"),
            (
                {"is_sandbox": False, "base_url": "https://a.example"},
                "psn_account connect x --token-stdin --base-url https://a.example",
            ),
        ],
        ids=["sandbox", "platform", "elsewhere"],
    )
    def test_names_the_command_that_connects_it_again(
        self, me: User, status: str, values: dict[str, Any], command: str
    ) -> None:
        account = make_account(me, handle="ana", status=status, **values)
        with pytest.raises(NeedsReconnect) as refused:
            check_connected(account)
        assert refused.value.next_command == command

    def test_is_quiet_about_one_that_is_connected(self, me: User) -> None:
        check_connected(make_account(me))


class TestListAccounts:
    def test_lists_mine_whatever_their_state(self, hub: People) -> None:
        mine = {make_account(hub.me, status=status).id for status in Account.Status.values}
        make_account(hub.other)
        assert {account.id for account in list_accounts()} == mine
        assert Account.objects.using(OWNER).count() == 4
