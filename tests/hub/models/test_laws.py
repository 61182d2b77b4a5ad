"""What always holds, whoever writes: every law is broken here the way a bug or a hostile client would, with a person's own login."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from hub.models import Post, PostPart, Status
from hub.models.base import new_id
from hub.rls.identity import acting_as
from tests.hub.models.states import (
    FROZEN_STATES,
    LEGAL,
    NOT_ALLOWED,
    make_draft,
    make_post_in,
    make_second_account,
    move,
    refused,
)
from tests.hub.worlds import World

pytestmark = pytest.mark.django_db(databases="__all__")
every_state = pytest.mark.parametrize("status", Status.values)
every_frozen_state = pytest.mark.parametrize("status", FROZEN_STATES)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def row(post: Post) -> Any:
    return Post.objects.filter(id=post.id)


class TestStates:
    def test_are_all_in_the_picture(self) -> None:
        assert set(LEGAL) == set(Status.values) == {status for after in LEGAL.values() for status in after} | {"draft"}

    @every_state
    def test_follow_each_other_as_drawn_and_in_no_other_way(self, status: str, my_account: Any) -> None:
        post = make_post_in(status, my_account)
        for to in set(Status.values) - {status}:
            if to in LEGAL[status]:
                with undone():
                    assert move(post, to) == 1
            else:
                with refused("posts_change_legally"):
                    move(post, to)

    def test_have_known_names(self, my_account: Any) -> None:
        with refused("posts_change_legally"):
            move(make_draft(my_account), "done")

    @every_frozen_state
    def test_begin_with_a_draft(self, status: str, my_account: Any) -> None:
        values = {
            "account_id": my_account.id,
            "content_hash": "h",
            "approved_hash": "h",
            "scheduled_at": Now(),
            "due_at": Now(),
        }
        with refused("posts_start_as_drafts"):
            Post.objects.create(user_id=my_account.user_id, status=status, **values)

    @pytest.mark.parametrize("counter", ["fence", "tries"])
    def test_begin_with_nothing_counted(self, counter: str, my_account: Any) -> None:
        with refused("posts_start_as_drafts"):
            Post.objects.create(user_id=my_account.user_id, account_id=my_account.id, content_hash="h", **{counter: 1})

    @every_state
    def test_never_end_by_deletion(self, status: str, my_account: Any, world: World) -> None:
        post = make_post_in(status, my_account)
        with refused(NOT_ALLOWED):
            row(post).delete()
        with refused(NOT_ALLOWED), acting_as(world.people.me.id), transaction.atomic(using="worker"):
            Post.objects.using("worker").all()._raw_delete("worker")


class TestAClaim:
    @pytest.mark.parametrize(
        "missing", [{"lease_until": None}, {"lease_owner": ""}, {"phase": ""}, {"phase": "other"}], ids=str
    )
    def test_has_a_lease(self, missing: dict[str, Any], my_account: Any) -> None:
        with refused("posts_publishing_has_lease"):
            move(make_post_in("scheduled", my_account), "publishing", **missing)

    @pytest.mark.parametrize("left", [{"lease_until": Now()}, {"lease_owner": "worker"}, {"phase": "claimed"}], ids=str)
    def test_leaves_no_lease_behind(self, left: dict[str, Any], my_account: Any) -> None:
        with refused("posts_publishing_has_lease"):
            move(make_post_in("publishing", my_account), "failed", **left)

    @pytest.mark.parametrize("step", [0, 2, 100])
    def test_raises_the_fence_by_exactly_one(self, step: int, my_account: Any) -> None:
        post = make_post_in("scheduled", my_account)
        with refused("posts_change_legally"):
            move(post, "publishing", fence=F("fence") + step)

    @every_state
    def test_is_never_lowered(self, status: str, my_account: Any) -> None:
        post = make_post_in("publishing", my_account)
        move(post, "scheduled")
        if status in LEGAL["scheduled"]:
            move(post, status)
        with refused("posts_change_legally"):
            row(post).update(fence=F("fence") - 1)

    def test_is_one_per_account(self, my_account: Any) -> None:
        make_post_in("publishing", my_account)
        second = make_post_in("scheduled", my_account)
        with refused("posts_one_in_flight"):
            move(second, "publishing")
        assert make_post_in("publishing", make_second_account(my_account)).status == "publishing"


class TestAPost:
    @every_state
    @pytest.mark.parametrize("column", ["id", "account_id"])
    def test_keeps_what_it_is(self, column: str, status: str, my_account: Any) -> None:
        post, second = make_post_in(status, my_account), make_second_account(my_account)
        with refused("posts_change_legally"):
            row(post).update(**{column: new_id() if column == "id" else second.id})

    def test_keeps_its_owner(self, my_account: Any, world: World) -> None:
        with refused("posts_change_legally"):
            row(make_draft(my_account)).update(user_id=world.people.other.id)

    @pytest.mark.parametrize("status", ["scheduled", "published"])
    @pytest.mark.parametrize("column", ["scheduled_at", "due_at"])
    def test_that_is_scheduled_has_its_times(self, column: str, status: str, my_account: Any) -> None:
        post = make_post_in("draft" if status == "scheduled" else "publishing", my_account)
        with refused(
            "posts_scheduled_has_time" if status == "scheduled" or column == "due_at" else "posts_change_legally"
        ):
            move(post, status, **{column: None})


class TestApproval:
    @pytest.mark.parametrize("status", ["approved", "scheduled"])
    @pytest.mark.parametrize("hash_of", ["", "other content"], ids=["nothing", "another text"])
    def test_is_for_exactly_this_content(self, hash_of: str, status: str, my_account: Any) -> None:
        with refused("posts_approved_content"):
            move(make_draft(my_account), status, approved_hash=hash_of)

    @pytest.mark.parametrize("status", ["approved", "scheduled", "publishing", "published", "unknown", "delivered"])
    def test_cannot_be_taken_from_under_a_post(self, status: str, my_account: Any) -> None:
        with refused("posts_approved_content"):
            row(make_post_in(status, my_account)).update(approved_hash="")

    def test_of_empty_content_does_not_exist(self, my_account: Any) -> None:
        post = make_draft(my_account)
        with refused("posts_approved_content"):
            move(post, "approved", content_hash="", approved_hash="")

    @every_frozen_state
    @pytest.mark.parametrize(
        "change",
        [
            {"content_hash": "other", "approved_hash": "other"},
            {"scheduled_at": Now() + timedelta(days=1)},
        ],
        ids=["content", "time"],
    )
    def test_covers_content_and_time_which_change_only_in_a_draft(
        self, change: dict[str, Any], status: str, my_account: Any
    ) -> None:
        with refused("posts_change_legally"):
            row(make_post_in(status, my_account)).update(**change)

    def test_is_left_behind_by_going_back_to_draft_with_new_content(self, my_account: Any) -> None:
        assert (
            move(
                make_post_in("scheduled", my_account),
                "draft",
                content_hash="other",
                approved_hash="",
                scheduled_at=Now(),
            )
            == 1
        )

    def test_may_wait_longer_for_a_retry(self, my_account: Any) -> None:
        assert move(make_post_in("publishing", my_account), "scheduled", due_at=Now() + timedelta(hours=1)) == 1


class TestPublished:
    @pytest.mark.parametrize("before", ["publishing", "unknown", "delivered"])
    def test_needs_the_remote_id_of_every_part(self, before: str, my_account: Any) -> None:
        post = make_post_in(before, my_account, parts=3)
        live = {"state": "published", "platform_post_id": "1", "published_at": Now()}
        for index in range(3):
            with refused("posts_published_has_remote_ids"):
                row(post).update(
                    status="published",
                    platform_post_id="1",
                    published_at=Now(),
                    phase="",
                    lease_until=None,
                    lease_owner="",
                )
            PostPart.objects.filter(post_id=post.id, index=index).update(**live)
        assert move(post, "published") == 1

    def test_needs_a_part_at_all(self, my_account: Any) -> None:
        with refused("posts_published_has_remote_ids"):
            move(make_post_in("publishing", my_account, parts=0), "published")

    @pytest.mark.parametrize("missing", [{"platform_post_id": ""}, {"published_at": None}], ids=str)
    def test_needs_its_own_remote_id_and_time(self, missing: dict[str, Any], my_account: Any) -> None:
        with refused("posts_published_has_remote_id"):
            move(make_post_in("publishing", my_account), "published", **missing)
