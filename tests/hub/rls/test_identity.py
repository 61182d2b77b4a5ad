"""Who is acting: bound anew in every transaction, given back after every block, gone for a removed person."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from threading import Thread
from typing import Any

import psycopg
import pytest
from django.db import DataError, connections, transaction

from hub.models import ApiKey, Login, User
from hub.rls.identity import NoIdentity, acting_as, acting_for_nobody, acting_user
from tests.factories import OWNER, People
from tests.hub.worlds import NOW, connect_as

KEYS = ApiKey.objects.using("worker")


@pytest.fixture(autouse=True)
def people(hub: People) -> People:
    """Both have one key."""
    for user in (hub.me, hub.other):
        ApiKey.objects.using(OWNER).create(user_id=user.id, name="vendor", key_sealed="sealed", updated_at=NOW)
    return hub


@pytest.fixture
def me(people: People) -> uuid.UUID:
    return people.me.id


@pytest.fixture
def other(people: People) -> uuid.UUID:
    return people.other.id


def seen() -> set[uuid.UUID]:
    return set(KEYS.values_list("user_id", flat=True))


def left_on_the_connection() -> str | None:
    """The name that is bound outside every transaction, read past all wrappers."""
    raw = connections["worker"].connection
    assert raw is not None
    assert raw.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    value: str | None = raw.execute("SELECT current_setting('app.current_user_id', true)").fetchone()[0]
    return value


class TestActingAs:
    def test_shows_the_person_whether_or_not_a_transaction_is_open(self, me: uuid.UUID, other: uuid.UUID) -> None:
        for user_id in (me, other):
            with acting_as(user_id):
                assert seen() == {user_id}
                with transaction.atomic(using="worker"):
                    assert seen() == {user_id}

    def test_reads_in_pieces_as_the_person(self, me: uuid.UUID) -> None:
        with acting_as(me):
            assert [key.user_id for key in KEYS.iterator(chunk_size=1)] == [me]

    def test_gives_the_outer_person_back(self, me: uuid.UUID, other: uuid.UUID) -> None:
        with acting_as(me):
            with acting_as(other):
                assert seen() == {other}
            assert seen() == {me}
        assert acting_user() is None

    def test_gives_the_outer_person_back_inside_an_open_transaction(self, me: uuid.UUID, other: uuid.UUID) -> None:
        with acting_as(me), transaction.atomic(using="worker"):
            assert seen() == {me}
            with acting_as(other):
                assert seen() == {other}
            assert seen() == {me}

    def test_gives_the_outer_person_back_after_a_released_savepoint(self, me: uuid.UUID, other: uuid.UUID) -> None:
        with acting_as(me), transaction.atomic(using="worker"):
            with acting_as(other), transaction.atomic(using="worker"):
                assert seen() == {other}
            assert seen() == {me}
            with transaction.atomic(using="worker"), acting_as(other):
                assert seen() == {other}
            assert seen() == {me}

    def test_gives_the_outer_person_back_after_an_exception(self, me: uuid.UUID, other: uuid.UUID) -> None:
        with acting_as(me), transaction.atomic(using="worker"):
            with pytest.raises(ZeroDivisionError), acting_as(other), transaction.atomic(using="worker"):
                raise ZeroDivisionError(seen())
            assert seen() == {me}

    def test_gives_the_outer_person_back_after_a_failed_statement(self, me: uuid.UUID, other: uuid.UUID) -> None:
        with acting_as(me), transaction.atomic(using="worker"):
            with pytest.raises(DataError), transaction.atomic(using="worker"), acting_as(other):
                connections["worker"].cursor().execute("SELECT 1 / 0")
            assert seen() == {me}

    def test_leaves_nothing_on_the_connection(self, me: uuid.UUID) -> None:
        with acting_as(me):
            seen()
            assert not left_on_the_connection()
            with transaction.atomic(using="worker"):
                seen()
        assert not left_on_the_connection()

    def test_refuses_what_is_no_id(self) -> None:
        with pytest.raises(ValueError), acting_as("everybody"):
            pass
        assert acting_user() is None

    def test_does_not_reach_into_another_thread(self, me: uuid.UUID) -> None:
        inside: list[str | None] = []
        with acting_as(me):
            thread = Thread(target=lambda: inside.append(acting_user()))
            thread.start()
            thread.join()
        assert inside == [None]

    def test_changes_nothing_for_a_persons_own_login(self, me: uuid.UUID, other: uuid.UUID) -> None:
        with acting_as(other):
            assert list(ApiKey.objects.values_list("user_id", flat=True)) == [me]


class TestOutsideActingAs:
    def test_a_statement_of_the_worker_is_a_bug(self) -> None:
        with pytest.raises(NoIdentity):
            KEYS.count()

    def test_a_transaction_of_the_worker_sees_nothing(self) -> None:
        with transaction.atomic(using="worker"):
            assert seen() == set()

    def test_nobody_sees_nothing(self, me: uuid.UUID) -> None:
        with acting_for_nobody():
            assert seen() == set()
            with acting_as(me):
                assert seen() == {me}
            assert seen() == set()


class TestARemovedPerson:
    @pytest.fixture
    def reader(self) -> Iterator[psycopg.Connection[Any]]:
        with connect_as("psn_app") as connection:
            yield connection
            connection.rollback()

    def test_sees_nothing_from_the_next_statement_on(self, me: uuid.UUID, reader: psycopg.Connection[Any]) -> None:
        assert reader.execute("SELECT count(*) FROM api_keys").fetchone() == (1,)
        User.objects.using(OWNER).filter(id=me).update(is_active=False)
        assert reader.execute("SELECT count(*) FROM api_keys").fetchone() == (0,)
        assert reader.execute("UPDATE users SET is_active = true").rowcount == 0

    def test_sees_nothing_once_the_login_is_closed(self, reader: psycopg.Connection[Any]) -> None:
        Login.objects.using(OWNER).filter(login_role="psn_app").update(is_active=False)
        assert reader.execute("SELECT count(*) FROM api_keys").fetchone() == (0,)

    def test_cannot_be_acted_for(self, me: uuid.UUID, other: uuid.UUID) -> None:
        User.objects.using(OWNER).filter(id=me).update(is_active=False)
        with acting_as(me):
            assert seen() == set()
        with acting_as(other):
            assert seen() == {other}

    def test_is_refused_inside_an_open_snapshot_once_his_group_is_taken_away(
        self, reader: psycopg.Connection[Any]
    ) -> None:
        """A snapshot keeps showing the rows of its moment, `is_active` among them; rights are looked up anew each time."""
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert reader.execute("SELECT count(*) FROM api_keys").fetchone() == (1,)
        with connect_as("postgres", autocommit=True) as admin:
            admin.execute("REVOKE psn_member FROM psn_app")
            try:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute("SELECT count(*) FROM public.api_keys")
            finally:
                admin.execute("GRANT psn_member TO psn_app")
