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
_TABLES = f"""pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public' AND c.relname NOT IN ({_OPEN})"""
_GROUP = "r.rolname ~ '_(member|service)$'"

CHECKS: dict[str, str] = {
    "rls.not_forced": f"SELECT c.relname FROM {_TABLES} AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
    "rls.no_policy": f"SELECT c.relname FROM {_TABLES} AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)",
    "rls.grant_without_policy": f"""
        SELECT c.relname || ': ' || a.privilege_type || ' to ' || r.rolname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public' AND c.relname NOT IN ({_OPEN}) AND {_GROUP}
          AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
          AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND r.oid = ANY (p.polroles) AND p.polcmd =
            CASE a.privilege_type WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w' ELSE 'd' END::"char")""",
    "rls.grant_too_wide": f"""
        SELECT c.relname || ': ' || a.privilege_type || ' to ' || coalesce(r.rolname, 'PUBLIC')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE c.relkind IN ('r', 'p', 'v', 'S') AND n.nspname IN ('public', 'hub_api')
          AND (a.grantee = 0 OR a.is_grantable AND c.relowner <> a.grantee
            OR {_GROUP} AND a.privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')
            OR {_GROUP} AND c.relname = 'django_migrations' AND a.privilege_type <> 'SELECT'
            OR r.rolname ~ '_member$' AND c.relname IN ('django_q_task', 'django_q_schedule')
            OR r.rolname ~ '_member$' AND c.relname = 'django_q_ormq' AND a.privilege_type NOT IN ('SELECT', 'INSERT')
            OR {_GROUP} AND c.relname = 'logins')""",
    "rls.grant_to_a_login": """
        SELECT c.relname || ': ' || a.privilege_type || ' to ' || r.rolname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
        WHERE n.nspname IN ('public', 'hub_api') AND r.rolcanlogin AND c.relowner <> r.oid""",
    "rls.policy_for_public": "SELECT polrelid::regclass || ' ' || polname FROM pg_policy WHERE 0 = ANY (polroles)",
    "rls.policy_for_all_commands": "SELECT polrelid::regclass || ' ' || polname FROM pg_policy WHERE polcmd = '*' AND polname <> 'maint'",
    "rls.policy_always_true": r"""
        SELECT p.polrelid::regclass || ' ' || p.polname FROM pg_policy p JOIN unnest(p.polroles) AS o(oid) ON true JOIN pg_roles r ON r.oid = o.oid
        WHERE r.rolname !~ '_definer$'
          AND (btrim(coalesce(pg_get_expr(p.polqual, p.polrelid), '')) = 'true' OR btrim(coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')) = 'true')""",
    "rls.policy_runs_per_row": r"""
        SELECT rel || ' ' || polname FROM (SELECT polrelid::regclass AS rel, polname,
          coalesce(pg_get_expr(polqual, polrelid), '') || ' ' || coalesce(pg_get_expr(polwithcheck, polrelid), '') AS e FROM pg_policy) x
        WHERE regexp_replace(e, 'SELECT (hub_api\.\w+|current_setting|pg_catalog\.current_setting)\(', '', 'g') ~ '(hub_api\.\w+|current_setting)\('""",
    "rls.policy_without_owner": """
        SELECT c.relname || ' ' || p.polname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
        JOIN pg_attribute u ON u.attrelid = c.oid AND u.attname = 'user_id' AND NOT u.attisdropped
        WHERE c.relname <> 'logins' AND p.polname <> 'maint' AND NOT EXISTS (
            SELECT FROM unnest(p.polroles) AS o(oid) JOIN pg_roles r ON r.oid = o.oid WHERE r.rolname ~ '_definer$')
          AND (p.polqual IS NOT NULL AND pg_get_expr(p.polqual, p.polrelid) !~ 'user_id = \\(\\s*SELECT hub_api.current_user_id'
            OR p.polwithcheck IS NOT NULL AND pg_get_expr(p.polwithcheck, p.polrelid) !~ 'user_id = \\(\\s*SELECT hub_api.current_user_id')""",
    "rls.view_runs_as_owner": """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('public', 'hub_api') AND (c.relkind = 'm' OR c.relkind = 'v'
          AND NOT coalesce(c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false))""",
    "rls.definer_function": """
        SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles o ON o.oid = p.proowner
        WHERE n.nspname IN ('public', 'hub_api') AND p.prosecdef AND (p.proacl IS NULL OR o.rolname !~ '_definer$'
          OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0)
          OR NOT EXISTS (SELECT FROM unnest(p.proconfig) x WHERE x LIKE 'search_path=%'))""",
    "rls.function_for_public": """
        SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'hub_api' AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0))""",
    "rls.login_too_strong": """
        SELECT r.rolname FROM pg_roles r
        WHERE r.rolcanlogin AND EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
              WHERE m.member = r.oid AND g.rolname ~ '_(member|service)$' AND NOT m.admin_option)
          AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication
            OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relowner = r.oid AND n.nspname IN ('public', 'hub_api'))
            OR has_schema_privilege(r.oid, 'public', 'CREATE') OR has_schema_privilege(r.oid, 'hub_api', 'CREATE')
            OR has_database_privilege(r.oid, current_database(), 'TEMPORARY')
            OR EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid AND g.rolname !~ '_(member|service)$'))""",
    "rls.login_unknown": """
        SELECT r.rolname FROM pg_roles r JOIN pg_auth_members m ON m.member = r.oid JOIN pg_roles g ON g.oid = m.roleid
        WHERE r.rolcanlogin AND g.rolname ~ '_(member|service)$' AND NOT m.admin_option
          AND g.rolname LIKE (SELECT value FROM hub_api.setting WHERE key = 'role_prefix') || '\\_%%'
          AND NOT EXISTS (SELECT FROM public.logins l WHERE l.login_role = r.rolname)""",
    "rls.foreign_key_crosses_owners": """
        SELECT k.conrelid::regclass || ' ' || k.conname FROM pg_constraint k
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attname = 'user_id'
        JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attname = 'user_id'
        WHERE k.contype = 'f' AND NOT (a.attnum = ANY (k.conkey) AND b.attnum = ANY (k.confkey))""",
    "rls.law_switched_off": """
        SELECT t.tgrelid::regclass || ' ' || t.tgname FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled <> 'O'""",
}

_MEANING = {
    "rls.not_forced": "row-level security is not enabled and forced",
    "rls.no_policy": "the table has no policy",
    "rls.grant_without_policy": "a right is granted that no policy governs",
    "rls.grant_too_wide": "a right is granted that no login may have",
    "rls.grant_to_a_login": "a right is granted to a login instead of its group",
    "rls.policy_for_public": "a policy is open to PUBLIC",
    "rls.policy_for_all_commands": "a policy covers all commands, which widens the narrower ones beside it",
    "rls.policy_always_true": "a policy lets everything through",
    "rls.policy_runs_per_row": "a policy asks who is acting once per row",
    "rls.policy_without_owner": "a policy of an owned table does not compare the owner",
    "rls.view_runs_as_owner": "a view shows rows with its owner's rights",
    "rls.definer_function": "a SECURITY DEFINER function is open to PUBLIC, has no fixed search_path, or has the wrong owner",
    "rls.function_for_public": "a function is open to PUBLIC",
    "rls.login_too_strong": "a login has rights beyond its group",
    "rls.login_unknown": "a login of a group belongs to nobody",
    "rls.foreign_key_crosses_owners": "a foreign key may point at another person's row",
    "rls.law_switched_off": "a trigger that keeps a law is switched off",
}


def audit_catalog(cursor: CursorWrapper) -> list[Finding]:
    """Ask the catalog for everything that is more open than it should be; empty means sound.

    Args:
        cursor: of the owner, with `app.maintenance` on.
    """
    findings = []
    for code, query in CHECKS.items():
        cursor.execute(query.replace("%%", "%"))
        findings += [
            Finding(
                target="hub",
                code=code,
                at=str(row[0]),
                message=f"{row[0]}: {_MEANING[code]}.",
                fix="Run psn_migrate; if it stays, report it.",
            )
            for row in cursor.fetchall()
        ]
    return findings
