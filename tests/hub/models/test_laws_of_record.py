"""What always holds for attempts (PUB-10), the audit log and accounts, tried with a person's own login."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models.functions import Now

from hub.models import Account, Attempt, AuditEntry, Post, PostPart, Status
from hub.rls.identity import acting_as
from tests.hub.models.states import (
    NOT_ALLOWED,
    make_draft,
    make_live,
    make_post_in,
    move,
    refused,
    write_intent,
)
from tests.hub.worlds import World

pytestmark = pytest.mark.django_db(databases="__all__")


class TestACommitAttempt:
    @pytest.mark.parametrize("status", [status for status in Status.values if status != "publishing"])
    def test_needs_a_claim(self, status: str, my_account: Any) -> None:
        with refused("attempts_hold_the_fence"):
            write_intent(make_post_in(status, my_account))

    @pytest.mark.parametrize("step", [-1, 1])
    def test_needs_the_fence_of_the_claim(self, step: int, my_account: Any) -> None:
        post = make_post_in("publishing", my_account)
        with refused("attempts_hold_the_fence"):
            write_intent(post, fence=post.fence + step)

    def test_needs_the_phase_that_says_so(self, my_account: Any) -> None:
        post = make_post_in("publishing", my_account)
        part = PostPart.objects.get(post_id=post.id)
        values = {
            "post_id": post.id,
            "part_id": part.id,
            "kind": "commit",
            "fence": post.fence,
            "worker": "w",
            "fingerprint": "f",
        }
        with refused("attempts_hold_the_fence"):
            Attempt.objects.create(user_id=post.user_id, **values)

    def test_is_not_made_for_a_part_that_is_live(self, my_account: Any) -> None:
        post = make_post_in("publishing", my_account)
        make_live(post)
        with refused("attempts_hold_the_fence"):
            write_intent(post)

    def test_is_not_made_for_a_part_of_another_post(self, my_account: Any) -> None:
        other = PostPart.objects.get(post_id=make_draft(my_account).id)
        with refused("attempts_hold_the_fence"):
            write_intent(make_post_in("publishing", my_account), part_id=other.id)

    def test_is_the_only_open_one_of_its_part(self, my_account: Any) -> None:
        post = make_post_in("publishing", my_account)
        first = write_intent(post)
        with refused("attempts_one_open_commit"):
            write_intent(post)
        Attempt.objects.filter(id=first.id).update(finished_at=Now(), outcome="not_sent")
        write_intent(post)

    def test_stays_the_only_open_one_after_the_claim_was_lost(self, my_account: Any) -> None:
        post = make_post_in("publishing", my_account)
        write_intent(post)
        for step in ("unknown", "scheduled", "publishing"):
            move(post, step)
        post.refresh_from_db()
        with refused("attempts_one_open_commit"):
            write_intent(post)


class TestAnAttempt:
    @pytest.fixture
    def attempt(self, my_account: Any) -> Attempt:
        return write_intent(make_post_in("publishing", my_account))

    @pytest.mark.parametrize("outcome", ["refused", "ok"])
    def test_is_closed_once(self, outcome: str, attempt: Attempt) -> None:
        this = Attempt.objects.filter(id=attempt.id)
        assert this.update(finished_at=Now(), outcome="unknown") == 1
        with refused("attempts_close_once"):
            this.update(outcome=outcome)
        with refused("attempts_close_once"):
            this.update(finished_at=None, outcome="")

    @pytest.mark.parametrize(
        "change",
        [
            {"kind": "probe"},
            {"fence": 9},
            {"worker": "x"},
            {"fingerprint": "x"},
            {"started_at": Now() - timedelta(days=1)},
            {"id": uuid.UUID(int=1)},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_is_never_rewritten(self, change: dict[str, Any], attempt: Attempt) -> None:
        with refused("attempts_close_once"):
            Attempt.objects.filter(id=attempt.id).update(**change)

    def test_is_never_moved_to_another_part(self, attempt: Attempt, my_account: Any) -> None:
        other = PostPart.objects.get(post_id=make_draft(my_account).id)
        with refused("attempts_close_once"):
            Attempt.objects.filter(id=attempt.id).update(post_id=other.post_id, part_id=other.id)

    @pytest.mark.parametrize(
        "change",
        [{"finished_at": Now()}, {"outcome": "ok"}, {"finished_at": Now(), "outcome": "perhaps"}],
        ids=["without an outcome", "without an end", "with an unknown outcome"],
    )
    def test_is_not_closed(self, change: dict[str, Any], attempt: Attempt) -> None:
        with refused("attempts_closed_has_outcome"):
            Attempt.objects.filter(id=attempt.id).update(**change)

    def test_has_a_known_kind(self, attempt: Attempt) -> None:
        with refused("attempts_kind"):
            Attempt.objects.create(
                user_id=attempt.user_id,
                post_id=attempt.post_id,
                part_id=attempt.part_id,
                kind="guess",
                fence=1,
                worker="w",
                fingerprint="f",
            )

    def test_is_never_deleted(self, attempt: Attempt) -> None:
        with refused(NOT_ALLOWED):
            Attempt.objects.filter(id=attempt.id)._raw_delete("default")

    def test_holds_its_part_in_place(self, attempt: Attempt, my_account: Any) -> None:
        move(Post.objects.get(id=attempt.post_id), "failed")
        move(Post.objects.get(id=attempt.post_id), "draft")
        with refused("attempts_part_id_of_owner"):
            PostPart.objects.filter(id=attempt.part_id)._raw_delete("default")


@pytest.mark.parametrize("alias", ["default", "worker"])
class TestTheAuditLog:
    def test_only_grows(self, alias: str, world: World) -> None:
        entries = AuditEntry.objects.using(alias)
        with acting_as(world.people.me.id):
            before = entries.count()
            entries.create(user_id=world.people.me.id, actor="person", action="a", subject="post", subject_id="1")
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(using=alias):
                entries.update(actor="nobody")
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(using=alias):
                entries.all()._raw_delete(alias)
            assert entries.count() == before + 1


class TestAnAccount:
    def test_is_there_once_per_profile(self, my_account: Any) -> None:
        values = {
            "platform": my_account.platform,
            "platform_account_id": my_account.platform_account_id,
            "handle": "again",
        }
        with refused("accounts_one_per_profile"):
            Account.objects.create(user_id=my_account.user_id, **values)
        Account.objects.create(user_id=my_account.user_id, base_url="http://127.0.0.1:1", **values)

    def test_has_a_known_status(self, my_account: Any) -> None:
        with refused("accounts_status"):
            Account.objects.filter(id=my_account.id).update(status="lost")
