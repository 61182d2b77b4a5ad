"""Every change of state has an audit row with its actor, whatever people and workers do in whatever order (P7, P8)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import pytest
from django.db.models.functions import Now
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from hub.actions import posts
from hub.actions.drafts import DraftPart
from hub.actions.people import PERSON
from hub.models import Account, AuditEntry, Post
from hub.publishing import looks
from hub.publishing.endings import WATCHDOG
from psn.errors import Problem
from tests.factories import OWNER
from tests.hub.publishing import stage
from tests.sandbox.process import WEB, Sandbox

FAULTS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429, "retry_after": 30},
    {"kind": "drop_after"},
    {"kind": "expired_token"},
    {"kind": "status", "status": 402},
)
KINDS = {
    "draft",
    "pending_approval",
    "approved",
    "scheduled",
    "publishing",
    "published",
    "failed",
    "unknown",
    "cancelled",
}

yes_or_no = st.booleans()


class PeopleAndWorkers(RuleBasedStateMachine):
    """A person and a worker, and the few posts they have between them."""

    account: Account
    sandbox: Sandbox
    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []

    @rule(target=made, timed=yes_or_no, approve=yes_or_no, thread=yes_or_no)
    def create(self, timed: bool, approve: bool, thread: bool) -> str:
        post, _ = posts.create_post(
            account=str(self.account.id),
            parts=some_parts(2 if thread else 1),
            at=now() if timed else None,
            approve=approve,
        )
        self.ids.append(str(post.id))
        return str(post.id)

    @rule(post_id=made, approve=yes_or_no)
    def edit(self, post_id: str, approve: bool) -> None:
        attempt(lambda: posts.edit_post(post_id, parts=some_parts(1), approve=approve, now=now()))

    @rule(post_id=made)
    def approve(self, post_id: str) -> None:
        attempt(lambda: posts.approve_post(post_id, now=now()))

    @rule(post_id=made, later=yes_or_no, approve=yes_or_no)
    def schedule(self, post_id: str, later: bool, approve: bool) -> None:
        at = now() + timedelta(seconds=60 if later else 0)
        attempt(lambda: posts.schedule_post(post_id, at=at, approve=approve))

    @rule(post_id=made, approve=yes_or_no)
    def publish(self, post_id: str, approve: bool) -> None:
        attempt(lambda: posts.publish_post(post_id, approve=approve, now=now()))

    @rule(post_id=made)
    def cancel(self, post_id: str) -> None:
        attempt(lambda: posts.cancel_post(post_id))

    @rule(post_id=made, fault=st.sampled_from(FAULTS))
    def publish_and_ring(self, post_id: str, fault: dict[str, Any]) -> None:
        attempt(lambda: posts.publish_post(post_id, approve=True, now=now()))
        self.ring(post_id, fault=fault, time_passed=False)

    @rule(post_id=made, fault=st.sampled_from(FAULTS), time_passed=yes_or_no)
    def ring(self, post_id: str, fault: dict[str, Any], time_passed: bool) -> None:
        if time_passed and Post.objects.get(id=post_id).due_at is not None:
            stage.make_due(Post.objects.get(id=post_id))
        WEB.delete(f"{self.sandbox.url}/_sandbox/faults").raise_for_status()
        if fault:
            self.sandbox.fail(**fault)
        stage.ring(Post.objects.get(id=post_id))
        shown = stage.texts(self.sandbox)
        assert len(shown) == len(set(shown)), "something went out twice"

    @rule(post_id=made, shown=yes_or_no)
    def look(self, post_id: str, shown: bool) -> None:
        Post.objects.using(OWNER).filter(id=post_id, look_at__isnull=False).update(look_at=Now())
        WEB.delete(f"{self.sandbox.url}/_sandbox/faults").raise_for_status()
        if not shown:
            self.sandbox.fail("status", match="GET /2/users/{id}/tweets", status=503)
        looks.look(str(self.account.user_id), post_id, worker=stage.WORKER)

    @invariant()
    def every_change_is_on_record(self) -> None:
        entries = AuditEntry.objects.using(OWNER).filter(subject="post", subject_id__in=self.ids).order_by("at")
        histories = {post_id: [entry for entry in entries if entry.subject_id == post_id] for post_id in self.ids}
        for post in Post.objects.using(OWNER).filter(id__in=self.ids):
            history = histories[str(post.id)]
            assert str(post.status) in states_after(history), [f"{e.from_state} {e.to_state}" for e in history]
            assert all(entry.actor in (PERSON, stage.WORKER, WATCHDOG) for entry in history)

    @invariant()
    def no_post_disappears(self) -> None:
        assert Post.objects.using(OWNER).filter(id__in=self.ids, status__in=KINDS).count() == len(self.ids)

    @invariant()
    def what_ended_badly_says_why(self) -> None:
        ended = Post.objects.using(OWNER).filter(id__in=self.ids, status__in=["failed", "unknown"])
        assert all(post.error_code and post.error_message for post in ended)
        for post in ended:
            is_looked_at = post.status == "unknown" and post.look_at is not None
            assert is_looked_at or any(level == "act" for level, _ in stage.notices_of(post))


class TestPeopleAndWorkers:
    def test_leave_a_record_without_gaps_after_any_sequence_of_actions(
        self, account: Account, sandbox: Sandbox
    ) -> None:
        PeopleAndWorkers.account, PeopleAndWorkers.sandbox = account, sandbox
        run_state_machine_as_test(
            PeopleAndWorkers,
            settings=settings(max_examples=20, stateful_step_count=25, deadline=None, derandomize=True, database=None),
        )
        seen = {
            f"{entry.from_state} {entry.to_state}" for entry in AuditEntry.objects.using(OWNER).filter(subject="post")
        }
        assert seen >= {
            f"publishing {end}" for end in ("published", "failed", "unknown", "scheduled")
        }  # it went far enough


class TestAPostThatFailed:
    def test_can_be_edited_and_sent_again(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("status", status=403)
        post, _ = posts.create_post(account=str(account.id), parts=some_parts(1), at=now(), approve=True)
        assert stage.ring(post).status == "failed"
        posts.edit_post(str(post.id), parts=some_parts(1), approve=False, now=now())
        posts.publish_post(str(post.id), approve=True, now=now())
        assert stage.ring(post).status == "published"

    def test_can_be_sent_again_as_it_is(self, account: Account, sandbox: Sandbox) -> None:
        sandbox.fail("status", status=403)
        post, _ = posts.create_post(account=str(account.id), parts=some_parts(1), at=now(), approve=True)
        assert stage.ring(post).status == "failed"
        posts.publish_post(str(post.id), approve=True, now=now())
        assert (stage.ring(post).status, len(stage.sent(sandbox))) == ("published", 2)


class TestStatesAfter:
    """The check itself can fail."""

    @pytest.mark.parametrize(
        ("changes", "ends"),
        [
            ([(0, "", "draft"), (1, "draft", "approved")], {"approved"}),
            ([(0, "draft", "approved"), (0, "", "draft")], {"approved"}),  # one transaction: the order is not on record
            ([(0, "", "draft"), (1, "approved", "scheduled")], set()),
            ([(0, "draft", "approved"), (1, "", "draft")], set()),
        ],
    )
    def test_finds_a_gap(self, changes: list[tuple[int, str, str]], ends: set[str]) -> None:
        start = datetime(2026, 1, 1, tzinfo=UTC)
        entries = [AuditEntry(at=start + timedelta(seconds=at), from_state=a, to_state=b) for at, a, b in changes]
        assert states_after(entries) == ends


def states_after(history: Iterable[AuditEntry]) -> set[str]:
    """Give the states a gapless walk over all entries can end in; entries of one transaction share their instant."""
    states = {""}
    for _, group in groupby(history, key=lambda entry: entry.at):
        changes = [(entry.from_state, entry.to_state) for entry in group]
        states = set().union(*(walk_all(state, changes) for state in states))
    return states


def walk_all(state: str, changes: list[tuple[str, str]]) -> set[str]:
    """Give where a walk over all changes can end, in any order that leaves no gap."""
    if not changes:
        return {state}
    ends: set[str] = set()
    for number, (before, after) in enumerate(changes):
        if before == state:
            ends |= walk_all(after, changes[:number] + changes[number + 1 :])
    return ends


def attempt(action: Any) -> None:
    """Let a person try something; a refusal changes nothing and is no failure of the test."""
    try:
        action()
    except Problem:
        return


def some_parts(count: int) -> list[DraftPart]:
    return [DraftPart(text=f"Part {uuid.uuid4()}") for _ in range(count)]


def now() -> datetime:
    return datetime.now(UTC)
