"""What nobody needs just now is renewed ahead of its end, and who must connect again hears of it in time and once (AUTH-2, AUTH-3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from hub import tasks
from hub.actions.connecting import connect_sandbox
from hub.models import Account, Notice, OAuthToken
from hub.publishing import ageing, crew, keeping
from hub.publishing.grants import lose_grant
from tests.factories import OWNER, People, make_account
from tests.hub.publishing.stage import token_calls, worker_login
from tests.hub.publishing.test_grants import TOKENS, age, row_of, spend, status_of
from tests.sandbox.process import Sandbox

DAY = timedelta(days=1)
SOON = ("act", "account.expires_soon")
LOST = ("act", "account.needs_reconnect")


def run() -> int:
    """Do what the recurring task has done."""
    with worker_login():
        return ageing.see_to_grants()


def told(account: Account) -> list[tuple[str, str]]:
    rows = Notice.objects.using(OWNER).filter(account_id=account.id).order_by("at", "id")
    return [(row.level, row.code) for row in rows]


def set_row(account: Account, **values: Any) -> None:
    OAuthToken.objects.using(OWNER).filter(account_id=account.id).update(**values)


def without_refresh(account: Account, *, left: timedelta) -> None:
    """Have a grant that nobody can renew, like LinkedIn's for most apps."""
    set_row(account, refresh_token_sealed="", obtained_at=Now() - 60 * DAY + left, access_expires_at=Now() + left)


class TestAnAgeingGrant:
    @pytest.mark.parametrize(("minutes", "renewed"), [(23, True), (40, False), (-60, True)])
    def test_is_renewed_though_nobody_needs_it(
        self, account: Account, sandbox: Sandbox, minutes: int, renewed: bool
    ) -> None:
        age(account, left=timedelta(minutes=minutes))
        assert run() == 1
        assert (row_of(account).version == 2) is renewed
        assert len(token_calls(sandbox)) == 1 + renewed
        assert told(account) == []

    def test_is_renewed_by_the_task_of_the_timetable(self, account: Account) -> None:
        age(account)
        crew._crew.cache_clear()
        with worker_login():
            tasks.refresh_tokens()
            crew._crew().close()
        crew._crew.cache_clear()
        assert row_of(account).version == 2

    def test_of_meta_s_is_renewed_from_half_of_its_life_on(self, hub: People, sandbox: Sandbox) -> None:
        account = connect_sandbox(platform="threads", sandbox_url=sandbox.url, now=datetime.now(UTC))
        run()
        assert row_of(account).version == 1
        sandbox.move_clock((31 * DAY).total_seconds())
        set_row(account, obtained_at=Now() - 31 * DAY, access_expires_at=Now() + 29 * DAY)
        run()
        row = row_of(account)
        assert row.version == 2
        assert row.access_expires_at is not None
        assert row.access_expires_at - datetime.now(UTC) > 59 * DAY
        assert told(account) == []

    @pytest.mark.parametrize("status", ["needs_reconnect", "disconnected"])
    def test_of_an_account_that_is_not_connected_is_left_alone(
        self, account: Account, sandbox: Sandbox, status: str
    ) -> None:
        age(account)
        Account.objects.filter(id=account.id).update(status=status)
        assert run() == 0
        assert len(token_calls(sandbox)) == 1

    def test_that_is_refused_is_told_once(self, account: Account) -> None:
        spend(account)
        for _ in range(3):
            run()
        assert (status_of(account), told(account)) == ("needs_reconnect", [LOST])

    @pytest.mark.parametrize(
        "fault", [{"kind": "status", "status": 503}, {"kind": "drop_before"}, {"kind": "drop_after"}]
    )
    def test_that_meets_trouble_stays_and_is_tried_again(
        self, account: Account, sandbox: Sandbox, fault: dict[str, Any]
    ) -> None:
        age(account, left=timedelta(minutes=20))
        sandbox.fail(match=TOKENS, **fault)
        run()
        assert (status_of(account), told(account), row_of(account).version) == ("active", [], 1)

    def test_of_one_that_stumbles_keeps_no_other_waiting(self, hub: People, account: Account) -> None:
        broken = make_account(hub.me, platform="myspace", handle="tom")
        set_row(account, access_expires_at=Now() - timedelta(seconds=1))
        for one in (broken,):
            OAuthToken.objects.using(OWNER).create(
                user_id=one.user_id, account_id=one.id, access_token_sealed="x", obtained_at=datetime.now(UTC)
            )
        assert run() == 2
        assert row_of(account).version == 2


class TestAGrantThatNobodyCanRenew:
    @pytest.mark.parametrize(("left", "expected"), [(8 * DAY, []), (6.9 * DAY, [SOON]), (-DAY, [SOON])])
    def test_is_announced_seven_days_ahead(self, account: Account, left: timedelta, expected: list[Any]) -> None:
        without_refresh(account, left=left)
        run()
        assert told(account) == expected
        assert status_of(account) == "active"

    def test_is_announced_once(self, account: Account) -> None:
        without_refresh(account, left=6 * DAY)
        for _ in range(3):
            run()
        assert told(account) == [SOON]
        (notice,) = Notice.objects.using(OWNER).filter(account_id=account.id)
        row = row_of(account)
        assert row.access_expires_at is not None
        assert f"{row.access_expires_at:%Y-%m-%d}" in notice.message
        assert f"psn_account reconnect {account.id}" in notice.message

    def test_is_announced_by_the_end_of_its_refresh_token_too(self, account: Account) -> None:
        """LinkedIn's partners: a year from the first consent on, which no renewal prolongs."""
        set_row(account, refresh_expires_at=Now() + 5 * DAY)
        run()
        assert told(account) == [SOON]

    def test_is_not_announced_when_it_has_no_end(self, account: Account) -> None:
        set_row(account, refresh_token_sealed="", access_expires_at=None)
        run()
        assert told(account) == []

    def test_whose_announced_end_has_come_is_not_told_again(self, account: Account) -> None:
        without_refresh(account, left=6 * DAY)
        run()
        set_row(account, access_expires_at=Now() - timedelta(seconds=1))
        lose_grant(Account.objects.get(id=account.id), reason="The token is over.")
        assert (status_of(account), told(account)) == ("needs_reconnect", [SOON])

    def test_whose_end_comes_early_is_told(self, account: Account) -> None:
        without_refresh(account, left=6 * DAY)
        run()
        lose_grant(Account.objects.get(id=account.id), reason="The grant was revoked.")
        assert told(account) == [SOON, LOST]

    def test_is_announced_anew_after_another_connection(self, account: Account) -> None:
        for _ in range(2):
            without_refresh(account, left=6 * DAY)
            run()
            keeping.store_grant(account, keeping.read_grant(row_of(account)), client_id="psn-sandbox")
        assert told(account) == [SOON, SOON]


class TestTheTask:
    def test_sees_to_everybody_and_shows_nobody_s_rows_to_others(self, hub: People, account: Account) -> None:
        theirs = make_account(hub.other, handle="theirs")
        OAuthToken.objects.using(OWNER).create(
            user_id=hub.other.id,
            account_id=theirs.id,
            access_token_sealed="x",
            obtained_at=datetime.now(UTC),
            access_expires_at=Now() + DAY,
        )
        assert run() == 2
        (notice,) = Notice.objects.using(OWNER).filter(account_id=theirs.id)
        assert (notice.user_id, notice.code) == (hub.other.id, "account.expires_soon")
        assert not Notice.objects.filter(id=notice.id).exists(), "it is not mine to see"
