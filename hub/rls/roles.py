"""Database roles and schemas of a hub, made before the first migration.

<prefix>_owner    owns the tables and migrates; sees rows only with app.maintenance on
<prefix>_member   group: people's rights         <prefix>_app     the login of a personal hub's one person
<prefix>_service  group: the worker's rights     <prefix>_worker  the worker's login
<prefix>_definer  owns the identity functions; logs in nowhere
"""

from __future__ import annotations

import re
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

PERSONAL = "psn"
MAINTENANCE = "(SELECT pg_catalog.current_setting('app.maintenance', true)) = 'on'"
_GROUPS = ("member", "service", "definer")


def check_prefix(prefix: str) -> None:
    """Refuse a prefix that is no safe role name.

    Raises:
        ValueError: it is not one.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,29}", prefix):
        raise ValueError(f"bad role prefix {prefix!r}")


def role_prefix(connection: BaseDatabaseWrapper) -> str:
    """Read the role prefix of the hub behind this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM hub_api.setting WHERE key = 'role_prefix'")
        prefix = str(cursor.fetchone()[0])
    check_prefix(prefix)
    return prefix


def create_roles(admin: psycopg.Connection[Any], *, prefix: str = PERSONAL) -> None:
    """Make the owner and the groups, or complete them.

    Args:
        admin: an autocommit connection that may create roles.
    """
    check_prefix(prefix)
    owner = f"{prefix}_owner"
    for name in (f"{prefix}_{group}" for group in _GROUPS):
        _create_role(admin, name, "NOLOGIN")
    _create_role(admin, owner, "LOGIN CREATEROLE")
    modern = admin.info.server_version >= 160000
    use = " WITH INHERIT FALSE, SET TRUE" if modern else ""  # it may become the definer, and is not it all the time
    manage = " WITH ADMIN TRUE, INHERIT FALSE, SET FALSE" if modern else " WITH ADMIN OPTION"
    admin.execute(_sql("GRANT {} TO {}" + use, f"{prefix}_definer", owner))
    for group in ("member", "service"):
        admin.execute(_sql("GRANT {} TO {}" + manage, f"{prefix}_{group}", owner))


def create_login(connection: psycopg.Connection[Any], name: str, *, group: str) -> None:
    """Make a login of a group, or complete it."""
    _create_role(connection, name, "LOGIN")
    connection.execute(_sql("GRANT {} TO {}", group, name))
    connection.execute(
        _sql("ALTER ROLE {} SET jit = off", name)
    )  # compiling a short statement takes 20 ms, running it half of one


def create_database(admin: psycopg.Connection[Any], name: str, *, prefix: str = PERSONAL) -> bool:
    """Make the hub's database, owned by its owner; False when it was there."""
    if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
        return False
    admin.execute(_sql("CREATE DATABASE {} OWNER {} TEMPLATE template0", name, f"{prefix}_owner"))
    return True


def create_schema(owner: psycopg.Connection[Any], *, prefix: str = PERSONAL) -> None:
    """Shut the database to everybody, open it to the groups, and make the schema of the hub's functions. Repeatable.

    Args:
        owner: the owner's connection to the hub's database, in autocommit.
    """
    names = {
        "database": sql.Identifier(owner.info.dbname),
        "member": sql.Identifier(f"{prefix}_member"),
        "service": sql.Identifier(f"{prefix}_service"),
        "definer": sql.Identifier(f"{prefix}_definer"),
        "prefix": sql.Literal(prefix),
    }
    for statement in (
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO {member}, {service}, {definer}",
        "REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {database} TO {member}, {service}",
        "CREATE SCHEMA IF NOT EXISTS hub_api",
        "GRANT USAGE ON SCHEMA hub_api TO {member}, {service}, {definer}",
        "GRANT CREATE ON SCHEMA hub_api TO {definer}",
        "CREATE TABLE IF NOT EXISTS hub_api.setting (key text PRIMARY KEY, value text NOT NULL)",
        "REVOKE ALL ON hub_api.setting FROM PUBLIC",
        "INSERT INTO hub_api.setting VALUES ('role_prefix', {prefix}) ON CONFLICT DO NOTHING",
    ):
        owner.execute(sql.SQL(statement).format(**names))


def _create_role(connection: psycopg.Connection[Any], name: str, options: str) -> None:
    """Make a role unless it is there; another process may be faster."""
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone():
        return
    try:
        connection.execute(_sql("CREATE ROLE {} " + options, name))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        return


def _sql(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*(sql.Identifier(name) for name in names))
