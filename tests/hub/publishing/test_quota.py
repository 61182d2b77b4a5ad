"""Never more than the platform's limits or the user's cap; what is too much waits, and nothing is lost (PLAT-3, PUB-12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from django.db.models.functions import Now

from hub.actions.accounts import set_cap
from hub.models import Account, Post
from hub.publishing import quota
from psn.errors import Unavailable
from psn.platforms import x
from psn.platforms.base import RateLimit
from tests.factories import OWNER, make_account, make_post
from tests.hub.publishing.stage import interrupt, live, look, make_due, ring, rung, sent
from tests.sandbox.process import Sandbox


@pytest.fixture(autouse=True)
def _worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSN_WORKER", "tests:1")


def cap(account: Account, posts: int | None) -> None:
    Account.objects.using(OWNER).filter(id=account.id).update(daily_cap=posts)
    account.refresh_from_db()


class TestTheUsersCap:
    def test_makes_the_next_post_wait_until_the_first_is_a_day_old(self, account: Account, sandbox: Sandbox) -> None:
        cap(account, 2)
        first, second, third = (ring(make_post(account, texts=(text,), status="scheduled")) for text in "abc")
        assert [first.status, second.status, third.status] == ["published", "published", "scheduled"]
        account.refresh_from_db()
        assert account.next_allowed_at is not None
        assert first.published_at is not None
        assert abs(account.next_allowed_at - first.published_at - quota.DAY) < timedelta(seconds=5)
        assert (third.tries, len(sent(sandbox))) == (0, 2)  # no failed try, and nothing left

    def test_lets_it_go_once_the_first_is_a_day_old(self, account: Account, sandbox: Sandbox) -> None:
        cap(account, 1)
        first, second = (ring(make_post(account, texts=(text,), status="scheduled")) for text in "ab")
        Post.objects.using(OWNER).filter(id=first.id).update(published_at=Now() - timedelta(hours=25))
        make_due(second)
        assert ring(second).status == "published"

    def test_counts_what_may_be_live(self, account: Account, sandbox: Sandbox) -> None:
        cap(account, 1)
        sandbox.fail("drop_after")
        first, second = (ring(make_post(account, texts=(text,), status="scheduled")) for text in "ab")
        assert (first.status, second.status, len(live(sandbox))) == ("unknown", "scheduled", 1)

    def test_never_stops_a_thread_in_the_middle(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cap(account, 1)
        calls: list[int] = []

        def be_away() -> None:
            calls.append(1)
            if len(calls) == 2:
                raise Unavailable("No way there just now.")

        with monkeypatch.context() as patch:
            interrupt(patch, before_commit=be_away)
            thread = ring(make_post(account, texts=("one", "two"), status="scheduled"))
        assert (thread.status, len(live(sandbox))) == ("scheduled", 1)
        assert ring(make_post(account, texts=("another",), status="scheduled")).status == "published"
        make_due(thread)
        assert ring(thread).status == "published"

    def test_of_none_lets_nothing_out(self, account: Account, sandbox: Sandbox) -> None:
        cap(account, 0)
        assert (ring(make_post(account, status="scheduled")).status, sent(sandbox)) == ("scheduled", [])

    def test_is_the_accounts_own(self, account: Account, sandbox: Sandbox) -> None:
        cap(account, 1)
        ring(make_post(account, texts=("a",), status="scheduled"))
        assert quota.posts_of_day(make_account(account.user)).count() == 0


class TestARaisedCap:
    def test_lets_go_at_once_what_waited_for_the_former_one(self, account: Account, sandbox: Sandbox) -> None:
        cap(account, 1)
        first, second = (ring(make_post(account, texts=(text,), status="scheduled")) for text in "ab")
        assert (first.status, second.status) == ("published", "scheduled")
        set_cap(str(account.id), "2")
        assert rung()[-1] == "publish_post"
        assert ring(second).status == "published"


class TestThePlatformsLimit:
    def test_holds_where_the_user_wants_more(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(x, "PLATFORM", replace(x.PLATFORM, posts_per_day=3))
        for wanted, limit in ((None, 3), (5, 3), (2, 2)):
            cap(account, wanted)
            assert quota.daily_limit(account) == limit


class TestWhatHeadersSay:
    def test_is_kept_with_the_account(self, account: Account, sandbox: Sandbox) -> None:
        ring(make_post(account, status="scheduled"))
        account.refresh_from_db()
        limit = account.rate_limits["POST /2/tweets"]
        assert (limit["limit"], limit["remaining"]) == (100, 99)
        assert account.next_allowed_at is None

    def test_makes_the_account_wait_when_nothing_is_left(self, account: Account, sandbox: Sandbox) -> None:
        posts = [make_post(account, texts=(f"post {number}",), status="scheduled") for number in range(3)]
        for number in range(98):
            sandbox_post(account, sandbox, f"by hand {number}")
        assert [ring(post).status for post in posts[:1]] == ["published"]
        assert [look(post).status for post in posts] == ["published", "published", "scheduled"]
        account.refresh_from_db()
        assert account.rate_limits["POST /2/tweets"]["remaining"] == 0
        assert account.next_allowed_at is not None
        assert len([call for call in sent(sandbox) if call["status"] == 429]) == 0  # the limit was never run into


class TestAbsurdHeaders:
    @pytest.mark.parametrize("hours", [-12, 0, 12])
    @pytest.mark.parametrize("instant", [datetime.min, datetime.max], ids=["the beginning", "the end"])
    @pytest.mark.parametrize("remaining", [0, -(2**63), 2**63])
    def test_are_taken_for_a_day_at_most(self, instant: datetime, hours: int, remaining: int) -> None:
        """They come with the answer that a post is live, which must not be lost over them."""
        resets_at = instant.replace(tzinfo=timezone(timedelta(hours=hours)))
        told, wait = quota.describe_limits({"POST /2/tweets": RateLimit(2**63, remaining, resets_at)})
        assert told is not None
        assert (wait is None) == (remaining > 0)
        assert wait is None or 0 <= wait <= quota.DAY.total_seconds()


def sandbox_post(account: Account, sandbox: Sandbox, text: str) -> None:
    """Post as the account, beside PSN."""
    from django.utils import timezone

    from hub.publishing.grants import open_adapter
    from psn.platforms.base import Part, Prepared

    adapter = open_adapter(account, now=timezone.now())
    try:
        adapter.create_post(Part(0, text), media_ids=[], reply_to=None, prepared=Prepared(), send_before=None)
    finally:
        adapter.close()
