"""Database roles and schemas of a hub, made before the first migration, with SQL alone on every provider.

<prefix>_owner    owns the tables and migrates; sees rows only with app.maintenance on
<prefix>_definer  owns the functions that may see more than their caller; logs in nowhere
<prefix>_member   group: what the one person of a personal hub may do     <prefix>_app     that person's login
<prefix>_team     group: what a member of a company's hub may do          <prefix>_m_…     one login for each member
<prefix>_service  group: what the worker may do                           <prefix>_worker  the worker's login

A company's hub has two more: <prefix>_provisioner owns the functions that make and end members' logins, and an invite that nobody
redeemed yet is a login of the group <prefix>_invited. A personal hub has nobody in its team, and a company's nobody among its members.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, Literal

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

PERSONAL = "psn"
MAINTENANCE = "(SELECT pg_catalog.current_setting('app.maintenance', true)) = 'on'"
Kind = Literal["personal", "company"]
_GROUPS = ("member", "team", "service", "definer")
_OF_COMPANIES = ("invited", "provisioner")


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


def hub_kind(connection: BaseDatabaseWrapper) -> str:
    """Read whether the hub behind this connection is a person's or a company's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM hub_api.setting WHERE key = 'kind'")
        row = cursor.fetchone()
    return str(row[0]) if row else "personal"  # hubs made before there were companies do not say


def create_roles(
    admin: psycopg.Connection[Any], *, prefix: str = PERSONAL, kind: Kind = "personal", owner_password: str = ""
) -> None:
    """Make the owner and the groups, or complete them.

    Args:
        admin: an autocommit connection that may create roles.
        owner_password: empty where the server knows by other means who connects.
    """
    check_prefix(prefix)
    owner = f"{prefix}_owner"

    def unused() -> str:  # Neon has refused roles without a password; where nobody logs in, one does no harm
        return create_password() if owner_password else ""

    for group in _GROUPS:
        _create_role(admin, f"{prefix}_{group}", "NOLOGIN", password=unused())
    _create_role(admin, owner, "LOGIN CREATEROLE", password=owner_password)
    _may_become(admin, owner, f"{prefix}_definer")
    for group in ("member", "team", "service"):
        _may_manage(admin, owner, f"{prefix}_{group}")
    if kind == "company":
        _create_role(admin, f"{prefix}_invited", "NOLOGIN", password=unused())
        _create_role(admin, f"{prefix}_provisioner", "NOLOGIN CREATEROLE", password=unused())
        _may_become(admin, owner, f"{prefix}_provisioner")
        for group in ("team", "invited"):
            _may_manage(admin, f"{prefix}_provisioner", f"{prefix}_{group}")


def create_login(connection: psycopg.Connection[Any], name: str, *, group: str, password: str = "") -> None:
    """Make a login of a group, or complete it; a password that is given becomes its password."""
    _create_role(connection, name, "LOGIN", password=password)
    connection.execute(_sql("GRANT {} TO {}", group, name))
    connection.execute(
        _sql("ALTER ROLE {} SET jit = off", name)
    )  # compiling a short statement takes 20 ms, running it half of one
    if group.endswith(
        "_service"
    ):  # a person may hold a lock on his own rows for as long as he likes: the worker does not wait for it
        connection.execute(_sql("ALTER ROLE {} SET lock_timeout = '2s'", name))


def create_member_login(owner: psycopg.Connection[Any], name: str, *, prefix: str, password: str) -> None:
    """Make the login of a company's first member as the provisioner does it, whose own it has to be.

    Args:
        owner: the owner's connection, in autocommit.
    """
    with owner.transaction():
        owner.execute(_sql("SET LOCAL ROLE {}", f"{prefix}_provisioner"))
        _create_role(owner, name, "LOGIN CONNECTION LIMIT 10", password=password)
        owner.execute(_sql("GRANT {} TO {} WITH INHERIT TRUE, SET FALSE", name, f"{prefix}_provisioner"))
        owner.execute(_sql("GRANT {} TO {}", f"{prefix}_team", name))


def create_password() -> str:
    """Make a password of 244 random bits, of the kinds of characters that hosts ask for."""
    return f"aA1!{secrets.token_urlsafe(32)}"


def create_database(admin: psycopg.Connection[Any], name: str, *, prefix: str = PERSONAL) -> bool:
    """Make a local hub's database, owned by its owner; False when it was there."""
    if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
        return False
    admin.execute(_sql("CREATE DATABASE {} OWNER {} TEMPLATE template0", name, f"{prefix}_owner"))
    return True


def open_database(admin: psycopg.Connection[Any], *, prefix: str) -> None:
    """Shut the database to everybody and let the hub's owner build in it. Repeatable.

    Args:
        admin: a connection to the hub's database as the database's own owner, in autocommit.
    """
    names = {
        "database": sql.Identifier(admin.info.dbname),
        "owner": sql.Identifier(f"{prefix}_owner"),
    }
    for statement in (
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC",
        "GRANT CREATE, CONNECT ON DATABASE {database} TO {owner} WITH GRANT OPTION",
        "GRANT ALL ON SCHEMA public TO {owner} WITH GRANT OPTION",
    ):
        admin.execute(sql.SQL(statement).format(**names))


def create_schema(owner: psycopg.Connection[Any], *, prefix: str = PERSONAL, kind: Kind = "personal") -> None:
    """Open the database to the groups, and make the schema of the hub's functions. Repeatable.

    Args:
        owner: the owner's connection to the hub's database, in autocommit.
    """
    groups = [*_GROUPS, *(_OF_COMPANIES if kind == "company" else ())]
    names = {
        "database": sql.Identifier(owner.info.dbname),
        "groups": sql.SQL(", ").join(sql.Identifier(f"{prefix}_{group}") for group in groups),
        "readers": sql.SQL(", ").join(sql.Identifier(f"{prefix}_{group}") for group in groups if group != "invited"),
        "authors": sql.SQL(", ").join(
            sql.Identifier(f"{prefix}_{group}") for group in groups if group in ("definer", "provisioner")
        ),
        "prefix": sql.Literal(prefix),
        "kind": sql.Literal(kind),
    }
    for statement in (
        "GRANT USAGE ON SCHEMA public TO {readers}",
        "GRANT CONNECT ON DATABASE {database} TO {groups}",
        "CREATE SCHEMA IF NOT EXISTS hub_api",
        "GRANT USAGE ON SCHEMA hub_api TO {groups}",
        "GRANT CREATE ON SCHEMA hub_api TO {authors}",
        "CREATE TABLE IF NOT EXISTS hub_api.setting (key text PRIMARY KEY, value text NOT NULL)",
        "REVOKE ALL ON hub_api.setting FROM PUBLIC",
        "INSERT INTO hub_api.setting VALUES ('role_prefix', {prefix}), ('kind', {kind}) ON CONFLICT DO NOTHING",
    ):
        owner.execute(sql.SQL(statement).format(**names))


def _may_become(admin: psycopg.Connection[Any], role: str, other: str) -> None:
    """Let a role become another for a transaction, without being it all the time."""
    use = " WITH INHERIT FALSE, SET TRUE" if admin.info.server_version >= 160000 else ""
    admin.execute(_sql("GRANT {} TO {}" + use, other, role))


def _may_manage(admin: psycopg.Connection[Any], role: str, group: str) -> None:
    """Let a role say who is in a group, without being in it."""
    modern = admin.info.server_version >= 160000
    manage = " WITH ADMIN TRUE, INHERIT FALSE, SET FALSE" if modern else " WITH ADMIN OPTION"
    admin.execute(_sql("GRANT {} TO {}" + manage, group, role))


def _create_role(connection: psycopg.Connection[Any], name: str, options: str, *, password: str = "") -> None:
    """Make a role unless it is there; another process may be faster. A password goes in as plain text, as Neon wants it."""
    secret = sql.SQL(" PASSWORD {}").format(sql.Literal(password)) if password else sql.SQL("")
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone():
        try:
            connection.execute(_sql("CREATE ROLE {} " + options, name) + secret)
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            pass
        else:
            return
    if password:
        connection.execute(_sql("ALTER ROLE {}", name) + secret)


def _sql(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*(sql.Identifier(name) for name in names))
