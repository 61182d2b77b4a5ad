"""The catalog audit is clean, and every way of opening the hub by mistake turns it red (SPEC HUB-9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import psycopg
import pytest
from django.db import connections
from django.db.backends.utils import CursorWrapper

from hub.rls.audit import CHECKS, audit_catalog
from tests.factories import OWNER
from tests.hub.worlds import World, connect_as

pytestmark = pytest.mark.django_db(databases="__all__")
ME = "(SELECT hub_api.current_user_id())"
AS_DEFINER = "RETURNS SETOF posts LANGUAGE sql SECURITY DEFINER"

# What is done, as the owner unless it begins with RESET ROLE, and the exact finding: code and place.
MUTATIONS = {
    "all policies dropped": (
        "; ".join(
            f"DROP POLICY {name} ON api_keys"
            for name in ("maint", "own_select", "own_insert", "own_update", "own_delete")
        ),
        "rls.no_policy",
        "api_keys",
    ),
    "one policy dropped": (
        "DROP POLICY own_insert ON posts",
        "rls.grant_without_policy",
        "posts: INSERT to psn_member",
    ),
    "not forced": ("ALTER TABLE posts NO FORCE ROW LEVEL SECURITY", "rls.not_forced", "posts"),
    "not enabled": ("ALTER TABLE posts DISABLE ROW LEVEL SECURITY", "rls.not_forced", "posts"),
    "new table": ("CREATE TABLE notes (id int, user_id uuid)", "rls.not_forced", "notes"),
    "new table that is only closed": (
        "CREATE TABLE notes (id int); ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY",
        "rls.no_policy",
        "notes",
    ),
    "new table in another schema": (
        "RESET ROLE; CREATE SCHEMA more; CREATE TABLE more.notes (id int); GRANT SELECT ON more.notes TO psn_member",
        "rls.grant_too_wide",
        "notes: SELECT to psn_member",
    ),
    "TRUNCATE for people": (
        "GRANT TRUNCATE ON posts TO psn_member",
        "rls.grant_too_wide",
        "posts: TRUNCATE to psn_member",
    ),
    "REFERENCES for people": (
        "GRANT REFERENCES ON posts TO psn_member",
        "rls.grant_too_wide",
        "posts: REFERENCES to psn_member",
    ),
    "TRIGGER for the worker": (
        "GRANT TRIGGER ON posts TO psn_service",
        "rls.grant_too_wide",
        "posts: TRIGGER to psn_service",
    ),
    "a right for PUBLIC": ("GRANT SELECT ON posts TO PUBLIC", "rls.grant_too_wide", "posts: SELECT to PUBLIC"),
    "a right that may be passed on": (
        "GRANT SELECT ON posts TO psn_member WITH GRANT OPTION",
        "rls.grant_too_wide",
        "posts: SELECT to psn_member",
    ),
    "logins readable": ("GRANT SELECT ON logins TO psn_member", "rls.grant_too_wide", "logins: SELECT to psn_member"),
    "logins writable by the worker": (
        "GRANT UPDATE ON logins TO psn_service",
        "rls.grant_too_wide",
        "logins: UPDATE to psn_service",
    ),
    "pickles readable": (
        "GRANT SELECT ON django_q_task TO psn_member",
        "rls.grant_too_wide",
        "django_q_task: SELECT to psn_member",
    ),
    "pickles writable": (
        "GRANT INSERT ON django_q_task TO psn_member",
        "rls.grant_too_wide",
        "django_q_task: INSERT to psn_member",
    ),
    "schedules writable": (
        "GRANT INSERT ON django_q_schedule TO psn_member",
        "rls.grant_too_wide",
        "django_q_schedule: INSERT to psn_member",
    ),
    "bells deletable": (
        "GRANT DELETE ON django_q_ormq TO psn_member",
        "rls.grant_too_wide",
        "django_q_ormq: DELETE to psn_member",
    ),
    "migrations writable": (
        "GRANT INSERT ON django_migrations TO psn_service",
        "rls.grant_too_wide",
        "django_migrations: INSERT to psn_service",
    ),
    "audit log rewritable": (
        "GRANT UPDATE ON audit_log TO psn_member",
        "rls.grant_without_policy",
        "audit_log: UPDATE to psn_member",
    ),
    "audit log rewritable, with a policy": (
        f"GRANT UPDATE ON audit_log TO psn_member; CREATE POLICY p ON audit_log FOR UPDATE TO psn_member USING (user_id = {ME})",
        "rls.grant_too_wide",
        "audit_log: UPDATE to psn_member",
    ),
    "posts deletable, with a policy": (
        f"GRANT DELETE ON posts TO psn_service; CREATE POLICY p ON posts FOR DELETE TO psn_service USING (user_id = {ME})",
        "rls.grant_too_wide",
        "posts: DELETE to psn_service",
    ),
    "role prefix writable": (
        "GRANT UPDATE ON hub_api.setting TO psn_member",
        "rls.grant_too_wide",
        "setting: UPDATE to psn_member",
    ),
    "one column of the pickles": (
        "GRANT SELECT (result) ON django_q_task TO psn_member",
        "rls.grant_on_a_column",
        "django_q_task.result: SELECT to psn_member",
    ),
    "a right for a login": (
        "GRANT SELECT ON posts TO psn_another",
        "rls.grant_to_a_login",
        "posts: SELECT to psn_another",
    ),
    "policy that is always true": (
        "CREATE POLICY p ON posts FOR SELECT TO psn_member USING (true)",
        "rls.policy_always_true",
        "posts p",
    ),
    "policy whose check is always true": (
        "CREATE POLICY p ON posts FOR INSERT TO psn_member WITH CHECK (true)",
        "rls.policy_always_true",
        "posts p",
    ),
    "policy on a table without owner": (
        "CREATE POLICY p ON worker_heartbeats FOR SELECT TO psn_member USING (true)",
        "rls.policy_always_true",
        "worker_heartbeats p",
    ),
    "policy for all commands": (
        f"CREATE POLICY p ON posts FOR ALL TO psn_member USING (user_id = {ME})",
        "rls.policy_for_all_commands",
        "posts p",
    ),
    "policy for everybody": (
        f"CREATE POLICY p ON posts FOR SELECT USING (user_id = {ME})",
        "rls.policy_for_public",
        "posts p",
    ),
    "policy that forgets the owner": (
        "CREATE POLICY p ON posts FOR SELECT TO psn_member USING (status = 'published')",
        "rls.policy_without_owner",
        "posts p",
    ),
    "policy whose check forgets the owner": (
        f"CREATE POLICY p ON posts FOR UPDATE TO psn_member USING (user_id = {ME}) WITH CHECK (status = 'draft')",
        "rls.policy_without_owner",
        "posts p",
    ),
    "policy that compares the owner or something else": (
        f"CREATE POLICY p ON posts FOR SELECT TO psn_member USING (user_id = {ME} OR status = 'published')",
        "rls.policy_without_owner",
        "posts p",
    ),
    "policy that shows all people": (
        "CREATE POLICY p ON users FOR SELECT TO psn_member USING (is_active)",
        "rls.policy_without_owner",
        "users p",
    ),
    "policy that people share with the definer": (
        "CREATE POLICY p ON posts FOR SELECT TO psn_definer, psn_member USING (status = 'published')",
        "rls.policy_without_owner",
        "posts p",
    ),
    "policy that believes the setting": (
        """CREATE POLICY p ON posts FOR SELECT TO psn_member
           USING (user_id = (SELECT current_setting('app.current_user_id', true)::uuid))""",
        "rls.policy_without_owner",
        "posts p",
    ),
    "maintenance for people": (
        """DROP POLICY maint ON posts; CREATE POLICY maint ON posts TO psn_member
           USING ((SELECT current_setting('app.maintenance', true)) = 'on')""",
        "rls.policy_for_all_commands",
        "posts maint",
    ),
    "policy that runs once per row": (
        "CREATE POLICY p ON posts FOR SELECT TO psn_member USING (user_id = hub_api.current_user_id())",
        "rls.policy_runs_per_row",
        "posts p",
    ),
    "view with its owner's rights": ("CREATE VIEW v AS SELECT * FROM posts", "rls.view_runs_as_owner", "v"),
    "view that says so": (
        "CREATE VIEW v WITH (security_invoker = false) AS SELECT * FROM posts",
        "rls.view_runs_as_owner",
        "v",
    ),
    "materialized view": ("CREATE MATERIALIZED VIEW v AS SELECT * FROM posts", "rls.view_runs_as_owner", "v"),
    "definer function for PUBLIC": (
        f"SET LOCAL ROLE psn_definer; CREATE FUNCTION hub_api.f() {AS_DEFINER} SET search_path = '' AS 'SELECT * FROM public.posts'",
        "rls.definer_function",
        "hub_api.f()",
    ),
    "definer function without search_path": (
        f"""SET LOCAL ROLE psn_definer; CREATE FUNCTION hub_api.f() {AS_DEFINER} AS 'SELECT * FROM public.posts';
           REVOKE ALL ON FUNCTION hub_api.f() FROM PUBLIC""",
        "rls.definer_function",
        "hub_api.f()",
    ),
    "definer function of the owner": (
        f"""CREATE FUNCTION hub_api.f() {AS_DEFINER} SET search_path = '' AS 'SELECT * FROM public.posts';
           REVOKE ALL ON FUNCTION hub_api.f() FROM PUBLIC""",
        "rls.definer_function",
        "hub_api.f()",
    ),
    "function for PUBLIC": (
        "GRANT EXECUTE ON FUNCTION hub_api.posts_change_legally() TO PUBLIC",
        "rls.function_for_public",
        "hub_api.posts_change_legally()",
    ),
    "login above the policies": ("RESET ROLE; ALTER ROLE psn_app BYPASSRLS", "rls.login_too_strong", "psn_app"),
    "login that makes roles": ("RESET ROLE; ALTER ROLE psn_app CREATEROLE", "rls.login_too_strong", "psn_app"),
    "login that is a superuser": ("RESET ROLE; ALTER ROLE psn_worker SUPERUSER", "rls.login_too_strong", "psn_worker"),
    "login with the owner's role": ("RESET ROLE; GRANT psn_owner TO psn_app", "rls.login_too_strong", "psn_app"),
    "login with the definer's role": ("RESET ROLE; GRANT psn_definer TO psn_app", "rls.login_too_strong", "psn_app"),
    "logins that make tables": (
        "RESET ROLE; GRANT CREATE ON SCHEMA public TO psn_member",
        "rls.login_too_strong",
        "psn_app",
    ),
    "logins that make functions": ("GRANT CREATE ON SCHEMA hub_api TO PUBLIC", "rls.login_too_strong", "psn_app"),
    "logins that make temporary tables": (
        "RESET ROLE; DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database()); END $$",
        "rls.login_too_strong",
        "psn_app",
    ),
    "login that owns a table": (
        "RESET ROLE; ALTER TABLE django_q_task OWNER TO psn_worker",
        "rls.login_too_strong",
        "psn_worker",
    ),
    "unknown login": ("RESET ROLE; CREATE ROLE psn_stray LOGIN IN ROLE psn_member", "rls.login_unknown", "psn_stray"),
    "unknown login by a detour": (
        "RESET ROLE; CREATE ROLE detour IN ROLE psn_service; CREATE ROLE psn_stray LOGIN IN ROLE detour",
        "rls.login_unknown",
        "psn_stray",
    ),
    "unknown login of the definer": (
        "RESET ROLE; CREATE ROLE psn_stray LOGIN IN ROLE psn_definer",
        "rls.login_unknown",
        "psn_stray",
    ),
    "foreign key without the owner": (
        "ALTER TABLE api_keys ADD COLUMN post_id uuid REFERENCES posts (id)",
        "rls.foreign_key_crosses_owners",
        "api_keys api_keys_post_id_fkey",
    ),
    "law switched off": (
        "ALTER TABLE posts DISABLE TRIGGER posts_change_legally",
        "rls.law_switched_off",
        "posts posts_change_legally",
    ),
    "law dropped": (
        "DROP TRIGGER posts_change_legally ON posts",
        "rls.law_switched_off",
        "hub_api.posts_change_legally() is called by no trigger",
    ),
}


@pytest.fixture
def admin(world: World) -> Iterator[psycopg.Connection[Any]]:
    """A superuser acting as the owner, in a transaction that is rolled back."""
    with connect_as("postgres") as connection:
        connection.execute("SET LOCAL ROLE psn_owner; SET LOCAL app.maintenance = 'on'")
        yield connection
        connection.rollback()


def audit(admin: psycopg.Connection[Any]) -> set[tuple[str, str | None]]:
    admin.execute("SET LOCAL ROLE psn_owner")
    cursor = cast(CursorWrapper, admin.cursor())  # the driver's own: Django's is bound to one login
    return {(finding.code, finding.at) for finding in audit_catalog(cursor)}


def keys_seen(admin: psycopg.Connection[Any], *, claiming: object) -> int:
    """Count what the first person's login sees when it says it is somebody else."""
    admin.execute("SET LOCAL SESSION AUTHORIZATION psn_app")
    admin.execute("SELECT set_config('app.current_user_id', %s, true)", [str(claiming)])
    row = admin.execute("SELECT count(*) FROM api_keys WHERE user_id = %s", [claiming]).fetchone()
    assert row is not None
    return int(row[0])


class TestAuditCatalog:
    def test_finds_nothing_in_a_hub_as_migrations_make_it(self, world: World) -> None:
        with connections[OWNER].cursor() as cursor:
            assert audit_catalog(cursor) == []

    def test_finds_nothing_before_a_mutation(self, admin: psycopg.Connection[Any]) -> None:
        assert audit(admin) == set()

    @pytest.mark.parametrize(("mutation", "code", "at"), MUTATIONS.values(), ids=MUTATIONS.keys())
    def test_finds(self, mutation: str, code: str, at: str, admin: psycopg.Connection[Any]) -> None:
        admin.execute(mutation)
        assert (code, at) in audit(admin)

    def test_has_a_mutation_for_every_check(self) -> None:
        assert {code for _, code, _ in MUTATIONS.values()} == set(CHECKS)

    def test_says_what_is_open_and_what_to_do(self, admin: psycopg.Connection[Any]) -> None:
        admin.execute("ALTER TABLE posts NO FORCE ROW LEVEL SECURITY")
        (finding,) = audit_catalog(cast(CursorWrapper, admin.cursor()))
        assert finding.to_dict() == {
            "target": "hub",
            "code": "rls.not_forced",
            "at": "posts",
            "level": "error",
            "message": "posts: row-level security is not enabled and forced.",
            "fix": "Run psn_migrate; if it stays, report it.",
        }


class TestTheIdentityFunction:
    """What the catalog cannot tell: a function that looks right and answers wrongly. Isolation notices."""

    def test_shows_a_liar_nothing(self, admin: psycopg.Connection[Any], world: World) -> None:
        assert keys_seen(admin, claiming=world.people.other.id) == 0

    def test_that_believes_the_setting_of_people_is_noticed(self, admin: psycopg.Connection[Any], world: World) -> None:
        source = admin.execute("SELECT pg_get_functiondef('hub_api.current_user_id'::regproc)").fetchone()
        assert source is not None
        believing = source[0].replace(
            "WHEN 'member' THEN l.user_id",
            "WHEN 'member' THEN coalesce(NULLIF(pg_catalog.current_setting('app.current_user_id', true), '')::uuid, l.user_id)",
        )
        assert believing != source[0]
        admin.execute("SET LOCAL ROLE psn_definer")
        admin.execute(believing)
        assert audit(admin) == set()
        assert keys_seen(admin, claiming=world.people.other.id) == 1
