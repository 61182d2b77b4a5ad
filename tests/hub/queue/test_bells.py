"""Bells: rows of the queue that are written with the post, say nothing but ids, and can make nobody do anything else (PUB-1)."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connections, transaction
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.actions import posts
from hub.actions.drafts import DraftPart
from hub.models import Post, User
from hub.queue import bells
from hub.queue.bells import MAX_CHARACTERS, MAX_IDS, TASKS, Bell, pack, unpack
from psn.errors import ApprovalNeeded
from tests.factories import make_account, make_post
from tests.hub.publishing.stage import bells as rows
from tests.hub.publishing.stage import look
from tests.hub.worlds import connect_as

SOON = timedelta(minutes=10)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
HOSTILE = {
    "nothing": "",
    "no JSON": "gASVKAAAAAAAAACMBXBvc2l4:1x:forged",
    "a pickle": pickle.dumps(print).decode("latin-1"),
    "a package of the queue's own": "signed",  # filled in by the test
    "a list": "[]",
    "a text": '"publish_post"',
    "nothing inside": "{}",
    "no task": '{"ids": {}}',
    "no ids": '{"task": "beat"}',
    "a task that is none": '{"task": "os.system", "ids": {"command": "true"}}',
    "a task with its module": '{"task": "hub.tasks.beat", "ids": {}}',
    "a task that is a list": '{"task": ["beat"], "ids": {}}',
    "a task that is a number": '{"task": 1, "ids": {}}',
    "ids that are a list": '{"task": "publish_post", "ids": ["1"]}',
    "an id that is a number": '{"task": "publish_post", "ids": {"post_id": 1}}',
    "an id that is an object": '{"task": "publish_post", "ids": {"post_id": {"$ne": 1}}}',
    "an id that is nothing": '{"task": "publish_post", "ids": {"post_id": null}}',
    "an id without end": json.dumps({"task": "publish_post", "ids": {"post_id": "1" * (MAX_CHARACTERS + 1)}}),
    "too many ids": json.dumps({"task": "publish_post", "ids": {str(n): "1" for n in range(MAX_IDS + 1)}}),
    "a depth without end": "[" * 100_000,
}


@pytest.fixture
def post(me: User) -> Post:
    """A post of an account that is never called."""
    return make_post(make_account(me), texts=("A secret until Monday",))


class TestRing:
    def test_writes_one_row_that_is_due_at_the_instant(self, post: Post) -> None:
        at = datetime.now(UTC) + SOON
        bells.ring_post(post.id, at=at)
        assert [(row.key, row.lock) for row in rows()] == [(Conf.CLUSTER_NAME, at)]

    def test_is_due_at_once_by_the_clock_of_the_database_when_no_time_is_given(self, post: Post) -> None:
        bells.ring_post(post.id)
        assert abs(rows()[0].lock - datetime.now(UTC)) < timedelta(seconds=5)

    def test_gives_the_row_it_wrote(self, post: Post) -> None:
        assert bells.ring("watch") == rows()[0].id

    def test_says_ids_and_nothing_else(self, post: Post) -> None:
        bells.ring("look_at_post", user_id=post.user_id, post_id=post.id)
        ids = {"user_id": str(post.user_id), "post_id": str(post.id)}
        assert json.loads(rows()[0].payload) == {"task": "look_at_post", "ids": ids}
        assert "secret" not in rows()[0].payload

    def test_is_for_a_task_there_is(self, post: Post) -> None:
        with pytest.raises(AssertionError):
            bells.ring("os.system")
        assert rows() == []

    def test_is_undone_with_the_transaction(self, post: Post) -> None:
        with transaction.atomic():
            bells.ring_post(post.id)
            assert OrmQ.objects.using("default").count() == 1
            transaction.set_rollback(True)
        assert rows() == []

    def test_is_seen_by_nobody_before_the_transaction_has_committed(self, post: Post) -> None:
        with transaction.atomic():
            bells.ring_post(post.id)
            assert rows() == []  # on another connection
        assert len(rows()) == 1

    @pytest.mark.parametrize(
        ("wait", "heard"), [(None, 1), (timedelta(seconds=20), 1), (SOON, 0)], ids=["now", "soon", "later"]
    )
    def test_wakes_whoever_waits_when_it_is_due_soon(self, post: Post, wait: timedelta | None, heard: int) -> None:
        with connect_as("psn_worker", autocommit=True) as listener:
            listener.execute(f"LISTEN {bells.CHANNEL}".encode())
            bells.ring_post(post.id, at=datetime.now(UTC) + wait if wait else None)
            assert len(list(listener.notifies(timeout=0.2))) == heard


class TestPack:
    @given(
        st.sampled_from(sorted(TASKS)),
        st.dictionaries(st.text(max_size=20), st.text(max_size=MAX_CHARACTERS), max_size=MAX_IDS),
    )
    def test_is_read_back_as_it_was(self, task: str, ids: dict[str, str]) -> None:
        ids.pop("task", None)
        assert unpack(pack(task, **ids)) == Bell(task, ids)


class TestUnpack:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_refuses(self, name: str) -> None:
        payload = HOSTILE[name]
        if payload == "signed":
            payload = SignedPackage.dumps(
                {"func": "os.system", "args": ("true",), "kwargs": {}, "id": "1", "name": "x"}
            )
        with pytest.raises(ValueError):
            unpack(payload)

    @settings(max_examples=300)
    @given(st.text() | json_values.map(json.dumps) | st.binary().map(lambda data: data.decode("latin-1")))
    def test_gives_a_bell_or_refuses_whatever_it_is_given(self, payload: str) -> None:
        assert is_bell_or_refused(payload)

    @settings(max_examples=300)
    @given(
        task=st.sampled_from([*sorted(TASKS), "beat ", "os.system"]) | json_values,
        ids=st.dictionaries(st.text(max_size=10), json_values | st.text(min_size=190, max_size=210), max_size=10)
        | json_values,
        more=st.dictionaries(st.text(max_size=10), json_values, max_size=2),
    )
    def test_gives_a_bell_or_refuses_whatever_looks_like_one(self, task: Any, ids: Any, more: dict[str, Any]) -> None:
        assert is_bell_or_refused(json.dumps({**more, "task": task, "ids": ids}))


class TestThePersonSLogin:
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
        bells.ring_post(post.id)
        with pytest.raises(ProgrammingError, match="permission denied"), connections["default"].cursor() as cursor:
            cursor.execute(statement)


class TestSchedulingAPost:
    def test_rings_at_its_time(self, post: Post) -> None:
        at = datetime.now(UTC) + SOON
        posts.schedule_post(str(post.id), at=at, approve=True)
        assert [row.lock for row in rows()] == [at]
        assert unpack(rows()[0].payload) == Bell("publish_post", {"post_id": str(post.id)})

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


def is_bell_or_refused(payload: str) -> bool:
    """Whether a payload was refused as it should be, or gives nothing but a task of ours and a few short texts."""
    try:
        bell = unpack(payload)
    except ValueError:
        return True
    texts = all(isinstance(value, str) and len(value) <= MAX_CHARACTERS for value in bell.ids.values())
    return bell.task in TASKS and texts and len(bell.ids) <= MAX_IDS
