"""The database itself: its tables, roles, functions, files and sessions."""

from __future__ import annotations

from tests.teams.attacks.attack import NOT_ALLOWED, Attack, attack
from tests.teams.trying import NOTHING

_OWN = '"{bobs_login}"'
POWERS: dict[str, Attack] = {
    "make a table": attack("CREATE TABLE public.mine (a int)"),
    "make a table beside the functions": attack("CREATE TABLE hub_api.mine (a int)"),
    "make a temporary table": attack("CREATE TEMP TABLE mine (a int)"),
    "make a temporary function": attack("CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    "make a schema": attack("CREATE SCHEMA mine"),
    "make a function": attack("CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    "make a function beside the others": attack("CREATE FUNCTION hub_api.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    "make a view": attack("CREATE VIEW public.v AS SELECT * FROM posts"),
    "make a type": attack("CREATE TYPE public.mine AS ENUM ('a')"),
    "make an operator": attack("CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)"),
    "make an extension": attack("CREATE EXTENSION plpgsql SCHEMA public", ends=(NOT_ALLOWED, "42710")),
    "make an event trigger": attack(
        "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION hub_api.posts_start_as_drafts()"
    ),
    "make a publication": attack("CREATE PUBLICATION mine"),
    "make a role": attack("CREATE ROLE {slug}_mine"),
    "make a login of his group": attack("CREATE ROLE {slug}_m_000000000000 LOGIN IN ROLE {slug}_team"),
    "drop the admin's login": attack('DROP ROLE "{anns_login}"'),
    "drop the schema of the functions": attack("DROP SCHEMA hub_api CASCADE"),
    "drop a table": attack("DROP TABLE posts CASCADE"),
    "empty a table": attack("TRUNCATE posts CASCADE"),
    "empty the table of slots": attack("TRUNCATE slots"),
    "unload a language": attack("DROP EXTENSION plpgsql CASCADE"),
    "rise above the policies": attack(f"ALTER ROLE {_OWN} BYPASSRLS"),
    "manage roles": attack(f"ALTER ROLE {_OWN} CREATEROLE"),
    "make himself superuser": attack(f"ALTER ROLE {_OWN} SUPERUSER"),
    "have more connections": attack(f"ALTER ROLE {_OWN} CONNECTION LIMIT -1"),
    "rename his login to the admin's": attack(
        f'ALTER ROLE {_OWN} RENAME TO "{{slug}}_m_ann"', ends=(NOT_ALLOWED, "0A000")
    ),
    "change the admin's password": attack("ALTER ROLE \"{anns_login}\" PASSWORD 'x'"),
    "change the worker's password": attack("ALTER ROLE {slug}_worker PASSWORD 'x'"),
    "change the owner's password": attack("ALTER ROLE {slug}_owner PASSWORD 'x'"),
    "set something for the admin's sessions": attack('ALTER ROLE "{anns_login}" SET search_path = pg_temp'),
    "set something for everybody's sessions": attack("ALTER DATABASE {database} SET app.maintenance = 'on'"),
    "grant himself the admin's login": attack(f'GRANT "{{anns_login}}" TO {_OWN}'),
    "grant himself the owner": attack(f"GRANT {{slug}}_owner TO {_OWN}"),
    "grant himself the definer": attack(f"GRANT {{slug}}_definer TO {_OWN}"),
    "grant himself the provisioner": attack(f"GRANT {{slug}}_provisioner TO {_OWN}"),
    "grant himself the worker's group": attack(f"GRANT {{slug}}_service TO {_OWN}"),
    "grant his group to an invited": attack('GRANT {slug}_team TO "{open_login}"'),
    "take the admin out of the group": attack('REVOKE {slug}_team FROM "{anns_login}"'),
    "grant himself a table": attack(f"GRANT SELECT ON oauth_tokens TO {_OWN}", ends=(NOT_ALLOWED, "01007")),
    "pass a right of his on": attack('GRANT SELECT ON posts TO "{open_login}"', ends=(NOT_ALLOWED, NOTHING)),
    "run every function": attack(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA hub_api TO {_OWN}"),
    "turn row-level security off": attack("ALTER TABLE posts DISABLE ROW LEVEL SECURITY"),
    "free the owner from it": attack("ALTER TABLE posts NO FORCE ROW LEVEL SECURITY"),
    "drop a policy": attack("DROP POLICY team_select ON posts"),
    "add a policy": attack("CREATE POLICY mine ON posts FOR UPDATE USING (true)"),
    "widen a policy": attack("ALTER POLICY team_select ON accounts USING (true)"),
    "own a table": attack(f"ALTER TABLE posts OWNER TO {_OWN}"),
    "switch a law off": attack("ALTER TABLE posts DISABLE TRIGGER posts_change_legally"),
    "switch all laws off": attack("ALTER TABLE posts DISABLE TRIGGER ALL"),
    "drop a law": attack("DROP TRIGGER posts_of_members ON posts"),
    "pass by the laws": attack("SET session_replication_role = replica"),
    "drop a constraint": attack("ALTER TABLE posts DROP CONSTRAINT posts_approved_content"),
    "add a column": attack("ALTER TABLE posts ADD COLUMN mine text"),
    "watch a table": attack(
        "CREATE TRIGGER spy AFTER INSERT ON posts FOR EACH ROW EXECUTE FUNCTION hub_api.posts_change_legally()"
    ),
    "rewrite a query": attack("CREATE RULE mine AS ON SELECT TO posts DO INSTEAD NOTHING", ends=(NOT_ALLOWED, "0A000")),
    "replace who is acting": attack(
        "CREATE OR REPLACE FUNCTION hub_api.current_user_id() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'"
    ),
    "alter who is acting": attack("ALTER FUNCTION hub_api.current_user_id() SECURITY INVOKER"),
    "own who is acting": attack(f"ALTER FUNCTION hub_api.current_user_id() OWNER TO {_OWN}"),
    "drop who is acting": attack("DROP FUNCTION hub_api.current_user_id() CASCADE"),
    "call a law by hand": attack("SELECT hub_api.posts_change_legally()", ends=(NOT_ALLOWED, "0A000")),
    "copy to a program": attack("COPY posts TO PROGRAM 'cat'"),
    "copy to a file": attack("COPY posts TO '/tmp/posts'"),
    "read a file of the server": attack("SELECT pg_read_file('postgresql.conf')"),
    "load a library": attack("LOAD 'plpgsql'", ends=(NOT_ALLOWED, NOTHING)),
    "change the server": attack("ALTER SYSTEM SET log_statement = 'all'", ends=(NOT_ALLOWED, "25001")),
    "have the server read its settings": attack("SELECT pg_reload_conf()"),
    "hear the replication": attack("SELECT pg_create_physical_replication_slot('mine')"),
    "comment on a table": attack("COMMENT ON TABLE posts IS 'mine'"),
    "end the admin's session": attack("SELECT pg_terminate_backend({anns_pid})"),
    "cancel the admin's statement": attack("SELECT pg_cancel_backend({anns_pid})"),
    "read what the admin asks": attack(
        "SELECT query FROM pg_stat_activity WHERE pid = {anns_pid} AND query <> '<insufficient privilege>'",
        ends=NOTHING,
    ),
}
