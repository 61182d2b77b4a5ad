"""A renewal is asked for by one, stored before it is used, and decided by whoever holds the lease (AUTH-2, AUTH-3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.db.models.functions import Now

from hub.models import Account, AuditEntry, Notice, OAuthToken
from hub.models.posts import from_now
from hub.publishing import keeping, renewing
from hub.publishing.grants import fresh_access_token, open_adapter, read_grant, store_grant
from psn.errors import NeedsReconnect, Rejected, Unavailable, UnknownOutcome
from tests.factories import OWNER
from tests.hub.publishing.stage import aside, at_once, token_calls
from tests.hub.publishing.test_grants import TOKENS, age, grant_of, row_of, spend, status_of
from tests.sandbox.process import Sandbox


def now() -> datetime:
    return datetime.now(UTC)


def renew(account: Account) -> OAuthToken:
    return renewing.renew(account, row_of(account), now=now())


def notices_of(account: Account) -> list[tuple[str, str]]:
    rows = Notice.objects.using(OWNER).filter(account_id=account.id).order_by("at", "id")
    return [(row.level, row.code) for row in rows]


def works(account: Account) -> bool:
    adapter = open_adapter(Account.objects.get(id=account.id), now=now())
    try:
        return adapter.fetch_profile().platform_account_id == account.platform_account_id
    finally:
        adapter.close()


class TestARenewal:
    def test_holds_no_transaction_and_no_connection_while_the_platform_answers(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[bool] = []

        def look() -> None:
            seen.append(connections["default"].in_atomic_block)
            row = aside(lambda: OAuthToken.objects.get(account_id=account.id))
            seen.append(row.lease_until is None)
            aside(
                lambda: OAuthToken.objects.filter(id=row.id).update(client_id=row.client_id)
            )  # nobody waits for a lock

        befall(monkeypatch, renewing, "_ask", before=look)
        renew(account)
        assert seen == [False, False]

    def test_is_refused_inside_a_transaction_that_would_stay_open(self, account: Account) -> None:
        with transaction.atomic(), pytest.raises(AssertionError):
            renew(account)

    def test_is_asked_for_by_one_of_many_though_all_of_them_want_it(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("latency", match=TOKENS, seconds=0.3, times=None)
        row = row_of(account)
        rows = at_once(6, lambda _: renewing.renew(account, row, now=now()))
        assert {row.version for row in rows} == {2}
        assert len(token_calls(sandbox)) == 2

    def test_is_not_waited_for_longer_than_is_good(self, account: Account, sandbox: Sandbox) -> None:
        OAuthToken.objects.filter(account_id=account.id).update(lease_until=from_now(timedelta(minutes=1)))
        with pytest.raises(Unavailable, match="another process"):
            renewing.renew(account, row_of(account), now=now(), wait_seconds=0.3)
        assert len(token_calls(sandbox)) == 1

    def test_takes_over_from_one_who_died(self, account: Account) -> None:
        OAuthToken.objects.filter(account_id=account.id).update(lease_until=from_now(timedelta(seconds=0.5)))
        assert renew(account).version == 2

    def test_leaves_the_lease_to_the_next_one_when_it_fails(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("status", match=TOKENS, status=503)
        with pytest.raises(Unavailable):
            renew(account)
        assert row_of(account).lease_until is None
        assert renew(account).version == 2

    def test_is_not_sent_when_its_lease_has_hardly_any_time_left(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(renewing, "MARGIN_SECONDS", -1.0)  # as for a process that was stopped before the call
        with pytest.raises(Unavailable):
            renew(account)
        assert len(token_calls(sandbox)) == 1


class TestItsAnswer:
    def test_is_stored_once_though_nobody_heard_that_it_was(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        befall(
            monkeypatch, renewing, "replace_tokens", after=raise_once(OperationalError("server closed the connection"))
        )
        row = renew(account)
        assert (row.version, row.lease_until) == (2, None)
        assert works(account)

    def test_survives_a_hub_that_is_away(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        befall(monkeypatch, renewing, "replace_tokens", before=raise_once(OperationalError("no"), times=3))
        assert renew(account).version == 2
        assert works(account)

    def test_never_takes_the_place_of_a_grant_that_is_newer(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        newer = replace(grant_of(account), access_token="newer", refresh_token="newer-refresh")
        befall(monkeypatch, renewing, "_ask", after=lambda: store_grant(account, newer, client_id="app"))
        row = renew(account)
        assert (read_grant(row).access_token, row.version) == ("newer", 2)

    def test_is_dropped_when_the_account_was_disconnected_meanwhile(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        befall(monkeypatch, renewing, "_ask", after=lambda: forget(account))
        with pytest.raises(NeedsReconnect):
            renew(account)
        assert not OAuthToken.objects.filter(account_id=account.id).exists()

    def test_takes_an_account_back_that_somebody_gave_up_meanwhile(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The holder was stopped after the answer, for longer than its lease; another was refused with the spent token."""
        befall(monkeypatch, renewing, "_ask", after=lambda: give_up_aside(account))
        assert renew(account).version == 2
        assert status_of(account) == "active"
        assert works(account)


class TestARefusal:
    def test_gives_the_account_up_and_tells_its_person_once(self, account: Account) -> None:
        spend(account)
        row = row_of(account)
        for _ in range(3):
            with pytest.raises(NeedsReconnect) as refused:
                renewing.renew(account, row, now=now())
            assert refused.value.next_command == f"psn_account reconnect {account.id}"
        assert (status_of(account), notices_of(account)) == ("needs_reconnect", [("act", "account.needs_reconnect")])
        (told,) = Notice.objects.using(OWNER).filter(account_id=account.id)
        assert f"psn_account reconnect {account.id}" in told.message
        (entry,) = AuditEntry.objects.using(OWNER).filter(action="account.lost")
        assert (entry.from_state, entry.to_state) == ("active", "needs_reconnect")

    def test_tells_once_though_many_are_refused_at_once(self, account: Account, sandbox: Sandbox) -> None:
        spend(account)
        sandbox.fail("latency", match=TOKENS, seconds=0.2, times=None)

        def try_it(_: int) -> str:
            with pytest.raises(NeedsReconnect):
                fresh_access_token(account, now=now())
            return "refused"

        assert at_once(4, try_it) == ["refused"] * 4
        assert notices_of(account) == [("act", "account.needs_reconnect")]
        assert len(token_calls(sandbox)) == 2, "what was refused once is not asked with again"

    def test_is_told_again_when_it_happens_again(self, account: Account) -> None:
        good = grant_of(account)
        for _ in range(2):
            spend(account)
            with pytest.raises(NeedsReconnect):
                renew(account)
            Account.objects.filter(id=account.id).update(status="active")
            store_grant(account, good, client_id="psn-sandbox")
        assert notices_of(account) == [("act", "account.needs_reconnect")] * 2

    def test_is_told_once_though_several_posts_run_into_it(self, account: Account) -> None:
        assert at_once(4, lambda _: keeping.lose_grant(account, reason="revoked")) == [None] * 4
        assert (status_of(account), notices_of(account)) == ("needs_reconnect", [("act", "account.needs_reconnect")])

    def test_counts_for_nothing_when_somebody_was_faster(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        good = grant_of(account)
        spend(account)
        befall(
            monkeypatch, renewing, "_settle_refusal", before=lambda: store_grant(account, good, client_id="psn-sandbox")
        )
        assert read_grant(renew(account)).access_token == good.access_token
        assert (status_of(account), notices_of(account)) == ("active", [])

    def test_is_left_to_whoever_took_over(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        spend(account)
        take_over = OAuthToken.objects.filter(account_id=account.id)
        befall(
            monkeypatch,
            renewing,
            "_settle_refusal",
            before=lambda: take_over.update(lease_until=from_now(timedelta(minutes=5))),
        )
        with pytest.raises(Unavailable):
            renew(account)
        assert (status_of(account), notices_of(account)) == ("active", [])

    def test_of_the_app_ends_no_grant(self, account: Account) -> None:
        OAuthToken.objects.filter(account_id=account.id).update(client_id="nobody")
        with pytest.raises(Rejected) as refused:
            renew(account)
        assert refused.value.error_code == "oauth.app_refused"
        assert (status_of(account), notices_of(account), row_of(account).lease_until) == ("active", [], None)


class TestALostAnswer:
    def test_ends_nothing_until_the_next_try_decides(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("drop_after", match=TOKENS)
        with pytest.raises(UnknownOutcome):
            renew(account)
        assert (status_of(account), notices_of(account)) == ("active", [])
        with pytest.raises(NeedsReconnect):
            renew(account)
        assert (status_of(account), notices_of(account)) == ("needs_reconnect", [("act", "account.needs_reconnect")])


class TestAnOldTokenThatIsStillGood:
    @pytest.mark.parametrize(
        "fault", [{"kind": "status", "status": 503}, {"kind": "drop_before"}, {"kind": "status", "status": 429}]
    )
    def test_serves_while_no_new_one_is_to_be_had(
        self, account: Account, sandbox: Sandbox, fault: dict[str, Any]
    ) -> None:
        before = age(account, left=timedelta(minutes=8))
        sandbox.fail(match=TOKENS, **fault)
        assert fresh_access_token(account, now=now()) == before.access_token
        assert fresh_access_token(account, now=now()) != before.access_token

    def test_serves_while_somebody_else_asks_for_too_long(
        self, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(renewing, "WAIT_SECONDS", 0.2)
        before = age(account, left=timedelta(minutes=8))
        OAuthToken.objects.filter(account_id=account.id).update(lease_until=from_now(timedelta(minutes=1)))
        assert fresh_access_token(account, now=now()) == before.access_token

    def test_does_not_serve_once_it_is_over(self, account: Account, sandbox: Sandbox) -> None:
        age(account)
        sandbox.fail("status", match=TOKENS, status=503)
        with pytest.raises(Unavailable):
            fresh_access_token(account, now=now())


class TestAGrantThatCannotBeRenewed:
    def test_is_used_as_it_is_and_the_platform_decides(self, account: Account, sandbox: Sandbox) -> None:
        age(account)
        OAuthToken.objects.filter(account_id=account.id).update(refresh_token_sealed="")
        assert fresh_access_token(account, now=now()) == grant_of(account).access_token
        assert len(token_calls(sandbox)) == 1


class TestTheAppsSecret:
    def test_is_sealed_for_its_own_place(self, account: Account) -> None:
        store_grant(account, grant_of(account), client_id="app", client_secret="app-s3cret")
        row = row_of(account)
        assert "app-s3cret" not in row.client_secret_sealed
        assert keeping.open_column(row, "client_secret_sealed") == "app-s3cret"
        store_grant(account, grant_of(account), client_id="app")
        assert row_of(account).client_secret_sealed == ""

    def test_goes_with_the_renewal(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        store_grant(account, grant_of(account), client_id="psn-sandbox", client_secret="psn-sandbox-secret")
        assert renew(account).version == 3
        assert keeping.open_column(row_of(account), "client_secret_sealed") == "psn-sandbox-secret"


def befall(
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    *,
    before: Callable[[], object] | None = None,
    after: Callable[[], object] | None = None,
) -> None:
    """Have something happen around a step; the step stays the real one."""
    function = getattr(module, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        if before is not None:
            before()
        result = function(*arguments, **options)
        if after is not None:
            after()
        return result

    monkeypatch.setattr(module, name, wrapped)


def raise_once(error: Exception, *, times: int = 1) -> Callable[[], None]:
    left = [error] * times

    def act() -> None:
        if left:
            raise left.pop()

    return act


def forget(account: Account) -> None:
    OAuthToken.objects.filter(account_id=account.id).delete()
    Account.objects.filter(id=account.id).update(status="disconnected")


def give_up_aside(account: Account) -> None:
    """Let the lease run out, and somebody else be refused with the token that is spent by now."""
    OAuthToken.objects.filter(account_id=account.id).update(lease_until=Now() - timedelta(seconds=1))

    def ask() -> None:
        with pytest.raises(NeedsReconnect):
            renewing._settle_refusal(
                account, row_of(account), NeedsReconnect("The platform no longer accepts this grant.")
            )

    aside(ask)
    assert status_of(account) == "needs_reconnect"
