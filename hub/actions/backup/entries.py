"""Who comes in with which login after the rows of a hub were replaced: logins belong to a server, people to an archive.

An old picture lets nobody in who was shut out on this server since, and nobody stay who is not in it: a login that ended stays ended, one
that is nobody's any more ends, and people whose login is not here need a new invite.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from psycopg import sql

from hub.actions.backup.archives import Manifest
from hub.actions.backup.tables import Connection, ask
from psn.errors import NotReady

MEMBER, SERVICE = "member", "service"
_OPEN = "redeemed_at IS NULL AND revoked_at IS NULL"
# Logins that are in a group and nobody's: neither a person's nor an open invite's.
_STRANGERS = f"""
SELECT r.rolname, g.rolname FROM pg_auth_members m
JOIN pg_roles r ON r.oid = m.member JOIN pg_roles g ON g.oid = m.roleid
WHERE g.rolname IN (%(team)s, %(invited)s) AND r.rolcanlogin AND starts_with(r.rolname, %(prefix)s || '_m_')
  AND NOT EXISTS (SELECT FROM logins l WHERE l.login_role = r.rolname)
  AND NOT EXISTS (SELECT FROM invites i WHERE i.login_role = r.rolname AND {_OPEN} AND g.rolname = %(invited)s)
ORDER BY 1
"""
_END_INVITES = f"""
UPDATE invites i SET revoked_at = clock_timestamp() WHERE {_OPEN} AND NOT EXISTS (
  SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member JOIN pg_roles g ON g.oid = m.roleid
  WHERE r.rolname = i.login_role AND g.rolname = %s)
"""


@dataclass(frozen=True, slots=True)
class LoginRow:
    """A row of `logins`, and whose it is."""

    role: str
    kind: str
    user_id: UUID | None
    is_active: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """Who can come in now.

    Args:
        me: the name of whom this computer's login is; empty when it has none.
        without_login: names of people who cannot: they need a new invite.
    """

    me: str
    without_login: tuple[str, ...]


def list_logins(connection: Connection) -> list[LoginRow]:
    """Read who comes in with which login."""
    query = """SELECT l.login_role, l.kind, l.user_id, l.is_active, coalesce(u.name, '')
        FROM logins l LEFT JOIN users u ON u.id = l.user_id ORDER BY l.login_role"""
    return [LoginRow(*row) for row in ask(connection, query)]


def write_logins(
    connection: Connection, *, manifest: Manifest, before: list[LoginRow], prefix: str, mine: str
) -> Entry:
    """Write the logins of this server for the people of the archive.

    Args:
        connection: of the hub's owner; `users` is restored, and `logins` is empty.
        before: the logins of the hub that was replaced.
        mine: this computer's own login, which always leads somewhere: to whom it was, else to somebody of that name who may do
            everything, else to the first who may. Empty when it has none.

    Raises:
        NotReady: the archive has nobody whom it could lead to.
    """
    people = _list_people(connection)
    here = {str(role) for (role,) in ask(connection, "SELECT rolname FROM pg_roles WHERE rolcanlogin")}
    closed = {row.role for row in before if not row.is_active}
    rows = {row.role: row for row in before if row.kind == SERVICE}
    wanted = [(f"{prefix}_{login.name}", login.user_id) for login in manifest.logins if login.kind == MEMBER]
    wanted += [(row.role, row.user_id) for row in before if row.kind == MEMBER]
    for role, user_id in wanted:
        if role in here - closed - set(rows) and user_id in people:
            rows[role] = LoginRow(role, MEMBER, user_id, is_active=True)
    if mine and mine not in rows:
        rows[mine] = LoginRow(mine, MEMBER, _choose(connection, before, mine), is_active=True)
    _insert(connection, rows.values())
    entered = {row.user_id for row in rows.values()}
    return Entry(
        me=people[rows[mine].user_id] if mine else "",
        without_login=tuple(name for person_id, name in people.items() if person_id not in entered),
    )


def end_strangers(connection: Connection, *, prefix: str) -> int:
    """In a company's hub, end the invites whose login is not here, and the logins that are nobody's; gives how many logins."""
    groups = {"team": f"{prefix}_team", "invited": f"{prefix}_invited"}
    connection.execute(_END_INVITES, (groups["invited"],))
    strangers = connection.execute(_STRANGERS, {**groups, "prefix": prefix}).fetchall()
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(f"{prefix}_provisioner")))
    for login, group in strangers:
        connection.execute("SELECT hub_api.shut_out(%s, %s)", (login, group))
    connection.execute("RESET ROLE")
    return len(strangers)


def _insert(connection: Connection, rows: Iterable[LoginRow]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO logins (login_role, kind, user_id, is_active) VALUES (%s, %s, %s, %s)",
            [(row.role, row.kind, row.user_id, row.is_active) for row in rows],
        )


def _list_people(connection: Connection) -> dict[UUID | None, str]:
    query = "SELECT id, name FROM users WHERE is_active AND kind = 'person' ORDER BY created_at, id"
    return {user_id: str(name) for user_id, name in ask(connection, query)}


def _choose(connection: Connection, before: list[LoginRow], mine: str) -> UUID:
    """Choose whose a login is that the archive does not know."""
    name = next((row.name for row in before if row.role == mine), "")
    rows = ask(
        connection,
        "SELECT id FROM users WHERE is_active AND kind = 'person' AND role = 'admin' ORDER BY name <> %s, created_at, id LIMIT 1",
        [name],
    )
    if not rows:
        raise NotReady("The backup has nobody who could use the hub. Nothing was changed.", code="backup.nobody")
    found: UUID = rows[0][0]
    return found
