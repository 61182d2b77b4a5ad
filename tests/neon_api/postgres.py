"""The database of a project: a role and a database on a real server, as Neon's compute makes them.

After neondatabase/neon: compute_tools/src/spec_apply.rs, create_privileged_role.sql, migrations 0002, 0004, 0007, 0008 and 0012.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

ROLE = "neondb_owner"
DATABASE = "neondb"


@dataclass(frozen=True)
class Postgres:
    """A server that belongs to one project; the login is its superuser's."""

    host: str
    port: int
    user: str = "postgres"
    password: str = field(default="", repr=False)

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=self.host, port=self.port, user=self.user, password=self.password, dbname=database, autocommit=True
        )


def make_database(server: Postgres, *, role: str = ROLE, database: str = DATABASE) -> str:
    """Make what a new project has; a role that is there gets another password.

    Returns:
        the role's password, 80 random bits and more, as Neon makes them.
    """
    password = f"npg_{secrets.token_urlsafe(12)}"
    with server.connect() as admin:
        _make_group(admin)
        rights = "LOGIN INHERIT CREATEROLE CREATEDB BYPASSRLS REPLICATION"
        if not _exists(admin, "SELECT FROM pg_roles WHERE rolname = %s", role):
            admin.execute(_sql("CREATE ROLE {} IN ROLE neon_superuser", role))
        admin.execute(_sql("ALTER ROLE {} " + rights + " PASSWORD ", role) + sql.Literal(password))
        if not _exists(admin, "SELECT FROM pg_database WHERE datname = %s", database):
            admin.execute(_sql("CREATE DATABASE {} OWNER {} TEMPLATE template0", database, role))
        admin.execute(_sql("GRANT ALL PRIVILEGES ON DATABASE {} TO neon_superuser", database))
    with server.connect(database) as admin:
        admin.execute(_sql("ALTER SCHEMA public OWNER TO {}", role))
        for things in ("TABLES", "SEQUENCES"):
            admin.execute(
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON {things} TO neon_superuser WITH GRANT OPTION"
            )
    return password


def _make_group(admin: psycopg.Connection[tuple[object, ...]]) -> None:
    if _exists(admin, "SELECT FROM pg_roles WHERE rolname = %s", "neon_superuser"):
        return
    admin.execute(
        "CREATE ROLE neon_superuser CREATEDB CREATEROLE NOLOGIN REPLICATION BYPASSRLS "
        "IN ROLE pg_read_all_data, pg_write_all_data"
    )
    admin.execute("GRANT pg_monitor, pg_signal_backend TO neon_superuser WITH ADMIN OPTION")


def _exists(admin: psycopg.Connection[tuple[object, ...]], query: str, name: str) -> bool:
    return admin.execute(query, (name,)).fetchone() is not None


def _sql(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*(sql.Identifier(name) for name in names))
