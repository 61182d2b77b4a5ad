"""Any Postgres at an address: what a login there may do, and whether a hub fits on it (HUB-5).

Nothing is changed. Neither the messages nor the errors behind them hold the password: the driver's own error carries the
connection it failed to make, so it is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from psn.errors import NotReady

OLDEST_PERSONAL = 15  # views with the rights of who asks (security_invoker)
OLDEST_COMPANY = 16  # before it, who may create roles may become almost a superuser
CONNECT_SECONDS = 20  # a server that sleeps needs some to wake
_NAMES = re.compile(
    r"\"[^\"]*\"|host(?:addr)?:? '[^']*'"
)  # how the driver and the server write hosts, users and databases
_PROBE = "psn.direct"  # a setting that means nothing to anybody

# What a server says of the login and of what is in the database; one row.
_FACTS = """
WITH hub AS (
  SELECT n.oid, pg_catalog.regexp_replace(pg_catalog.pg_get_userbyid(n.nspowner), '_owner$', '') AS prefix
  FROM pg_catalog.pg_namespace n
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = 'setting'
  WHERE n.nspname = 'hub_api' AND pg_catalog.pg_get_userbyid(n.nspowner) LIKE '%%\\_owner'
)
SELECT
  r.rolcreaterole OR r.rolsuper AS can_create_roles,
  r.rolsuper AS is_superuser,
  r.rolbypassrls AS bypasses_rls,
  pg_catalog.pg_has_role(r.oid, d.datdba, 'USAGE') AS owns_database,
  pg_catalog.has_database_privilege(r.oid, d.oid, 'CREATE') AS can_create_in_database,
  COALESCE((SELECT prefix FROM hub), '') AS role_prefix,
  CASE
    WHEN NOT EXISTS (SELECT FROM hub) THEN ''
    WHEN EXISTS (SELECT FROM pg_catalog.pg_roles, hub WHERE rolname = hub.prefix || '_provisioner') THEN 'company'
    ELSE 'personal'
  END AS kind,
  NOT EXISTS (SELECT FROM hub)
    AND EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %(prefix)s || '_owner') AS is_taken,
  (
    SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND pg_catalog.pg_get_userbyid(c.relowner) IS DISTINCT FROM (SELECT prefix || '_owner' FROM hub)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.objid = c.oid AND e.deptype = 'e')
  ) AS foreign_tables
FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()
"""

# Words of the driver or the server, what is wrong, and what to do. The driver says no SQLSTATE of a connection that was not made.
_REFUSALS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("server does not support ssl",),
        "server.no_tls",
        "It offers no TLS, and a hub is never reached without it over a network. Switch TLS on there, or choose another server.",
    ),
    (
        ("root certificate file", "could not read root certificate"),
        "server.tls",
        "The file of certificate authorities cannot be read. Give the path of one that can, or none.",
    ),
    (
        ("channel binding",),
        "server.tls",
        "It cannot bind the login to the connection. If you trust what stands between, such as a pooler, "
        "add channel_binding=prefer to the address.",
    ),
    (
        ("certificate", "ssl error", "tls"),
        "server.tls",
        "Its certificate is not one to trust for this name. Check the host in the address; for a server with an authority "
        "of your own, give that authority's certificate file.",
    ),
    (
        (
            "password authentication failed",
            "no password supplied",
            "is not permitted to log in",
            "no pg_hba.conf entry",
            "permission denied for database",  # as of a member who was removed
            "too many connections for role",
        ),
        "server.wrong_password",
        "It refuses this login. Copy the address again, with user and password; a new password may be needed.",
    ),
    (
        ("does not exist",),
        "server.no_database",
        "It knows no such database or user. Check both in the address, or create the database there first.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server and a login to it are.

    Args:
        version: the server's major version.
        has_tls: this very connection is encrypted.
        owns_database: the login owns the database, or is in the role that does.
        is_pooled: sessions are not its own: something between here and the server lends them out, or swallows what a session
            begins with.
        foreign_tables: tables and views in `public` that belong to no hub and to no extension.
        role_prefix, kind: of the hub that is there; empty when there is none.
        is_taken: there is no hub in this database, yet the roles of the prefix that was asked for exist: another database of
            the server has them, or making a hub was interrupted.
    """

    version: int
    has_tls: bool
    can_create_roles: bool
    is_superuser: bool
    bypasses_rls: bool
    owns_database: bool
    can_create_in_database: bool
    is_pooled: bool
    foreign_tables: int
    role_prefix: str = ""
    kind: str = ""
    is_taken: bool = False

    @property
    def is_hub(self) -> bool:
        """Whether a hub is there already."""
        return bool(self.role_prefix)


def connect(options: Mapping[str, Any], **more: Any) -> psycopg.Connection[Any]:
    """Connect, in autocommit unless told otherwise.

    Args:
        options: the driver's keywords, as `DatabaseUrl.options()` gives them.
        more: further keywords of the driver.

    Raises:
        NotReady: no connection, with the reason: server.unreachable, server.wrong_password, server.no_database, server.no_tls,
            server.tls.
    """
    try:
        return psycopg.connect(**_keywords(options), **{"autocommit": True, **more})
    except psycopg.Error as error:
        raise explain_error(error, options) from None
    except UnicodeError:
        raise _unfit("server.unreachable", "Its host is no name that can be looked up. Check the address.") from None


def inspect_server(options: Mapping[str, Any], *, prefix: str = "") -> ServerFacts:
    """Connect and look around.

    Args:
        options: the driver's keywords, as `DatabaseUrl.options()` gives them.
        prefix: of the roles of the hub that is to be made, to learn whether they are free.

    Raises:
        NotReady: as of `connect`.
    """
    with (
        ExitStack() as opened
    ):  # in autocommit: behind a pooler of one connection, a transaction would keep the next one waiting
        connection = opened.enter_context(closing(connect(options, row_factory=dict_row, prepare_threshold=None)))
        try:
            row = connection.execute(_FACTS, {"prefix": prefix}).fetchone()
            is_pooled = _is_pooled(connection, options, opened)
        except psycopg.Error as error:
            raise explain_error(error, options) from None
        assert row is not None, "a login is a role, and is connected to a database"
        return ServerFacts(
            version=connection.info.server_version // 10000,
            has_tls=connection.pgconn.ssl_in_use,
            is_pooled=is_pooled,
            **row,
        )


def check_fit(facts: ServerFacts, *, company: bool, loopback: bool) -> None:
    """Refuse a server on which no hub can be made, or migrated, with this login.

    Args:
        company: the hub is a company's.
        loopback: the server is on this computer, where nobody listens between.

    Raises:
        NotReady: server.no_tls, server.pooled, server.too_old, server.no_createrole, server.not_owner, server.not_empty.
    """
    oldest = OLDEST_COMPANY if company else OLDEST_PERSONAL
    hub = "A company's hub" if company else "A hub"
    if not facts.has_tls and not loopback:
        raise _unfit("server.no_tls", "The connection is not encrypted. Add sslmode=verify-full to the address.")
    if facts.is_pooled:
        raise _unfit(
            "server.pooled",
            "This address leads through a connection pooler, which a hub's schema cannot be changed through. "
            "Give the direct address: at Neon the host without -pooler, elsewhere the server's own port.",
        )
    if facts.version < oldest:
        raise _unfit(
            "server.too_old",
            f"{hub} needs Postgres {oldest} or newer; this is {facts.version}. Upgrade it, or choose another server.",
        )
    if not facts.can_create_roles:
        raise _unfit(
            "server.no_createrole",
            f"{hub} has logins of its own, and this login may not create any. "
            "Ask who runs the server for: ALTER ROLE <your login> CREATEROLE.",
        )
    if not facts.owns_database or not facts.can_create_in_database:
        raise _unfit(
            "server.not_owner",
            "This login does not own the database, so it cannot shut it to others. "
            "Ask who runs the server for: ALTER DATABASE <the database> OWNER TO <your login>.",
        )
    if facts.foreign_tables and not facts.is_hub:
        raise _unfit(
            "server.not_empty",
            f"The database holds {facts.foreign_tables} tables of something else. {hub} needs one of its own: "
            "CREATE DATABASE psn, then give the address with that name.",
        )


def _keywords(options: Mapping[str, Any]) -> dict[str, Any]:
    return {"connect_timeout": CONNECT_SECONDS, "application_name": "psn", **options}


def _is_pooled(first: psycopg.Connection[Any], options: Mapping[str, Any], opened: ExitStack) -> bool:
    """Whether two connections can meet the same session, or a session does not begin as asked.

    The process id that comes with a connection proves nothing: Neon's proxy makes one up for direct connections, too
    (neondatabase/neon, proxy/src/cancellation.rs).
    """
    asked = f"{options.get('options', '')} -c {_PROBE}=yes".strip()
    before = _session_of(first)
    try:
        second = psycopg.connect(**_keywords(options) | {"options": asked}, autocommit=True, row_factory=dict_row)
    except psycopg.OperationalError as error:
        if "unsupported startup parameter" in str(error):  # what PgBouncer says
            return True
        raise
    opened.callback(second.close)
    session = _session_of(second)
    if session["probe"] != "yes" or session["pid"] == before["pid"]:
        return True
    return bool(_session_of(first)["pid"] != before["pid"])


def _session_of(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    row: dict[str, Any] | None = connection.execute(
        "SELECT pg_catalog.pg_backend_pid() AS pid, pg_catalog.current_setting(%s, true) AS probe", (_PROBE,)
    ).fetchone()
    assert row is not None
    return row


def explain_error(error: psycopg.Error, options: Mapping[str, Any]) -> NotReady:
    """Say what is wrong, without the error itself: it holds the password."""
    said = " ".join(str(error).split())
    password = str(options.get("password") or "")
    if password:
        said = said.replace(password, "***")
    place = f"{options.get('host', '')}:{options.get('port', '')}/{options.get('dbname', '')}"
    unnamed = _NAMES.sub("", said.lower())  # a host may be called certificate.example
    for words, code, advice in _REFUSALS:
        if any(word in unnamed for word in words):
            return _unfit(code, f"{place} cannot be entered. {advice} ({said[-300:]})")
    return _unfit(
        "server.unreachable",
        f"{place} does not answer. Check host and port, that the server runs, and that its firewall lets this computer in. "
        f"({said[-300:]})",
    )


def _unfit(code: str, message: str) -> NotReady:
    return NotReady(message, code=code)
