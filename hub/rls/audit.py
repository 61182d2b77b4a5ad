"""The catalog audit: asks the database itself what is open (SPEC HUB-9). Run as the owner."""

from __future__ import annotations

from django.db.backends.utils import CursorWrapper

from psn.errors import Finding

# Tables of third-party apps that hold nobody's rows, and why they may stand without policies.
OPEN_TABLES = {
    "django_migrations": "which migrations ran: read-only for every login",
    "django_q_ormq": "the queue: bells with ids, signed",
    "django_q_schedule": "recurring tasks: the worker's alone",
    "django_q_task": "failed tasks: unsigned pickles, so the worker's alone",
}
_OPEN = ", ".join(f"'{name}'" for name in OPEN_TABLES)
_OURS = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
_TABLES = f"""pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname = 'public' AND c.relname NOT IN ({_OPEN})"""
_GROUP = "r.rolname ~ '_(member|team|service)$'"
_TABLE_RIGHTS = """pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
    LEFT JOIN pg_roles r ON r.oid = a.grantee"""
_COLUMN_RIGHTS = """pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee"""
# The policy of the owner's own work, and those of the hub's own functions; everybody else's name says nothing.
_OF_OWNER = "p.polname = 'maint' AND p.polroles = ARRAY[c.relowner]"
_OF_DEFINER = """NOT EXISTS (SELECT FROM unnest(p.polroles) AS o(oid) LEFT JOIN pg_roles r ON r.oid = o.oid
    WHERE r.rolname IS NULL OR r.rolname !~ '_(definer|provisioner)$')"""
_POLICIES = """pg_policy p JOIN pg_class c ON c.oid = p.polrelid,
    coalesce(pg_get_expr(p.polqual, p.polrelid), '') AS u, coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') AS w"""
# An owned table's rule is the comparison alone, or narrower: with AND, never with OR.
_COMPARES_OWNER = r"""e !~ '\mOR\M' AND (e ~ ('\m' || k.attname || ' = \(\s*SELECT hub_api\.current_user_id\(\)')
    OR e ~ 'hub_api\.current_company_id\(\)' AND NOT EXISTS (SELECT FROM unnest(p.polroles) AS o(oid)
      LEFT JOIN pg_roles r ON r.oid = o.oid WHERE r.rolname IS NULL OR r.rolname !~ '_team$'))"""

CHECKS: dict[str, str] = {
    "rls.not_forced": f"SELECT c.relname FROM {_TABLES} AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
    "rls.no_policy": f"SELECT c.relname FROM {_TABLES} AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)",
    "rls.grant_without_policy": f"""
        SELECT c.relname || ': ' || a.privilege_type || ' to ' || r.rolname FROM {_TABLE_RIGHTS}
        WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname = 'public' AND c.relname NOT IN ({_OPEN}) AND {_GROUP}
          AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
          AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND r.oid = ANY (p.polroles) AND p.polcmd =
            CASE a.privilege_type WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w' ELSE 'd' END::"char")""",
    "rls.grant_too_wide": f"""
        SELECT c.relname || ': ' || a.privilege_type || ' to ' || coalesce(r.rolname, 'PUBLIC') FROM {_TABLE_RIGHTS}
        WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND {_OURS}
          AND (a.grantee = 0 OR a.is_grantable AND c.relowner <> a.grantee
            OR {_GROUP} AND n.nspname <> 'public'
            OR {_GROUP} AND a.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')
            OR {_GROUP} AND c.relname = 'django_migrations' AND a.privilege_type <> 'SELECT'
            OR r.rolname ~ '_member$' AND c.relname IN ('django_q_task', 'django_q_schedule')
            OR r.rolname ~ '_member$' AND c.relname = 'django_q_ormq' AND a.privilege_type NOT IN ('SELECT', 'INSERT')
            OR {_GROUP} AND c.relname = 'logins'
            OR r.rolname ~ '_team$' AND c.relname IN ('oauth_tokens', 'api_keys', 'django_q_ormq', 'django_q_task', 'django_q_schedule')
            OR r.rolname ~ '_team$' AND a.privilege_type <> 'SELECT' AND c.relname IN
              ('users', 'companies', 'accounts', 'attempts', 'approvals', 'invites', 'worker_heartbeats')
            OR {_GROUP} AND c.relname IN ('audit_log', 'hub_settings') AND a.privilege_type IN ('UPDATE', 'DELETE')
            OR {_GROUP} AND c.relname IN ('posts', 'attempts') AND a.privilege_type = 'DELETE')""",
    "rls.grant_on_a_column": f"""
        SELECT c.relname || '.' || t.attname || ': ' || a.privilege_type || ' to ' || coalesce(r.rolname, 'PUBLIC')
        FROM {_COLUMN_RIGHTS} WHERE {_OURS}""",
    "rls.grant_to_a_login": f"""
        SELECT c.relname || ': ' || a.privilege_type || ' to ' || r.rolname FROM {_TABLE_RIGHTS}
        WHERE {_OURS} AND r.rolcanlogin AND c.relowner <> r.oid""",
    "rls.policy_for_public": "SELECT polrelid::regclass || ' ' || polname FROM pg_policy WHERE 0 = ANY (polroles)",
    "rls.policy_for_all_commands": f"""
        SELECT c.relname || ' ' || p.polname FROM {_POLICIES} WHERE p.polcmd = '*' AND NOT ({_OF_OWNER})""",
    "rls.policy_always_true": f"""
        SELECT c.relname || ' ' || p.polname FROM {_POLICIES} WHERE NOT ({_OF_DEFINER}) AND 'true' IN (btrim(u), btrim(w))""",
    "rls.policy_runs_per_row": rf"""
        SELECT c.relname || ' ' || p.polname FROM {_POLICIES}
        WHERE regexp_replace(u || ' ' || w, 'SELECT (hub_api\.\w+|current_setting|pg_catalog\.current_setting)\(', '', 'g')
          ~ '(hub_api\.\w+|current_setting)\('""",
    "rls.policy_without_owner": f"""
        SELECT DISTINCT c.relname || ' ' || p.polname FROM {_POLICIES}
        JOIN pg_attribute k ON true, unnest(ARRAY[u, w]) AS e
        WHERE k.attrelid = c.oid AND NOT k.attisdropped AND c.relname <> 'logins'
          AND k.attname = CASE c.relname WHEN 'users' THEN 'id' ELSE 'user_id' END
          AND NOT ({_OF_OWNER}) AND NOT ({_OF_DEFINER}) AND e <> '' AND NOT ({_COMPARES_OWNER})""",
    "rls.view_runs_as_owner": f"""
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_OURS} AND (c.relkind = 'm' OR c.relkind = 'v'
          AND NOT coalesce(c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false))""",
    "rls.definer_function": f"""
        SELECT p.oid::regprocedure::text
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles o ON o.oid = p.proowner
        WHERE {_OURS} AND p.prosecdef AND (p.proacl IS NULL OR o.rolname !~ '_(definer|provisioner)$'
          OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0)
          OR NOT EXISTS (SELECT FROM unnest(p.proconfig) x WHERE x LIKE 'search_path=%'))""",
    "rls.function_for_public": """
        SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'hub_api' AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0))""",
    "rls.login_too_strong": f"""
        SELECT r.rolname FROM pg_roles r
        WHERE r.rolcanlogin AND EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
              WHERE m.member = r.oid AND g.rolname ~ '_(member|team|service)$' AND NOT m.admin_option)
          AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication
            OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relowner = r.oid AND {_OURS})
            OR has_schema_privilege(r.oid, 'public', 'CREATE') OR has_schema_privilege(r.oid, 'hub_api', 'CREATE')
            OR has_database_privilege(r.oid, current_database(), 'TEMPORARY')
            OR EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
              WHERE m.member = r.oid AND g.rolname !~ '_(member|team|service)$'))""",
    "rls.login_unknown": r"""
        SELECT DISTINCT r.rolname FROM pg_roles r JOIN pg_roles g ON pg_has_role(r.oid, g.oid, 'USAGE') AND r.oid <> g.oid
        WHERE r.rolcanlogin AND NOT r.rolsuper AND g.rolname ~ '_(member|team|service|definer|provisioner)$'
          AND g.rolname LIKE (SELECT value FROM hub_api.setting WHERE key = 'role_prefix') || '\_%'
          AND r.oid <> (SELECT c.relowner FROM pg_class c WHERE c.oid = 'public.logins'::regclass)
          AND NOT EXISTS (SELECT FROM public.logins l WHERE l.login_role = r.rolname)""",
    "rls.foreign_key_crosses_owners": """
        SELECT k.conrelid::regclass || ' ' || k.conname FROM pg_constraint k
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attname = 'user_id'
        JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attname = 'user_id'
        WHERE k.contype = 'f' AND NOT (a.attnum = ANY (k.conkey) AND b.attnum = ANY (k.confkey))""",
    "rls.law_switched_off": """
        SELECT t.tgrelid::regclass || ' ' || t.tgname FROM pg_trigger t WHERE t.tgenabled <> 'O'
        UNION SELECT p.oid::regprocedure || ' is called by no trigger' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'hub_api' AND p.prorettype = 'trigger'::regtype
          AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = p.oid)""",
}

_MEANING = {
    "rls.not_forced": "row-level security is not enabled and forced",
    "rls.no_policy": "the table has no policy",
    "rls.grant_without_policy": "a right is granted that no policy governs",
    "rls.grant_too_wide": "a right is granted that no login may have",
    "rls.grant_on_a_column": "a right is granted on a single column, where the checks of tables do not see it",
    "rls.grant_to_a_login": "a right is granted to a login instead of its group",
    "rls.policy_for_public": "a policy is open to PUBLIC",
    "rls.policy_for_all_commands": "a policy covers all commands, which widens the narrower ones beside it",
    "rls.policy_always_true": "a policy lets everything through",
    "rls.policy_runs_per_row": "a policy asks who is acting once per row",
    "rls.policy_without_owner": "a policy of an owned table does not hold every row to its owner",
    "rls.view_runs_as_owner": "a view shows rows with its owner's rights",
    "rls.definer_function": "a SECURITY DEFINER function is open to PUBLIC, has no fixed search_path, or has the wrong owner",
    "rls.function_for_public": "a function is open to PUBLIC",
    "rls.login_too_strong": "a login has rights beyond its group",
    "rls.login_unknown": "a login of a group belongs to nobody",
    "rls.foreign_key_crosses_owners": "a foreign key may point at another person's row",
    "rls.law_switched_off": "a trigger that keeps a law is switched off or gone",
}


def audit_catalog(cursor: CursorWrapper) -> list[Finding]:
    """Ask the catalog for everything that is more open than it should be; empty means sound.

    Args:
        cursor: of the owner, with `app.maintenance` on.
    """
    findings = []
    for code, query in CHECKS.items():
        cursor.execute(query)
        findings += [_finding(code, at=str(row[0])) for row in cursor.fetchall()]
    return findings


def _finding(code: str, *, at: str) -> Finding:
    return Finding(
        target="hub",
        code=code,
        at=at,
        message=f"{at}: {_MEANING[code]}.",
        fix="Run psn_migrate; if it stays, report it.",
    )
