"""Tokens: refreshed on demand by one at a time; only a refused grant asks for a person (AUTH-2, AUTH-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from hub.actions.answers import Surroundings, explain
from hub.models import Account, OAuthToken
from hub.publishing.grants import fresh_access_token, read_grant, store_grant
from psn.oauth.spec import Token
from tests.factories import make_post
from tests.hub.publishing.stage import (
    at_once,
    attempts_of,
    bells,
    live,
    make_due,
    ring,
    sent,
    token_calls,
)
from tests.sandbox.process import Sandbox

TOKENS = "POST /2/oauth2/token"


class TestAnAccessTokenThatHasExpired:
    def test_is_refreshed_once_before_the_post_goes_out(self, account: Account, sandbox: Sandbox) -> None:
        before = age(account)
        assert ring(make_post(account, status="scheduled")).status == "published"
        after = grant_of(account)
        assert len(token_calls(sandbox)) == 2  # the connection's own, and this
        assert after.access_token != before.access_token
        assert after.refresh_token != before.refresh_token
        assert row_of(account).version == 2

    def test_is_stored_sealed(self, account: Account) -> None:
        age(account)
        ring(make_post(account, status="scheduled"))
        row, token = row_of(account), grant_of(account)
        assert token.access_token not in row.access_token_sealed
        assert token.refresh_token not in row.refresh_token_sealed

    def test_goes_on_with_the_new_refresh_token_the_next_time(self, account: Account, sandbox: Sandbox) -> None:
        for number in range(3):
            age(account)
            assert ring(make_post(account, texts=(f"Post {number}",), status="scheduled")).status == "published"
        assert len(token_calls(sandbox)) == 4

    def test_is_not_refreshed_while_it_is_good(self, account: Account, sandbox: Sandbox) -> None:
        ring(make_post(account, status="scheduled"))
        assert len(token_calls(sandbox)) == 1

    def test_is_refreshed_ahead_of_its_end(self, account: Account, sandbox: Sandbox) -> None:
        age(account, left=timedelta(minutes=11))  # of two hours
        ring(make_post(account, status="scheduled"))
        assert len(token_calls(sandbox)) == 2

    def test_is_refreshed_by_one_of_many_at_once(self, account: Account, sandbox: Sandbox) -> None:
        age(account)
        sandbox.fail("latency", match=TOKENS, seconds=0.2, times=None)
        tokens = at_once(6, lambda _: fresh_access_token(account, now=datetime.now(UTC)))
        assert set(tokens) == {grant_of(account).access_token}
        assert len(token_calls(sandbox)) == 2

    def test_by_the_platform_s_clock_alone_is_refreshed_on_demand_once(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        sandbox.fail("expired_token")
        post = ring(make_post(account, status="scheduled"))
        assert (post.status, len(live(sandbox)), len(sent(sandbox))) == ("published", 1, 2)
        assert len(token_calls(sandbox)) == 2
        assert [attempt.outcome for attempt in attempts_of(post)] == ["refused", "ok"]

    def test_and_whose_successor_is_refused_too_asks_for_a_person(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("expired_token", times=None)
        post = ring(make_post(account, status="scheduled"))
        assert (post.status, post.error_code) == ("failed", "account.needs_reconnect")
        assert (len(token_calls(sandbox)), len(sent(sandbox))) == (2, 2)
        assert status_of(account) == "needs_reconnect"


class TestARefusedRefresh:
    def test_fails_the_post_and_tells_the_person_to_connect_again(self, account: Account, sandbox: Sandbox) -> None:
        spend(account)
        post = ring(make_post(account, status="scheduled"))
        assert (post.status, post.error_code) == ("failed", "account.needs_reconnect")
        assert sent(sandbox) == []
        answer = explain(post, now=datetime.now(UTC), around=Surroundings())
        assert "onnect" in post.error_message
        assert answer.next_command is not None
        assert "connect the account again" in (answer.ask or "").lower()

    def test_marks_the_account_with_the_reason(self, account: Account) -> None:
        spend(account)
        ring(make_post(account, status="scheduled"))
        account.refresh_from_db()
        assert account.status == "needs_reconnect"
        assert "Connect the account again" in account.status_reason

    def test_is_asked_for_once_and_not_for_each_post(self, account: Account, sandbox: Sandbox) -> None:
        spend(account)
        for number in range(3):
            post = ring(make_post(account, texts=(f"Post {number}",), status="scheduled"))
            assert (post.status, post.error_code) == ("failed", "account.needs_reconnect")
        assert len(token_calls(sandbox)) == 2

    def test_ahead_of_the_token_s_end_costs_the_post_one_try(self, account: Account, sandbox: Sandbox) -> None:
        spend(account, left=timedelta(minutes=5))
        post = ring(make_post(account, status="scheduled"))
        assert (post.status, post.tries, len(token_calls(sandbox))) == ("failed", 1, 2)


class TestTroubleWithTheTokenEndpoint:
    @pytest.mark.parametrize(
        "fault",
        [
            pytest.param({"kind": "status", "status": 503}, id="503"),
            pytest.param({"kind": "drop_before"}, id="drop_before"),
        ],
    )
    def test_is_waited_out_and_asks_for_nobody(self, account: Account, sandbox: Sandbox, fault: dict[str, Any]) -> None:
        age(account)
        sandbox.fail(match=TOKENS, **fault)
        post = ring(make_post(account, status="scheduled"))
        assert (post.status, post.tries, len(bells())) == ("scheduled", 1, 1)
        assert (status_of(account), sent(sandbox)) == ("active", [])
        make_due(post)
        assert ring(post).status == "published"

    def test_waits_for_the_reset_when_it_is_a_limit(self, account: Account, sandbox: Sandbox) -> None:
        age(account)
        sandbox.fail("status", match=TOKENS, status=429, retry_after=40)
        post = ring(make_post(account, status="scheduled"))
        assert (post.status, post.tries, status_of(account)) == ("scheduled", 0, "active")

    def test_asks_for_a_person_only_when_the_lost_answer_has_spent_the_grant(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        age(account)
        sandbox.fail("drop_after", match=TOKENS)
        post = ring(make_post(account, status="scheduled"))
        assert (post.status, status_of(account)) == ("scheduled", "active")
        make_due(post)
        assert (ring(post).status, status_of(account)) == ("failed", "needs_reconnect")
        assert sent(sandbox) == []


class TestAnAccountThatIsNotConnected:
    @pytest.mark.parametrize("status", ["needs_reconnect", "disconnected"])
    def test_fails_its_posts_with_the_next_step(self, account: Account, sandbox: Sandbox, status: str) -> None:
        Account.objects.filter(id=account.id).update(status=status)
        post = ring(make_post(account, status="scheduled"))
        assert (post.status, post.error_code, sent(sandbox)) == ("failed", "account.needs_reconnect", [])
        assert "Connect it" in post.error_message
        assert status_of(account) == status

    def test_fails_its_posts_too_when_only_the_grant_is_gone(self, account: Account, sandbox: Sandbox) -> None:
        OAuthToken.objects.filter(account_id=account.id).delete()
        post = ring(make_post(account, status="scheduled"))
        assert (post.status, post.error_code, sent(sandbox)) == ("failed", "account.needs_reconnect", [])


def row_of(account: Account) -> OAuthToken:
    return OAuthToken.objects.get(account_id=account.id)


def grant_of(account: Account) -> Token:
    return read_grant(row_of(account))


def status_of(account: Account) -> str:
    return str(Account.objects.get(id=account.id).status)


def age(account: Account, *, left: timedelta = timedelta(seconds=-1)) -> Token:
    """Let the access token's time pass, in our own records; give the grant as it was."""
    two_hours_ago = datetime.now(UTC) - timedelta(hours=2)
    OAuthToken.objects.filter(account_id=account.id).update(obtained_at=two_hours_ago, access_expires_at=Now() + left)
    return grant_of(account)


def spend(account: Account, *, left: timedelta = timedelta(seconds=-1)) -> None:
    """Have a refresh token that the platform no longer knows."""
    store_grant(account, replace(grant_of(account), refresh_token="spent"), client_id=row_of(account).client_id)
    age(account, left=left)
