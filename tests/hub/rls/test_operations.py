"""A table and its policies come and go together; what is taken back is closed, never open."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from hub.rls.audit import audit_catalog
from hub.rls.operations import Law, OwnedForeignKey, SecureTable
from psn.providers.local import PORT
from tests.factories import OWNER

SCRATCH = "scratch__owner"
DATABASE = "psn_scratch"
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"


@pytest.fixture(scope="module")
def scratch(django_db_modify_db_settings: None, django_db_blocker: Any) -> Iterator[str]:
    """A hub of its own on the tests' server, where every statement commits; its owner's alias."""
    with connect("postgres", "postgres") as admin:
        admin.execute(f"CREATE DATABASE {DATABASE} OWNER psn_owner")
    values = deepcopy(connections.databases[OWNER]) | {"NAME": DATABASE, "TEST": {"MIRROR": None, "NAME": None}}
    connections.databases[SCRATCH] = values
    with django_db_blocker.unblock():
        yield SCRATCH
        connections.close_all()
    del connections[SCRATCH], connections.databases[SCRATCH]
    with connect("postgres", "postgres") as admin:
        admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture(autouse=True)
def migrated(scratch: str, settings: Any) -> None:
    settings.MIGRATES = (scratch,)
    migrate()


def connect(login: str, database: str) -> psycopg.Connection[Any]:
    host = str(connections[OWNER].settings_dict["HOST"])
    return psycopg.connect(host=host, port=PORT, user=login, dbname=database, autocommit=True)


def migrate(*target: str) -> None:
    call_command("migrate", *target, database=SCRATCH, verbosity=0)


def state() -> ProjectState:
    """The project as the last migration leaves it."""
    return MigrationLoader(connections[SCRATCH]).project_state()


def secured(model: str) -> SecureTable:
    """The operation that secures a model, out of its migration; of one to which no later migration adds a policy."""
    loader = MigrationLoader(connections[SCRATCH])
    operations = [operation for migration in loader.disk_migrations.values() for operation in migration.operations]
    return next(item for item in operations if isinstance(item, SecureTable) and item.model_name == model)


def ask(login: str, statement: str) -> Any:
    """Run a statement on the scratch hub as a login; give the first value, or the SQLSTATE of the refusal."""
    with connect(login, DATABASE) as connection:
        try:
            row = connection.execute(statement).fetchone()
        except psycopg.Error as error:
            return error.sqlstate
    return row[0] if row else None


def names(statement: str) -> list[str]:
    with connections[SCRATCH].cursor() as cursor:
        cursor.execute(statement)
        return [row[0] for row in cursor.fetchall()]


class TestSecureTable:
    def test_leaves_a_closed_table_when_taken_back_and_opens_it_again(self) -> None:
        operation, project = secured("ApiKey"), state()
        policies = "SELECT polname FROM pg_policy WHERE polrelid = 'api_keys'::regclass ORDER BY 1"
        before = names(policies)
        assert ask("psn_app", "SELECT count(*) FROM api_keys") == 0

        with connections[SCRATCH].schema_editor() as editor:
            operation.database_backwards("hub", editor, project, project)
        assert names(policies) == []
        assert names(
            "SELECT 'forced' FROM pg_class WHERE relname = 'api_keys' AND relrowsecurity AND relforcerowsecurity"
        ) == ["forced"]
        assert {ask(login, "SELECT count(*) FROM api_keys") for login in ("psn_app", "psn_worker")} == {"42501"}
        assert ask("psn_owner", "SELECT set_config('app.maintenance', 'on', false)") == "on"

        with connections[SCRATCH].schema_editor() as editor:
            operation.database_forwards("hub", editor, project, project)
        assert names(policies) == before
        assert ask("psn_app", "SELECT count(*) FROM api_keys") == 0

    def test_can_be_repeated(self) -> None:
        operation, project = secured("OAuthToken"), state()
        with connections[SCRATCH].schema_editor() as editor:
            operation.database_forwards("hub", editor, project, project)
        with connections[SCRATCH].cursor() as cursor:
            assert [finding.code for finding in audit_catalog(cursor) if finding.code != "rls.login_unknown"] == []

    def test_takes_away_what_an_older_hand_left_open(self) -> None:
        operation, project = secured("ApiKey"), state()
        with connections[SCRATCH].cursor() as cursor:
            cursor.execute(
                "CREATE POLICY old ON api_keys FOR SELECT TO psn_member USING (true); GRANT SELECT ON api_keys TO PUBLIC"
            )
        with connections[SCRATCH].schema_editor() as editor:
            operation.database_forwards("hub", editor, project, project)
        with connections[SCRATCH].cursor() as cursor:
            assert [finding.code for finding in audit_catalog(cursor) if finding.code != "rls.login_unknown"] == []

    def test_hides_rows_from_an_owner_without_maintenance(self) -> None:
        person = """INSERT INTO users (id, name, timezone, is_active, created_at)
            VALUES (gen_random_uuid(), 'x', 'UTC', true, now()) RETURNING name"""
        key = """INSERT INTO api_keys (id, user_id, name, key_sealed, updated_at)
            SELECT gen_random_uuid(), id, 'x', 'x', now() FROM users RETURNING name"""
        assert names(person) == ["x"]
        assert ask("psn_owner", "SELECT count(*) FROM users") == 0
        assert ask("psn_owner", key.replace("id, 'x'", "gen_random_uuid(), 'x'").replace("FROM users", "")) == "42501"
        assert names(key) == ["x"]
        assert ask("psn_owner", "SELECT count(*) FROM api_keys") == 0
        assert names("DELETE FROM api_keys RETURNING name") == names("DELETE FROM users RETURNING name") == ["x"]


class TestMigrations:
    def test_run_back_to_the_first_and_forward_again(self) -> None:
        before = catalog()
        migrate("hub", "0001")
        assert ask("psn_app", "SELECT count(*) FROM posts") == "42P01"
        assert ask("psn_app", "SELECT count(*) FROM users") == 0
        migrate()
        assert catalog() == before

    def test_run_back_to_nothing_and_forward_again(self) -> None:
        before = catalog()
        migrate("hub", "zero")
        assert [name for name in names(TABLES) if not name.startswith("django_")] == []
        assert names("SELECT proname FROM pg_proc WHERE pronamespace = 'hub_api'::regnamespace") == []
        assert ask("psn_app", "SELECT count(*) FROM django_q_ormq") == "42501"
        migrate()
        assert catalog() == before

    def test_say_everything_the_models_say(self) -> None:
        call_command("makemigrations", "hub", check=True, dry_run=True, verbosity=0)


class TestDescribe:
    def test_says_what_a_migration_does(self) -> None:
        assert secured("Post").describe() == "Put Post under row-level security"
        assert OwnedForeignKey("a", "b_id", references="b").describe() == "Tie a.b_id to rows of the same owner"
        assert Law("l", table="t", events="UPDATE", body="").describe() == "Law l on t"


def catalog() -> list[str]:
    """Everything that isolation rests on: tables, policies, grants, triggers, functions, constraints."""
    return names("""
        SELECT relname || relrowsecurity || relforcerowsecurity || coalesce(relacl::text, '') FROM pg_class
          WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        UNION ALL SELECT polrelid::regclass || polname || polcmd::text || polroles::text || coalesce(pg_get_expr(polqual, polrelid), '')
          || coalesce(pg_get_expr(polwithcheck, polrelid), '') FROM pg_policy
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT pg_get_functiondef(oid) || proacl::text FROM pg_proc WHERE pronamespace = 'hub_api'::regnamespace
        UNION ALL SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint
          WHERE connamespace = 'public'::regnamespace
        ORDER BY 1""")
