"""What a hostile person could try with a connection of his own: none of it shows or changes what is not his (SPEC HUB-9).

Everything is tried with the bare driver, in a transaction that is rolled back.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from hub.models import Account, Attempt, Post, PostPart
from tests.factories import OWNER
from tests.hub.rls.test_isolation import OWNED
from tests.hub.worlds import World, connect_as

pytestmark = pytest.mark.django_db(databases="__all__")
NOT_ALLOWED = "42501"
TABLES = [model._meta.db_table for model in OWNED]
EVERYBODY = {
    "become the owner": "SET ROLE psn_owner",
    "become the definer": "SET ROLE psn_definer",
    "become another person": "SET ROLE psn_another",
    "become another session": "SET SESSION AUTHORIZATION psn_another",
    "make a table": "CREATE TABLE public.mine (a int)",
    "make a table beside the functions": "CREATE TABLE hub_api.mine (a int)",
    "make a temporary table": "CREATE TEMP TABLE mine (a int)",
    "make a schema": "CREATE SCHEMA mine",
    "make a function": "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "make a function beside the others": "CREATE FUNCTION hub_api.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "make a view": "CREATE VIEW public.v AS SELECT * FROM posts",
    "make a role": "CREATE ROLE mine",
    "unload a language": "DROP EXTENSION plpgsql CASCADE",
    "rise above the policies": "ALTER ROLE CURRENT_USER BYPASSRLS",
    "manage roles": "ALTER ROLE CURRENT_USER CREATEROLE",
    "grant himself the owner": "GRANT psn_owner TO CURRENT_USER",
    "grant himself the definer": "GRANT psn_definer TO CURRENT_USER",
    "turn row-level security off": "ALTER TABLE posts DISABLE ROW LEVEL SECURITY",
    "free the owner from it": "ALTER TABLE posts NO FORCE ROW LEVEL SECURITY",
    "read without it": "SET row_security = off; SELECT * FROM posts",
    "drop a policy": "DROP POLICY own_select ON posts",
    "add a policy": "CREATE POLICY mine ON posts FOR SELECT USING (true)",
    "own a table": "ALTER TABLE posts OWNER TO CURRENT_USER",
    "switch a law off": "ALTER TABLE posts DISABLE TRIGGER posts_change_legally",
    "drop a law": "DROP TRIGGER posts_change_legally ON posts",
    "pass by the laws": "SET session_replication_role = replica",
    "replace who is acting": "CREATE OR REPLACE FUNCTION hub_api.current_user_id() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
    "alter who is acting": "ALTER FUNCTION hub_api.current_user_id() SECURITY INVOKER",
    "own who is acting": "ALTER FUNCTION hub_api.current_user_id() OWNER TO CURRENT_USER",
    "drop who is acting": "DROP FUNCTION hub_api.current_user_id() CASCADE",
    "call a law": "SELECT hub_api.posts_start_as_drafts()",
    "read the hub's own settings": "SELECT * FROM hub_api.setting",
    "change the hub's own settings": "UPDATE hub_api.setting SET value = 'mine'",
    "read logins": "SELECT * FROM logins",
    "add a login": "INSERT INTO logins (login_role, kind, is_active) VALUES ('psn_app', 'service', true)",
    "change a login": "UPDATE logins SET kind = 'service', user_id = NULL",
    "remove logins": "DELETE FROM logins",
    "add a person": "INSERT INTO users (id, name, timezone, is_active, created_at) VALUES (gen_random_uuid(), 'x', 'UTC', true, now())",
    "remove a person": "DELETE FROM users",
    "rewrite the audit": "UPDATE audit_log SET actor = 'nobody'",
    "thin the audit out": "DELETE FROM audit_log",
    "rewrite configuration": "UPDATE hub_settings SET value = '{}'",
    "delete posts": "DELETE FROM posts",
    "delete attempts": "DELETE FROM attempts",
    "rewrite migrations": "DELETE FROM django_migrations",
    "refer to a table": "CREATE TABLE public.spy (a uuid REFERENCES posts (id))",
    "watch a table": "CREATE TRIGGER spy AFTER INSERT ON posts FOR EACH ROW EXECUTE FUNCTION hub_api.posts_change_legally()",
    "copy to a program": "COPY posts TO PROGRAM 'cat'",
    "copy to a file": "COPY posts TO '/tmp/posts'",
    "read a file of the server": "SELECT pg_read_file('postgresql.conf')",
    "hear the replication": "SELECT pg_create_physical_replication_slot('mine')",
}
PEOPLE = {
    "become the worker": "SET ROLE psn_worker",
    "become the worker's group": "SET ROLE psn_service",
    "grant himself the worker's group": "GRANT psn_service TO CURRENT_USER",
    "read failed tasks": "SELECT * FROM django_q_task",
    "plant a pickle": "INSERT INTO django_q_task (id, name, func) VALUES ('1', 'x', 'x')",
    "read recurring tasks": "SELECT * FROM django_q_schedule",
    "add a recurring task": "INSERT INTO django_q_schedule (func) VALUES ('os.system')",
    "delete bells": "DELETE FROM django_q_ormq",
    "change bells": "UPDATE django_q_ormq SET payload = ''",
    "look for what is stuck": "SELECT * FROM hub_api.find_stuck('w', '1', '1 h', '1 s', 100)",
    "look for what is to be deleted": "SELECT * FROM hub_api.find_undeleted('1 s', 100)",
    "look for everybody's accounts": "SELECT * FROM hub_api.find_grants()",
    "pretend to be a living worker": """INSERT INTO worker_heartbeats (name, incarnation, host, pid, version, started_at, beat_at)
        VALUES ('w', '1', 'h', 1, '1', now(), now())""",
}
CLAIMS = {
    "the other, for the session": "SET app.current_user_id = '{other}'",
    "the other, for the transaction": "SET LOCAL app.current_user_id = '{other}'",
    "maintenance": "SET app.maintenance = 'on'",
    "maintenance as the other": "SET app.maintenance = 'on'; SET app.current_user_id = '{other}'",
    "another name": "SET app.user_id = '{other}'; SET app.is_service = 'on'; SET search_path = hub_api, public",
}


@pytest.fixture
def person(world: World) -> Iterator[psycopg.Connection[Any]]:
    with connect_as("psn_app") as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def worker(world: World) -> Iterator[psycopg.Connection[Any]]:
    with connect_as("psn_worker") as connection:
        act_as(connection, world.people.me.id)
        yield connection
        connection.rollback()


def act_as(worker: psycopg.Connection[Any], user_id: object) -> None:
    worker.execute("SELECT set_config('app.current_user_id', %s, true)", [str(user_id)])


def owners_seen(connection: psycopg.Connection[Any]) -> set[uuid.UUID]:
    """The owners of everything that can be read."""
    tables = " UNION ".join(f"SELECT user_id FROM {table}" for table in TABLES)
    return {row[0] for row in connection.execute(f"{tables} UNION SELECT id FROM users").fetchall()}


def attempt(connection: psycopg.Connection[Any], statement: str) -> str:
    """Give the SQLSTATE that the statement ends with; empty when it is allowed."""
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate or "lost"
    return ""


class TestAPerson:
    @pytest.mark.parametrize("statement", (EVERYBODY | PEOPLE).values(), ids=(EVERYBODY | PEOPLE).keys())
    def test_is_not_allowed_to(self, statement: str, person: psycopg.Connection[Any]) -> None:
        assert attempt(person, statement) == NOT_ALLOWED

    @pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS.keys())
    def test_stays_himself_when_he_claims_to_be(
        self, claim: str, person: psycopg.Connection[Any], world: World
    ) -> None:
        person.execute(claim.format(other=world.people.other.id))
        assert owners_seen(person) == {world.people.me.id}
        assert person.execute("SELECT hub_api.current_user_id(), hub_api.is_service()").fetchone() == (
            world.people.me.id,
            False,
        )

    def test_writes_no_intent_and_no_answer_for_another(self, person: psycopg.Connection[Any], world: World) -> None:
        """The functions take whose it is; a person's login says so all the same."""
        theirs, post, part = world.people.other.id, world.theirs[Post].pk, world.theirs[PostPart].pk
        intent = "SELECT hub_api.write_intent(%s, %s, 0, '1 h', %s, gen_random_uuid(), 'w', 'f', 'key')"
        assert person.execute(intent, [theirs, post, part]).fetchone() == (False,)
        limits = """{"e": {"limit": 1, "remaining": 0}}"""
        answer = (
            "SELECT hub_api.store_answer(%s, %s, 0, %s, %s, '7', '', 200, '', true, '1 h', '1 h', 'told', %s, '1 day')"
        )
        given = [theirs, post, part, world.theirs[Attempt].pk, limits]
        assert person.execute(answer, given).fetchone() == (False,)
        person.commit()
        assert PostPart.objects.using(OWNER).get(id=part).state == "waiting"
        account = Account.objects.using(OWNER).get(id=world.theirs[Account].pk)
        assert (account.rate_limits, account.next_allowed_at) == ({}, None)

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE posts SET delete_asked_at = now()",
            "UPDATE posts SET options = '{{}}', campaign = gen_random_uuid()",
            "UPDATE accounts SET rate_limits = '{{}}', capabilities = '{{}}', daily_cap = 0, next_allowed_at = 'infinity'",
            "UPDATE oauth_tokens SET lease_until = 'infinity', warned_at = now()",
            "UPDATE notices SET seen_at = now()",
        ],
    )
    def test_changes_nothing_of_another_s(self, change: str, person: psycopg.Connection[Any], world: World) -> None:
        where = f" WHERE user_id = '{world.people.other.id}'"
        assert person.execute(change.format() + where).rowcount == 0

    def test_sees_only_himself_among_the_people(self, person: psycopg.Connection[Any], world: World) -> None:
        assert person.execute("SELECT id FROM users").fetchall() == [(world.people.me.id,)]
        assert person.execute("UPDATE users SET name = 'renamed'").rowcount == 1
        assert attempt(person, "UPDATE users SET id = gen_random_uuid()") == NOT_ALLOWED


class TestTheWorker:
    @pytest.mark.parametrize("statement", EVERYBODY.values(), ids=EVERYBODY.keys())
    def test_is_not_allowed_to(self, statement: str, worker: psycopg.Connection[Any]) -> None:
        assert attempt(worker, statement) == NOT_ALLOWED

    def test_is_not_allowed_to_pose_as_a_person(self, worker: psycopg.Connection[Any]) -> None:
        assert attempt(worker, "SET ROLE psn_app") == NOT_ALLOWED

    def test_sees_the_one_it_acts_for_and_nobody_else(self, worker: psycopg.Connection[Any], world: World) -> None:
        worker.execute("SET app.maintenance = 'on'")
        for user in (world.people.me, world.people.other):
            act_as(worker, user.id)
            assert owners_seen(worker) == {user.id}

    @pytest.mark.parametrize("nobody", ["", str(uuid.UUID(int=0))], ids=["empty", "unknown"])
    def test_sees_nothing_for_nobody(self, nobody: str, worker: psycopg.Connection[Any]) -> None:
        act_as(worker, nobody)
        assert owners_seen(worker) == set()

    def test_is_stopped_by_a_name_that_is_none(self, worker: psycopg.Connection[Any]) -> None:
        act_as(worker, "' OR true --")
        assert attempt(worker, "SELECT * FROM posts") == "22P02"


class TestAnUnknownLogin:
    def test_sees_nothing_even_as_a_member_of_both_groups(self, world: World) -> None:
        with connect_as("postgres") as admin:
            admin.execute("CREATE ROLE psn_stray LOGIN IN ROLE psn_member, psn_service")
            admin.execute("SET LOCAL SESSION AUTHORIZATION psn_stray")
            act_as(admin, world.people.me.id)
            assert owners_seen(admin) == set()
            admin.rollback()
