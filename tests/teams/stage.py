"""A team at work: four people, posts in every state, secrets, invites, and what a hostile one among them would like to touch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from tests.teams.company import Company, Invited, Member
from tests.teams.rows import Shape, read_shape

# What may change without anybody's doing: ids of rows that were never written.
_TABLES = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname IN ('public', 'hub_api')
"""
_CATALOGS = {
    "roles": "pg_authid t WHERE starts_with(t.rolname, {slug})",
    "memberships": "pg_auth_members t WHERE t.roleid::regrole::text ~ {like} OR t.member::regrole::text ~ {like}",
    "settings of roles": "pg_db_role_setting t",
    "databases": "pg_database t WHERE t.datname = current_database()",
    "schemas": "pg_namespace t WHERE t.nspname !~ '^pg_(temp|toast)'",
    "policies": "pg_policy t",
    "triggers": "pg_trigger t",
    "functions": "pg_proc t WHERE t.oid >= 16384",
    "columns": "pg_attribute t WHERE t.attrelid >= 16384 AND t.attnum > 0",
    "extensions": "pg_extension t",
}
# of classes what counts: planning and vacuuming write into the rest
_CLASSES = "SELECT oid, relname, relowner, relacl, relkind, relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid >= 16384"

WHO = {"ann": "admin", "dan": "admin", "cat": "approver", "bob": "member", "eve": "member"}


@dataclass(frozen=True)
class Stage:
    """A company's hub with rows in it.

    Args:
        people: by name: `ann` and `dan` are admins, `cat` is an approver, `bob` and `eve` are members.
        invites: `open`, `late` (expired), `revoked`.
        names: what the text of an attack may refer to: ids of people, posts, parts and accounts, role names.
    """

    company: Company
    people: dict[str, Member]
    invites: dict[str, Invited]
    names: dict[str, str]
    shape: Shape

    def enter(self, who: str, **options: Any) -> psycopg.Connection[Any]:
        """Connect as one of the people, with one of the invites, or as `worker`."""
        if who == "worker":
            return self.company.enter_as_worker(**options)
        return self.company.enter(self.people.get(who) or self.invites[who], **options)

    def insert(self, table: str, **values: Any) -> sql.Composed:
        """Compose the statement that adds a row of the company's; `user_id` is None where a table has no such column."""
        full = {"user_id": self.company.id} | values
        return self.shape.insert(
            table, **{name: value for name, value in full.items() if (name, value) != ("user_id", None)}
        )

    def fingerprint(self, superuser: psycopg.Connection[Any]) -> dict[str, str]:
        """Give a digest of every table and catalog, in which even a change without effect shows."""
        slug = sql.Literal(f"{self.company.slug}_")
        like = sql.Literal(f'^"?{self.company.slug}_')
        tables = [row[0] for row in superuser.execute(_TABLES).fetchall()]
        queries: dict[str, sql.Composable] = {name: sql.SQL(f"{name} t") for name in tables}
        queries |= {
            name: sql.SQL(f"pg_catalog.{query}").format(slug=slug, like=like) for name, query in _CATALOGS.items()
        }
        queries["classes"] = sql.SQL(f"(SELECT 0 AS xmin, c.* FROM ({_CLASSES}) c) t")
        parts = [
            sql.SQL(
                "SELECT {}, md5(coalesce(string_agg(t.xmin::text || t::text, '|' ORDER BY t::text), '')) FROM "
            ).format(sql.Literal(name))
            + query
            for name, query in queries.items()
        ]
        rows = superuser.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()
        return dict(rows)


def set_up(company: Company) -> Stage:
    """Have a team join, and write one of everything."""
    people = {"ann": company.ann} | {
        name: company.join(name.title(), role) for name, role in WHO.items() if name != "ann"
    }
    invites = {
        "open": company.invite("Open"),
        "late": company.invite("Late", ttl="1 hour"),
        "revoked": company.invite("Revoked"),
    }
    with company.enter_as_superuser() as superuser:
        shape = read_shape(superuser)
        names = _write_rows(superuser, shape, company=company, people=people)
        superuser.execute(
            "UPDATE invites SET expires_at = now() - interval '1 minute' WHERE login_role = %s", [invites["late"].login]
        )
        superuser.execute("UPDATE companies SET posting_policy = 'approval'")
    with company.enter(company.ann) as admin:
        admin.execute("SELECT hub_api.revoke_invite(%s)", [invites["revoked"].id])
    names |= _names_of(company, people, invites)
    return Stage(company, people, invites, names, shape)


def _names_of(company: Company, people: dict[str, Member], invites: dict[str, Invited]) -> dict[str, str]:
    names = {"slug": company.slug, "company": str(company.id), "nobody": str(uuid4()), "database": company.database}
    for name, member in people.items():
        names |= {name: str(member.id), f"{name}s_login": member.login}
    for name, invited in invites.items():
        names |= {f"{name}_login": invited.login, f"{name}_invite": str(invited.id)}
    return names


def _write_rows(
    superuser: psycopg.Connection[Any], shape: Shape, *, company: Company, people: dict[str, Member]
) -> dict[str, str]:
    """Write as who stands above the laws: posts are in states that they reach only by and by."""
    names: dict[str, str] = {}
    with _above_the_laws(superuser):
        pen = _Pen(superuser, shape, company.id)
        account = pen.write("accounts", platform="x", platform_account_id="1", handle="acme", status="active")
        names["account"] = str(account)
        pen.write("oauth_tokens", account_id=account, access_token_sealed="sealed-token", version=1)
        pen.write("api_keys", name="vendor", key_sealed="sealed-key")
        pen.write("hub_settings", name="strategy", version=1)
        stranger = pen.write(
            "users", user_id=None, name="A stranger", timezone="UTC", is_active=True, kind="person", role="member"
        )
        theirs = pen.write(
            "accounts", user_id=stranger, platform="x", platform_account_id="2", handle="s", status="active"
        )
        names |= {"stranger": str(stranger), "strangers_account": str(theirs)}
        for name, member in people.items():
            names |= _write_posts(pen, member, name=name, account=account)
        names |= _write_strangers(_Pen(superuser, shape, stranger), account=theirs)
        pen.write("slots", on="2031-01-01", platform="x", claimed_by_id=people["cat"].id)
        pen.write("slots", on="2031-01-02", platform="x", claimed_by_id=people["bob"].id)
        pen.write("worker_heartbeats", user_id=None, name="w@h", incarnation="1", host="h", pid=1, version="1")
        superuser.execute(
            "INSERT INTO django_q_ormq (key, payload, lock) VALUES ('psn', '{}', now() + interval '1 year')"
        )
        superuser.execute(
            "INSERT INTO django_q_task (id, name, func, started, stopped, success, attempt_count) "
            "VALUES ('1', 'n', 'f', now(), now(), true, 1)"
        )
    return names


STATES = ("draft", "pending_approval", "scheduled", "publishing", "published", "unknown", "failed", "cancelled")


def _write_posts(pen: _Pen, member: Member, *, name: str, account: UUID) -> dict[str, str]:
    """Write a post in every state for one author, each with a part and a medium; one post may be in flight for an account."""
    names: dict[str, str] = {}
    for state in STATES:
        if state == "publishing" and name != "bob":
            continue
        values = _values_of(state, day="2031-01-01" if name == "cat" else "2031-01-02")
        post = pen.write("posts", account_id=account, author_id=member.id, status=state, **values)
        live = state == "published"
        told = (
            {"state": "published", "platform_post_id": "77", "published_at": sql.SQL("now()")}
            if live
            else {"state": "waiting"}
        )
        part = pen.write("post_parts", post_id=post, index=0, kind="post", text=f"{name}: {state}", **told)
        medium = pen.write(
            "post_media", part_id=part, index=0, path="content/media/a.png", sha256="a" * 64, mime_type="image/png"
        )
        names |= {
            f"{name}s_{state}": str(post),
            f"{name}s_{state}_part": str(part),
            f"{name}s_{state}_medium": str(medium),
        }
    out = names[f"{name}s_published"]
    pen.write("attempts", post_id=out, part_id=names[f"{name}s_published_part"], kind="commit", outcome="ok",
              finished_at=sql.SQL("now()"))  # fmt: skip
    notice = pen.write("notices", post_id=out, level="act", code="post.failed", message="x", recipient_id=member.id)
    chunk = pen.write("media_chunks", uploaded_by_id=member.id, sha256="a" * 64, index=0)
    pen.write("approvals", post_id=out, by_id=member.id, verdict="approved", content_hash="h")
    pen.write("audit_log", actor=str(member.id), action="post.created", subject="post", subject_id=out)
    return names | {f"{name}s_notice": str(notice), f"{name}s_chunk": str(chunk)}


def _write_strangers(pen: _Pen, *, account: UUID) -> dict[str, str]:
    """Write one of everything for another owner, who has nothing to do with the company."""
    him = Member(name="A stranger", id=pen.owner, login="", password="")
    pen.write("oauth_tokens", account_id=account, access_token_sealed="sealed-token", version=1)
    pen.write("api_keys", name="vendor", key_sealed="sealed-key")
    pen.write("hub_settings", name="strategy", version=1)
    pen.write("slots", on="2031-01-01", platform="x", claimed_by_id=him.id)
    pen.write("invites", login_role="nobody", name="x", role="member", created_by_id=him.id)
    return _write_posts(pen, him, name="stranger", account=account)


def _values_of(state: str, *, day: str) -> dict[str, Any]:
    digest = hashlib.sha256(state.encode()).hexdigest()
    values: dict[str, Any] = {"content_hash": digest}
    if state in ("pending_approval", "scheduled", "publishing", "published", "unknown"):
        values |= {"scheduled_at": f"{day}T12:00Z", "due_at": f"{day}T12:00Z"}
    if state in ("scheduled", "publishing", "published", "unknown"):
        values |= {"approved_hash": digest, "approved_by": "somebody"}
    if state == "publishing":
        values |= {"phase": "claimed", "lease_owner": "w:1:1", "lease_until": "2031-01-02T12:00Z", "fence": 1}
    if state == "published":
        values |= {"platform_post_id": "77", "published_at": sql.SQL("now()")}
    return values


class _Pen:
    def __init__(self, connection: psycopg.Connection[Any], shape: Shape, owner: UUID) -> None:
        self.connection, self.shape, self.owner = connection, shape, owner

    def write(self, table: str, **values: Any) -> UUID:
        """Add a row, of the company's unless told otherwise, and give its id."""
        full = {"user_id": self.owner, "id": uuid4()} | values
        if full["user_id"] is None:
            del full["user_id"]
        if table == "worker_heartbeats":
            del full["id"]
        self.connection.execute(self.shape.insert(table, **full))
        made: UUID = full.get("id", self.owner)
        return made


@contextmanager
def _above_the_laws(superuser: psycopg.Connection[Any]) -> Iterator[None]:
    superuser.execute("SET session_replication_role = replica")
    yield
    superuser.execute("RESET session_replication_role")
