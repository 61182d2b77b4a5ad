"""A claim that stands, its lease, and the changes of state that people make (PUB-1, P7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from hub.models import Account, AuditEntry, Post, Status, User
from hub.rls.identity import acting_as
from psn.errors import Conflict
from tests.factories import OWNER, make_account, make_post
from tests.hub.models.states import make_post_in, move

LEASE = timedelta(minutes=1)


@pytest.fixture
def account(me: User) -> Account:
    return make_account(me)


def stored(post: Post) -> Post:
    return Post.objects.using(OWNER).get(id=post.id)


class TestHeld:
    @pytest.fixture
    def post(self, account: Account) -> Post:
        return make_post_in("publishing", account)

    def test_is_the_row_of_a_standing_claim(self, post: Post) -> None:
        assert Post.objects.held(post).get().id == post.id

    def test_is_nothing_under_an_old_fence(self, post: Post) -> None:
        move(post, "scheduled")
        move(post, "publishing")
        assert not Post.objects.held(post).exists()
        assert Post.objects.held(stored(post)).exists()

    def test_is_nothing_once_the_lease_has_run_out(self, post: Post) -> None:
        Post.objects.filter(id=post.id).update(lease_until=Now() - timedelta(milliseconds=1))
        assert not Post.objects.held(post).exists()

    @pytest.mark.parametrize("status", ["failed", "unknown", "scheduled"])
    def test_is_nothing_once_the_post_has_ended(self, status: str, post: Post) -> None:
        move(post, status)
        assert not Post.objects.held(post).exists()


class TestRenew:
    def test_lengthens_the_lease_and_names_the_phase(self, account: Account) -> None:
        post = make_post_in("publishing", account)
        assert Post.objects.renew(post, lease=timedelta(hours=1), phase="sending")
        after = stored(post)
        assert after.phase == "sending"
        assert after.lease_until is not None
        assert after.lease_until > datetime.now(UTC) + timedelta(minutes=59)

    def test_tells_when_the_claim_is_lost(self, account: Account) -> None:
        post = make_post_in("publishing", account)
        Post.objects.filter(id=post.id).update(fence=F("fence") + 1)
        before = stored(post)
        assert not Post.objects.renew(post, lease=LEASE, phase="sending")
        assert (stored(post).phase, stored(post).lease_until) == (before.phase, before.lease_until)


class TestChange:
    def test_leaves_an_audit_row_with_its_actor(self, account: Account) -> None:
        post = make_post_in("scheduled", account)
        Post.objects.change(post, to=Status.CANCELLED, among=[Status.SCHEDULED], actor="person", detail={"why": "rain"})
        entry = AuditEntry.objects.get(subject_id=str(post.id))
        assert (entry.actor, entry.action, entry.from_state, entry.to_state, entry.detail) == (
            "person",
            "post.cancelled",
            "scheduled",
            "cancelled",
            {"why": "rain"},
        )
        assert post.status == "cancelled"

    def test_is_refused_from_any_other_state_and_leaves_nothing(self, account: Account) -> None:
        post = make_post_in("publishing", account)
        with pytest.raises(Conflict, match="publishing by now"):
            Post.objects.change(post, to=Status.CANCELLED, among=[Status.SCHEDULED], actor="person")
        assert stored(post).status == "publishing"
        assert not AuditEntry.objects.exists()

    def test_stays_on_the_connection_it_was_asked_on(self, hub: Any) -> None:
        post = make_post(make_account(hub.other), status="scheduled")
        with acting_as(hub.other.id):
            through_worker = Post.objects.using("worker").get(id=post.id)
            Post.objects.using("worker").change(
                through_worker, to=Status.CANCELLED, among=[Status.SCHEDULED], actor="worker"
            )
            assert AuditEntry.objects.using("worker").get().user_id == hub.other.id
        assert not AuditEntry.objects.exists()
