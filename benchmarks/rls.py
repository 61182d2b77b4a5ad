"""What row-level security costs: `.venv/bin/python -m benchmarks.rls` (`--posts 20000 --members 50` for a quick one).

newest posts, posts that wait for a yes, a fortnight of the calendar     at most 1.3x of the explicit filter alone
the worker's scan for due posts, and the sweep's for stuck ones          the same
the removal of a member who is in, from a team of thirty                 under 10 ms

A company's hub with a million posts of a thousand members, made by the product's own steps, on one server. The statements are the
product's own, taken from it while it runs; a member runs them under the policies, and the superuser, whom no policy applies to, runs the
same ones with the same filter. In turns, so that a drift of the machine hits both.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

FOLDER = Path(tempfile.mkdtemp(prefix="psn-rls-"))
os.environ.update(PSN_WORKSPACE=str(FOLDER), PSN_NO_BOOTSTRAP="1", DJANGO_SETTINGS_MODULE="psn.settings")

import django  # noqa: E402  (settings read the environment that was just made)

django.setup()

import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402
from psycopg import sql  # noqa: E402

from hub.actions import posts  # noqa: E402
from hub.actions.approval import approvals  # noqa: E402
from hub.actions.calendars import planned  # noqa: E402
from hub.connections import switch_hub  # noqa: E402
from psn.config.hub import write_hub_config  # noqa: E402
from tests.servers import run_server  # noqa: E402
from tests.teams.company import Company, Member, make_company  # noqa: E402
from tests.teams.rows import Shape, read_shape  # noqa: E402

RATIO, REMOVAL_SECONDS = 1.3, 0.010
REMOVALS = 30
NOW = datetime.now(UTC)
SERVER = {
    "fsync": "on",
    "shared_buffers": "1GB",
    "max_connections": "200",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
}

# One post in a hundred is a draft, one in five hundred waits for a yes, five in a hundred are to come, the rest is out. Fifty are due, on
# an account that was told to wait: the scan looks at them, and takes none.
_POSTS = {
    "id": "uuidv7(make_interval(mins => -i))",
    "account_id": "CASE WHEN i <= 50 THEN %(waits)s ELSE %(account)s END",
    "author_id": "(ARRAY(SELECT id FROM authors ORDER BY id))[1 + i %% %(members)s]",
    "status": """CASE WHEN i <= 50 THEN 'scheduled' WHEN i %% 100 = 0 THEN 'draft' WHEN i %% 500 = 7 THEN 'pending_approval'
        WHEN i %% 20 = 3 THEN 'scheduled' ELSE 'published' END""",
    "content_hash": "'h'",
    "approved_hash": "CASE WHEN i > 50 AND (i %% 100 = 0 OR i %% 500 = 7) THEN '' ELSE 'h' END",
    "created_at": "now() - make_interval(mins => i)",
    "scheduled_at": """CASE WHEN i <= 50 THEN now() - interval '1 min'
        WHEN i %% 20 = 3 OR i %% 500 = 7 THEN now() + make_interval(mins => i / 2) ELSE now() - make_interval(mins => i) END""",
    "platform_post_id": "i::text",
    "published_at": "CASE WHEN i > 50 AND i %% 100 <> 0 AND i %% 500 <> 7 AND i %% 20 <> 3 THEN now() - make_interval(mins => i) END",
}


@dataclass(frozen=True)
class Statement:
    """A statement of the product, with its values."""

    name: str
    text: str
    values: tuple[Any, ...] = ()


def main() -> None:
    """Make the hub, measure in turns, print the ratios; fail beyond a limit."""
    asked = _read_arguments()
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, FOLDER, ignore_errors=True)
        server = stack.enter_context(run_server("18", settings=SERVER))
        company = stack.enter_context(make_company(server, slug=f"b{secrets.token_hex(4)}"))
        sound = [_measure_removal(company, "removal")]
        began = time.monotonic()
        member = _fill(company, posts=asked.posts, members=asked.members)
        print(
            f"{asked.posts:,} posts of {asked.members:,} members, written in {time.monotonic() - began:.0f} s",
            flush=True,
        )
        sound += [_compare(company, member, one, rounds=asked.rounds) for one in _lists_of_the_product(company, member)]
        sound += [_compare_scan(company, name, call, rounds=asked.rounds) for name, call in _SCANS.items()]
        _measure_removal(company, "removal from many")  # every change of a role has the server look at all logins anew
    sys.exit(not all(sound))


_SCANS = {
    "due posts": "claim_posts('w', interval '1 min', interval '15 min', 20, NULL)",
    "stuck posts": "find_stuck('w', '1', interval '15 min', interval '5 s', 100)",
}


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--members", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=400, help="of each statement")
    return parser.parse_args()


def _fill(company: Company, *, posts: int, members: int) -> Member:
    """Write members, posts and parts as who stands above the laws; give a member who came in by an invite."""
    member = company.join("Bob")
    with company.enter_as_superuser() as everything:
        shape = read_shape(everything)
        everything.execute("SET session_replication_role = replica")
        _make_members(everything, shape, company, members=members)
        accounts = [_make_account(everything, shape, company, waits=waits) for waits in (False, True)]
        values = {"account": accounts[0], "waits": accounts[1], "members": members, "posts": posts}
        expressions = _POSTS | {"user_id": f"'{company.id}'", "due_at": _POSTS["scheduled_at"]}
        everything.execute("CREATE TABLE authors AS SELECT id FROM users WHERE kind = 'person'")
        _insert_from(everything, shape, "posts", expressions, source="generate_series(1, %(posts)s) i", values=values)
        everything.execute("DROP TABLE authors")
        parts = {"id": "gen_random_uuid()", "user_id": "p.user_id", "post_id": "p.id", "kind": "'post'", "state": "'waiting'",
                 "text": "repeat('Hello ', 30)"}  # fmt: skip
        _insert_from(everything, shape, "post_parts", parts, source="posts p", values={})
        everything.execute("VACUUM ANALYZE")
    return member


def _make_members(everything: psycopg.Connection[Any], shape: Shape, company: Company, *, members: int) -> None:
    """Make people with a login each, as many as there are to be; nobody knows their passwords."""
    people = {"id": "gen_random_uuid()", "name": "'Member ' || i", "timezone": "'UTC'", "is_active": "true", "kind": "'person'",
              "role": "'member'", "created_at": "now()"}  # fmt: skip
    _insert_from(
        everything, shape, "users", people, source="generate_series(3, %(members)s) i", values={"members": members}
    )
    everything.execute(f"""DO $do$ DECLARE login text; BEGIN
      SET LOCAL ROLE {company.slug}_provisioner;
      FOR login IN SELECT '{company.slug}_m_' || lpad((n - 2)::text, 12, '0') FROM generate_series(3, {members}) n LOOP
        EXECUTE format('CREATE ROLE %I LOGIN', login);
        EXECUTE format('GRANT %I TO {company.slug}_provisioner WITH INHERIT TRUE, SET FALSE', login);
        EXECUTE format('GRANT {company.slug}_team TO %I', login);
      END LOOP; END $do$""")
    everything.execute(
        """INSERT INTO logins (login_role, kind, user_id, is_active)
        SELECT %s || lpad((row_number() OVER ())::text, 12, '0'), 'member', u.id, true FROM users u
        WHERE u.kind = 'person' AND NOT EXISTS (SELECT FROM logins l WHERE l.user_id = u.id)""",
        [f"{company.slug}_m_"],
    )


def _make_account(everything: psycopg.Connection[Any], shape: Shape, company: Company, *, waits: bool) -> Any:
    values: dict[str, Any] = {
        "user_id": company.id,
        "platform": "x",
        "platform_account_id": str(waits),
        "handle": "acme",
        "status": "active",
    }
    row = shape.insert("accounts", **values) + sql.SQL(" RETURNING id")
    (made,) = everything.execute(row).fetchone() or (None,)
    if waits:
        everything.execute("UPDATE accounts SET next_allowed_at = now() + interval '1 year' WHERE id = %s", [made])
    return made


def _insert_from(
    everything: psycopg.Connection[Any],
    shape: Shape,
    table: str,
    expressions: dict[str, str],
    *,
    source: str,
    values: dict[str, Any],
) -> None:
    full = {name: shape.plain(table, name).as_string(everything) for name in shape.needed[table]} | expressions
    columns = ", ".join(f'"{name}"' for name in full)
    everything.execute(
        f"INSERT INTO {table} ({columns}) SELECT {', '.join(full.values())} FROM {source}".encode(), values or None
    )


def _lists_of_the_product(company: Company, member: Member) -> list[Statement]:
    """Have the product list what it lists, as a member, and keep what it asked for first of posts."""
    own = company.config.url("app").with_login(member.login, member.password)
    write_hub_config(settings.WORKSPACE, replace(company.config, urls={"app": own}, folder=FOLDER / "home"))
    switch_hub(company.slug)
    works: dict[str, Callable[[], object]] = {
        "newest posts": lambda: posts.list_posts(status=None, account=None, limit=20, before=None),
        "waiting for a yes": lambda: approvals.list_waiting(now=NOW, limit=20),
        "a fortnight": lambda: planned.read_planned("default", since=NOW, until=NOW + timedelta(days=14)),
    }
    found = [_first_of_posts(name, work) for name, work in works.items()]
    connections.close_all()
    return found


def _first_of_posts(name: str, work: Callable[[], object]) -> Statement:
    heard: list[Statement] = []

    def listen(execute: Any, text: str, values: Any, many: bool, context: Any) -> Any:
        if 'FROM "posts"' in text and "COUNT(" not in text:
            heard.append(Statement(name, text, tuple(values or ())))
        return execute(text, values, many, context)

    with connections["default"].execute_wrapper(listen):
        work()
    return heard[0]


def _compare(company: Company, member: Member, statement: Statement, *, rounds: int) -> bool:
    """Run a statement under the policies and without them."""
    with company.enter(member) as bound, _unbound(company) as free:
        runs = [lambda: bound.execute(statement.text.encode(), statement.values).fetchall(),
                lambda: free.execute(statement.text.encode(), statement.values).fetchall()]  # fmt: skip
        assert sorted(map(repr, runs[0]())) == sorted(map(repr, runs[1]())), (
            f"{statement.name}: they see different rows"
        )
        return _report(statement.name, runs, rounds=rounds)


def _compare_scan(company: Company, name: str, call: str, *, rounds: int) -> bool:
    """Run one of the worker's scans as it is, and as a function of the superuser's, to whom no policy applies."""
    with company.enter_as_worker(prepare_threshold=3) as worker, _unbound(company) as free:
        _copy_unbound(free, call.partition("(")[0])
        runs = [lambda: worker.execute(f"SELECT * FROM hub_api.{call}".encode()).fetchall(),
                lambda: free.execute(f"SELECT * FROM unbound.{call}".encode()).fetchall()]  # fmt: skip
        return _report(name, runs, rounds=rounds)


def _copy_unbound(free: psycopg.Connection[Any], function: str) -> None:
    """Copy a function of the definer's into one that runs as the superuser, who is let through where it asks for the worker."""
    free.execute("CREATE SCHEMA IF NOT EXISTS unbound")
    asked = "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s AND pronamespace = 'hub_api'::regnamespace"
    (text,) = free.execute(asked, [function]).fetchone() or ("",)
    text = text.replace(f"FUNCTION hub_api.{function}", f"FUNCTION unbound.{function}").replace(" SECURITY DEFINER", "")
    text = text.replace("hub_api.is_service()", "(hub_api.is_service() IS NOT NULL)")
    free.execute(text.encode())


@contextmanager
def _unbound(company: Company) -> Iterator[psycopg.Connection[Any]]:
    """The superuser, with what else members' logins have."""
    with company.enter_as_superuser(prepare_threshold=5) as connection:
        connection.execute("SET jit = off")
        yield connection


def _report(name: str, runs: list[Callable[[], Any]], *, rounds: int) -> bool:
    seconds: list[list[float]] = [[], []]
    for number in range(rounds + 20):
        for which in (0, 1) if number % 2 else (1, 0):
            began = time.perf_counter()
            runs[which]()
            if number >= 20:  # plans and caches are warm
                seconds[which].append(time.perf_counter() - began)
    ours, theirs = (median(some) for some in seconds)
    sound = ours / theirs <= RATIO
    print(f"{name:20} {ours * 1e6:9.0f} us with, {theirs * 1e6:9.0f} us without: {ours / theirs:.2f}x"
          f" (at most {RATIO}x){'' if sound else '  TOO SLOW'}", flush=True)  # fmt: skip
    return sound


def _measure_removal(company: Company, name: str) -> bool:
    """Remove members who are in, each with a session that is open."""
    seconds = []
    with company.enter(company.ann) as ann:
        for number in range(REMOVALS):
            member = company.join(f"Leaver {number}")
            session = company.enter(member)
            session.execute("SELECT 1 FROM posts LIMIT 1")
            began = time.perf_counter()
            ann.execute("SELECT hub_api.remove_member(%s)", [member.id])
            seconds.append(time.perf_counter() - began)
            session.close()
    took = median(seconds)
    sound = took < REMOVAL_SECONDS
    print(f"{name:20} {took * 1e3:9.1f} ms, slowest of {REMOVALS} {max(seconds) * 1e3:.1f} ms"
          f" (under {REMOVAL_SECONDS * 1e3:.0f} ms){'' if sound else '  TOO SLOW'}", flush=True)  # fmt: skip
    return sound


if __name__ == "__main__":
    main()
