"""Many posts due at once: one at a time per account, the longest due first, none lost (PUB-9, P5, P8)."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest

from hub.actions import posts
from hub.actions.connecting import connect_sandbox
from hub.models import Account, Post
from tests.factories import OWNER, make_post
from tests.hub.publishing.stage import at_once, drain, interrupt, look, make_due, parts_of, ring, sent, texts
from tests.sandbox.process import Sandbox

MANY = 8
PUBLISHED = ["published"] * MANY


class TestPostsOfOneAccountDueAtOnce:
    def test_are_all_published_in_due_order_by_whoever_looks_for_what_is_due(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        due = many_due(account)
        assert drain() == MANY
        assert statuses(due) == PUBLISHED
        assert texts(sandbox) == in_due_order(due)

    def test_are_all_published_by_one_bell_which_sees_to_its_own_post_first(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        due = many_due(account)
        ring(due[-1])
        own, *others = texts(sandbox)
        assert own == text_of(due[-1])
        assert others == [text for text in in_due_order(due) if text != own]

    def test_are_all_published_once_when_all_bells_ring_at_once(self, account: Account, sandbox: Sandbox) -> None:
        due = many_due(account)
        at_once(MANY, lambda number: ring(due[number], worker=f"tests:1:{number}"))
        assert statuses(due) == PUBLISHED
        assert sorted(texts(sandbox)) == in_due_order(due)
        assert len(sent(sandbox)) == MANY

    def test_are_sent_one_at_a_time(self, account: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        due = many_due(account)
        lock, in_flight = threading.Lock(), []

        def count_in_flight() -> None:
            with lock:
                in_flight.append(Post.objects.using(OWNER).filter(status="publishing").count())

        interrupt(monkeypatch, before_commit=count_in_flight)
        at_once(4, lambda number: ring(due[number], worker=f"tests:1:{number}"))
        assert in_flight == [1] * MANY

    def test_go_on_after_one_that_fails_and_one_that_is_unknown(self, account: Account, sandbox: Sandbox) -> None:
        due = sorted(many_due(account), key=lambda post: (post.due_at, post.id))
        sandbox.fail("status", status=403)
        sandbox.fail("drop_after")
        ring(due[0])
        assert statuses(due) == ["failed", "unknown"] + ["published"] * (MANY - 2)

    def test_are_found_again_after_a_limit_though_the_post_that_met_it_was_cancelled(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        first = make_post(account, texts=("The first",), status="scheduled", due_in=-2)
        second = make_post(account, texts=("The second",), status="scheduled")
        sandbox.fail("status", status=429, retry_after=30)
        for post in (first, second):
            assert ring(post).status == "scheduled"  # both bells have rung; the one at the reset is for the first
        posts.cancel_post(str(first.id))
        make_due(second)
        ring(first)
        assert (look(first).status, look(second).status) == ("cancelled", "published")


class TestPostsOfTwoAccounts:
    def test_are_all_seen_to_by_one_bell_should_the_others_be_lost(self, account: Account, sandbox: Sandbox) -> None:
        other = connect_sandbox(platform="x", sandbox_url=sandbox.url, handle="another", now=datetime.now(UTC))
        mine, its = many_due(account), many_due(other)
        ring(mine[0])
        assert (statuses(mine), statuses(its)) == (PUBLISHED, PUBLISHED)
        assert len(sent(sandbox)) == 2 * MANY

    def test_go_out_side_by_side(self, account: Account, sandbox: Sandbox) -> None:
        other = connect_sandbox(platform="x", sandbox_url=sandbox.url, handle="another", now=datetime.now(UTC))
        two = [make_post(owner, status="scheduled") for owner in (account, other)]
        sandbox.fail("latency", seconds=0.4, times=2)
        started = datetime.now(UTC)
        at_once(2, lambda number: ring(two[number], worker=f"tests:1:{number}"))
        assert [look(post).status for post in two] == ["published"] * 2
        assert datetime.now(UTC) - started < timedelta(seconds=0.8)


def many_due(account: Account) -> list[Post]:
    """Make posts that are due, in any order."""
    order = random.Random(7).sample(range(MANY), MANY)
    return [
        make_post(account, texts=(f"Post {place} of {account.handle}",), status="scheduled", due_in=place - 60.0)
        for place in order
    ]


def in_due_order(due: list[Post]) -> list[str]:
    return [f"Post {place} of {due[0].account.handle}" for place in range(MANY)]


def text_of(post: Post) -> str:
    return parts_of(post)[0].text


def statuses(some: list[Post]) -> list[str]:
    return [str(look(post).status) for post in some]
