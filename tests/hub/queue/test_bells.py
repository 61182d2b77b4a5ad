"""Bells: rows of the queue that are written with the post, say nothing but ids, and cannot be forged (PUB-1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.signing import BadSignature
from django.db import ProgrammingError, connections, transaction
from django_q.conf import Conf
from django_q.core_signing import loads
from django_q.models import OrmQ
from django_q.signing import PickleSerializer, SignedPackage
from pytest_django import Settings

from hub.actions import posts
from hub.actions.drafts import DraftPart
from hub.models import Post, User
from hub.queue import bells
from psn.errors import ApprovalNeeded
from tests.factories import make_account, make_post
from tests.hub.publishing.stage import bells as rows
from tests.hub.publishing.stage import look

SOON = timedelta(minutes=10)


@pytest.fixture
def post(me: User) -> Post:
    """A post of an account that is never called."""
    return make_post(make_account(me), texts=("A secret until Monday",))


class TestRing:
    def test_writes_one_row_that_is_due_at_the_instant(self, post: Post) -> None:
        at = datetime.now(UTC) + SOON
        bells.ring(user_id=post.user_id, post_id=post.id, at=at)
        assert [(row.key, row.lock) for row in rows()] == [(Conf.CLUSTER_NAME, at)]

    def test_says_ids_and_nothing_else(self, post: Post) -> None:
        bells.ring(user_id=post.user_id, post_id=post.id, at=datetime.now(UTC))
        task = SignedPackage.loads(rows()[0].payload)
        assert task["func"] == "hub.tasks.publish_post"
        assert (task["args"], task["kwargs"]) == ((), {"user_id": str(post.user_id), "post_id": str(post.id)})
        assert "secret" not in str(task)

    def test_is_undone_with_the_transaction(self, post: Post) -> None:
        with transaction.atomic():
            bells.ring(user_id=post.user_id, post_id=post.id, at=datetime.now(UTC))
            assert OrmQ.objects.using("default").count() == 1
            transaction.set_rollback(True)
        assert rows() == []

    def test_is_seen_by_nobody_before_the_transaction_has_committed(self, post: Post) -> None:
        with transaction.atomic():
            bells.ring(user_id=post.user_id, post_id=post.id, at=datetime.now(UTC))
            assert rows() == []  # on another connection
        assert len(rows()) == 1


class TestABellSPayload:
    def test_that_was_tampered_with_is_refused(self, post: Post) -> None:
        bells.ring(user_id=post.user_id, post_id=post.id, at=datetime.now(UTC))
        payload = rows()[0].payload
        for place in (0, len(payload) // 2, len(payload) - 1):
            other = "A" if payload[place] != "A" else "B"
            with pytest.raises(BadSignature):
                SignedPackage.loads(payload[:place] + other + payload[place + 1 :])

    def test_is_signed_with_the_key_of_now_and_not_of_the_start(self, post: Post, settings: Settings) -> None:
        settings.SECRET_KEY = "made anew by set-up"
        bells.ring(user_id=post.user_id, post_id=post.id, at=datetime.now(UTC))
        payload = rows()[0].payload
        task = loads(payload, key="made anew by set-up", salt=Conf.PREFIX, serializer=PickleSerializer)
        assert task["kwargs"]["post_id"] == str(post.id)
        with pytest.raises(BadSignature):
            SignedPackage.loads(payload)  # by a cluster that started with the former key


class TestThePersonSLogin:
    """Queue rows carry pickles, so only the worker may answer bells."""

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE django_q_ormq SET payload = 'forged'",
            "DELETE FROM django_q_ormq",
            "INSERT INTO django_q_task (id, func) VALUES ('1', 'os.system')",
            "SELECT * FROM django_q_task",
            "INSERT INTO django_q_schedule (func, schedule_type, repeats) VALUES ('os.system', 'O', 1)",
        ],
    )
    def test_rings_and_does_nothing_else_in_the_queue(self, post: Post, statement: str) -> None:
        bells.ring(user_id=post.user_id, post_id=post.id, at=datetime.now(UTC))
        with pytest.raises(ProgrammingError, match="permission denied"), connections["default"].cursor() as cursor:
            cursor.execute(statement)


class TestSchedulingAPost:
    def test_rings_at_its_time(self, post: Post) -> None:
        at = datetime.now(UTC) + SOON
        posts.schedule_post(str(post.id), at=at, approve=True)
        assert [row.lock for row in rows()] == [at]

    def test_rings_not_before_somebody_approved_it(self, post: Post) -> None:
        with pytest.raises(ApprovalNeeded):
            posts.schedule_post(str(post.id), at=datetime.now(UTC) + SOON, approve=False)
        assert rows() == []

    def test_rings_anew_at_each_new_time(self, post: Post) -> None:
        times = [datetime.now(UTC) + SOON * factor for factor in (1, 2, 3)]
        for at in times:
            posts.schedule_post(str(post.id), at=at, approve=True)
        assert [row.lock for row in rows()] == times

    def test_rings_nobody_in_a_rehearsal(self, post: Post) -> None:
        posts.schedule_post(str(post.id), at=datetime.now(UTC) + SOON, approve=True, dry_run=True)
        assert (rows(), look(post).status) == ([], "draft")

    def test_rings_nobody_when_the_post_cannot_be_made(self, me: User) -> None:
        account = make_account(me)
        with transaction.atomic():
            posts.create_post(
                account=str(account.id), parts=[DraftPart(text="Hello")], at=datetime.now(UTC) + SOON, approve=True
            )
            assert OrmQ.objects.using("default").count() == 1
            transaction.set_rollback(True)
        assert (rows(), Post.objects.count()) == ([], 0)
