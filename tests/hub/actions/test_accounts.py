"""Finding the account a person names."""

from __future__ import annotations

from typing import Any

import pytest

from hub.actions.accounts import check_connected, find_account, list_accounts, set_cap
from hub.models import Account, AuditEntry, User
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
    @pytest.mark.parametrize("values", [{"is_sandbox": True}, {"is_sandbox": False}], ids=["sandbox", "platform"])
    def test_names_the_command_that_connects_it_again(self, me: User, status: str, values: dict[str, Any]) -> None:
        account = make_account(me, handle="ana", status=status, **values)
        with pytest.raises(NeedsReconnect) as refused:
            check_connected(account)
        assert refused.value.next_command == f"psn_account reconnect {account.id}"

    def test_is_quiet_about_one_that_is_connected(self, me: User) -> None:
        check_connected(make_account(me))


class TestListAccounts:
    def test_lists_mine_whatever_their_state(self, hub: People) -> None:
        mine = {make_account(hub.me, status=status).id for status in Account.Status.values}
        make_account(hub.other)
        assert {account.id for account in list_accounts()} == mine
        assert Account.objects.using(OWNER).count() == 4


class TestSetCap:
    @pytest.mark.parametrize(("text", "cap"), [("3", 3), ("0", 0), ("10000", 10_000), ("none", None), (" None ", None)])
    def test_limits_what_goes_out_in_a_day(self, me: User, text: str, cap: int | None) -> None:
        account = make_account(me, daily_cap=7)
        assert set_cap(str(account.id), text).daily_cap == cap
        assert Account.objects.get(id=account.id).daily_cap == cap
        (entry,) = AuditEntry.objects.filter(subject_id=str(account.id))
        assert (entry.action, entry.detail) == ("account.capped", {"from": 7, "to": cap})

    @pytest.mark.parametrize("text", ["", "-1", "1.5", "ten", "10001", "9" * 400, "²", "٣"])
    def test_says_what_a_cap_is(self, me: User, text: str) -> None:
        account = make_account(me)
        with pytest.raises(InvalidInput) as refused:
            set_cap(str(account.id), text)
        assert refused.value.error_code == "account.cap"

    def test_changes_nothing_in_a_rehearsal(self, me: User) -> None:
        account = make_account(me)
        assert set_cap(str(account.id), "3", dry_run=True).daily_cap == 3
        assert Account.objects.get(id=account.id).daily_cap is None
