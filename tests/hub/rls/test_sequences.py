"""Whatever two people do in whatever order, each sees exactly what a model in memory says is his."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.hub.worlds import World, connect_as

pytestmark = pytest.mark.django_db(databases="__all__")
PEOPLE = ("me", "other")

who = st.sampled_from(PEOPLE)
through = st.sampled_from(["login", "worker"])
text = st.text("abc", max_size=3)


class TwoPeople(RuleBasedStateMachine):
    """Two people write keys, each through a login of his own or through the worker, in one hub.

    Every operation is a transaction, so each sees what the other did before.
    """

    world: World
    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.ids = {"me": self.world.people.me.id, "other": self.world.people.other.id}
        self.logins = {"me": connect_as("psn_app"), "other": connect_as("psn_another")}
        self.worker = connect_as("psn_worker")
        self.rows: dict[uuid.UUID, tuple[str, str]] = {}  # id: owner, content

    def run(self, person: str, way: str, statement: str, *values: Any) -> list[tuple[Any, ...]] | int | str:
        """Give the rows that were read, the number that changed, or the SQLSTATE of the refusal."""
        connection = self.logins[person] if way == "login" else self.worker
        try:
            with connection.transaction():
                if way == "worker":
                    connection.execute("SELECT set_config('app.current_user_id', %s, true)", [str(self.ids[person])])
                cursor = connection.execute(statement, values)
                return cursor.fetchall() if cursor.description else cursor.rowcount
        except psycopg.Error as error:
            return error.sqlstate or "lost"

    @initialize(target=made)
    def begin(self) -> uuid.UUID:
        return uuid.UUID(int=0)  # an id that nobody has

    @rule(target=made, person=who, owner=who, way=through, content=text)
    def create(self, person: str, owner: str, way: str, content: str) -> uuid.UUID:
        key = uuid.uuid4()
        insert = "INSERT INTO api_keys (id, user_id, name, key_sealed, updated_at) VALUES (%s, %s, %s, %s, now())"
        result = self.run(person, way, insert, key, self.ids[owner], f"sequence {key}", content)
        assert result == (1 if person == owner else "42501")
        if person == owner:
            self.rows[key] = (owner, content)
        return key

    @rule(person=who, way=through, key=made, content=text)
    def change(self, person: str, way: str, key: uuid.UUID, content: str) -> None:
        mine = self.rows.get(key, ("", ""))[0] == person
        assert self.run(person, way, "UPDATE api_keys SET key_sealed = %s WHERE id = %s", content, key) == int(mine)
        if mine:
            self.rows[key] = (person, content)

    @rule(person=who, way=through, content=text)
    def change_everything(self, person: str, way: str, content: str) -> None:
        mine = [key for key, (owner, _) in self.rows.items() if owner == person]
        assert self.run(
            person, way, "UPDATE api_keys SET key_sealed = %s WHERE name LIKE 'sequence%%'", content
        ) == len(mine)
        self.rows |= dict.fromkeys(mine, (person, content))

    @rule(person=who, way=through, key=made)
    def delete(self, person: str, way: str, key: uuid.UUID) -> None:
        mine = self.rows.get(key, ("", ""))[0] == person
        assert self.run(person, way, "DELETE FROM api_keys WHERE id = %s", key) == int(mine)
        if mine:
            del self.rows[key]

    @rule(person=who, way=through, key=made)
    def give_away_or_take(self, person: str, way: str, key: uuid.UUID) -> None:
        owner = self.rows.get(key, ("", ""))[0]
        for target in PEOPLE:
            result = self.run(person, way, "UPDATE api_keys SET user_id = %s WHERE id = %s", self.ids[target], key)
            assert result == (0 if owner != person else 1 if target == person else "42501")

    @rule(person=who, way=through, key=made, content=text)
    def write_over(self, person: str, way: str, key: uuid.UUID, content: str) -> None:
        upsert = """INSERT INTO api_keys (id, user_id, name, key_sealed, updated_at) VALUES (%s, %s, %s, %s, now())
            ON CONFLICT (id) DO UPDATE SET key_sealed = excluded.key_sealed"""
        owner = self.rows.get(key, (person, ""))[0]
        result = self.run(person, way, upsert, key, self.ids[person], f"sequence {key}", content)
        assert result == (1 if owner == person else "42501")
        if owner == person:
            self.rows[key] = (person, content)

    @invariant()
    def everybody_sees_exactly_his_own(self) -> None:
        for person in PEOPLE:
            expected = {(key, content) for key, (owner, content) in self.rows.items() if owner == person}
            for way in ("login", "worker"):
                seen = self.run(person, way, "SELECT id, key_sealed FROM api_keys WHERE name LIKE 'sequence%%'")
                assert isinstance(seen, list)
                assert set(seen) == expected

    def teardown(self) -> None:
        for person, connection in self.logins.items():
            self.run(person, "login", "DELETE FROM api_keys WHERE name LIKE 'sequence%%'")
            connection.close()
        self.worker.close()


class TestTwoPeople:
    def test_see_exactly_their_own_after_any_sequence_of_operations(self, world: World) -> None:
        machine = type("Sequences", (TwoPeople,), {"world": world})
        run_state_machine_as_test(
            machine, settings=settings(max_examples=25, stateful_step_count=25, deadline=None, derandomize=True)
        )
