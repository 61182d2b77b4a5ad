"""What each answer of the platform means for the post (PUB-5, PUB-6, P4, P6, P8)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from hub.actions import posts
from hub.models import Account, Post
from hub.publishing import looks
from hub.publishing.endings import LONGEST_WAIT, RETRIES
from psn.errors import InvalidInput
from tests.factories import OWNER, make_post
from tests.hub.publishing.stage import (
    WORKER,
    attempts_of,
    audit_of,
    bells,
    changes_of,
    interrupt,
    live,
    look,
    make_due,
    parts_of,
    ring,
    rung,
    sent,
    texts,
)
from tests.sandbox.process import Sandbox

LOST = [
    pytest.param({"kind": "status", "status": 503}, 0, id="503"),
    pytest.param({"kind": "status", "status": 408}, 0, id="408"),
    pytest.param({"kind": "drop_before"}, 0, id="drop_before"),
    pytest.param({"kind": "drop_after"}, 1, id="drop_after"),
    pytest.param({"kind": "garbage"}, 1, id="garbage"),
]


class TestUnreachable:
    def test_sends_the_post_back_to_wait_with_a_bell_at_its_new_time(self, account: Account) -> None:
        post = make_post(account, status="scheduled")
        with unreachable(account):
            after = ring(post)
        assert (after.status, after.tries, after.error_code) == ("scheduled", 1, "platform.unavailable")
        assert after.due_at is not None
        assert after.due_at > datetime.now(UTC)
        assert [bell.lock for bell in bells()] == [after.due_at]
        assert after.scheduled_at == post.scheduled_at
        assert attempts_of(post)[0].outcome == "not_sent"

    def test_waits_five_times_as_long_each_time_and_gives_up_after_three_retries(self, account: Account) -> None:
        post = make_post(account, status="scheduled")
        waits = []
        with unreachable(account):
            for _ in range(RETRIES):
                after = ring(post)
                assert (after.status, after.due_at is not None) == ("scheduled", True)
                waits.append((after.due_at - datetime.now(UTC)).total_seconds())  # type: ignore[operator]
                make_due(post)
            after = ring(post)
        assert [round(wait / expected) for wait, expected in zip(waits, (5, 25, 125), strict=True)] == [1, 1, 1]
        assert (after.status, after.error_code, after.tries) == ("failed", "platform.unavailable", RETRIES + 1)
        assert after.error_message
        assert len(bells()) == RETRIES

    def test_sends_once_when_the_platform_is_back(self, account: Account, sandbox: Sandbox) -> None:
        post = make_post(account, status="scheduled")
        with unreachable(account):
            ring(post)
        make_due(post)
        after = ring(post)
        assert (after.status, after.error_code, len(sent(sandbox))) == ("published", "", 1)
        assert [attempt.outcome for attempt in attempts_of(post)] == ["not_sent", "ok"]


class TestARefusalOfOurOwn:
    def test_after_the_intent_closes_the_attempt_and_the_post_can_be_sent_again(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post = make_post(account, status="scheduled")

        def refuse() -> None:
            raise InvalidInput("There is nothing to send.", code="post.empty")

        with monkeypatch.context() as patch:
            interrupt(patch, before_commit=refuse)
            after = ring(post)
        assert (after.status, after.error_code, sent(sandbox)) == ("failed", "post.empty", [])
        (attempt,) = attempts_of(post)
        assert (attempt.outcome, attempt.detail) == ("refused", "There is nothing to send.")
        posts.publish_post(str(post.id), approve=True, now=datetime.now(UTC))
        assert ring(post).status == "published"


class TestTooManyRequests:
    def test_wait_for_the_platform_s_reset_and_count_no_try(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("status", status=429, retry_after=40)
        after = ring(make_post(account, status="scheduled"))
        assert after.status == "scheduled"
        assert after.tries == 0
        assert after.due_at is not None
        assert timedelta(seconds=30) < after.due_at - datetime.now(UTC) < timedelta(seconds=41)
        assert is_just_before(Account.objects.get(id=account.id).next_allowed_at, after.due_at)
        assert [bell.lock for bell in bells()] == [after.due_at]
        (attempt,) = attempts_of(after)
        assert (attempt.outcome, attempt.http_status) == ("limited", 429)
        assert is_just_before(attempt.retry_at, after.due_at)

    def test_never_hold_the_account_for_longer_than_the_platform_s_longest_window(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        sandbox.fail("status", status=429, retry_after=10 * 365 * 86_400)
        after = ring(make_post(account, status="scheduled"))
        assert after.due_at is not None
        assert timedelta(hours=23) < after.due_at - datetime.now(UTC) <= LONGEST_WAIT
        assert is_just_before(Account.objects.get(id=account.id).next_allowed_at, after.due_at)
        assert [bell.lock for bell in bells()] == [after.due_at]
        (attempt,) = attempts_of(after)
        assert attempt.retry_at is not None
        assert attempt.retry_at > after.due_at + timedelta(days=360)  # what the platform said stays on record

    def test_hold_the_account_s_other_posts_too(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("status", status=429, retry_after=40)
        ring(make_post(account, status="scheduled"))
        other = ring(make_post(account, texts=("Another",), status="scheduled"))
        assert (other.status, len(sent(sandbox))) == ("scheduled", 1)

    def test_never_use_the_tries_up(self, account: Account, sandbox: Sandbox) -> None:
        post = make_post(account, status="scheduled")
        sandbox.fail("status", status=429, retry_after=40, times=RETRIES + 2)
        for _ in range(RETRIES + 2):
            assert ring(post).status == "scheduled"
            make_due(post)
        with unreachable(account):
            assert ring(post).status == "scheduled"  # and not failed, as after four tries
        make_due(post)
        assert (ring(post).status, len(live(sandbox))) == ("published", 1)

    def test_end_with_the_reset(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("status", status=429, retry_after=1)
        post = ring(make_post(account, status="scheduled"))
        account.refresh_from_db()
        let_the_reset_pass(account, post)
        assert ring(post).status == "published"
        assert ring(make_post(account, texts=("Another",), status="scheduled")).status == "published"


class TestARefusal:
    @pytest.mark.parametrize("status", [400, 402, 403, 404])
    def test_fails_the_post_with_its_reason_and_is_never_repeated(
        self, account: Account, sandbox: Sandbox, status: int
    ) -> None:
        sandbox.fail("status", status=status)
        post = ring(make_post(account, status="scheduled"))
        assert post.status == "failed"
        assert post.error_code.startswith("x.")
        assert str(status) in post.error_message
        assert (attempts_of(post)[0].outcome, attempts_of(post)[0].http_status) == ("refused", status)
        assert audit_of(post)[-1].detail["code"] == post.error_code
        ring(post)
        assert (len(sent(sandbox)), bells()) == (1, [])

    def test_of_one_account_s_post_stops_no_other_post(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("status", status=403)
        ring(make_post(account, status="scheduled"))
        assert ring(make_post(account, texts=("Another",), status="scheduled")).status == "published"


class TestALostAnswer:
    @pytest.mark.parametrize(("fault", "shown"), LOST)
    def test_leaves_the_post_unknown_and_is_never_repeated(
        self, account: Account, sandbox: Sandbox, fault: dict[str, Any], shown: int
    ) -> None:
        sandbox.fail(**fault)
        post = ring(make_post(account, status="scheduled"))
        assert (post.status, post.error_code, post.platform_post_id) == ("unknown", "publish.unknown", "")
        for _ in range(10):
            assert ring(post).status == "unknown"
        assert (len(sent(sandbox)), len(live(sandbox)), rung()) == (1, shown, ["look_at_post"])
        (attempt,) = attempts_of(post)
        assert (attempt.outcome, attempt.remote_id) == ("unknown", "")
        assert changes_of(post) == ["scheduled publishing", "publishing unknown"]

    def test_is_not_repeated_even_when_the_post_comes_due_again(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("drop_after")
        post = ring(make_post(account, status="scheduled"))
        make_due(post)
        ring(post)
        assert len(sent(sandbox)) == 1

    def test_lets_the_account_s_other_posts_go_out(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("drop_after")
        ring(make_post(account, status="scheduled"))
        assert ring(make_post(account, texts=("Another",), status="scheduled")).status == "published"


class TestAThreadThatBreaksOff:
    """Part 1 of 3 is live, part 2 fails (PUB-4)."""

    @pytest.mark.parametrize(
        ("fault", "status"),
        [
            pytest.param({"kind": "status", "status": 403}, "failed", id="403"),
            pytest.param({"kind": "status", "status": 503}, "unknown", id="503"),
            pytest.param({"kind": "drop_before"}, "unknown", id="drop_before"),
            pytest.param({"kind": "drop_after"}, "unknown", id="drop_after"),
            pytest.param({"kind": "status", "status": 429, "retry_after": 40}, "scheduled", id="429"),
        ],
    )
    def test_keeps_what_is_live_and_says_where_it_stands(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any], status: str
    ) -> None:
        post = broken_at_second_part(account, sandbox, monkeypatch, fault=fault)
        first, second, third = parts_of(post)
        assert post.status == status
        assert (first.state, first.platform_post_id) == ("published", live(sandbox)[0]["id"])
        assert [(part.state, part.platform_post_id) for part in (second, third)] == [("waiting", "")] * 2
        assert len(sent(sandbox)) == 2
        assert "three" not in texts(sandbox)

    @pytest.mark.parametrize(
        "fault",
        [
            pytest.param({"kind": "status", "status": 403}, id="after a refusal"),
            pytest.param({"kind": "status", "status": 503}, id="after an unknown that was not published"),
            pytest.param({"kind": "status", "status": 429, "retry_after": 40}, id="after a limit"),
        ],
    )
    def test_goes_on_at_the_second_part_and_never_sends_the_first_again(
        self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
    ) -> None:
        post = broken_at_second_part(account, sandbox, monkeypatch, fault=fault)
        first = parts_of(post)[0].platform_post_id
        put_back(post)
        after = ring(post)
        assert (after.status, after.platform_post_id, after.error_code) == ("published", first, "")
        assert texts(sandbox) == ["one", "two", "three"]
        assert live(sandbox)[1]["in_reply_to"] == first
        assert [attempt.part_id for attempt in attempts_of(post)].count(parts_of(post)[0].id) == 1
        assert len(sent(sandbox)) == 4


@contextmanager
def unreachable(account: Account) -> Iterator[None]:
    """Have nobody listen where the platform was."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    Account.objects.filter(id=account.id).update(base_url=f"http://127.0.0.1:{port}/x")
    yield
    Account.objects.filter(id=account.id).update(base_url=account.base_url)


def broken_at_second_part(
    account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, *, fault: dict[str, Any]
) -> Post:
    """Publish a thread whose second part meets a fault."""
    calls: list[int] = []

    def order_fault() -> None:
        calls.append(1)
        if len(calls) == 2:
            sandbox.fail(**fault)

    with monkeypatch.context() as patch:
        interrupt(patch, before_commit=order_fault)
        return ring(make_post(account, texts=("one", "two", "three"), status="scheduled"))


def is_just_before(instant: datetime | None, other: datetime | None) -> bool:
    """Whether an instant is not after another, and hardly before it."""
    assert instant is not None
    assert other is not None
    return timedelta(0) <= other - instant < timedelta(seconds=1)


def put_back(post: Post) -> None:
    """Do what a person or evidence does to a post that surely is not out: schedule it again, due now."""
    for _ in range(3):
        if look(post).status == "unknown":
            Post.objects.using(OWNER).filter(id=post.id).update(look_at=Now())
            looks.look(str(post.user_id), str(post.id), worker=WORKER)
    rows = Post.objects.using(OWNER).filter(id=post.id)
    approved = look(post).content_hash
    if look(post).status == "failed":
        rows.update(status="draft")
    rows.update(status="scheduled", approved_hash=approved, look_at=None)
    make_due(post)


def let_the_reset_pass(account: Account, post: Post) -> None:
    """Move the reset into the past, as time does; there it holds nobody back."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    Account.objects.using(OWNER).filter(id=account.id).update(next_allowed_at=past)
    Post.objects.using(OWNER).filter(id=post.id).update(due_at=past)
